package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"furrow/gms/directory"
	"furrow/web/access"
)

// PasswordReset is a request for a manual password reset. It shows none of the keys.
type PasswordReset struct {
	ID       string `json:"id"`
	Domain   string `json:"domain"` // the domain's name
	Member   string `json:"member"` // GUID
	FullName string `json:"fullName"`
	Email    string `json:"email"`
	Account  string `json:"account"`
	// Requester is the account that asked, usually a device's, and DeviceName what that device calls itself.
	Requester  string `json:"requester"`
	DeviceName string `json:"deviceName"`
	// Status is pending, approved, denied, or failed for one whose keys were not the account's.
	Status    string    `json:"status"`
	Requested time.Time `json:"requested"`
	Expires   time.Time `json:"expires"`
}

func (h *handler) passwordResetRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/v1/password-resets", Role: access.Member,
			Summary: "Requests for manual password resets",
			action:  answer(h, h.passwordResets),
		},
		{
			Method: "POST", Path: "/v1/password-resets/{id}/approve", Role: access.Member,
			Summary: "Approve a password reset",
			action:  answer(h, h.decide(h.Directory.ApprovePasswordReset)),
		},
		{
			Method: "POST", Path: "/v1/password-resets/{id}/deny", Role: access.Member,
			Summary: "Deny a password reset",
			action:  answer(h, h.decide(h.Directory.DenyPasswordReset)),
		},
	}
}

func (h *handler) passwordResets(*http.Request) ([]PasswordReset, error) {
	resets := []PasswordReset{}
	for _, r := range h.Directory.PasswordResets() {
		shown, err := h.showPasswordReset(r)
		if err != nil {
			return nil, err
		}
		resets = append(resets, shown)
	}
	return resets, nil
}

// decide makes a handler of a decision about the request in the path.
func (h *handler) decide(decision func(context.Context, string) (directory.PasswordReset, error)) func(*http.Request) (PasswordReset, error) {
	return func(r *http.Request) (PasswordReset, error) {
		reset, err := decision(r.Context(), r.PathValue("id"))
		if err != nil {
			return PasswordReset{}, err
		}
		return h.showPasswordReset(reset)
	}
}

func (h *handler) showPasswordReset(r directory.PasswordReset) (PasswordReset, error) {
	d, err := h.Directory.Domain(r.Domain)
	if err != nil {
		return PasswordReset{}, err
	}
	m, err := h.Directory.Member(r.Member)
	if err != nil {
		return PasswordReset{}, err
	}
	return PasswordReset{
		ID: r.ID, Domain: d.Name, Member: m.GUID, FullName: m.FullName, Email: m.Email, Account: r.Account,
		Requester: r.Requester, DeviceName: r.DeviceName, Status: r.Status.String(),
		Requested: r.Requested, Expires: r.Expires,
	}, nil
}

// PasswordResets returns the requests for manual password resets whose time is not over, the oldest first.
func (c *Client) PasswordResets(ctx context.Context) ([]PasswordReset, error) {
	return call[[]PasswordReset](ctx, c, http.MethodGet, "/v1/password-resets", nil)
}

// ApprovePasswordReset gives the account's keys to the client that asked, if they are the account's.
func (c *Client) ApprovePasswordReset(ctx context.Context, id string) (PasswordReset, error) {
	return call[PasswordReset](ctx, c, http.MethodPost, "/v1/password-resets/"+url.PathEscape(id)+"/approve", nil)
}

// DenyPasswordReset refuses a request.
func (c *Client) DenyPasswordReset(ctx context.Context, id string) (PasswordReset, error) {
	return call[PasswordReset](ctx, c, http.MethodPost, "/v1/password-resets/"+url.PathEscape(id)+"/deny", nil)
}
