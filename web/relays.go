package web

import (
	"net/url"
	"strconv"

	"furrow/web/api"
)

// relaysPage is what relays.html shows.
type relaysPage struct {
	Relays   []relayRow
	Local    *api.LocalRelay // nil on a box without a relay
	ReadOnly bool            // relays are not managed before a damaged state is accepted
}

// relayRow is a relay as tables and pages show it.
type relayRow struct {
	api.Relay
	Name string
	Path string
	Mark string // class of its state
}

func relayPath(guid string) string { return "/relays/" + url.PathEscape(guid) }

func showRelay(r api.Relay) relayRow {
	marks := map[string]string{"ready": "active", "building": "pending", "waiting": "pending", "failing": "deleted"}
	return relayRow{r, relayName(r.DeviceURL), relayPath(r.GUID), marks[r.State]}
}

func getRelays(v *visit) error {
	var page relaysPage
	relays, err := v.client.Relays(v.ctx())
	if page.ReadOnly = isRefused(err, "readOnly"); err != nil && !page.ReadOnly {
		return err
	}
	for _, r := range relays {
		page.Relays = append(page.Relays, showRelay(r))
	}
	local, err := v.client.LocalRelay(v.ctx())
	if err == nil {
		page.Local = &local
	} else if !isRefused(err, "noRelay") {
		return err
	}
	return v.render("relays.html", page)
}

func getRelayIdentity(v *visit) error {
	f, err := v.client.RelayIdentity(v.ctx())
	if err != nil {
		return err
	}
	return v.download(f.Name, "application/octet-stream", f.Content)
}

func getManagerIdentity(v *visit) error {
	f, err := v.client.ManagerIdentity(v.ctx())
	if err != nil {
		return err
	}
	return v.download(f.Name, "application/octet-stream", f.Content)
}

func (v *visit) identityForm(submit, field, accept string) *form {
	v.under(v.T("relays.title"), "/relays")
	f := v.form(submit, input{name: field, kind: "file", required: true, wide: true, accept: accept})
	f.Back = "/relays"
	return f
}

func (v *visit) newRelayForm() *form { return v.identityForm("relays.add", "relayFile", ".xml") }

func getNewRelay(v *visit) error { return v.render("form.html", v.newRelayForm()) }

func postNewRelay(v *visit) error {
	f := v.newRelayForm()
	content, err := v.uploaded(f, "relayFile")
	if err != nil {
		return err
	}
	if f.complete() {
		r, err := v.client.ImportRelay(v.ctx(), api.File{Content: content})
		if err == nil {
			return v.done(relayPath(r.GUID), "done.relayAdded", "name", relayName(r.DeviceURL))
		}
		if err = f.refused(renamed(err, "", "relayFile")); err != nil {
			return err
		}
	}
	return v.again("form.html", f)
}

func (v *visit) newManagerForm() *form {
	return v.identityForm("relays.addManager", "managerFile", ".reg")
}

func getNewManager(v *visit) error { return v.render("form.html", v.newManagerForm()) }

func postNewManager(v *visit) error {
	f := v.newManagerForm()
	content, err := v.uploaded(f, "managerFile")
	if err != nil {
		return err
	}
	if f.complete() {
		_, err := v.client.ImportManager(v.ctx(), api.File{Content: content})
		if err == nil {
			return v.done("/relays", "done.managerAdded")
		}
		if err = f.refused(renamed(err, "", "managerFile")); err != nil {
			return err
		}
	}
	return v.again("form.html", f)
}

// relayPage is what relay.html shows.
type relayPage struct {
	relayRow
	Form *form // of its settings
}

func (v *visit) relay() (relayPage, error) {
	relays, err := v.client.Relays(v.ctx())
	if err != nil {
		return relayPage{}, err
	}
	r, err := one(relays, func(r api.Relay) bool { return r.GUID == v.r.PathValue("guid") })
	if err != nil {
		return relayPage{}, err
	}
	v.under(v.T("relays.title"), "/relays")
	p := relayPage{showRelay(r), v.form("relays.saveSettings",
		input{name: "purgeEnabled", kind: "checkbox", wide: true},
		input{name: "deviceLifetimeDays", kind: "number", required: true}, input{name: "identityLifetimeDays", kind: "number", required: true},
		input{name: "quotaEnabled", kind: "checkbox", wide: true},
		input{name: "deviceQuotaMB", kind: "number", required: true}, input{name: "identityQuotaMB", kind: "number", required: true},
	)}
	v.title, p.Form.Action = p.Name, p.Path+"/settings"
	return p, nil
}

func getRelay(v *visit) error {
	p, err := v.relay()
	if err != nil {
		return err
	}
	if s := p.Settings; s != nil {
		text := func(n int32) string { return strconv.Itoa(int(n)) }
		p.Form.fill(map[string]string{
			"deviceLifetimeDays": text(s.DeviceLifetimeDays), "identityLifetimeDays": text(s.IdentityLifetimeDays),
			"deviceQuotaMB": text(s.DeviceQuotaMB), "identityQuotaMB": text(s.IdentityQuotaMB),
			"purgeEnabled": checked(s.PurgeEnabled), "quotaEnabled": checked(s.QuotaEnabled),
		})
	}
	return v.render("relay.html", p)
}

// checked is the value of a checkbox.
func checked(on bool) string {
	if on {
		return "yes"
	}
	return ""
}

func backToRelay(v *visit) error {
	v.redirect(relayPath(v.r.PathValue("guid")))
	return nil
}

func postRelaySettings(v *visit) error {
	p, err := v.relay()
	if err != nil {
		return err
	}
	settings := api.RelayDefaults{PurgeEnabled: p.Form.value("purgeEnabled") != "", QuotaEnabled: p.Form.value("quotaEnabled") != ""}
	for name, to := range map[string]*int32{
		"deviceLifetimeDays": &settings.DeviceLifetimeDays, "identityLifetimeDays": &settings.IdentityLifetimeDays,
		"deviceQuotaMB": &settings.DeviceQuotaMB, "identityQuotaMB": &settings.IdentityQuotaMB,
	} {
		n, err := strconv.ParseInt(p.Form.value(name), 10, 32)
		if err != nil || n < 1 {
			p.Form.wrong(name, v.T("relays.positive"))
		}
		*to = int32(n)
	}
	if p.Form.complete() {
		_, err := v.client.SetRelayDefaults(v.ctx(), p.GUID, settings)
		if err == nil {
			return v.done(relayPath(p.GUID), "done.relaySettings")
		}
		if err = p.Form.refused(err); err != nil {
			return err
		}
	}
	return v.again("relay.html", p)
}
