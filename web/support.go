package web

import (
	"strconv"

	"furrow/appliance/support"
	"furrow/web/api"
)

// supportPage is what support.html shows.
type supportPage struct {
	api.Support
	Image bool // false where the machine is not the box's to open
	Form  *form
}

// supportHours are for how long access can be opened; the API takes any number of minutes.
func supportHours() []int { return []int{1, 4, 8, 24, 48, 72} }

const supportUsual = "8"

func (v *visit) support() (supportPage, error) {
	now, err := v.client.Support(v.ctx())
	if isRefused(err, unavailable) {
		return supportPage{}, nil
	}
	var hours []option
	for _, n := range supportHours() {
		hours = append(hours, option{Value: strconv.Itoa(n), Label: v.T("support.hours", "n", n)})
	}
	return supportPage{Support: now, Image: true, Form: v.form("support.next",
		input{name: "supportWho", required: true, autocomplete: "off", wide: true},
		input{name: "supportKeys", kind: "textarea", rows: 4, autocomplete: "off", wide: true},
		input{name: "supportHours", kind: "select", required: true, options: hours},
		input{name: "supportShell", kind: "checkbox", wide: true},
	)}, err
}

func getSupport(v *visit) error {
	p, err := v.support()
	if err != nil {
		return err
	}
	if p.Image {
		p.Form.fill(map[string]string{"supportHours": supportUsual})
	}
	return v.render("support.html", p)
}

// postSupport shows what would be opened, and opens it when that is confirmed.
func postSupport(v *visit) error {
	p, err := v.support()
	if err != nil {
		return err
	}
	if !p.Image || !p.Form.complete() {
		return v.again("support.html", p)
	}
	q := askedSupport(p.Form)
	if v.formValue("confirmed") != "yes" {
		shown, err := v.client.PreviewSupport(v.ctx(), q)
		if err == nil {
			return v.confirmSupport(p.Form, shown)
		}
		return v.supportRefused(p, err)
	}
	if _, err := v.client.OpenSupport(v.ctx(), q); err != nil {
		return v.supportRefused(p, err)
	}
	return v.done("/support", "done.supportOpened")
}

// askedSupport is what a form asks for.
func askedSupport(f *form) api.SupportRequest {
	hours, _ := strconv.Atoi(f.value("supportHours")) // what is no number is refused as too few
	return api.SupportRequest{
		Who: f.value("supportWho"), Minutes: hours * 60, Shell: f.value("supportShell") != "", PublicKeys: f.lines("supportKeys"),
	}
}

func (v *visit) supportRefused(p supportPage, err error) error {
	for field, shown := range map[string]string{"who": "supportWho", "publicKeys": "supportKeys", "minutes": "supportHours"} {
		err = renamed(err, field, shown)
	}
	if err = p.Form.refused(err); err != nil {
		return err
	}
	return v.again("support.html", p)
}

// confirmSupport asks before the box is opened.
func (v *visit) confirmSupport(f *form, shown support.Opened) error {
	v.under(v.T("support.title"), "/support")
	v.title = v.T("support.open")
	c := confirmation{
		Text: v.T("support.question", "who", shown.Who), Button: v.T("support.open"), Back: "/support",
		Items: []string{v.T("support.for", "time", v.Duration(shown.Until.Sub(shown.Since)))}, Hidden: []hidden{{"confirmed", "yes"}},
	}
	for _, key := range shown.Fingerprints {
		c.Items = append(c.Items, v.T("support.key", "key", key))
	}
	if shown.Shell {
		c.Items = append(c.Items, v.T("support.screen"))
	}
	c.Items = append(c.Items, v.T("support.everything"))
	for _, field := range f.Fields {
		c.Hidden = append(c.Hidden, hidden{field.Name, field.Value})
	}
	return v.confirm(c)
}

func getCloseSupport(v *visit) error {
	v.under(v.T("support.title"), "/support")
	return v.confirm(confirmation{Text: v.T("support.close.text"), Button: v.T("support.close"), Back: "/support"})
}

func postCloseSupport(v *visit) error {
	if _, err := v.client.CloseSupport(v.ctx()); err != nil {
		return err
	}
	return v.done("/support", "done.supportClosed")
}
