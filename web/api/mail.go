package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"furrow/appliance/mail"
	"furrow/web/access"
)

// MailSettings are how the box sends mail.
type MailSettings struct {
	// Server is host or host:port; empty for a box that sends no mail.
	Server string `json:"server"`
	// Security is starttls, tls or plain.
	Security string `json:"security"`
	From     string `json:"from"`
	Login    string `json:"login,omitempty"`
	// Password is never shown. Left empty in a change it stays, if server and login do.
	Password string `json:"password,omitempty"`
	// Authority is a PEM certificate to trust beside those of the system.
	Authority string `json:"authority,omitempty"`
}

// MailTest names the recipient of a test message.
type MailTest struct {
	To string `json:"to"`
}

// WaitingMail is a message in the outbox, without what it says.
type WaitingMail struct {
	ID       string    `json:"id"`
	To       string    `json:"to"`
	Entered  time.Time `json:"entered"`
	Attempts int       `json:"attempts"`
	// Next is when it is tried again; absent if it was given up.
	Next  time.Time `json:"next,omitzero"`
	Error string    `json:"error,omitempty"`
}

func (h *handler) mailRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/v1/mail", Role: access.Server,
			Summary: "How the box sends mail",
			action:  answer(h, h.mailSettings),
		},
		{
			Method: "PUT", Path: "/v1/mail", Role: access.Server,
			Summary: "Change how the box sends mail",
			action:  ask(h, h.setMail),
		},
		{
			Method: "DELETE", Path: "/v1/mail", Role: access.Server,
			Summary: "Send no mail",
			action:  answer(h, h.clearMail),
		},
		{
			Method: "POST", Path: "/v1/mail/test", Role: access.Server,
			Summary: "Send a message now",
			action:  ask(h, h.testMail),
		},
		{
			Method: "GET", Path: "/v1/mail/outbox", Role: access.Domain,
			Summary: "Mail that waits or was given up",
			action:  answer(h, h.outbox),
		},
		{
			Method: "POST", Path: "/v1/mail/outbox/{id}/retry", Role: access.Domain,
			Summary: "Try a message again at once",
			action:  answer(h, h.mailAct((*mail.Post).Retry)),
		},
		{
			Method: "DELETE", Path: "/v1/mail/outbox/{id}", Role: access.Domain,
			Summary: "Take a message out of the outbox unsent",
			action:  answer(h, h.mailAct((*mail.Post).Remove)),
		},
	}
}

func (h *handler) mailSettings(*http.Request) (MailSettings, error) {
	s, _ := h.Mail.Settings()
	return MailSettings{
		Server: s.Server, Security: string(s.Security), From: s.From, Login: s.Login, Authority: s.Authority,
	}, nil
}

func (h *handler) setMail(r *http.Request, q MailSettings) (MailSettings, error) {
	if err := h.Mail.SetSettings(r.Context(), mail.Settings{
		Server: q.Server, Security: mail.Security(q.Security), From: q.From, Login: q.Login, Password: q.Password,
		Authority: q.Authority,
	}); err != nil {
		return MailSettings{}, err
	}
	return h.mailSettings(r)
}

func (h *handler) clearMail(r *http.Request) (MailSettings, error) {
	if err := h.Mail.ClearSettings(r.Context()); err != nil {
		return MailSettings{}, err
	}
	return h.mailSettings(r)
}

// testMail shows what the mail server said: whoever sets it up has to know.
func (h *handler) testMail(r *http.Request, q MailTest) (MailTest, error) {
	if err := h.Mail.Test(r.Context(), q.To); err != nil {
		return MailTest{}, &refusal{http.StatusBadGateway, &Error{Code: "notSent", Message: err.Error()}}
	}
	return q, nil
}

func (h *handler) outbox(*http.Request) ([]WaitingMail, error) {
	list := []WaitingMail{}
	for _, w := range h.Mail.List() {
		list = append(list, WaitingMail(w))
	}
	return list, nil
}

// mailAct makes a handler of a change of the message in the path; the answer is what is left.
func (h *handler) mailAct(change func(*mail.Post, context.Context, string) error) func(*http.Request) ([]WaitingMail, error) {
	return func(r *http.Request) ([]WaitingMail, error) {
		if err := change(h.Mail, r.Context(), r.PathValue("id")); err != nil {
			return nil, err
		}
		return h.outbox(r)
	}
}

// MailSettings returns how the box sends mail.
func (c *Client) MailSettings(ctx context.Context) (MailSettings, error) {
	return call[MailSettings](ctx, c, http.MethodGet, "/v1/mail", nil)
}

// SetMail changes how the box sends mail.
func (c *Client) SetMail(ctx context.Context, s MailSettings) (MailSettings, error) {
	return call[MailSettings](ctx, c, http.MethodPut, "/v1/mail", s)
}

// ClearMail makes the box send no mail.
func (c *Client) ClearMail(ctx context.Context) (MailSettings, error) {
	return call[MailSettings](ctx, c, http.MethodDelete, "/v1/mail", nil)
}

// TestMail sends a message now and returns what went wrong.
func (c *Client) TestMail(ctx context.Context, to string) (MailTest, error) {
	return call[MailTest](ctx, c, http.MethodPost, "/v1/mail/test", MailTest{To: to})
}

// Outbox returns the mail that waits or was given up.
func (c *Client) Outbox(ctx context.Context) ([]WaitingMail, error) {
	return call[[]WaitingMail](ctx, c, http.MethodGet, "/v1/mail/outbox", nil)
}

// RetryMail makes a message due at once and returns the outbox.
func (c *Client) RetryMail(ctx context.Context, id string) ([]WaitingMail, error) {
	return call[[]WaitingMail](ctx, c, http.MethodPost, "/v1/mail/outbox/"+url.PathEscape(id)+"/retry", nil)
}

// RemoveMail takes a message out of the outbox unsent and returns the outbox.
func (c *Client) RemoveMail(ctx context.Context, id string) ([]WaitingMail, error) {
	return call[[]WaitingMail](ctx, c, http.MethodDelete, "/v1/mail/outbox/"+url.PathEscape(id), nil)
}
