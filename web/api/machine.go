package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"

	"furrow/appliance/machine"
	"furrow/appliance/update"
	"furrow/web/access"
)

// Machine is what the box runs on, as far as it has a hand in it.
type Machine struct {
	// Image says that it was started from the image; the box can act on no other.
	Image bool `json:"image"`
	// Versions are those of the image; absent for another machine.
	Versions *update.Versions `json:"versions,omitempty"`
	// Installing is how much of an update is written; absent while none is.
	Installing *UpdateProgress `json:"installing,omitempty"`
}

// UpdateProgress is how much of an update is written.
type UpdateProgress struct {
	Percent int `json:"percent"`
}

// allowOlder is the parameter of an update that need not be newer.
const allowOlder = "allow-older"

func (h *handler) machineRoutes() []Route {
	act := func(do func(*machine.Machine, context.Context) error) action {
		return answer(h, func(r *http.Request) (Status, error) {
			if err := refusedByMachine(do(h.Machine, r.Context())); err != nil {
				return Status{}, err
			}
			return h.status(r)
		})
	}
	install := answer(h, h.installUpdate)
	install.limit = update.MaxBundleSize
	return []Route{
		{
			Method: "GET", Path: "/v1/machine", Role: access.Server,
			Summary: "The machine that the box runs on, its versions and updates", action: answer(h, h.machine),
		},
		{
			Method: "POST", Path: "/v1/restart", Role: access.Server,
			Summary: "Start the box anew in its process, which reads the configuration file again",
			action: answer(h, func(r *http.Request) (Status, error) {
				h.Log.Info("restart asked for")
				h.Restart()
				return h.status(r)
			}),
		},
		{
			Method: "POST", Path: "/v1/machine/update", Role: access.Server, Query: []string{allowOlder},
			Summary: "Install an update, the request's body, and restart the machine with it", action: install,
		},
		{
			Method: "POST", Path: "/v1/machine/restart", Role: access.Server,
			Summary: "Restart the machine", action: act((*machine.Machine).Restart),
		},
		{
			Method: "POST", Path: "/v1/machine/power-off", Role: access.Server,
			Summary: "Switch the machine off", action: act((*machine.Machine).PowerOff),
		},
		{
			Method: "POST", Path: "/v1/machine/factory-reset", Role: access.Server,
			Summary: "Erase everything that the box keeps, and restart the machine", action: act((*machine.Machine).Erase),
		},
	}
}

func (h *handler) machine(r *http.Request) (Machine, error) {
	versions, err := h.Machine.Versions(r.Context())
	if errors.Is(err, machine.ErrNotImage) {
		return Machine{}, nil
	}
	if err != nil {
		return Machine{}, refusedByMachine(err)
	}
	shown := Machine{Image: true, Versions: &versions}
	if percent, ok := h.Machine.Installing(); ok {
		shown.Installing = &UpdateProgress{percent}
	}
	return shown, nil
}

func (h *handler) installUpdate(r *http.Request) (update.Manifest, error) {
	older, err := flag(r, allowOlder)
	if err != nil {
		return update.Manifest{}, err
	}
	manifest, err := h.Machine.Install(r.Context(), r.Body, older)
	return manifest, refusedByMachine(err)
}

// refusedByMachine answers with the words of the side that has the rights: they are for a person.
func refusedByMachine(err error) error {
	if refused := (*update.Refused)(nil); errors.As(err, &refused) {
		return &refusal{http.StatusConflict, &Error{Code: "refused", Message: refused.Reason}}
	}
	if errors.Is(err, machine.ErrNotImage) {
		return machine.ErrNotImage // without the name of a socket, which tells a person nothing
	}
	return err
}

// Machine returns what the box runs on.
func (c *Client) Machine(ctx context.Context) (Machine, error) {
	return call[Machine](ctx, c, http.MethodGet, "/v1/machine", nil)
}

// InstallUpdate has a bundle installed; the machine restarts when it is.
func (c *Client) InstallUpdate(ctx context.Context, bundle io.Reader, older bool) (update.Manifest, error) {
	path := "/v1/machine/update?" + allowOlder + "=" + strconv.FormatBool(older)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://furrow"+path, bundle)
	if err != nil {
		return update.Manifest{}, err
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	return decodeAnswer[update.Manifest](c.do(req))
}

// Restart has the box start anew in its process.
func (c *Client) Restart(ctx context.Context) (Status, error) {
	return call[Status](ctx, c, http.MethodPost, "/v1/restart", nil)
}

// RestartMachine restarts the machine.
func (c *Client) RestartMachine(ctx context.Context) (Status, error) {
	return call[Status](ctx, c, http.MethodPost, "/v1/machine/restart", nil)
}

// PowerOffMachine switches the machine off.
func (c *Client) PowerOffMachine(ctx context.Context) (Status, error) {
	return call[Status](ctx, c, http.MethodPost, "/v1/machine/power-off", nil)
}

// FactoryReset erases everything that the box keeps, and restarts the machine.
func (c *Client) FactoryReset(ctx context.Context) (Status, error) {
	return call[Status](ctx, c, http.MethodPost, "/v1/machine/factory-reset", nil)
}
