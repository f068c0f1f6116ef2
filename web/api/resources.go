// Package api is the administration interface of a running box: JSON over HTTP. Package web puts it behind the admin
// pages; the command line speaks it over the Unix socket DIR/admin.sock, which only the user that runs the box (and
// root) can open. Everything an administrator can do goes through here, whoever asks.
//
//	GET    /v1/status                     Status
//	POST   /v1/recovery/accept            accept a state restored from damaged files
//	GET    /v1/domains?all={true}         []Domain, with all=true the hidden and deleted ones too
//	POST   /v1/domains                    NewDomain -> Domain
//	GET    /v1/domains/{domain}           Domain, by name or GUID
//	DELETE /v1/domains/{domain}?with-members={true}  Domain, as it was deleted
//	GET    /v1/domains/{domain}/contacts?text={text}  []Contact, as its members find them
//	PATCH  /v1/domains/{domain}           DomainChange -> Domain
//	GET    /v1/domains/{domain}/certificate  DomainCertificate
//	PUT    /v1/domains/{domain}/policy    PolicyAssignment -> Holding
//	PUT    /v1/devices/{device}/policy?domain={domain}  PolicyAssignment -> Holding
//	GET    /v1/devices?domain={domain}    []Device, of one domain or of all
//	GET    /v1/devices/{device}?domain={domain}  Device
//	GET    /v1/groups?domain={domain}     []Group, of one domain or of all
//	POST   /v1/groups                     NewGroup -> Group
//	GET    /v1/groups/{group}?domain={domain}  Group, by GUID, or by path in a domain
//	PATCH  /v1/groups/{group}?domain={domain}  GroupChange -> Group
//	DELETE /v1/groups/{group}?domain={domain}&to-parent={true}  Group, as it was
//	GET    /v1/policy-settings?kind={kind}  []policy.Setting, of identity or device policies
//	GET    /v1/policies?domain={domain}   []Policy, of one domain or of all
//	POST   /v1/policies                   NewPolicy -> Policy
//	GET    /v1/policies/{guid}            Policy
//	PATCH  /v1/policies/{guid}            PolicyChange -> PolicyChanged
//	POST   /v1/policies/{guid}/preview    PolicyChange -> PolicyChanged, the policy as it is and what would change
//	DELETE /v1/policies/{guid}            Policy, as it was
//	GET    /v1/policies/{guid}/diff?with={guid}  []policy.Change, from the other policy or from the default settings
//	GET    /v1/trusts?domain={domain}     []Trust, of one domain or of all
//	POST   /v1/trusts                     NewTrust -> Trust
//	DELETE /v1/trusts/{guid}              Trust, as it was
//	GET    /v1/overview                   Overview
//	GET    /v1/domain-names               []DomainName
//	GET    /v1/group-names?domain={domain}  []GroupName, of one domain or of all
//	GET    /v1/member-list?...            MemberList, as a MemberQuery selects
//	GET    /v1/members?domain={domain}&group={group}  []Member, of one domain or a group in it, or of all
//	POST   /v1/members?send={true}        NewMember -> Member, whose code is mailed if asked for
//	GET    /v1/members/{guid}             Member
//	DELETE /v1/members/{guid}             Member, with status deleted
//	PATCH  /v1/members/{guid}             MemberChange -> Member
//	POST   /v1/members/{guid}/code?reset={true}&send={true}  Member, with a new configuration code, mailed if asked for
//	GET    /v1/members/{guid}/welcome     invitation.Fields, for a sheet of paper
//	POST   /v1/invitations                Invitation -> []Member, whose codes are mailed
//	GET    /v1/templates?domain={domain}  []Template
//	GET    /v1/templates/{language}?domain={domain}  Template
//	PUT    /v1/templates/{language}?domain={domain}  TemplateText -> Template
//	DELETE /v1/templates/{language}?domain={domain}  Template, the program's again
//	POST   /v1/templates/{language}/preview?domain={domain}  TemplatePreview -> TemplateText, filled in
//	GET    /v1/template-settings?domain={domain}  TemplateSettings
//	PUT    /v1/template-settings?domain={domain}  TemplateSettings -> TemplateSettings
//	GET    /v1/roster?domain={domain}&group={group}&format={format}&separator={separator}  the members in a file
//	POST   /v1/roster?...                 a file of members, as package roster describes it, and MemberImport -> roster.Report
//	POST   /v1/roster/preview?...         the same of what would be done
//	POST   /v1/members/{guid}/disable     Member
//	POST   /v1/members/{guid}/enable      Member
//	GET    /v1/members/{guid}/devices     []MemberDevice
//	GET    /v1/members/{guid}/backup      the account data that the member's client has stored, octets
//	GET    /v1/password-resets            []PasswordReset
//	POST   /v1/password-resets/{id}/approve  PasswordReset
//	POST   /v1/password-resets/{id}/deny  PasswordReset
//	GET    /v1/relay                      LocalRelay
//	GET    /v1/relay/identity             File, for an outside management server
//	POST   /v1/relay/managers             File of an outside management server -> LocalRelay
//	DELETE /v1/relay/queues?target={url}  QueuePurged, what waited there
//	GET    /v1/manager/identity           File, for an outside relay
//	GET    /v1/relays                     []Relay
//	POST   /v1/relays                     File of an outside relay -> Relay
//	PUT    /v1/relays/{guid}/defaults     RelayDefaults -> Relay
//	GET    /v1/relay-sets?domain={domain} []RelaySet
//	POST   /v1/relay-sets                 NewRelaySet -> RelaySet
//	PATCH  /v1/relay-sets/{guid}          RelaySetChange -> RelaySet
//	DELETE /v1/relay-sets/{guid}          RelaySet, as it was
//	PUT    /v1/relay-sets/{guid}/relays   GUIDs of relays in order -> RelaySet
//	POST   /v1/relay-sets/{guid}/assignment  Assignment -> RelaySet
//	GET    /v1/mail                       MailSettings
//	PUT    /v1/mail                       MailSettings -> MailSettings
//	DELETE /v1/mail                       MailSettings, empty: no mail is sent
//	POST   /v1/mail/test                  MailTest, sent when this is answered
//	GET    /v1/mail/outbox                []WaitingMail
//	POST   /v1/mail/outbox/{id}/retry     []WaitingMail
//	DELETE /v1/mail/outbox/{id}           []WaitingMail
//	POST   /v1/members/{guid}/migration   NewMigration -> Member, on the way to another domain or server
//	DELETE /v1/members/{guid}/migration   Member, that stays
//	GET    /v1/failures?domain={domain}   []DeviceFailure
//	GET    /v1/audit/events?...           AuditEvent, one a line, as an AuditFilter selects
//	GET    /v1/audit/devices?domain={domain}  []AuditDevice
//	GET    /v1/audit/files?domain={domain}    []AuditFile
//	GET    /v1/audit/files/{domain}/{hash}    the content of a file
//	GET    /v1/audit/settings             AuditSettings
//	PUT    /v1/audit/settings             AuditSettings -> AuditSettings
//	GET    /v1/statistics?...             []UsageDay, as a UsageFilter selects
//	GET    /v1/statistics/settings        StatisticsSettings
//	PUT    /v1/statistics/settings        StatisticsSettings -> StatisticsSettings
//	GET    /v1/backup                     BackupPlan
//	PUT    /v1/backup                     BackupSettings -> BackupPlan
//	DELETE /v1/backup                     BackupPlan, without a target
//	POST   /v1/backup/run                 BackupPlan, when a backup is at the target or has failed
//	GET    /v1/backup/files               []BackupFile at the target, the oldest first
//	POST   /v1/backup/download            BackupDownload -> a backup, octets
//	GET    /v1/reports/members?domain={domain}&status={status}  []MemberRecord
//	GET    /v1/reports/contact?domain={domain}   []ContactRecord
//	GET    /v1/reports/backups?domain={domain}   []BackupRecord
//	GET    /v1/reports/usage?domain={domain}&by={member|space|tool}&from={day}&to={day}  []UsageRecord
//	GET    /v1/reports/queues             []QueueRecord
//	GET    /v1/reports/traffic?by={minute|hour|day}&from={day}&to={day}  []TrafficRecord
//	GET    /v1/reports/failures?domain={domain}  []DeviceFailure
//	GET    /v1/actions?...                []ActionRecord, as an ActionFilter selects; these and the reports as CSV with format=csv
//	GET    /v1/actions/check              actionlog.Report
//	GET    /v1/actions/settings           ActionSettings
//	PUT    /v1/actions/settings           ActionSettings -> ActionSettings
//	GET    /v1/alerts                     []Alert
//	GET    /v1/alerts/settings            AlertSettings
//	PUT    /v1/alerts/settings            AlertSettings -> AlertSettings
//	POST   /v1/alerts/test                []AlertWay, sent when this is answered
//	GET    /v1/ldap                       []LDAPSource
//	PUT    /v1/ldap/{name}                LDAPSource -> LDAPSource
//	GET    /v1/ldap/{name}                LDAPSource
//	DELETE /v1/ldap/{name}                LDAPSource, as it was removed; its members stay
//	POST   /v1/ldap/{name}/test           LDAPTest
//	POST   /v1/ldap/{name}/preview        LDAPSync -> ldapsync.Report of what would be done
//	POST   /v1/ldap/{name}/sync           LDAPSync -> ldapsync.Report of what was done
//	GET    /v1/ldap/{name}/reports        []ldapsync.Report without their lines, the newest first
//	GET    /v1/ldap/{name}/reports/{id}   ldapsync.Report
//	GET    /v1/administrators             []Administrator
//	POST   /v1/administrators             NewAdministrator -> Administrator
//	GET    /v1/administrators/{name}      Administrator
//	PATCH  /v1/administrators/{name}      AdministratorChange -> Administrator
//	DELETE /v1/administrators/{name}      Administrator, as it was
//	POST   /v1/administrators/{name}/password  PasswordChange -> PasswordChanged
//	GET    /v1/administrators/{name}/sessions  []AdministratorSession
//	DELETE /v1/administrators/{name}/sessions  []AdministratorSession, none
//	DELETE /v1/administrators/{name}/sessions/{id}  []AdministratorSession that are left
//	GET    /v1/tokens                     []Token
//	POST   /v1/tokens                     NewToken -> TokenMade
//	DELETE /v1/tokens/{id}                Token, as it was
//	GET    /v1/metrics                    the text format of Prometheus; over the network at /metrics, too
//	GET    /v1/setup-code                 SetupCode
//	POST   /v1/setup                      Setup -> Administrator, the first one
//	GET    /v1/openapi.json               this list for programs, as OpenAPI 3.1
//
// Over the network the same is under https://HOST/api, with a token: Authorization: Bearer furrow_...
//
// Which role may ask what is said in the table of routes (Routes). A request without a known actor is refused.
//
// Where a domain is asked for and none is named, the only one is meant.
//
// A refusal is an Error with a matching HTTP status. An answer that confirms a change is sent after the change is on
// the disk.
package api

