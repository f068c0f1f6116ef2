package api

import (
	"context"
	"net/http"
	"net/url"
)

// in adds the domain parameter to a path; empty leaves the domain to the box, which takes the only one.
func in(path, domain string) string {
	if domain == "" {
		return path
	}
	return path + "?" + url.Values{"domain": {domain}}.Encode()
}

func groupPath(domain, group string) string { return in("/v1/groups/"+url.PathEscape(group), domain) }

// Groups returns the groups of a domain, given by name or GUID, or of all domains when it is empty.
func (c *Client) Groups(ctx context.Context, domain string) ([]Group, error) {
	return call[[]Group](ctx, c, http.MethodGet, in("/v1/groups", domain), nil)
}

// GroupNames returns what the groups of a domain, or of all, are called. Groups answers what they hold as well.
func (c *Client) GroupNames(ctx context.Context, domain string) ([]GroupName, error) {
	return call[[]GroupName](ctx, c, http.MethodGet, in("/v1/group-names", domain), nil)
}

// Group returns the group with this GUID, or with this path in a domain.
func (c *Client) Group(ctx context.Context, domain, group string) (Group, error) {
	return call[Group](ctx, c, http.MethodGet, groupPath(domain, group), nil)
}

// CreateGroup adds a group to a domain.
func (c *Client) CreateGroup(ctx context.Context, group NewGroup) (Group, error) {
	return call[Group](ctx, c, http.MethodPost, "/v1/groups", group)
}

// ChangeGroup changes name, place and assignments of a group.
func (c *Client) ChangeGroup(ctx context.Context, domain, group string, change GroupChange) (Group, error) {
	return call[Group](ctx, c, http.MethodPatch, groupPath(domain, group), change)
}

// DeleteGroup removes a group. One that has members or groups is kept unless toParent asks to put these where the group
// was.
func (c *Client) DeleteGroup(ctx context.Context, domain, group string, toParent bool) (Group, error) {
	query := url.Values{}
	if domain != "" {
		query.Set("domain", domain)
	}
	if toParent {
		query.Set("to-parent", "true")
	}
	return call[Group](ctx, c, http.MethodDelete, "/v1/groups/"+url.PathEscape(group)+"?"+query.Encode(), nil)
}
