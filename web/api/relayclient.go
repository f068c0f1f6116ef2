package api

import (
	"context"
	"net/http"
	"net/url"
)

// LocalRelay returns the relay of the box.
func (c *Client) LocalRelay(ctx context.Context) (LocalRelay, error) {
	return call[LocalRelay](ctx, c, http.MethodGet, "/v1/relay", nil)
}

// RelayIdentity returns the file by which an outside management server learns of the box's relay.
func (c *Client) RelayIdentity(ctx context.Context) (File, error) {
	return call[File](ctx, c, http.MethodGet, "/v1/relay/identity", nil)
}

// ManagerIdentity returns the file by which an outside relay learns of the box's management server.
func (c *Client) ManagerIdentity(ctx context.Context) (File, error) {
	return call[File](ctx, c, http.MethodGet, "/v1/manager/identity", nil)
}

// ImportManager lets an outside management server manage the box's relay.
func (c *Client) ImportManager(ctx context.Context, file File) (LocalRelay, error) {
	return call[LocalRelay](ctx, c, http.MethodPost, "/v1/relay/managers", file)
}

// Relays returns the relays that the management server knows, and how they are.
func (c *Client) Relays(ctx context.Context) ([]Relay, error) {
	return call[[]Relay](ctx, c, http.MethodGet, "/v1/relays", nil)
}

// ImportRelay makes an outside relay known. It serves nobody until a relay set names it.
func (c *Client) ImportRelay(ctx context.Context, file File) (Relay, error) {
	return call[Relay](ctx, c, http.MethodPost, "/v1/relays", file)
}

// SetRelayDefaults sets what a relay keeps for whom and how long.
func (c *Client) SetRelayDefaults(ctx context.Context, relay string, defaults RelayDefaults) (Relay, error) {
	return call[Relay](ctx, c, http.MethodPut, "/v1/relays/"+url.PathEscape(relay)+"/defaults", defaults)
}

// RelaySets returns the relay sets of a domain, given by name or GUID, or of all domains when it is empty.
func (c *Client) RelaySets(ctx context.Context, domain string) ([]RelaySet, error) {
	path := "/v1/relay-sets"
	if domain != "" {
		path += "?" + url.Values{"domain": {domain}}.Encode()
	}
	return call[[]RelaySet](ctx, c, http.MethodGet, path, nil)
}

// CreateRelaySet adds an empty relay set to a domain.
func (c *Client) CreateRelaySet(ctx context.Context, set NewRelaySet) (RelaySet, error) {
	return call[RelaySet](ctx, c, http.MethodPost, "/v1/relay-sets", set)
}

// OrderRelaySet makes the given relays, in this order, those of a set.
func (c *Client) OrderRelaySet(ctx context.Context, set string, relays []string) (RelaySet, error) {
	return call[RelaySet](ctx, c, http.MethodPut, relaySetPath(set, "/relays"), relays)
}

// AssignRelaySet gives a set to its domain or to a member.
func (c *Client) AssignRelaySet(ctx context.Context, set string, to Assignment) (RelaySet, error) {
	return call[RelaySet](ctx, c, http.MethodPost, relaySetPath(set, "/assignment"), to)
}
