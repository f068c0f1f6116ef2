package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"furrow/web/access"
)

// Account is the account of the administrator who asks.
type Account struct {
	Administrator
	Keys []Passkey `json:"keys"`
}

// Passkey is a key with which an administrator signs in.
type Passkey struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Host is the name of the box it is good for.
	Host    string    `json:"host"`
	Created time.Time `json:"created"`
}

// OwnName changes what one is called.
type OwnName struct {
	DisplayName string `json:"displayName"`
}

// OwnPassword changes one's own password, which ends one's other sessions.
type OwnPassword struct {
	Old      string `json:"oldPassword"`
	Password string `json:"password"`
}

// NewAuthenticator is what an authenticator app is told. It counts once a code of it has come with the ticket.
type NewAuthenticator struct {
	Ticket string `json:"ticket"`
	Secret string `json:"secret"` // base-32
	URL    string `json:"url"`    // otpauth:
}

// AuthenticatorCode is a code that the app shows.
type AuthenticatorCode struct {
	Ticket string `json:"ticket"`
	Code   string `json:"code"`
}

// RecoveryCodes are good once each in place of a code of the app. They are not shown again.
type RecoveryCodes struct {
	Codes []string `json:"codes"`
}

// OwnProof is one's own password.
type OwnProof struct {
	Password string `json:"password"`
}

// PasskeyStart asks to make a passkey at the origin that the browser sees.
type PasskeyStart struct {
	Origin string `json:"origin"`
}

// PasskeyOptions are what navigator.credentials.create takes, and a ticket for its answer.
type PasskeyOptions struct {
	Ticket  string          `json:"ticket"`
	Options json.RawMessage `json:"options"`
}

// NewPasskey is what the browser has answered, and what the passkey is to be called.
type NewPasskey struct {
	Ticket string          `json:"ticket"`
	Name   string          `json:"name"`
	Answer json.RawMessage `json:"answer"`
}

// OwnSession is a browser in which one is signed in. Current is the one that asks.
type OwnSession struct {
	AdministratorSession
	Current bool `json:"current"`
}

// accountRoutes are about whoever asks, whatever their role. They are for people: a token of a program has no account.
func (h *handler) accountRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/v1/account", Own: true, Summary: "One's own account",
			action: answer(h, h.account),
		},
		{
			Method: "PATCH", Path: "/v1/account", Own: true, Summary: "Change what one is called",
			action: ask(h, func(r *http.Request, q OwnName) (Account, error) {
				own, err := h.own(r)
				if err == nil {
					_, err = h.Access.Edit(r.Context(), own.Name, access.Change{DisplayName: &q.DisplayName})
				}
				return h.changedAccount(r, err)
			}),
		},
		{
			Method: "POST", Path: "/v1/account/password", Own: true, Summary: "Change one's own password",
			action: ask(h, func(r *http.Request, q OwnPassword) (Account, error) {
				return h.changedAccount(r, h.Access.ChangeOwnPassword(r.Context(), sessionOf(r), q.Old, q.Password))
			}),
		},
		{
			Method: "POST", Path: "/v1/account/authenticator", Own: true, Reads: true,
			Summary: "Begin to set up an authenticator app",
			action: answer(h, func(r *http.Request) (NewAuthenticator, error) {
				made, err := h.Access.BeginTOTP(sessionOf(r), "Furrow")
				return NewAuthenticator(made), err
			}),
		},
		{
			Method: "POST", Path: "/v1/account/authenticator/confirm", Own: true, Summary: "Need codes of an authenticator app from now on",
			action: ask(h, func(r *http.Request, q AuthenticatorCode) (RecoveryCodes, error) {
				codes, err := h.Access.ConfirmTOTP(r.Context(), sessionOf(r), q.Ticket, q.Code)
				return RecoveryCodes{codes}, err
			}),
		},
		{
			Method: "POST", Path: "/v1/account/authenticator/remove", Own: true, Summary: "Need no codes of an authenticator app any more",
			action: ask(h, func(r *http.Request, q OwnProof) (Account, error) {
				return h.changedAccount(r, h.Access.RemoveTOTP(r.Context(), sessionOf(r), q.Password))
			}),
		},
		{
			Method: "POST", Path: "/v1/account/passkeys/begin", Own: true, Reads: true, Summary: "Begin to make a passkey",
			action: ask(h, h.beginPasskey),
		},
		{
			Method: "POST", Path: "/v1/account/passkeys", Own: true, Summary: "Sign in with a passkey, too",
			action: ask(h, func(r *http.Request, q NewPasskey) (Passkey, error) {
				made, err := h.Access.FinishNewPasskey(r.Context(), sessionOf(r), q.Ticket, q.Name, q.Answer)
				return Passkey(made), err
			}),
		},
		{
			Method: "DELETE", Path: "/v1/account/passkeys/{id}", Own: true, Summary: "Remove one of one's passkeys",
			action: answer(h, func(r *http.Request) (Account, error) {
				return h.changedAccount(r, h.Access.RemovePasskey(r.Context(), sessionOf(r), r.PathValue("id")))
			}),
		},
		{
			Method: "GET", Path: "/v1/account/sessions", Own: true, Summary: "Where one is signed in",
			action: answer(h, h.ownSessions),
		},
		{
			Method: "DELETE", Path: "/v1/account/sessions/{id}", Own: true, Summary: "End one of one's sessions",
			action: answer(h, func(r *http.Request) ([]OwnSession, error) {
				own, err := h.own(r)
				if err == nil {
					err = h.Access.Revoke(r.Context(), own.Name, r.PathValue("id"))
				}
				if err != nil {
					return nil, err
				}
				return h.ownSessions(r)
			}),
		},
	}
}