import "time"

// SocketName is the file name of the admin socket in the data directory.
const SocketName = "admin.sock"

// Status describes the running box.
type Status struct {
	Version   string `json:"version"`
	ServerURL string `json:"serverURL"`
	Domains   int    `json:"domains"`
	Members   int    `json:"members"`
	// Listeners says where each service listens, host:port, by http, https and sstp.
	Listeners map[string]string `json:"listeners"`
	// Recovery is present when the state was restored from damaged files and is read-only until that is accepted.
	Recovery *Recovery `json:"recovery,omitempty"`
}

// Recovery says what was found damaged at the last start.
type Recovery struct {
	// Damage is one line for a person.
	Damage string `json:"damage"`
	// Files are the base names of the damaged files in the state folder; accepting keeps them under another name.
	Files []string `json:"files"`
}

// Domain is a management domain (MS-GRVSPCM 3.2.1).
type Domain struct {
	GUID         string `json:"guid"`
	Name         string `json:"name"`
	Organization string `json:"organization"`
	ServerURL    string `json:"serverURL"`
	// Certificate is the domain certificate, DER; base64 in JSON.
	Certificate []byte    `json:"certificate"`
	Members     int       `json:"members"`
	Created     time.Time `json:"created"`
	// Hidden says that lists leave the domain out; Deleted is when it was deleted.
	Hidden  bool      `json:"hidden,omitempty"`
	Deleted time.Time `json:"deleted,omitzero"`
}

