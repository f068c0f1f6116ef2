package web

import (
	"net/http"

	"furrow/appliance/update"
	"furrow/web/access"
	"furrow/web/api"
)

// maxForm bounds what is posted to a page: a list of members that is pasted has under a megabyte.
const maxForm = 2 << 20

// page is a page of the site.
type page struct {
	// path is a pattern of net/http without a method.
	path string
	// role is the least that may use the page, nobody for a page before the door. Auditors see every page but those with
	// secrets, and change nothing.
	role   access.Role
	secret bool // shows what opens somebody's account
	own    bool // is about the one who asks, so that every role may change what it shows
	// title is a key of the catalogue.
	title string
	// nav is the section of the navigation that has the page, empty for none; icon is a file of icons.
	nav, icon string
	get, post func(*visit) error // post is nil for a page that changes nothing
	// limit bounds what is posted, in octets; 0 for maxForm.
	limit int64
	// streams says that the page reads what is posted itself, as it comes (uploadStream).
	streams bool
	// setUp marks the pages of the set-up, which are there while there is no administrator.
	setUp bool
}

// nobody is who has not signed in.
const nobody access.Role = ""

// need is what the page asks of who uses it by a method.
func (p page) need(method string) access.Need {
	if p.own {
		return access.Need{}
	}
	return access.Need{Role: p.role, Writes: p.secret || method != http.MethodGet && method != http.MethodHead}
}

// Sections of the navigation, keys of the catalogue.
const (
	sectionOverview  = "nav.overview"
	sectionPeople    = "nav.people"
	sectionPolicies  = "nav.policies"
	sectionRelays    = "nav.relays"
	sectionDirectory = "nav.directory"
	sectionMail      = "nav.mail"
	sectionReports   = "nav.reports"
	sectionSystem    = "nav.system"
)

// sections are in the order in which they are shown.
func sections() []string {
	return []string{
		sectionOverview, sectionPeople, sectionPolicies, sectionRelays, sectionDirectory, sectionMail, sectionReports,
		sectionSystem,
	}
}

