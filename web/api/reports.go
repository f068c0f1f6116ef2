package api

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"furrow/gms/directory"
	"furrow/gms/statistics"
	"furrow/web/access"
)

func (h *handler) reportRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/v1/reports/members", Role: access.Member, Query: []string{"domain", "status", "format"},
			Summary: "Members by status", action: report(h, h.memberReport),
		},
		{
			Method: "GET", Path: "/v1/reports/contact", Role: access.Member, Query: []string{"domain", "format"},
			Summary: "When each member's client was last heard of", action: report(h, h.contactReport),
		},
		{
			Method: "GET", Path: "/v1/reports/backups", Role: access.Member, Query: []string{"domain", "format"},
			Summary: "Account backups and their age", action: report(h, h.backupReport),
		},
		{
			Method: "GET", Path: "/v1/reports/usage", Role: access.Domain, Query: []string{"domain", "by", "from", "to", "format"},
			Summary: "Usage by member, space or tool", action: report(h, h.usageReport),
		},
		{
			Method: "GET", Path: "/v1/reports/queues", Role: access.Member, Query: []string{"format"},
			Summary: "Who has how much waiting at the relay", action: report(h, h.queueReport),
		},
		{
			Method: "GET", Path: "/v1/reports/failures", Role: access.Member, Query: []string{"domain", "format"},
			Summary: "What clients have failed to do", action: report(h, h.failures),
		},
		{
			Method: "GET", Path: "/v1/reports/traffic", Role: access.Member, Query: []string{"by", "from", "to", "format"},
			Summary: "What the box's relay has carried by minute, hour or day", action: report(h, h.trafficReport),
		},
	}
}

// MemberRecord is a member in the report of members.
type MemberRecord struct {
	Domain   string    `json:"domain"` // name
	Group    string    `json:"group"`  // path
	FullName string    `json:"fullName"`
	Email    string    `json:"email"`
	Login    string    `json:"login"`
	Status   string    `json:"status"`
	Created  time.Time `json:"created"`
	Member   string    `json:"member"` // GUID
}

// Heading implements [Record].
func (MemberRecord) Heading() []string {
	return []string{"status", "name", "email", "login", "domain", "group", "created", "member"}
}

// Values implements [Record].
func (m MemberRecord) Values() []string {
	return []string{m.Status, m.FullName, m.Email, m.Login, m.Domain, m.Group, moment(m.Created), m.Member}
}

// memberReport lists members by status.
func (h *handler) memberReport(r *http.Request) ([]MemberRecord, error) {
	listed, err := h.reportedMembers(r)
	if err != nil {
		return nil, err
	}
	wanted := r.URL.Query().Get("status")
	if wanted != "" {
		if _, err := directory.ParseStatus(wanted); err != nil {
			return nil, &Error{Code: "invalid", Field: "status", Message: err.Error()}
		}
	}
	var rows []MemberRecord
	for _, m := range listed {
		if wanted != "" && m.Status.String() != wanted {
			continue
		}
		rows = append(rows, MemberRecord{
			Domain: h.domainName(m.Domain), Group: h.Directory.GroupPathOf(m.Group), FullName: m.FullName, Email: m.Email,
			Login: m.RemoteUser, Status: m.Status.String(), Created: m.Created, Member: m.GUID,
		})
	}
	slices.SortStableFunc(rows, func(a, b MemberRecord) int { return strings.Compare(a.Status, b.Status) })
	return rows, nil
}

// reportedMembers are the members of the domain that a request asks about, or of all that lists show, by name.
func (h *handler) reportedMembers(r *http.Request) ([]directory.Member, error) {
	domain, err := h.domainParameter(r)
	if err != nil {
		return nil, err
	}
	if domain == "" {
		return h.listedMembers(), nil
	}
	return h.Directory.Members(directory.MemberFilter{Domain: domain}), nil
}

// ContactRecord is a member's account in the report of last contacts.
type ContactRecord struct {
	Domain   string `json:"domain"` // name
	FullName string `json:"fullName"`
	Email    string `json:"email"`
	Status   string `json:"status"`
	// LastContact is when the member's client last sent a heartbeat or asked for news, exact to an hour; zero for a
	// member no client has registered an account for.
	LastContact time.Time `json:"lastContact,omitzero"`
	Member      string    `json:"member"` // GUID
}

// Heading implements [Record].
func (ContactRecord) Heading() []string {
	return []string{"lastContact", "name", "email", "status", "domain", "member"}
}

// Values implements [Record].
func (c ContactRecord) Values() []string {
	return []string{moment(c.LastContact), c.FullName, c.Email, c.Status, c.Domain, c.Member}
}

// contactReport lists the members who have, or may yet have, a client; the one longest silent first.
func (h *handler) contactReport(r *http.Request) ([]ContactRecord, error) {
	listed, err := h.reportedMembers(r)
	if err != nil {
		return nil, err
	}
	var rows []ContactRecord
	for _, m := range listed {
		if m.Status == directory.Deleted || m.Status == directory.Migrated {
			continue
		}
		row := ContactRecord{
			Domain: h.domainName(m.Domain), FullName: m.FullName, Email: m.Email, Status: m.Status.String(), Member: m.GUID,
		}
		if account, err := h.Directory.Account(m.Domain, m.AccountGUID); err == nil {
			row.LastContact = account.LastSeen
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b ContactRecord) int { return a.LastContact.Compare(b.LastContact) })
	return rows, nil
}

