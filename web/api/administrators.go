package api

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"time"

	"furrow/web/access"
)

// Administrator is a person who may administer the box over the network.
type Administrator struct {
	Name        string      `json:"name"`
	DisplayName string      `json:"displayName"`
	Role        access.Role `json:"role"`
	Created     time.Time   `json:"created"`
	LastSignIn  time.Time   `json:"lastSignIn,omitzero"`
	// Disabled says that nobody may sign in as this one.
	Disabled bool `json:"disabled"`
	// TOTP says that signing in needs a code of an authenticator app; RecoveryCodes is how many stand in for one.
	TOTP          bool `json:"totp"`
	RecoveryCodes int  `json:"recoveryCodes"`
	Passkeys      int  `json:"passkeys"`
	Sessions      int  `json:"sessions"`
}

// NewAdministrator is what an administrator is made of. DisplayName is empty for the name.
type NewAdministrator struct {
	Name        string      `json:"name"`
	DisplayName string      `json:"displayName,omitempty"`
	Role        access.Role `json:"role"`
	Password    string      `json:"password"`
}

// AdministratorChange changes what is not nil.
type AdministratorChange struct {
	DisplayName *string      `json:"displayName,omitempty"`
	Role        *access.Role `json:"role,omitempty"`
	// Disabled ends all sessions.
	Disabled *bool `json:"disabled,omitempty"`
}

// PasswordChange gives an administrator another password, which ends their sessions. Empty Password makes a random one.
type PasswordChange struct {
	Password string `json:"password,omitempty"`
	// RemoveFactors also removes authenticator app and passkeys, for somebody who has lost them.
	RemoveFactors bool `json:"removeFactors,omitempty"`
}

// PasswordChanged is the password that was made, empty for one that was given.
type PasswordChanged struct {
	Administrator Administrator `json:"administrator"`
	Password      string        `json:"password,omitempty"`
}

// AdministratorSession is a browser in which an administrator is signed in.
type AdministratorSession struct {
	ID       string    `json:"id"`
	Created  time.Time `json:"created"`
	LastSeen time.Time `json:"lastSeen"` // to the minute
	Address  string    `json:"address"`
	Browser  string    `json:"browser"`
}

func (h *handler) administratorRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/v1/administrators", Role: access.Server,
			Summary: "Administrators",
			action:  answer(h, h.administrators),
		},
		{
			Method: "POST", Path: "/v1/administrators", Role: access.Server,
			Summary: "Add an administrator",
			action:  ask(h, h.addAdministrator),
		},
		{
			Method: "GET", Path: "/v1/administrators/{name}", Role: access.Server,
			Summary: "An administrator",
			action: answer(h, func(r *http.Request) (Administrator, error) {
				return h.showAdministrator(h.Access.Administrator(r.PathValue("name")))
			}),
		},
		{
			Method: "PATCH", Path: "/v1/administrators/{name}", Role: access.Server,
			Summary: "Change an administrator",
			action: ask(h, func(r *http.Request, q AdministratorChange) (Administrator, error) {
				return h.showAdministrator(h.Access.Edit(r.Context(), r.PathValue("name"), access.Change(q)))
			}),
		},
		{
			Method: "DELETE", Path: "/v1/administrators/{name}", Role: access.Server,
			Summary: "Remove an administrator",
			action: answer(h, func(r *http.Request) (Administrator, error) {
				return h.showAdministrator(h.Access.Remove(r.Context(), r.PathValue("name")))
			}),
		},
		{
			Method: "POST", Path: "/v1/administrators/{name}/password", Role: access.Server,
			Summary: "Give an administrator another password",
			action:  ask(h, h.setPassword),
		},
		{
			Method: "GET", Path: "/v1/administrators/{name}/sessions", Role: access.Server,
			Summary: "Where an administrator is signed in",
			action:  answer(h, h.sessions),
		},
		{
			Method: "DELETE", Path: "/v1/administrators/{name}/sessions", Role: access.Server,
			Summary: "Sign an administrator out everywhere",
			action:  answer(h, h.revoke),
		},
		{
			Method: "DELETE", Path: "/v1/administrators/{name}/sessions/{id}", Role: access.Server,
			Summary: "End a session of an administrator",
			action:  answer(h, h.revoke),
		},
	}
}

func (h *handler) administrators(*http.Request) ([]Administrator, error) {
	all := []Administrator{}
	for _, a := range h.Access.Administrators() {
		shown, err := h.showAdministrator(a, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, shown)
	}
	return all, nil
}