// pages is the table of pages. Those of a section are shown in this order.
func pages() []page {
	return []page{
		{path: "/setup", role: nobody, title: "setup.title", get: getSetUp, post: postSetUp, setUp: true},
		{path: "/setup/restore", role: nobody, title: "setup.restore", get: getSetUpRestore, post: postSetUpRestore, limit: api.MaxBackup, streams: true, setUp: true},
		{path: "/setup/factor", role: access.Server, title: "account.second", get: getSetUpFactor, setUp: true},
		{path: "/setup/address", role: access.Server, title: "setup.address.title", get: getSetUpAddress, post: postSetUpAddress, setUp: true},
		{path: "/setup/domain", role: access.Server, title: "setup.domain.title", get: getSetUpDomain, post: postSetUpDomain, setUp: true},
		{path: "/setup/mail", role: access.Server, title: "setup.mail.title", get: getSetUpMail, post: postSetUpMail, setUp: true},
		{path: "/setup/members", role: access.Server, title: "setup.members.title", get: getSetUpMembers, post: postSetUpMembers, limit: maxImport, setUp: true},
		{path: "/setup/done", role: access.Server, title: "setup.done.title", get: getSetUpDone, setUp: true},

		{path: "/sign-in", role: nobody, title: "signin.title", get: getSignIn, post: postSignIn},
		{path: "/sign-out", role: access.Member, own: true, title: "signout.title", get: getSignOut, post: postSignOut},
		{path: "/preferences", role: nobody, title: "preferences.title", get: getPreferences, post: postPreferences},

		{path: "/account", role: access.Member, own: true, title: "account.title", get: getAccount, post: postAccount},
		{path: "/account/password", role: access.Member, own: true, title: "account.password", get: getOwnPassword, post: postOwnPassword},
		{path: "/account/authenticator", role: access.Member, own: true, title: "account.authenticator.title", get: getAuthenticator, post: postAuthenticator},
		{path: "/account/authenticator/remove", role: access.Member, own: true, title: "account.authenticator.remove", get: getRemoveAuthenticator, post: postRemoveAuthenticator},
		{path: "/account/passkeys/new", role: access.Member, own: true, title: "account.passkey.make", get: getNewPasskey, post: postNewPasskey},
		{path: "/account/passkeys/{id}/remove", role: access.Member, own: true, title: "account.passkey.remove", get: getRemovePasskey, post: postRemovePasskey},

		{path: "/", role: access.Member, title: "dashboard.title", nav: sectionOverview, icon: "pulse", get: getDashboard},
		{path: "/alerts", role: access.Member, title: "alerts.title", nav: sectionOverview, icon: "warning", get: getAlerts},
		{path: "/alerts/settings", role: access.Server, title: "alerts.settings", get: getAlertSettings, post: postAlertSettings},
		{path: "/alerts/test", role: access.Server, title: "alerts.test", get: backToAlertSettings, post: postAlertTest},
		{path: "/live/dashboard", role: access.Member, title: "dashboard.title", get: liveDashboard},

		{path: "/domains", role: access.Member, title: "domains.title", nav: sectionPeople, icon: "domain", get: getDomains},
		{path: "/domains/new", role: access.Domain, title: "domains.new", get: getNewDomain, post: postNewDomain},
		{path: "/domains/{domain}", role: access.Member, title: "domains.title", get: getDomain, post: postDomain},
		{path: "/domains/{domain}/delete", role: access.Domain, title: "domains.delete", get: getDeleteDomain, post: postDeleteDomain},

		{path: "/members", role: access.Member, title: "members.title", nav: sectionPeople, icon: "people", get: getMembers},
		{path: "/members/new", role: access.Member, title: "members.new", get: getNewMember, post: postNewMember},
		{path: "/members/import", role: access.Member, title: "members.import", get: getImport, post: postImport, limit: maxImport},
		{path: "/members/export", role: access.Member, title: "members.export", get: getExport},
		{path: "/members/selected", role: access.Member, title: "members.selected", get: backToMembers, post: postSelectedMembers},
		{path: "/members/{guid}", role: access.Member, title: "members.title", get: getMember, post: postMember},
		{path: "/members/{guid}/edit", role: access.Member, title: "members.edit", get: getEditMember, post: postEditMember},
		{path: "/members/{guid}/assign", role: access.Member, title: "members.assign", get: getAssignMember, post: postAssignMember},
		{path: "/members/{guid}/migrate", role: access.Domain, title: "members.migrate", get: getMigrate, post: postMigrate},
		{path: "/members/{guid}/stay", role: access.Domain, title: "members.stay", get: getStay, post: postStay},
		{path: "/members/{guid}/delete", role: access.Member, title: "members.delete", get: getDeleteMember, post: postDeleteMember},
		{path: "/members/{guid}/code", role: access.Member, title: "members.code", get: getNewCode, post: postNewCode},
		{path: "/members/{guid}/backup", role: access.Member, secret: true, title: "members.title", get: getMemberBackup},
		{path: "/members/{guid}/welcome", role: access.Member, secret: true, title: "members.welcome", get: getWelcome},

		{path: "/relay-sets", role: access.Member, title: "relaysets.title", nav: sectionRelays, icon: "relays", get: getRelaySets},
		{path: "/relay-sets/new", role: access.Domain, title: "relaysets.new", get: getNewRelaySet, post: postNewRelaySet},
		{path: "/relay-sets/{guid}", role: access.Member, title: "relaysets.title", get: getRelaySet},
		{path: "/relay-sets/{guid}/relays", role: access.Domain, title: "relaysets.title", get: backToRelaySet, post: postRelaysOfSet},
		{path: "/relay-sets/{guid}/name", role: access.Domain, title: "relaysets.title", get: backToRelaySet, post: postRenameRelaySet},
		{path: "/relay-sets/{guid}/delete", role: access.Domain, title: "relaysets.delete", get: getDeleteRelaySet, post: postDeleteRelaySet},
		{path: "/relay-sets/{guid}/assign", role: access.Domain, title: "relaysets.title", get: backToRelaySet, post: postAssignRelaySet},
		{path: "/relays", role: access.Member, title: "relays.title", nav: sectionRelays, icon: "relay", get: getRelays},
		{path: "/relays/new", role: access.Domain, title: "relays.new", get: getNewRelay, post: postNewRelay},
		{path: "/relays/new-manager", role: access.Server, title: "relays.newManager", get: getNewManager, post: postNewManager},
		{path: "/relays/identity", role: access.Domain, title: "relays.identity", get: getRelayIdentity},
		{path: "/relays/manager-identity", role: access.Domain, title: "relays.managerIdentity", get: getManagerIdentity},
		{path: "/relays/{guid}", role: access.Member, title: "relays.title", get: getRelay},
		{path: "/relays/{guid}/settings", role: access.Domain, title: "relays.title", get: backToRelay, post: postRelaySettings},
		{path: "/queues", role: access.Member, title: "queues.title", nav: sectionRelays, icon: "queue", get: getQueues},
		{path: "/queues/purge", role: access.Domain, title: "queues.purge", get: getPurgeQueue, post: postPurgeQueue},

		{path: "/trust", role: access.Member, title: "trust.title", nav: sectionDirectory, icon: "trust", get: getTrust},
		{path: "/trust/new", role: access.Domain, title: "trust.new", get: getNewTrust, post: postNewTrust},
		{path: "/trust/{guid}/end", role: access.Domain, title: "trust.end", get: getEndTrust, post: postEndTrust},
		{path: "/domains/{domain}/certificate", role: access.Member, title: "trust.download", get: getDomainCertificate},

		// Names of directory servers have no underscore.
		{path: "/directory", role: access.Domain, title: "directories.title", nav: sectionDirectory, icon: "directory", get: getDirectories},
		{path: "/directory/_new", role: access.Server, title: "directories.new", get: getNewDirectory, post: postNewDirectory},
		{path: "/directory/{name}", role: access.Domain, title: "directories.title", get: getDirectory},
		{path: "/directory/{name}/test", role: access.Domain, title: "directories.title", get: backToDirectory, post: postTestDirectory},
		{path: "/directory/{name}/sync", role: access.Domain, title: "sync.preview", get: getSync, post: postSync},
		{path: "/directory/{name}/reports/{id}", role: access.Domain, title: "sync.report", get: getSyncReport},
		{path: "/directory/{name}/edit", role: access.Server, title: "directories.edit", get: getEditDirectory, post: postEditDirectory},
		{path: "/directory/{name}/remove", role: access.Server, title: "directories.remove", get: getRemoveDirectory, post: postRemoveDirectory},

		{path: "/mail", role: access.Server, title: "mail.title", nav: sectionMail, icon: "mail", get: getMail, post: postMail},
		{path: "/mail/off", role: access.Server, title: "mail.off", get: getMailOff, post: postMailOff},
		{path: "/outbox", role: access.Domain, title: "outbox.title", nav: sectionMail, icon: "outbox", get: getOutbox, post: postOutbox},
		{path: "/outbox/{id}/drop", role: access.Domain, title: "outbox.drop", get: getDropMail, post: postDropMail},
		{path: "/invitations", role: access.Domain, title: "invitations.title", nav: sectionMail, icon: "template", get: getInvitations, post: postInvitations},
		{path: "/invitations/{language}", role: access.Domain, title: "invitations.title", get: getTemplate, post: postTemplate},
		{path: "/invitations/{language}/reset", role: access.Domain, title: "invitations.reset", get: getResetTemplate, post: postResetTemplate},
		{path: "/backup", role: access.Server, title: "backup.title", nav: sectionSystem, icon: "archive", get: getBackup, post: postBackup},
		{path: "/live/backup", role: access.Server, title: "backup.title", get: liveBackup},
		{path: "/backup/settings", role: access.Server, title: "backup.plan", get: getBackupSettings, post: postBackupSettings},
		{path: "/backup/files", role: access.Server, title: "backup.files", get: getBackupFiles},
		{path: "/backup/download", role: access.Server, title: "backup.download", get: getBackupDownload, post: postBackupDownload},
		{path: "/backup/end", role: access.Server, title: "backup.end", get: getEndBackups, post: postEndBackups},
		{path: "/audit", role: access.Auditor, title: "audit.title", nav: sectionReports, icon: "search", get: getAudit},
		{path: "/audit/export", role: access.Auditor, title: "audit.title", get: getAuditExport},
		{path: "/audit/devices", role: access.Auditor, title: "audit.devices", get: getAuditDevices},
		{path: "/audit/files", role: access.Auditor, title: "audit.files", get: getAuditFiles},
		{path: "/audit/files/{domain}/{hash}", role: access.Auditor, title: "audit.files", get: getAuditFile},
		{path: "/audit/settings", role: access.Server, title: "audit.settings", get: getAuditSettings, post: postAuditSettings},
		{path: "/reports", role: access.Member, title: "reports.title", nav: sectionReports, icon: "report", get: getReports},
		{path: "/reports/settings", role: access.Server, title: "reports.settings", get: getStatisticsSettings, post: postStatisticsSettings},
		{path: "/reports/{report}", role: access.Member, title: "reports.title", get: getReport},
		{path: "/reports/{report}/sheet", role: access.Member, title: "reports.title", get: getReportSheet},

		{path: "/actions", role: access.Auditor, title: "actions.title", nav: sectionReports, icon: "policy", get: getActions},
		{path: "/actions/export", role: access.Auditor, title: "actions.title", get: getActionExport},
		{path: "/actions/check", role: access.Auditor, title: "actions.check", get: getActionCheck},
		{path: "/actions/settings", role: access.Server, title: "actions.settings", get: getActionSettings, post: postActionSettings},
		{path: "/actions/{sequence}", role: access.Auditor, title: "actions.one", get: getAction},
		{path: "/groups", role: access.Member, title: "groups.title", nav: sectionPeople, icon: "group", get: getGroups},
		{path: "/groups/new", role: access.Domain, title: "groups.new", get: getNewGroup, post: postNewGroup},
		{path: "/groups/{group}", role: access.Member, title: "groups.title", get: getGroup, post: postGroup},
		{path: "/groups/{group}/delete", role: access.Domain, title: "groups.delete", get: getDeleteGroup, post: postDeleteGroup},

		{path: "/devices", role: access.Member, title: "devices.title", nav: sectionPeople, icon: "device", get: getDevices},
		{path: "/devices/{domain}/{device}", role: access.Member, title: "devices.title", get: getDevice, post: postDevice},

		{path: "/resets", role: access.Member, title: "resets.title", nav: sectionPeople, icon: "key", get: getResets},
		{path: "/resets/{reset}", role: access.Member, title: "resets.one", get: getReset, post: postReset},

		{path: "/policies", role: access.Member, title: "policies.title", nav: sectionPolicies, icon: "policy", get: getPolicies},
		{path: "/policies/new", role: access.Domain, title: "policies.new", get: getNewPolicy, post: postNewPolicy},
		{path: "/policies/{policy}", role: access.Member, title: "policies.title", get: getPolicy},
		{path: "/policies/{policy}/edit", role: access.Domain, title: "policies.edit", get: getEditPolicy, post: postEditPolicy},
		{path: "/policies/{policy}/copy", role: access.Domain, title: "policies.copy", get: getCopyPolicy, post: postCopyPolicy},
		{path: "/policies/{policy}/assign", role: access.Domain, title: "policies.assign", get: getAssignPolicy, post: postAssignPolicy},
		{path: "/policies/{policy}/delete", role: access.Domain, title: "policies.delete", get: getDeletePolicy, post: postDeletePolicy},

		{path: "/logs", role: access.Server, title: "logs.title", nav: sectionSystem, icon: "log", get: getLogs},
		{path: "/live/logs", role: access.Server, title: "logs.title", get: liveLogs},
		{path: "/logs/download", role: access.Server, title: "logs.title", get: getLogFile},
		{path: "/doctor", role: access.Server, title: "doctor.title", nav: sectionSystem, icon: "doctor", get: getDoctor, post: postDoctor},
		{path: "/live/doctor", role: access.Server, title: "doctor.title", get: liveDoctor},
		{path: "/address", role: access.Server, title: "address.title", nav: sectionSystem, icon: "pin", get: getAddress, post: postAddress},
		{path: "/network", role: access.Server, title: "network.title", nav: sectionSystem, icon: "network", get: getNetwork, post: postNetwork},
		{path: "/network/keep", role: access.Server, title: "network.title", get: backToNetwork, post: postKeepNetwork},
		{path: "/network/reset", role: access.Server, title: "network.reset", get: getResetNetwork, post: postResetNetwork},
		{path: "/clock", role: access.Server, title: "clock.title", nav: sectionSystem, icon: "clock", get: getClock, post: postClock},
		{path: "/certificates", role: access.Server, title: "certificates.title", nav: sectionSystem, icon: "lock", get: getCertificate, post: postCertificate, limit: maxCertificates},
		{path: "/certificates/download", role: access.Server, title: "certificates.title", get: getCertificateFile},
		{path: "/certificates/remove", role: access.Server, title: "certificates.remove", get: getRemoveCertificate, post: postRemoveCertificate},
		{path: "/administrators", role: access.Server, title: "administrators.title", nav: sectionSystem, icon: "person", get: getAdministrators},
		{path: "/administrators/new", role: access.Server, title: "administrators.add", get: getNewAdministrator, post: postNewAdministrator},
		{path: "/administrators/of/{name}", role: access.Server, title: "administrators.title", get: getAdministrator, post: postAdministrator},
		{path: "/administrators/of/{name}/password", role: access.Server, title: "administrators.password", get: getResetPassword, post: postResetPassword},
		{path: "/administrators/of/{name}/delete", role: access.Server, title: "administrators.delete", get: getDeleteAdministrator, post: postDeleteAdministrator},
		{path: "/roles", role: access.Member, title: "roles.title", get: getRoles},
		{path: "/tokens", role: access.Server, title: "tokens.title", nav: sectionSystem, icon: "key", get: getTokens},
		{path: "/tokens/new", role: access.Server, title: "tokens.make", get: getNewToken, post: postNewToken},
		{path: "/tokens/{id}/remove", role: access.Server, title: "tokens.remove", get: getRemoveToken, post: postRemoveToken},

		{path: "/updates", role: access.Server, title: "updates.title", nav: sectionSystem, icon: "update", get: getUpdates, post: postUpdate, limit: update.MaxBundleSize, streams: true},
		{path: "/live/updates", role: access.Server, title: "updates.title", get: liveUpdates},
		{path: "/support", role: access.Server, title: "support.title", nav: sectionSystem, icon: "support", get: getSupport, post: postSupport},
		{path: "/support/close", role: access.Server, title: "support.close", get: getCloseSupport, post: postCloseSupport},
		{path: "/power", role: access.Server, title: "power.title", nav: sectionSystem, icon: "power", get: getPower},
		{path: "/power/{action}", role: access.Server, title: "power.title", get: getPowerQuestion, post: postPower},

		{path: "/about", role: access.Member, title: "about.title", nav: sectionSystem, icon: "about", get: getAbout},
	}
}
