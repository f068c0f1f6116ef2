package api

import (
	"context"
	"net"
	"net/http"

	"furrow/web/access"
)

// setupPath and restorePath are all that is served over the network before the box is set up.
const setupPath = "/v1/setup"

// SetupCode is what makes the first administrator, once.
type SetupCode struct {
	Code string `json:"code"`
}

// Setup makes the first administrator, who may do everything.
type Setup struct {
	Code        string `json:"code"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName,omitempty"`
	Password    string `json:"password"`
}

func (h *handler) setupRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/v1/setup-code", Role: access.Server, Secret: true,
			Summary: "The code that makes the first administrator",
			action: answer(h, func(r *http.Request) (SetupCode, error) {
				code, err := h.Access.SetupCode(r.Context())
				return SetupCode{code}, err
			}),
		},
		{
			Method: "POST", Path: setupPath, Open: true,
			Summary: "Make the first administrator, with the set-up code",
			action: ask(h, func(r *http.Request, q Setup) (Administrator, error) {
				return h.showAdministrator(h.Access.SetUp(r.Context(), q.Code, access.NewAdministrator{
					Name: q.Name, DisplayName: q.DisplayName, Password: q.Password,
				}, access.Visitor{Address: hostOf(r.RemoteAddr), Agent: r.UserAgent()}))
			}),
		},
		h.restoreRoute(),
	}
}

// hostOf is the address of a peer without its port.
func hostOf(remote string) string {
	if host, _, err := net.SplitHostPort(remote); err == nil {
		return host
	}
	return remote
}

// SetupCode returns the code that makes the first administrator.
func (c *Client) SetupCode(ctx context.Context) (SetupCode, error) {
	return call[SetupCode](ctx, c, http.MethodGet, "/v1/setup-code", nil)
}

// SetUp makes the first administrator.
func (c *Client) SetUp(ctx context.Context, q Setup) (Administrator, error) {
	return call[Administrator](ctx, c, http.MethodPost, setupPath, q)
}
