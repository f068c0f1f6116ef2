package api

import (
	"context"
	"net/http"

	"furrow/appliance/network"
	"furrow/web/access"
)

func (h *handler) machineNetworkRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/v1/machine/network", Role: access.Server,
			Summary: "The machine's name and addresses, as set and in force, and its temperatures",
			action:  answer(h, func(r *http.Request) (network.Report, error) { return machined(h.Machine.Network(r.Context())) }),
		},
		{
			Method: "PUT", Path: "/v1/machine/network", Role: access.Server,
			Summary: "Try a name and addresses for the machine: unless confirmed within a minute, those before return",
			action: ask(h, func(r *http.Request, s network.Settings) (network.Report, error) {
				return machined(h.Machine.TryNetwork(r.Context(), s))
			}),
		},
		{
			Method: "POST", Path: "/v1/machine/network/keep", Role: access.Server,
			Summary: "Confirm the machine's name and addresses that are on trial",
			action:  answer(h, func(r *http.Request) (network.Report, error) { return machined(h.Machine.KeepNetwork(r.Context())) }),
		},
		{
			Method: "POST", Path: "/v1/machine/network/reset", Role: access.Server,
			Summary: "Forget the machine's name and addresses: furrow, by DHCP, at once",
			action:  answer(h, func(r *http.Request) (network.Report, error) { return machined(h.Machine.ResetNetwork(r.Context())) }),
		},
		{
			Method: "GET", Path: "/v1/machine/clock", Role: access.Server,
			Summary: "The machine's time servers and time zone, and whether its clock is kept right",
			action:  answer(h, func(r *http.Request) (network.ClockReport, error) { return machined(h.Machine.Clock(r.Context())) }),
		},
		{
			Method: "PUT", Path: "/v1/machine/clock", Role: access.Server,
			Summary: "Set the machine's time servers and time zone",
			action: ask(h, func(r *http.Request, c network.Clock) (network.ClockReport, error) {
				return machined(h.Machine.SetClock(r.Context(), c))
			}),
		},
	}
}

// machined is what the machine has answered.
func machined[Answer any](a Answer, err error) (Answer, error) { return a, refusedByMachine(err) }

// Network returns the machine's name and addresses.
func (c *Client) Network(ctx context.Context) (network.Report, error) {
	return call[network.Report](ctx, c, http.MethodGet, "/v1/machine/network", nil)
}

// TryNetwork begins a trial of a name and addresses, which are in force some seconds after the answer.
func (c *Client) TryNetwork(ctx context.Context, s network.Settings) (network.Report, error) {
	return call[network.Report](ctx, c, http.MethodPut, "/v1/machine/network", s)
}

// KeepNetwork confirms what is on trial.
func (c *Client) KeepNetwork(ctx context.Context) (network.Report, error) {
	return call[network.Report](ctx, c, http.MethodPost, "/v1/machine/network/keep", nil)
}

// ResetNetwork forgets the machine's name and addresses.
func (c *Client) ResetNetwork(ctx context.Context) (network.Report, error) {
	return call[network.Report](ctx, c, http.MethodPost, "/v1/machine/network/reset", nil)
}

// Clock returns how the machine knows the time.
func (c *Client) Clock(ctx context.Context) (network.ClockReport, error) {
	return call[network.ClockReport](ctx, c, http.MethodGet, "/v1/machine/clock", nil)
}

// SetClock sets how the machine knows the time.
func (c *Client) SetClock(ctx context.Context, s network.Clock) (network.ClockReport, error) {
	return call[network.ClockReport](ctx, c, http.MethodPut, "/v1/machine/clock", s)
}
