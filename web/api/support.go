package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"furrow/appliance/support"
	"furrow/web/access"
)

// Support is whether somebody who helps with the box can get into the machine.
type Support struct {
	// Open is the access that is open; absent while none is.
	Open *support.Opened `json:"open,omitempty"`
}

// SupportRequest asks for access to be opened.
type SupportRequest struct {
	// Who is a note about who gets in, and what for.
	Who string `json:"who"`
	// PublicKeys are in the form of authorized_keys(5), without options; none for the box's screen alone.
	PublicKeys []string `json:"publicKeys,omitempty"`
	// Minutes is for how long, at most 4320.
	Minutes int `json:"minutes"`
	// Shell offers a shell on the box's screen.
	Shell bool `json:"shell,omitempty"`
}

func (h *handler) supportRoutes() []Route {
	const path = "/v1/machine/support"
	return []Route{
		{
			Method: "GET", Path: path, Role: access.Server,
			Summary: "Whether support can get into the machine", action: answer(h, h.support),
		},
		{
			Method: "POST", Path: path + "/preview", Role: access.Server, Reads: true,
			Summary: "Show what support access would be opened", action: ask(h, h.previewSupport),
		},
		{
			Method: "POST", Path: path, Role: access.Server,
			Summary: "Open the machine to support, instead of what was open before", action: ask(h, h.openSupport),
		},
		{
			Method: "DELETE", Path: path, Role: access.Server,
			Summary: "End support access and its sessions", action: answer(h, h.closeSupport),
		},
	}
}

func (h *handler) support(*http.Request) (Support, error) {
	open, err := h.Machine.Support()
	return Support{open}, refusedByMachine(err)
}

// access is what is asked for, at the box's time.
func (q SupportRequest) access(now time.Time) (support.Access, error) {
	if longest := int(support.Longest / time.Minute); q.Minutes < 1 || q.Minutes > longest {
		return support.Access{}, &Error{Code: "invalid", Field: "minutes", Message: fmt.Sprintf("minutes are from 1 to %d", longest)}
	}
	return support.Access{
		Who: q.Who, Keys: q.PublicKeys, Shell: q.Shell, Until: now.Add(time.Duration(q.Minutes) * time.Minute),
	}, nil
}

func (h *handler) previewSupport(r *http.Request, q SupportRequest) (support.Opened, error) {
	if _, err := h.support(r); err != nil {
		return support.Opened{}, err
	}
	now := h.Now().Truncate(time.Second)
	wanted, err := q.access(now)
	if err != nil {
		return support.Opened{}, err
	}
	return wanted.Opened(now)
}

func (h *handler) openSupport(r *http.Request, q SupportRequest) (Support, error) {
	shown, err := h.previewSupport(r, q)
	if err != nil {
		return Support{}, err
	}
	wanted, err := q.access(shown.Since)
	if err != nil {
		return Support{}, err
	}
	if err := h.Machine.OpenSupport(r.Context(), wanted); err != nil {
		return Support{}, refusedByMachine(err)
	}
	h.Log.Warn("support access opened", "who", shown.Who, "until", shown.Until, "fingerprints", shown.Fingerprints, "shell", shown.Shell)
	return h.support(r)
}

func (h *handler) closeSupport(r *http.Request) (Support, error) {
	if err := h.Machine.CloseSupport(r.Context()); err != nil {
		return Support{}, refusedByMachine(err)
	}
	h.Log.Warn("support access closed")
	return h.support(r)
}

// Support returns whether support can get into the machine.
func (c *Client) Support(ctx context.Context) (Support, error) {
	return call[Support](ctx, c, http.MethodGet, "/v1/machine/support", nil)
}

// PreviewSupport returns what would be opened.
func (c *Client) PreviewSupport(ctx context.Context, q SupportRequest) (support.Opened, error) {
	return call[support.Opened](ctx, c, http.MethodPost, "/v1/machine/support/preview", q)
}

// OpenSupport opens the machine to support.
func (c *Client) OpenSupport(ctx context.Context, q SupportRequest) (Support, error) {
	return call[Support](ctx, c, http.MethodPost, "/v1/machine/support", q)
}

// CloseSupport ends support access.
func (c *Client) CloseSupport(ctx context.Context) (Support, error) {
	return call[Support](ctx, c, http.MethodDelete, "/v1/machine/support", nil)
}
