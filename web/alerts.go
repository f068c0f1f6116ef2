package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"furrow/web/api"
)

// shownAlert is an alert in the words of the page.
type shownAlert struct {
	api.Alert
	Title, Reading, Remedy string
	Path, Link             string // of the page where it is mended, empty if there is none for the person
}

// alertPage is where a person finds more about a kind of alert, or mends it.
type alertPage struct {
	page   string // a path of the table of pages
	report string // which, if it is that of reports
}

func alertPages() map[string]alertPage {
	const report = "/reports/{report}"
	return map[string]alertPage{
		"account-backup": {report, "backups"}, "box-backup": {"/backup", ""}, "clock": {"/doctor", ""}, "disk": {report, "queues"},
		"domain-certificate": {"/domains", ""}, "login-failures": {"/logs", ""}, "mail": {"/mail", ""}, "queue": {report, "queues"},
		"queue-growth": {report, "queues"}, "recovery": {"/backup", ""}, "relay": {"/relays", ""}, "relay-certificate": {"/relays", ""},
		"support": {"/support", ""}, "system": {"/updates", ""}, "tls-certificate": {"/certificates", ""}, "update": {"/updates", ""},
	}
}

// alerts are what is wrong with the box, what is worst first.
func (v *visit) alerts() ([]shownAlert, error) {
	raised, err := v.client.Alerts(v.ctx())
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(raised, func(a, b api.Alert) int { return cmp.Compare(a.Level, b.Level) }) // critical before warning
	var shown []shownAlert
	for _, a := range raised {
		s := shownAlert{Alert: a, Title: v.T("alert.title." + a.Kind), Remedy: v.T("alert.remedy." + a.Kind)}
		if key := "alert.reading." + a.Kind; v.has(key) {
			s.Reading = v.T(key, "value", v.Decimal(a.Value))
		}
		if at := alertPages()[a.Kind]; v.Sees(at.page) {
			s.Path, s.Link = strings.Replace(at.page, "{report}", at.report, 1), v.titleOf(at.page)
			if at.report != "" {
				s.Link = v.T("reports." + at.report)
			}
		}
		shown = append(shown, s)
	}
	return shown, nil
}

func getAlerts(v *visit) error {
	shown, err := v.alerts()
	if err != nil {
		return err
	}
	return v.render("alerts.html", shown)
}

// alertForm is what alert-settings.html shows.
type alertForm struct {
	Form    *form
	Rules   []alertRule
	MailSet bool
}

// alertRule is a kind of alert as the form has it.
type alertRule struct {
	api.AlertRule
	Title             string
	Reading           string // its unit, in words around a number; empty for what is there or not
	Warning, Critical string // as typed
}

// alertSettings is the form with the settings that hold.
func (v *visit) alertSettings() (alertForm, api.AlertSettings, error) {
	now, err := v.client.AlertSettings(v.ctx())
	if err != nil {
		return alertForm{}, now, err
	}
	v.under(v.T("alerts.title"), "/alerts")
	shown := alertForm{MailSet: now.MailSet, Form: v.form("alerts.save",
		input{name: "alertRecipients", kind: "textarea", rows: 3, wide: true},
		input{name: "alertURL", kind: "url", autocomplete: "off", wide: true},
		input{name: "alertSecret", kind: "password", autocomplete: "new-password", wide: true},
		input{name: "alertAuthority", kind: "textarea", rows: 3, wide: true},
	)}
	for _, rule := range now.Rules {
		r := alertRule{AlertRule: rule, Title: v.T("alert.title." + rule.Kind), Warning: decimal(rule.Warning), Critical: decimal(rule.Critical)}
		if rule.Unit != "" {
			r.Reading = v.T("alert.reading."+rule.Kind, "value", "…")
		}
		shown.Rules = append(shown.Rules, r)
	}
	return shown, now, nil
}

func getAlertSettings(v *visit) error {
	shown, now, err := v.alertSettings()
	if err != nil {
		return err
	}
	shown.Form.fill(map[string]string{
		"alertRecipients": strings.Join(now.Recipients, "\n"), "alertURL": now.URL, "alertAuthority": now.Authority,
	})
	return v.render("alert-settings.html", shown)
}

func postAlertSettings(v *visit) error {
	shown, now, err := v.alertSettings()
	if err != nil {
		return err
	}
	wanted := api.AlertSettings{
		URL: shown.Form.value("alertURL"), Secret: shown.Form.value("alertSecret"), Authority: shown.Form.value("alertAuthority"),
		Recipients: shown.Form.lines("alertRecipients"),
	}
	for i, rule := range now.Rules {
		typed := &shown.Rules[i]
		if rule.Off = v.formValue("off-"+rule.Kind) != ""; rule.Unit != "" {
			typed.Warning, typed.Critical = v.formValue("warning-"+rule.Kind), v.formValue("critical-"+rule.Kind)
			v.threshold(shown.Form, typed.Title, typed.Warning, &rule.Warning)
			v.threshold(shown.Form, typed.Title, typed.Critical, &rule.Critical)
			rule.Usual = rule.Usual && rule.Warning == now.Rules[i].Warning && rule.Critical == now.Rules[i].Critical ||
				v.formValue("usual-"+rule.Kind) != ""
		}
		typed.Off = rule.Off
		wanted.Rules = append(wanted.Rules, rule)
	}
	if shown.Form.Failed() {
		return v.again("alert-settings.html", shown)
	}
	set, err := v.client.SetAlerts(v.ctx(), wanted)
	switch {
	case err != nil:
		if err = shown.Form.refused(err); err != nil {
			return err
		}
		return v.again("alert-settings.html", shown)
	case set.Secret != "":
		return v.render("alert-secret.html", set) // it is shown this time only
	}
	return v.done("/alerts/settings", "done.alertsSet")
}

// threshold reads a number of the form, with a point or a comma.
func (v *visit) threshold(f *form, title, typed string, to *float64) {
	value, err := strconv.ParseFloat(strings.Replace(typed, ",", ".", 1), 64)
	if err != nil {
		f.Problem = v.T("alerts.noNumber", "title", title, "typed", typed)
		return
	}
	*to = value
}

func backToAlertSettings(v *visit) error {
	v.redirect("/alerts/settings")
	return nil
}

func postAlertTest(v *visit) error {
	ways, err := v.client.TestAlerts(v.ctx())
	if err != nil {
		return err
	}
	v.under(v.T("alerts.title"), "/alerts")
	v.under(v.T("alerts.settings"), "/alerts/settings")
	return v.render("alert-test.html", ways)
}
