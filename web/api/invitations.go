package api

import (
	"net/http"
	"time"

	"furrow/gms/directory"
	"furrow/gms/invitation"
	"furrow/web/access"
)

// CodeMail is a mail with a member's configuration code.
type CodeMail struct {
	At time.Time `json:"at"` // when it was given to the outbox
	To string    `json:"to"`
}

// Invitation asks to mail the codes of pending members. Language is that of the template; empty for that of the domain.
type Invitation struct {
	Members  []string `json:"members"` // GUIDs
	Language string   `json:"language,omitempty"`
}

// TemplateText is a template of a mail, or what it becomes.
type TemplateText struct {
	Subject string `json:"subject"`
	Body    string `json:"body"`
}

// Template is the template of the mail with a code, for a language in a domain.
type Template struct {
	Domain   string `json:"domain"` // name
	Language string `json:"language"`
	TemplateText
	// Own says that it is the domain's and not the program's, Used that its members get this one.
	Own  bool `json:"own"`
	Used bool `json:"used"`
}

// TemplatePreview asks to fill in a template for a member, given by GUID, or for a sample. Text stands in for the template,
// to try it.
type TemplatePreview struct {
	Member string        `json:"member,omitempty"`
	Text   *TemplateText `json:"text,omitempty"`
}

// TemplateSettings are what a domain says for all its invitations: which template its members get, where they get the
// program, and whom they ask.
type TemplateSettings struct {
	Language string `json:"language"`
	Download string `json:"download"`
	Help     string `json:"help"`
}

func (h *handler) invitationRoutes() []Route {
	domain := []string{"domain"}
	return []Route{
		{
			Method: "GET", Path: "/v1/members/{guid}/welcome", Role: access.Member, Secret: true,
			Summary: "What a welcome sheet for a member shows",
			action:  answer(h, h.welcome),
		},
		{
			Method: "POST", Path: "/v1/invitations", Role: access.Member,
			Summary: "Mail their configuration codes to members",
			action:  ask(h, h.invite),
		},
		{
			Method: "GET", Path: "/v1/templates", Role: access.Member, Query: domain,
			Summary: "The templates of the mail with a code",
			action:  answer(h, h.templates),
		},
		{
			Method: "GET", Path: "/v1/templates/{language}", Role: access.Member, Query: domain,
			Summary: "A template of the mail with a code",
			action:  answer(h, h.template),
		},
		{
			Method: "PUT", Path: "/v1/templates/{language}", Role: access.Domain, Query: domain,
			Summary: "Give a domain a template of its own",
			action:  ask(h, h.setTemplate),
		},
		{
			Method: "DELETE", Path: "/v1/templates/{language}", Role: access.Domain, Query: domain,
			Summary: "Go back to the program's template",
			action:  answer(h, h.resetTemplate),
		},
		{
			Method: "POST", Path: "/v1/templates/{language}/preview", Role: access.Member, Query: domain, Reads: true, Secret: true,
			Summary: "Show what a template becomes",
			action:  ask(h, h.previewTemplate),
		},
		{
			Method: "GET", Path: "/v1/template-settings", Role: access.Member, Query: domain,
			Summary: "What a domain says in all its mails with codes",
			action:  answer(h, h.templateSettings),
		},
		{
			Method: "PUT", Path: "/v1/template-settings", Role: access.Domain, Query: domain,
			Summary: "Set what a domain says in all its mails with codes",
			action:  ask(h, h.setTemplateSettings),
		},
	}
}

// orInvited makes a change as part of one that mails the member's code, if the request asks to send it, or else plainly.
func (h *handler) orInvited(
	r *http.Request, part func(directory.MemberBatch) (directory.Member, error), plain func() (directory.Member, error),
) (directory.Member, error) {
	send, err := flag(r, "send")
	if err != nil || !send {
		if err != nil {
			return directory.Member{}, err
		}
		return plain()
	}
	return h.Invitations.SendAfter(r.Context(), "", part)
}

func (h *handler) welcome(r *http.Request) (invitation.Fields, error) {
	return h.Invitations.Sheet(r.PathValue("guid"))
}

func (h *handler) invite(r *http.Request, q Invitation) ([]Member, error) {
	if err := h.Invitations.Send(r.Context(), invitation.Language(q.Language), q.Members...); err != nil {
		return nil, err
	}
	invited := []Member{}
	for _, guid := range q.Members {
		m, err := h.Directory.Member(guid)
		if err != nil {
			return nil, err
		}
		shown, err := h.showMember(r.Context(), m)
		if err != nil {
			return nil, err
		}
		invited = append(invited, shown)
	}
	return invited, nil
}

func showTemplate(d directory.Domain, t invitation.Template) Template {
	return Template{Domain: d.Name, Language: string(t.Language), TemplateText: TemplateText(t.Text), Own: t.Own, Used: t.Used}
}

func (h *handler) templates(r *http.Request) ([]Template, error) {
	d, err := h.domainOf(r)
	if err != nil {
		return nil, err
	}
	list := []Template{}
	for _, t := range h.Invitations.Templates(d.GUID) {
		list = append(list, showTemplate(d, t))
	}
	return list, nil
}

func (h *handler) template(r *http.Request) (Template, error) {
	d, err := h.domainOf(r)
	if err != nil {
		return Template{}, err
	}
	t, err := h.Invitations.Template(d.GUID, languageOf(r))
	return showTemplate(d, t), err
}

func languageOf(r *http.Request) invitation.Language {
	return invitation.Language(r.PathValue("language"))
}

func (h *handler) setTemplate(r *http.Request, q TemplateText) (Template, error) {
	d, err := h.domainOf(r)
	if err != nil {
		return Template{}, err
	}
	if err := h.Invitations.SetTemplate(r.Context(), d.GUID, languageOf(r), invitation.Text(q)); err != nil {
		return Template{}, err
	}
	return h.template(r)
}

func (h *handler) resetTemplate(r *http.Request) (Template, error) {
	d, err := h.domainOf(r)
	if err != nil {
		return Template{}, err
	}
	if err := h.Invitations.ResetTemplate(r.Context(), d.GUID, languageOf(r)); err != nil {
		return Template{}, err
	}
	return h.template(r)
}

func (h *handler) previewTemplate(r *http.Request, q TemplatePreview) (TemplateText, error) {
	d, err := h.domainOf(r)
	if err != nil {
		return TemplateText{}, err
	}
	filled, err := h.Invitations.Preview(d.GUID, languageOf(r), q.Member, (*invitation.Text)(q.Text))
	return TemplateText(filled), err
}

func (h *handler) templateSettings(r *http.Request) (TemplateSettings, error) {
	d, err := h.domainOf(r)
	if err != nil {
		return TemplateSettings{}, err
	}
	s := h.Invitations.Settings(d.GUID)
	return TemplateSettings{string(s.Language), s.Download, s.Help}, nil
}

func (h *handler) setTemplateSettings(r *http.Request, q TemplateSettings) (TemplateSettings, error) {
	d, err := h.domainOf(r)
	if err != nil {
		return TemplateSettings{}, err
	}
	err = h.Invitations.SetSettings(r.Context(), d.GUID, invitation.Settings{
		Language: invitation.Language(q.Language), Download: q.Download, Help: q.Help,
	})
	if err != nil {
		return TemplateSettings{}, err
	}
	return h.templateSettings(r)
}