// sessionOf is the session of the person who asks, empty for a program.
func sessionOf(r *http.Request) string {
	actor, _ := access.ActorOf(r.Context())
	return actor.Session
}

// own is the administrator who asks.
func (h *handler) own(r *http.Request) (access.Administrator, error) {
	own, _, err := h.Access.Session(r.Context(), sessionOf(r))
	return own, err
}

func (h *handler) account(r *http.Request) (Account, error) {
	own, err := h.own(r)
	if err != nil {
		return Account{}, err
	}
	shown, err := h.showAdministrator(own, nil)
	a := Account{Administrator: shown, Keys: []Passkey{}}
	for _, k := range own.Passkeys {
		a.Keys = append(a.Keys, Passkey(k))
	}
	return a, err
}

// changedAccount is the account after a change that may have failed.
func (h *handler) changedAccount(r *http.Request, err error) (Account, error) {
	if err != nil {
		return Account{}, err
	}
	return h.account(r)
}

func (h *handler) beginPasskey(r *http.Request, q PasskeyStart) (PasskeyOptions, error) {
	begun, err := h.Access.BeginNewPasskey(sessionOf(r), q.Origin)
	if err != nil {
		return PasskeyOptions{}, err
	}
	options, err := json.Marshal(begun.Options)
	return PasskeyOptions{begun.Ticket, options}, err
}

func (h *handler) ownSessions(r *http.Request) ([]OwnSession, error) {
	own, current, err := h.Access.Session(r.Context(), sessionOf(r))
	if err != nil {
		return nil, err
	}
	listed, err := h.Access.Sessions(own.Name)
	shown := []OwnSession{}
	for _, s := range listed {
		shown = append(shown, OwnSession{showSession(s), s.ID == current.ID})
	}
	return shown, err
}

// Account returns one's own account.
func (c *Client) Account(ctx context.Context) (Account, error) {
	return call[Account](ctx, c, http.MethodGet, "/v1/account", nil)
}

// RenameAccount changes what one is called.
func (c *Client) RenameAccount(ctx context.Context, displayName string) (Account, error) {
	return call[Account](ctx, c, http.MethodPatch, "/v1/account", OwnName{displayName})
}

// ChangePassword changes one's own password and ends one's other sessions.
func (c *Client) ChangePassword(ctx context.Context, q OwnPassword) (Account, error) {
	return call[Account](ctx, c, http.MethodPost, "/v1/account/password", q)
}

// BeginAuthenticator begins to set up an authenticator app.
func (c *Client) BeginAuthenticator(ctx context.Context) (NewAuthenticator, error) {
	return call[NewAuthenticator](ctx, c, http.MethodPost, "/v1/account/authenticator", nil)
}

// ConfirmAuthenticator has codes of the app needed from now on.
func (c *Client) ConfirmAuthenticator(ctx context.Context, q AuthenticatorCode) (RecoveryCodes, error) {
	return call[RecoveryCodes](ctx, c, http.MethodPost, "/v1/account/authenticator/confirm", q)
}

// RemoveAuthenticator ends the need for codes.
func (c *Client) RemoveAuthenticator(ctx context.Context, password string) (Account, error) {
	return call[Account](ctx, c, http.MethodPost, "/v1/account/authenticator/remove", OwnProof{password})
}

// BeginPasskey begins to make a passkey at the origin that the browser sees.
func (c *Client) BeginPasskey(ctx context.Context, origin string) (PasskeyOptions, error) {
	return call[PasskeyOptions](ctx, c, http.MethodPost, "/v1/account/passkeys/begin", PasskeyStart{origin})
}

// AddPasskey keeps the passkey that the browser has made.
func (c *Client) AddPasskey(ctx context.Context, q NewPasskey) (Passkey, error) {
	return call[Passkey](ctx, c, http.MethodPost, "/v1/account/passkeys", q)
}

// RemovePasskey removes one of one's passkeys.
func (c *Client) RemovePasskey(ctx context.Context, id string) (Account, error) {
	return call[Account](ctx, c, http.MethodDelete, "/v1/account/passkeys/"+url.PathEscape(id), nil)
}

// OwnSessions returns where one is signed in, the newest first.
func (c *Client) OwnSessions(ctx context.Context) ([]OwnSession, error) {
	return call[[]OwnSession](ctx, c, http.MethodGet, "/v1/account/sessions", nil)
}

// EndOwnSession ends one of one's sessions.
func (c *Client) EndOwnSession(ctx context.Context, id string) ([]OwnSession, error) {
	return call[[]OwnSession](ctx, c, http.MethodDelete, "/v1/account/sessions/"+url.PathEscape(id), nil)
}
