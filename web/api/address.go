package api

import (
	"context"
	"net/http"

	"furrow/web/access"
)

// Address is where clients find the box.
type Address struct {
	ServerURL string `json:"serverURL"`
	// Fixed says that the configuration file has it, and only that can change it.
	Fixed bool `json:"fixed"`
}

// HostChoice is another name under which clients find the box, with a port or without.
type HostChoice struct {
	Host string `json:"host"`
}

func (h *handler) addressRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/v1/address", Role: access.Server, Summary: "Where clients find the box",
			action: answer(h, h.address),
		},
		{
			Method: "PUT", Path: "/v1/address", Role: access.Server,
			Summary: "Have clients find the box under another name, in full from its next start on", action: ask(h, h.chooseHost),
		},
	}
}

func (h *handler) address(*http.Request) (Address, error) {
	serverURL, err := h.Directory.ServerURL()
	return Address{ServerURL: serverURL, Fixed: h.ChooseHost == nil}, err
}

func (h *handler) chooseHost(r *http.Request, choice HostChoice) (Address, error) {
	if h.Config.ChooseHost == nil {
		return Address{}, &refusal{http.StatusConflict, &Error{
			Code: "conflict", Field: "host", Message: "the configuration file says where the box is found: change server_url there",
		}}
	}
	serverURL, err := h.Config.ChooseHost(r.Context(), choice.Host)
	return Address{ServerURL: serverURL}, err
}

// Address returns where clients find the box.
func (c *Client) Address(ctx context.Context) (Address, error) {
	return call[Address](ctx, c, http.MethodGet, "/v1/address", nil)
}

// ChooseHost has clients find the box under another name. The relay and the certificate get it when the box starts
// again, see [Client.Restart].
func (c *Client) ChooseHost(ctx context.Context, host string) (Address, error) {
	return call[Address](ctx, c, http.MethodPut, "/v1/address", HostChoice{host})
}
