package web

import (
	"net/url"
	"strings"

	"furrow/gms/invitation"
	"furrow/web/api"
)

// invitationsPage is what invitations.html shows.
type invitationsPage struct {
	List      *list // chooses the domain; nil if there is only one
	Domain    api.DomainName
	Settings  *form
	Templates []api.Template
}

// TemplatePath is the page of the template for a language.
func (p invitationsPage) TemplatePath(language string) string {
	return templatePath(p.Domain.GUID, language, "")
}

func templatePath(domain, language, more string) string {
	return "/invitations/" + url.PathEscape(language) + more + "?" + url.Values{"domain": {domain}}.Encode()
}

func invitationsPath(domain string) string {
	return "/invitations?" + url.Values{"domain": {domain}}.Encode()
}

// chosenDomain is the domain of which the address has the GUID, the first one without; none on a box that has none.
func (v *visit) chosenDomain() (chosen api.DomainName, all []api.DomainName, err error) {
	if all, err = v.client.DomainNames(v.ctx()); err != nil || len(all) == 0 {
		return chosen, nil, err
	}
	for _, d := range all {
		if d.GUID == v.r.URL.Query().Get("domain") {
			return d, all, nil
		}
	}
	return all[0], all, nil
}

func (v *visit) invitationsPage() (p invitationsPage, err error) {
	var all []api.DomainName
	if p.Domain, all, err = v.chosenDomain(); err != nil || len(all) == 0 {
		return p, err
	}
	if len(all) > 1 {
		p.List = v.list(column{name: "name"})
		p.List.Searchable = false
		p.List.choice("domain", p.Domain.GUID, domainOptions(all)...)
	}
	if p.Templates, err = v.client.Templates(v.ctx(), p.Domain.GUID); err != nil {
		return p, err
	}
	p.Settings = v.form("invitations.save",
		input{name: "mailLanguage", kind: "select", required: true, wide: true, options: v.languageOptions(p.Templates)},
		input{name: "download", wide: true, autocomplete: "off"}, input{name: "askWhom", wide: true, autocomplete: "off"})
	p.Settings.Action = invitationsPath(p.Domain.GUID)
	return p, nil
}

func (v *visit) languageOptions(templates []api.Template) []option {
	var options []option
	for _, t := range templates {
		options = append(options, option{Value: t.Language, Label: v.T("language." + t.Language)})
	}
	return options
}

func getInvitations(v *visit) error {
	p, err := v.invitationsPage()
	if err != nil {
		return err
	}
	if p.Settings != nil {
		s, err := v.client.TemplateSettings(v.ctx(), p.Domain.GUID)
		if err != nil {
			return err
		}
		p.Settings.fill(map[string]string{"mailLanguage": s.Language, "download": s.Download, "askWhom": s.Help})
	}
	return v.render("invitations.html", p)
}

func postInvitations(v *visit) error {
	p, err := v.invitationsPage()
	if err != nil {
		return err
	}
	if p.Settings == nil {
		v.redirect("/invitations")
		return nil
	}
	if p.Settings.complete() {
		_, err := v.client.SetTemplateSettings(v.ctx(), p.Domain.GUID, api.TemplateSettings{
			Language: p.Settings.value("mailLanguage"), Download: p.Settings.value("download"), Help: p.Settings.value("askWhom"),
		})
		if err == nil {
			return v.done(invitationsPath(p.Domain.GUID), "done.invitationsKept")
		}
		if err = p.Settings.refused(renamed(renamed(err, "language", "mailLanguage"), "help", "askWhom")); err != nil {
			return err
		}
	}
	return v.again("invitations.html", p)
}

// templatePage is what invitation.html shows.
type templatePage struct {
	api.Template
	DomainGUID string
	Form       *form
	Fields     []string          // that the template can show
	Preview    *api.TemplateText // nil if none is asked for
}

// ResetPath is the page that asks before the program's text comes back.
func (p templatePage) ResetPath() string { return templatePath(p.DomainGUID, p.Language, "/reset") }

func (v *visit) template() (templatePage, error) {
	d, _, err := v.chosenDomain()
	if err != nil {
		return templatePage{}, err
	}
	t, err := v.client.Template(v.ctx(), d.GUID, v.r.PathValue("language"))
	if err != nil {
		return templatePage{}, err
	}
	v.under(v.T("invitations.title"), invitationsPath(d.GUID))
	v.title = v.T("invitations.template", "language", v.T("language."+t.Language), "domain", d.Name)
	f := v.form("invitations.save", input{name: "subject", required: true, wide: true, autocomplete: "off"},
		input{name: "body", kind: "textarea", required: true, rows: 20, wide: true})
	return templatePage{Template: t, DomainGUID: d.GUID, Form: f, Fields: invitation.FieldNames()}, nil
}

func getTemplate(v *visit) error {
	p, err := v.template()
	if err != nil {
		return err
	}
	p.Form.fill(map[string]string{"subject": p.Subject, "body": p.Body})
	return v.render("invitation.html", p)
}

// postTemplate keeps a text, or shows what it becomes.
func postTemplate(v *visit) error {
	p, err := v.template()
	if err != nil {
		return err
	}
	if !p.Form.complete() {
		return v.again("invitation.html", p)
	}
	text := api.TemplateText{Subject: p.Form.value("subject"), Body: strings.ReplaceAll(p.Form.value("body"), "\r\n", "\n")}
	if v.formValue("action") == "preview" {
		filled, err := v.client.PreviewTemplate(v.ctx(), p.DomainGUID, p.Language, api.TemplatePreview{Text: &text})
		if err == nil {
			p.Preview = &filled
			return v.render("invitation.html", p)
		}
		if err = p.Form.refused(err); err != nil {
			return err
		}
		return v.again("invitation.html", p)
	}
	if _, err := v.client.SetTemplate(v.ctx(), p.DomainGUID, p.Language, text); err != nil {
		if err := p.Form.refused(err); err != nil {
			return err
		}
		return v.again("invitation.html", p)
	}
	return v.done(invitationsPath(p.DomainGUID), "done.templateKept")
}

func getResetTemplate(v *visit) error {
	p, err := v.template()
	if err != nil {
		return err
	}
	back := templatePath(p.DomainGUID, p.Language, "")
	v.under(v.title, back)
	v.title = ""
	return v.confirm(confirmation{Text: v.T("invitations.reset.text"), Button: v.T("invitations.reset"), Back: back})
}

func postResetTemplate(v *visit) error {
	p, err := v.template()
	if err != nil {
		return err
	}
	if _, err := v.client.ResetTemplate(v.ctx(), p.DomainGUID, p.Language); err != nil {
		return err
	}
	return v.done(invitationsPath(p.DomainGUID), "done.templateReset")
}
