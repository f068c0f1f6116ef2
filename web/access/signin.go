package access

import (
	"context"
	"errors"
	"slices"

	"furrow/appliance/actionlog"
)

// Factor is a way to prove a second time who one is.
type Factor string

const (
	// Code is a code of an authenticator app, or a recovery code.
	Code Factor = "code"
	// Key is a passkey.
	Key Factor = "passkey"
)

// SignedIn is what a name and password are good for: a session, or a ticket with which one of the factors makes one.
type SignedIn struct {
	Token   string
	Ticket  string
	Factors []Factor
}

// SignIn checks a name and password. It answers ErrRefused whatever is wrong with them, *WaitError after too many
// attempts, and ErrBusy.
func (c *Control) SignIn(ctx context.Context, name, password string, from Visitor) (SignedIn, error) {
	if len(name) > maxName {
		return SignedIn{}, ErrRefused
	}
	row, _ := c.Tables.administrators.Get(c.Store.Snapshot(), fold(name))
	row.Name = fold(name)
	if err := c.prove(ctx, row, password, from.Address); err != nil {
		return SignedIn{}, err
	}
	var factors []Factor
	if row.TOTP != nil {
		factors = append(factors, Code)
	}
	if len(row.Passkeys) > 0 {
		factors = append(factors, Key)
	}
	if factors != nil {
		// The attempt goes on counting until the factor is right.
		ticket, err := c.tickets.issue(ticket{purpose: forFactor, administrator: row.Name})
		return SignedIn{Ticket: ticket, Factors: factors}, err
	}
	c.throttle.succeed(row.attemptKeys(from.Address)...)
	token, err := c.begin(ctx, row.Name, from)
	return SignedIn{Token: token}, err
}

// prove checks a password, slowly for those who guess. A row without hash is nobody.
func (c *Control) prove(ctx context.Context, row administratorRow, password, address string) error {
	if wait := c.throttle.enter(row.attemptKeys(address)...); wait > 0 {
		c.failures.Add(1)
		return &WaitError{wait}
	}
	ok, err := c.matches(ctx, row.Password, password)
	if err != nil {
		return err
	}
	switch {
	case !ok:
		return c.refused(row.Name, address, "password")
	case row.Disabled:
		return c.refused(row.Name, address, "name, which is disabled")
	}
	return nil
}

// refused counts and logs an attempt that failed.
func (c *Control) refused(name, address, what string) error {
	c.failures.Add(1)
	c.Log.Warn("sign-in refused", "name", name, "address", address, "wrong", what)
	c.record(signingIn, "Sign in", name, address, actionlog.Result{Outcome: actionlog.Refused, Reason: "wrong " + what})
	return ErrRefused
}

// attemptKeys are what attempts of an administrator from an address count under: the address, and the name; where the
// administrator has signed in before, the name there.
func (r administratorRow) attemptKeys(address string) []string {
	at := network(address)
	name := "name " + r.Name
	if slices.Contains(r.Networks, at) {
		name += " at " + at
	}
	return []string{"address " + at, name}
}

// SignInByCode ends a sign-in whose ticket SignIn returned, with a code of the authenticator app or a recovery code.
func (c *Control) SignInByCode(ctx context.Context, ticketID, code string, from Visitor) (token string, err error) {
	begun, err := c.tickets.use(ticketID, forFactor)
	if err != nil {
		return "", err
	}
	row, ok := c.Tables.administrators.Get(c.Store.Snapshot(), begun.administrator)
	if !ok || row.Disabled {
		return "", ErrRefused
	}
	if wait := c.throttle.enter(row.attemptKeys(from.Address)...); wait > 0 {
		c.failures.Add(1)
		return "", &WaitError{wait}
	}
	if err := c.spendCode(ctx, row.Name, code); errors.Is(err, errCode) {
		return "", c.refused(row.Name, from.Address, "code")
	} else if err != nil {
		return "", err
	}
	c.tickets.end(ticketID)
	c.throttle.succeed(row.attemptKeys(from.Address)...)
	return c.begin(ctx, row.Name, from)
}
