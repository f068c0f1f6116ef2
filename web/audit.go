package web

import (
	"errors"
	"io"
	"net/url"
	"strconv"

	"furrow/web/api"
)

// auditList is what audit.html shows.
type auditList struct {
	List   *list
	Events []api.AuditEvent
	// Unreadable says that there are logs that could not be read.
	Unreadable bool
}

// auditFilter is what the address of the list, or of a file of the same events, selects; none is true if it selects
// nothing, because nobody is called so.
func (v *visit) auditFilter() (l *list, f api.AuditFilter, none bool, err error) {
	l = v.list(column{name: "time"}, column{name: "memberName"}, column{name: "device"}, column{name: "type"}, column{name: "text"})
	f = api.AuditFilter{Text: l.Search, Newest: true}
	if _, f.Domain, err = v.ofDomain(l); err != nil {
		return nil, f, false, err
	}
	member := l.ask("member", "text")
	f.Device, f.Type = l.ask("device", "text"), l.ask("type", "text")
	f.From, f.To = l.period()
	if member == "" {
		return l, f, false, nil
	}
	if m, err := v.client.Member(v.ctx(), member); err == nil {
		f.Member = m.GUID
		return l, f, false, nil
	}
	found, err := v.client.MemberList(v.ctx(), api.MemberQuery{Text: member, Domain: f.Domain, Limit: 1})
	if err != nil || len(found.Members) == 0 {
		return l, f, true, err
	}
	f.Member = found.Members[0].GUID
	return l, f, false, nil
}

func getAudit(v *visit) error {
	l, f, none, err := v.auditFilter()
	if err != nil {
		return err
	}
	shown := auditList{List: l}
	var events []api.AuditEvent
	if f.Limit = l.wanted(); !none {
		err = v.client.AuditEvents(v.ctx(), f, func(e api.AuditEvent) error {
			events = append(events, e)
			return nil
		})
	}
	if isRefused(err, "failed") {
		shown.Unreadable, err = true, nil
	}
	if err != nil {
		return err
	}
	shown.Events = someOf(l, events)
	return v.render("audit.html", shown)
}

func getAuditExport(v *visit) error {
	_, f, none, err := v.auditFilter()
	if err != nil {
		return err
	}
	f.Newest = false // in the order in which it happened
	return export(v, "audit", func(each func(api.AuditEvent) error) error {
		if none {
			return nil
		}
		return v.client.AuditEvents(v.ctx(), f, each)
	})
}

// auditTable is what audit-devices.html and audit-files.html show.
type auditTable[Row any] struct {
	List *list
	Rows []Row
}

func getAuditDevices(v *visit) error {
	v.under(v.T("audit.title"), "/audit")
	l, domain, err := v.listOfDomain(column{name: "device"}, column{name: "domain"}, column{name: "lastUpload"}, column{name: "uploads", right: true},
		column{name: "missing", right: true}, column{name: "locked"})
	if err != nil {
		return err
	}
	devices, err := v.client.AuditDevices(v.ctx(), domain)
	if err != nil {
		return err
	}
	return v.render("audit-devices.html", auditTable[api.AuditDevice]{l, of(l, devices)})
}

func getAuditFiles(v *visit) error {
	v.under(v.T("audit.title"), "/audit")
	l, domain, err := v.listOfDomain(column{name: "title"}, column{name: "bytes", right: true}, column{name: "received"}, column{name: "device"}, column{name: "domain"})
	if err != nil {
		return err
	}
	files, err := v.client.AuditFiles(v.ctx(), domain)
	if err != nil {
		return err
	}
	return v.render("audit-files.html", auditTable[api.AuditFile]{l, of(l, files)})
}

// listOfDomain is a list that can be narrowed to a domain only.
func (v *visit) listOfDomain(columns ...column) (l *list, domain string, err error) {
	l = v.list(columns...)
	l.Searchable = false
	_, domain, err = v.ofDomain(l)
	return l, domain, err
}

func getAuditFile(v *visit) error {
	hash := v.r.PathValue("hash")
	content, err := v.client.AuditFile(v.ctx(), v.r.PathValue("domain"), hash)
	if err != nil {
		return err
	}
	name := v.r.URL.Query().Get("name")
	if name == "" || len(name) > maxSearch {
		name = hash
	}
	err = v.downloadStream(name, "application/octet-stream", func(w io.Writer) error {
		_, err := io.Copy(w, content)
		return err
	})
	return errors.Join(err, content.Close())
}

// FilePath is where an audited file is downloaded.
func (v *visit) FilePath(f api.AuditFile) string {
	return "/audit/files/" + url.PathEscape(f.Domain) + "/" + url.PathEscape(f.Hash) + "?" + url.Values{"name": {f.Title}}.Encode()
}

func (v *visit) auditSettingsForm() *form {
	v.under(v.T("audit.title"), "/audit")
	f := v.form("audit.save", input{name: "auditLogDays", kind: "number", required: true, wide: true},
		input{name: "auditFileDays", kind: "number", required: true, wide: true})
	f.Back = "/audit"
	return f
}

func getAuditSettings(v *visit) error {
	now, err := v.client.AuditSettings(v.ctx())
	if err != nil {
		return err
	}
	return v.render("form.html", v.auditSettingsForm().fill(map[string]string{
		"auditLogDays": strconv.Itoa(now.LogDays), "auditFileDays": strconv.Itoa(now.FileDays),
	}))
}

func postAuditSettings(v *visit) error {
	f := v.auditSettingsForm()
	logs, ok := f.days("auditLogDays")
	files, fine := f.days("auditFileDays")
	if ok && fine {
		_, err := v.client.SetAuditSettings(v.ctx(), api.AuditSettings{LogDays: logs, FileDays: files})
		if err == nil {
			return v.done("/audit", "done.auditSet")
		}
		if err = f.refused(err); err != nil {
			return err
		}
	}
	return v.again("form.html", f)
}
