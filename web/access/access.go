// Package access says who may do what on the administration interface: administrators and their roles, how they sign
// in, their sessions, and API tokens.
//
// Over the network everything is closed until the first administrator is made, with a one-time set-up code that only
// the box's own console, log and command line show. The Unix socket (appliance) needs none of this: who can open it can
// read the data directory anyway, and it is the way in that no lockout closes.
//
// Passwords are kept as Argon2id hashes, session and API tokens as SHA-256 of 256 random bits, recovery codes as that of
// 80, TOTP secrets and the set-up code sealed. Nothing here is shown again once it was.
//
// Guessing is slowed down for each address and for each name (throttle.go). Somebody who guesses a name's password on
// purpose delays only addresses from which that name has never signed in; the others count for themselves. So nobody
// can keep an administrator out who comes from where they always do.
//
// Who comes, is not let in or goes is in the action log (record.go); what is changed is, by the interface.
package access

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"furrow/appliance/actionlog"
	"furrow/appliance/keys"
	"furrow/appliance/state"
)

var (
	// ErrRefused says that who wants to sign in is not who they say; which part was wrong is for the log.
	ErrRefused = errors.New("name, password or code is wrong")
	// ErrSignedOut says that a session or token is not good, or no longer.
	ErrSignedOut = errors.New("sign in first")
	// ErrUnknown says that there is no such administrator, session, passkey or token.
	ErrUnknown = errors.New("is not known")
	// ErrTaken says that another administrator has the name.
	ErrTaken = errors.New("the name is taken")
	// ErrLastServer keeps the last administrator with the role server.
	ErrLastServer = errors.New("this is the last administrator with the role server")
	// ErrIsSetUp says that there are administrators, so that no set-up code makes one.
	ErrIsSetUp = errors.New("the box is set up: furrow admin reset-password lets an administrator in again")
	// ErrBusy says that too many passwords are being checked.
	ErrBusy = errors.New("too many people sign in; try again in a minute")
)

// Error is a value that is refused.
type Error struct {
	Field   string
	Message string
}

// Error returns Message.
func (e *Error) Error() string { return e.Message }

func invalid(field, format string, a ...any) error {
	return &Error{Field: field, Message: fmt.Sprintf(format, a...)}
}

// WaitError says that there were too many attempts.
type WaitError struct{ Wait time.Duration }

// Error is a line for a person.
func (e *WaitError) Error() string {
	return fmt.Sprintf("too many attempts; try again in %s", e.Wait.Round(time.Second))
}

// Tables are the package's tables in a store's schema.
type Tables struct {
	administrators *state.Table[administratorRow]
	byHandle       *state.Index[administratorRow]
	sessions       *state.Table[sessionRow]
	bySession      *state.Index[sessionRow]
	tokens         *state.Table[tokenRow]
	byToken        *state.Index[tokenRow]
	setup          *state.Table[setupRow]
}

// Declare adds them to a schema.
func Declare(s *state.Schema) *Tables {
	t := &Tables{
		administrators: state.Define(s, "administrators", state.TableOptions[administratorRow]{
			Version: 1, Key: func(r administratorRow) string { return r.Name },
		}),
		sessions: state.Define(s, "sessions", state.TableOptions[sessionRow]{
			Version: 1, Key: func(r sessionRow) string { return r.Hash },
		}),
		tokens: state.Define(s, "apiTokens", state.TableOptions[tokenRow]{
			Version: 1, Key: func(r tokenRow) string { return r.ID },
		}),
		setup: state.Define(s, "setupCode", state.TableOptions[setupRow]{
			Version: 1, Key: func(setupRow) string { return setupKey },
		}),
	}
	t.byHandle = state.DefineUnique(t.administrators, "handle", func(r administratorRow) []string { return []string{string(r.Handle)} })
	t.bySession = state.DefineIndex(t.sessions, "administrator", func(r sessionRow) []string { return []string{r.Administrator} })
	t.byToken = state.DefineUnique(t.tokens, "hash", func(r tokenRow) []string { return []string{r.Hash} })
	return t
}

// Config is what a Control works with.
type Config struct {
	Store  *state.Store
	Tables *Tables // declared in the schema Store was opened with
	Vault  *keys.Vault
	// Actions is where who comes and goes is written down; nil, in tests, nowhere.
	Actions *actionlog.Log
	Now     func() time.Time
	Log     *slog.Logger
}

// Control keeps the administrators. It is safe for concurrent use.
type Control struct {
	Config
	throttle *throttle
	tickets  *tickets
	hashing  chan struct{} // holds a token for each password that is hashed
	failures atomic.Uint64
}

// New returns a Control over an open store.
func New(c Config) *Control {
	return &Control{
		Config: c, throttle: newThrottle(c.Now), tickets: newTickets(c.Now), hashing: make(chan struct{}, maxHashing),
	}
}

// Failures counts the attempts to sign in since the start that were refused.
func (c *Control) Failures() uint64 { return c.failures.Load() }
