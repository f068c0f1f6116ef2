package api

import (
	"context"
	"net/http"
	"net/url"

	"furrow/gms/policy"
)

// PolicySettings describes the settings of policy templates of a kind, identity or device.
func (c *Client) PolicySettings(ctx context.Context, kind string) ([]policy.Setting, error) {
	return call[[]policy.Setting](ctx, c, http.MethodGet, "/v1/policy-settings?"+url.Values{"kind": {kind}}.Encode(), nil)
}

// Policies returns the policy templates of a domain, given by name or GUID, or of all domains when it is empty.
func (c *Client) Policies(ctx context.Context, domain string) ([]Policy, error) {
	return call[[]Policy](ctx, c, http.MethodGet, in("/v1/policies", domain), nil)
}

// Policy returns one policy template with its settings.
func (c *Client) Policy(ctx context.Context, guid string) (Policy, error) {
	return call[Policy](ctx, c, http.MethodGet, "/v1/policies/"+url.PathEscape(guid), nil)
}

// CreatePolicy adds a policy template to a domain.
func (c *Client) CreatePolicy(ctx context.Context, p NewPolicy) (Policy, error) {
	return call[Policy](ctx, c, http.MethodPost, "/v1/policies", p)
}

// ChangePolicy changes name and settings of a policy template, all or nothing.
func (c *Client) ChangePolicy(ctx context.Context, guid string, change PolicyChange) (PolicyChanged, error) {
	return call[PolicyChanged](ctx, c, http.MethodPatch, "/v1/policies/"+url.PathEscape(guid), change)
}

// PreviewPolicy returns the policy template as it is, and what ChangePolicy would change.
func (c *Client) PreviewPolicy(ctx context.Context, guid string, change PolicyChange) (PolicyChanged, error) {
	return call[PolicyChanged](ctx, c, http.MethodPost, "/v1/policies/"+url.PathEscape(guid)+"/preview", change)
}

// DiffPolicy returns the settings in which a template differs from another one, or from the default settings.
func (c *Client) DiffPolicy(ctx context.Context, guid, with string) ([]policy.Change, error) {
	path := "/v1/policies/" + url.PathEscape(guid) + "/diff?" + url.Values{"with": {with}}.Encode()
	return call[[]policy.Change](ctx, c, http.MethodGet, path, nil)
}

// DeletePolicy removes a policy template that is assigned to nobody.
func (c *Client) DeletePolicy(ctx context.Context, guid string) (Policy, error) {
	return call[Policy](ctx, c, http.MethodDelete, "/v1/policies/"+url.PathEscape(guid), nil)
}
