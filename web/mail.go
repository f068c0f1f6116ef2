package web

import "furrow/web/api"

// mailPage is what mail.html shows.
type mailPage struct {
	Form *form
	On   bool // the box sends mail
}

// mailInputs are the fields of how mail is sent, here and in the set-up.
func (v *visit) mailInputs() []input {
	return []input{
		{name: "server", required: true, autocomplete: "off"},
		{name: "security", kind: "select", required: true, options: []option{
			{Value: "starttls", Label: "STARTTLS"}, {Value: "tls", Label: "TLS"}, {Value: "plain", Label: v.T("mail.plain")},
		}},
		{name: "from", kind: "email", required: true, autocomplete: "off"},
		{name: "mailLogin", autocomplete: "off"},
		{name: "mailPassword", kind: "password", autocomplete: "off"},
	}
}

// keepMail keeps the settings in a form and sends a message at once, if the form says to whom: settings that do not work
// are worse than none.
func (v *visit) keepMail(f *form) error {
	_, err := v.client.SetMail(v.ctx(), api.MailSettings{
		Server: f.value("server"), Security: f.value("security"), From: f.value("from"), Login: f.value("mailLogin"),
		Password: f.value("mailPassword"), Authority: f.value("authority"),
	})
	if to := f.value("testTo"); err == nil && to != "" {
		_, err = v.client.TestMail(v.ctx(), to)
		err = renamed(renamed(err, "to", "testTo"), "", "testTo")
	}
	return renamed(renamed(err, "login", "mailLogin"), "password", "mailPassword")
}

func (v *visit) mailPage() (mailPage, api.MailSettings, error) {
	s, err := v.client.MailSettings(v.ctx())
	return mailPage{On: s.Server != "", Form: v.form("mail.save", append(v.mailInputs(),
		input{name: "testTo", kind: "email", autocomplete: "email"},
		input{name: "authority", kind: "textarea", rows: 4, wide: true, autocomplete: "off"},
	)...)}, s, err
}

func getMail(v *visit) error {
	p, s, err := v.mailPage()
	if err != nil {
		return err
	}
	p.Form.fill(map[string]string{
		"server": s.Server, "security": s.Security, "from": s.From, "mailLogin": s.Login, "authority": s.Authority,
	})
	return v.render("mail.html", p)
}

func postMail(v *visit) error {
	p, _, err := v.mailPage()
	if err != nil {
		return err
	}
	if p.Form.complete() {
		switch err := v.keepMail(p.Form); {
		case err != nil:
			p.On = p.On || isRefused(err, "notSent") // the settings are kept
			if err := p.Form.refused(err); err != nil {
				return err
			}
		case p.Form.value("testTo") != "":
			return v.done("/mail", "done.mailWorks", "address", p.Form.value("testTo"))
		default:
			return v.done("/mail", "done.mailKept")
		}
	}
	return v.again("mail.html", p)
}

func getMailOff(v *visit) error {
	v.under(v.T("mail.title"), "/mail")
	return v.confirm(confirmation{Text: v.T("mail.off.text"), Button: v.T("mail.off"), Back: "/mail"})
}

func postMailOff(v *visit) error {
	if _, err := v.client.ClearMail(v.ctx()); err != nil {
		return err
	}
	return v.done("/mail", "done.mailOff")
}