// NewDomain is what a domain is made of. Organization is the name in its certificates; empty means Name.
type NewDomain struct {
	Name         string `json:"name"`
	Organization string `json:"organization,omitempty"`
	// Hidden makes a domain for a test: lists leave it out, and nothing of it remains when it is deleted.
	Hidden bool `json:"hidden,omitempty"`
}

// MemberDetails are the attributes of a member that an administrator sets (MS-GRVSPCM 3.2.1). FullName and Email are
// required.
type MemberDetails struct {
	FullName     string `json:"fullName"`
	Email        string `json:"email"`
	FirstName    string `json:"firstName,omitempty"`
	LastName     string `json:"lastName,omitempty"`
	Login        string `json:"login,omitempty"`
	Organization string `json:"organization,omitempty"`
	Title        string `json:"title,omitempty"`
	Street1      string `json:"street1,omitempty"`
	Street2      string `json:"street2,omitempty"`
	City         string `json:"city,omitempty"`
	State        string `json:"state,omitempty"`
	PostalCode   string `json:"postalCode,omitempty"`
	Country      string `json:"country,omitempty"`
	Phone        string `json:"phone,omitempty"`
	Cell         string `json:"cell,omitempty"`
	Fax          string `json:"fax,omitempty"`
}

// NewMember asks for a member in a domain, given by name or GUID, and in a group, given by path or GUID.
type NewMember struct {
	Domain string `json:"domain"`
	Group  string `json:"group,omitempty"`
	MemberDetails
}