// BackupRecord is an active member in the report of account backups.
type BackupRecord struct {
	Domain   string    `json:"domain"` // name
	FullName string    `json:"fullName"`
	Email    string    `json:"email"`
	Stored   time.Time `json:"stored,omitzero"` // zero: there is no backup
	// AgeHours is how long ago that was, or the account registered when there is no backup.
	AgeHours int `json:"ageHours"`
	// IntervalHours is how often the member's policy has the client back the account up; 0: never.
	IntervalHours float64 `json:"intervalHours"`
	Size          int64   `json:"size"` // in bytes
	Device        string  `json:"device"`
	Member        string  `json:"member"` // GUID
}

// Heading implements [Record].
func (BackupRecord) Heading() []string {
	return []string{"stored", "ageHours", "intervalHours", "bytes", "name", "email", "device", "domain", "member"}
}

// Values implements [Record].
func (b BackupRecord) Values() []string {
	return []string{
		moment(b.Stored), strconv.Itoa(b.AgeHours), strconv.FormatFloat(b.IntervalHours, 'g', 6, 64), strconv.FormatInt(b.Size, 10),
		b.FullName, b.Email, b.Device, b.Domain, b.Member,
	}
}

// backupReport lists the backups of active members, the oldest first.
func (h *handler) backupReport(r *http.Request) ([]BackupRecord, error) {
	domain, err := h.domainParameter(r)
	if err != nil {
		return nil, err
	}
	states, err := h.Directory.BackupStates(domain)
	if err != nil {
		return nil, err
	}
	shown := map[string]bool{domain: true}
	for _, d := range h.listedDomains() {
		shown[d.GUID] = true
	}
	var rows []BackupRecord
	for _, s := range states {
		if !shown[s.Member.Domain] {
			continue
		}
		row := BackupRecord{
			Domain: h.domainName(s.Member.Domain), FullName: s.Member.FullName, Email: s.Member.Email, Member: s.Member.GUID,
			AgeHours: int(h.Now().Sub(s.Since).Hours()), IntervalHours: s.Interval.Hours(),
		}
		if s.Last != nil {
			row.Stored, row.Size, row.Device = s.Last.Changed, s.Last.Size, s.Last.Device
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// UsageRecord adds up what the statistics say of one member, space or tool.
type UsageRecord struct {
	Name    string `json:"name"`    // of the member or space; of a tool its template URL
	Key     string `json:"key"`     // GUID of the member, or URL of the space or tool
	Days    int    `json:"days"`    // on which it was used
	Count   int64  `json:"count"`   // of statistics
	Elapsed int64  `json:"elapsed"` // in the clients' unit, which is not published
	Uses    int64  `json:"uses"`
}

// Heading implements [Record].
func (UsageRecord) Heading() []string {
	return []string{"name", "days", "count", "elapsed", "uses", "key"}
}

// Values implements [Record].
func (u UsageRecord) Values() []string {
	return []string{
		u.Name, strconv.Itoa(u.Days), strconv.FormatInt(u.Count, 10), strconv.FormatInt(u.Elapsed, 10), strconv.FormatInt(u.Uses, 10), u.Key,
	}
}

// usageReport adds up the statistics by member, space or tool, the most used first.
func (h *handler) usageReport(r *http.Request) ([]UsageRecord, error) {
	domain, err := h.domainParameter(r)
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	of := map[string]func(statistics.Daily) (name, key string){
		"member": func(d statistics.Daily) (name, key string) {
			m, _ := h.Directory.Member(d.Member) // a report of another account names none
			return cmp.Or(m.FullName, d.IdentityURL, d.Account), cmp.Or(d.Member, d.Account)
		},
		"space": func(d statistics.Daily) (name, key string) { return cmp.Or(d.SpaceName, d.Space), d.Space },
		"tool":  func(d statistics.Daily) (name, key string) { return d.Tool, d.Tool },
	}[cmp.Or(q.Get("by"), "member")]
	if of == nil {
		return nil, &Error{Code: "invalid", Field: "by", Message: "usage is by member, space or tool"}
	}
	sums, days := map[string]*UsageRecord{}, map[[2]string]bool{} // by key; by key and day
	for d := range h.Statistics.Days(statistics.Filter{Domain: domain, From: q.Get("from"), To: q.Get("to")}) {
		name, key := of(d)
		if key == "" {
			continue // a statistic of something else
		}
		sum := sums[key]
		if sum == nil {
			sum = &UsageRecord{Key: key}
			sums[key] = sum
		}
		sum.Name = name
		if day := [2]string{key, d.Day}; !days[day] {
			days[day] = true
			sum.Days++
		}
		sum.Count, sum.Elapsed, sum.Uses = sum.Count+d.Count, sum.Elapsed+d.Elapsed, sum.Uses+d.Uses
	}
	rows := make([]UsageRecord, 0, len(sums))
	for _, sum := range sums {
		rows = append(rows, *sum)
	}
	slices.SortFunc(rows, func(a, b UsageRecord) int {
		return cmp.Or(cmp.Compare(b.Uses, a.Uses), cmp.Compare(b.Elapsed, a.Elapsed), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Key, b.Key))
	})
	return rows, nil
}

// Heading implements [Record].
func (DeviceFailure) Heading() []string {
	return []string{"last", "first", "count", "description", "name", "device", "domain", "account"}
}

// Values implements [Record].
func (f DeviceFailure) Values() []string {
	return []string{
		moment(f.Last), moment(f.First), strconv.Itoa(f.Count), f.Description, f.MemberName, cmp.Or(f.DeviceName, f.Device), f.Domain, f.Account,
	}
}
