package api

import (
	"context"
	"net/http"
	"net/url"

	"furrow/gms/invitation"
)

// Welcome returns what a welcome sheet for a pending member shows.
func (c *Client) Welcome(ctx context.Context, guid string) (invitation.Fields, error) {
	return call[invitation.Fields](ctx, c, http.MethodGet, "/v1/members/"+url.PathEscape(guid)+"/welcome", nil)
}

// Invite puts mails with their codes to pending members into the outbox: to all of them or none.
func (c *Client) Invite(ctx context.Context, i Invitation) ([]Member, error) {
	return call[[]Member](ctx, c, http.MethodPost, "/v1/invitations", i)
}

// Templates returns the templates of a domain, given by name or GUID.
func (c *Client) Templates(ctx context.Context, domain string) ([]Template, error) {
	return call[[]Template](ctx, c, http.MethodGet, in("/v1/templates", domain), nil)
}

func templatePath(language string) string { return "/v1/templates/" + url.PathEscape(language) }

// Template returns the template for a language.
func (c *Client) Template(ctx context.Context, domain, language string) (Template, error) {
	return call[Template](ctx, c, http.MethodGet, in(templatePath(language), domain), nil)
}

// SetTemplate gives a domain a text of its own for a language.
func (c *Client) SetTemplate(ctx context.Context, domain, language string, text TemplateText) (Template, error) {
	return call[Template](ctx, c, http.MethodPut, in(templatePath(language), domain), text)
}

// ResetTemplate makes the text for a language that of the program again.
func (c *Client) ResetTemplate(ctx context.Context, domain, language string) (Template, error) {
	return call[Template](ctx, c, http.MethodDelete, in(templatePath(language), domain), nil)
}

// PreviewTemplate fills in a template.
func (c *Client) PreviewTemplate(ctx context.Context, domain, language string, p TemplatePreview) (TemplateText, error) {
	return call[TemplateText](ctx, c, http.MethodPost, in(templatePath(language)+"/preview", domain), p)
}

// TemplateSettings returns what a domain says for all its invitations.
func (c *Client) TemplateSettings(ctx context.Context, domain string) (TemplateSettings, error) {
	return call[TemplateSettings](ctx, c, http.MethodGet, in("/v1/template-settings", domain), nil)
}

// SetTemplateSettings changes TemplateSettings.
func (c *Client) SetTemplateSettings(ctx context.Context, domain string, s TemplateSettings) (TemplateSettings, error) {
	return call[TemplateSettings](ctx, c, http.MethodPut, in("/v1/template-settings", domain), s)
}