// showAdministrator shows what an action returns.
func (h *handler) showAdministrator(a access.Administrator, err error) (Administrator, error) {
	if err != nil {
		return Administrator{}, err
	}
	shown := Administrator{
		Name: a.Name, DisplayName: a.DisplayName, Role: a.Role, Created: a.Created, LastSignIn: a.LastSignIn,
		Disabled: a.Disabled,
		TOTP:     a.TOTP, RecoveryCodes: a.RecoveryCodes, Passkeys: len(a.Passkeys),
	}
	if sessions, err := h.Access.Sessions(a.Name); err == nil { // one who was removed has none
		shown.Sessions = len(sessions)
	}
	return shown, nil
}

func (h *handler) addAdministrator(r *http.Request, q NewAdministrator) (Administrator, error) {
	return h.showAdministrator(h.Access.Add(r.Context(), access.NewAdministrator(q)))
}

func (h *handler) setPassword(r *http.Request, q PasswordChange) (PasswordChanged, error) {
	made := ""
	if q.Password == "" {
		made = rand.Text()
		q.Password = made
	}
	shown, err := h.showAdministrator(h.Access.SetPassword(r.Context(), r.PathValue("name"), q.Password, !q.RemoveFactors))
	if err != nil {
		return PasswordChanged{}, err
	}
	return PasswordChanged{Administrator: shown, Password: made}, nil
}

func (h *handler) sessions(r *http.Request) ([]AdministratorSession, error) {
	listed, err := h.Access.Sessions(r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	shown := []AdministratorSession{}
	for _, s := range listed {
		shown = append(shown, showSession(s))
	}
	return shown, nil
}

func showSession(s access.Session) AdministratorSession {
	return AdministratorSession{ID: s.ID, Created: s.Created, LastSeen: s.LastSeen, Address: s.Address, Browser: s.Agent}
}

// revoke ends the session in the path, or all, and shows what is left.
func (h *handler) revoke(r *http.Request) ([]AdministratorSession, error) {
	if err := h.Access.Revoke(r.Context(), r.PathValue("name"), r.PathValue("id")); err != nil {
		return nil, err
	}
	return h.sessions(r)
}

func administratorPath(name, more string) string {
	return "/v1/administrators/" + url.PathEscape(name) + more
}

// Administrators returns all administrators.
func (c *Client) Administrators(ctx context.Context) ([]Administrator, error) {
	return call[[]Administrator](ctx, c, http.MethodGet, "/v1/administrators", nil)
}

// Administrator returns one.
func (c *Client) Administrator(ctx context.Context, name string) (Administrator, error) {
	return call[Administrator](ctx, c, http.MethodGet, administratorPath(name, ""), nil)
}

// AddAdministrator makes one.
func (c *Client) AddAdministrator(ctx context.Context, a NewAdministrator) (Administrator, error) {
	return call[Administrator](ctx, c, http.MethodPost, "/v1/administrators", a)
}

// EditAdministrator changes one.
func (c *Client) EditAdministrator(ctx context.Context, name string, change AdministratorChange) (Administrator, error) {
	return call[Administrator](ctx, c, http.MethodPatch, administratorPath(name, ""), change)
}

// RemoveAdministrator removes one.
func (c *Client) RemoveAdministrator(ctx context.Context, name string) (Administrator, error) {
	return call[Administrator](ctx, c, http.MethodDelete, administratorPath(name, ""), nil)
}

// SetAdministratorPassword gives one another password.
func (c *Client) SetAdministratorPassword(ctx context.Context, name string, change PasswordChange) (PasswordChanged, error) {
	return call[PasswordChanged](ctx, c, http.MethodPost, administratorPath(name, "/password"), change)
}

// AdministratorSessions returns where one is signed in, the newest first.
func (c *Client) AdministratorSessions(ctx context.Context, name string) ([]AdministratorSession, error) {
	return call[[]AdministratorSession](ctx, c, http.MethodGet, administratorPath(name, "/sessions"), nil)
}

// RevokeSession ends a session, or all of an administrator when id is empty, and returns those that are left.
func (c *Client) RevokeSession(ctx context.Context, name, id string) ([]AdministratorSession, error) {
	path := "/sessions"
	if id != "" {
		path += "/" + url.PathEscape(id)
	}
	return call[[]AdministratorSession](ctx, c, http.MethodDelete, administratorPath(name, path), nil)
}
