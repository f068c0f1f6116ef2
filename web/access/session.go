package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"furrow/appliance/actionlog"
	"furrow/appliance/state"
)

const (
	// IdleLifetime ends a session that nobody uses, and Lifetime every session: once a day one signs in.
	IdleLifetime = time.Hour
	Lifetime     = 12 * time.Hour
	// touchInterval is how often the use of a session or token is noted at most: each note is a write to the disk.
	touchInterval = time.Minute
	// maxSessions is how many one administrator may have; the oldest goes.
	maxSessions = 20
	// maxNetworks is how many places are remembered that an administrator has signed in from.
	maxNetworks = 8
	// maxAgent bounds what is kept of a browser's name, in octets.
	maxAgent = 200
	// sessionID is how much of its digest names a session, in characters.
	sessionID = 16
)

// Visitor is the other end of a connection.
type Visitor struct {
	Address string // without port
	Agent   string // what the browser calls itself
}

// Session is somebody who is signed in.
type Session struct {
	ID            string
	Administrator string
	Created       time.Time
	LastSeen      time.Time // to the minute
	Visitor
}

type sessionRow struct {
	Hash          string    `json:"hash"` // digest of the token
	Administrator string    `json:"administrator"`
	Created       time.Time `json:"created"`
	LastSeen      time.Time `json:"lastSeen"`
	Address       string    `json:"address"`
	Agent         string    `json:"agent"`
}

func (r sessionRow) show() Session {
	return Session{
		ID: r.Hash[:sessionID], Administrator: r.Administrator, Created: r.Created, LastSeen: r.LastSeen,
		Visitor: Visitor{r.Address, r.Agent},
	}
}

// over also ends sessions of the future: a clock that was set back must not make them last.
func (r sessionRow) over(now time.Time) bool {
	return now.Sub(r.LastSeen) > IdleLifetime || now.Sub(r.Created) > Lifetime || r.Created.Sub(now) > touchInterval
}

// begin makes a session of an administrator who has proved everything, and returns its token. Sessions that are over go.
func (c *Control) begin(ctx context.Context, name string, from Visitor) (token string, err error) {
	token = newSecret()
	now := c.Now()
	_, err = c.edit(ctx, name, func(tx *state.Tx, row *administratorRow) error {
		var own []sessionRow
		for _, s := range slices.Collect(c.Tables.sessions.All(tx)) {
			switch {
			case s.over(now):
				c.Tables.sessions.Delete(tx, s.Hash)
			case s.Administrator == row.Name:
				own = append(own, s)
			}
		}
		slices.SortFunc(own, func(a, b sessionRow) int { return b.Created.Compare(a.Created) })
		for _, s := range own[min(len(own), maxSessions-1):] {
			c.Tables.sessions.Delete(tx, s.Hash)
		}
		home := network(from.Address)
		others := slices.DeleteFunc(slices.Clone(row.Networks), func(n string) bool { return n == home })
		row.Networks = append([]string{home}, others[:min(len(others), maxNetworks-1)]...)
		row.LastSignIn = now
		return c.Tables.sessions.Put(tx, sessionRow{
			Hash: digest(token), Administrator: row.Name, Created: now, LastSeen: now, Address: from.Address,
			Agent: strings.ToValidUTF8(from.Agent[:min(len(from.Agent), maxAgent)], ""),
		})
	})
	if err != nil {
		return "", err
	}
	c.Log.Info("administrator signed in", "name", name, "address", from.Address)
	c.record(signingIn, "Sign in", name, from.Address, actionlog.Result{Outcome: actionlog.Done})
	return token, nil
}

// session finds a session that is good and whose it is.
func (c *Control) session(token string) (sessionRow, administratorRow, error) {
	view := c.Store.Snapshot()
	s, ok := c.Tables.sessions.Get(view, digest(token))
	if !ok || s.over(c.Now()) {
		return sessionRow{}, administratorRow{}, ErrSignedOut
	}
	row, ok := c.Tables.administrators.Get(view, s.Administrator)
	if !ok {
		return sessionRow{}, administratorRow{}, ErrSignedOut
	}
	return s, row, nil
}

// Session returns whose session a token is of, and notes that it is used. ErrSignedOut says that it is nobody's.
func (c *Control) Session(ctx context.Context, token string) (Administrator, Session, error) {
	s, row, err := c.session(token)
	if err != nil {
		return Administrator{}, Session{}, err
	}
	if now := c.Now(); now.Sub(s.LastSeen) >= touchInterval {
		err := c.Store.Update(ctx, func(tx *state.Tx) error {
			if _, ok := c.Tables.sessions.Get(tx, s.Hash); !ok {
				return ErrSignedOut
			}
			s.LastSeen = now
			return c.Tables.sessions.Put(tx, s)
		})
		if errors.Is(err, ErrSignedOut) {
			return Administrator{}, Session{}, ErrSignedOut
		}
		if err != nil {
			c.Log.Warn("use of a session not noted", "name", row.Name, "error", err)
		}
	}
	return row.show(), s.show(), nil
}

// SignOut ends a session; that there is none is no error.
func (c *Control) SignOut(ctx context.Context, token string) error {
	ended, ok := c.Tables.sessions.Get(c.Store.Snapshot(), digest(token))
	if !ok {
		return nil
	}
	err := c.Store.Update(ctx, func(tx *state.Tx) error {
		c.Tables.sessions.Delete(tx, ended.Hash)
		return nil
	})
	if err == nil {
		c.record(signingOut, "Sign out", ended.Administrator, ended.Address, actionlog.Result{Outcome: actionlog.Done})
	}
	return err
}

// Sessions returns those of an administrator, the newest first.
func (c *Control) Sessions(name string) ([]Session, error) {
	view := c.Store.Snapshot()
	if _, ok := c.Tables.administrators.Get(view, fold(name)); !ok {
		return nil, fmt.Errorf("administrator %s %w", name, ErrUnknown)
	}
	sessions := []Session{}
	for s := range c.Tables.bySession.Find(view, fold(name)) {
		if !s.over(c.Now()) {
			sessions = append(sessions, s.show())
		}
	}
	slices.SortFunc(sessions, func(a, b Session) int { return b.Created.Compare(a.Created) })
	return sessions, nil
}

// SignedIn counts the sessions there are.
func (c *Control) SignedIn() (n int) {
	for s := range c.Tables.sessions.All(c.Store.Snapshot()) {
		if !s.over(c.Now()) {
			n++
		}
	}
	return n
}

// Revoke ends one session of an administrator, or all of them when id is empty.
func (c *Control) Revoke(ctx context.Context, name, id string) error {
	if id == "" {
		_, err := c.edit(ctx, name, func(tx *state.Tx, row *administratorRow) error {
			c.endSessions(tx, row.Name, "")
			return nil
		})
		return err
	}
	return c.Store.Update(ctx, func(tx *state.Tx) error {
		for s := range c.Tables.bySession.Find(tx, fold(name)) {
			if s.Hash[:sessionID] == id {
				c.Tables.sessions.Delete(tx, s.Hash)
				return nil
			}
		}
		return fmt.Errorf("session %s %w", id, ErrUnknown)
	})
}

// endSessions ends all sessions of an administrator but one.
func (c *Control) endSessions(tx *state.Tx, name, but string) {
	for _, s := range slices.Collect(c.Tables.bySession.Find(tx, name)) {
		if s.Hash != but {
			c.Tables.sessions.Delete(tx, s.Hash)
		}
	}
}