// Member is a person managed in a domain.
type Member struct {
	GUID       string `json:"guid"`
	Domain     string `json:"domain"` // the domain's name
	DomainGUID string `json:"domainGUID"`
	// Group is the path of the group that the member is in, empty for none.
	Group string `json:"group,omitempty"`
	MemberDetails
	Holds
	// Status is pending, active, disabled, deleted or migrated.
	Status string `json:"status"`
	// ConfigurationCode is what the person enters in the client together with the server's address.
	ConfigurationCode string `json:"configurationCode"`
	// IdentityURL and AccountGUID are set once a client has bound the member to an account.
	IdentityURL string    `json:"identityURL"`
	AccountGUID string    `json:"accountGUID"`
	Created     time.Time `json:"created"`
	// CodeMailed is the last mail with the configuration code, nil for a code that was mailed to nobody.
	CodeMailed *CodeMail `json:"codeMailed,omitempty"`
	// LastBackup is the backup of the account that can be restored, nil if there is none.
	LastBackup *Backup `json:"lastBackup,omitempty"`
	// MigrationServer is the server that the member is to move to, or has moved to; empty if it stays. MigrationMember
	// is the GUID of the member made for it in another domain of this server. MigratedDomain is what its client has
	// called the new domain, MigrationFailure its status if it could not join that.
	MigrationServer  string `json:"migrationServer,omitempty"`
	MigrationMember  string `json:"migrationMember,omitempty"`
	MigratedDomain   string `json:"migratedDomain,omitempty"`
	MigrationFailure int32  `json:"migrationFailure,omitempty"`
}

// Error is the body of a refusal.
type Error struct {
	// Code is stable: invalid, notFound, conflict, readOnly, noRelay, ldapFailed, full, failed, unauthenticated,
	// forbidden, refused, wait, busy or internal.
	Code string `json:"code"`
	// Message is one line for a person.
	Message string `json:"message"`
	// Field names the attribute that was refused, if it was one.
	Field string `json:"field,omitempty"`
}

// Error returns Message.
func (e *Error) Error() string { return e.Message }
