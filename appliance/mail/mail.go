// Package mail sends the box's mail through the office's mail server.
//
// A message is put into the outbox, a table of the state, in the transaction of the change that it tells of: a member
// whose code was mailed exists, and a mail about a change that did not happen is never sent. Run takes messages from
// the outbox to the server, tries again what failed for a time, and survives restarts. A message that a crash found on
// its way is sent again under the same Message-ID, by which mail programs know it for the same one.
//
// Bodies hold configuration codes and temporary passwords. They are sealed in the outbox and gone from it once sent.
package mail

import (
	"crypto/x509"
	"log/slog"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
)

// Tables are the package's tables in a store's schema.
type Tables struct {
	settings *state.Table[settingsRow]
	outbox   *state.Table[messageRow]
	byDue    *state.Index[messageRow]
}

// Declare adds them to a schema.
func Declare(s *state.Schema) *Tables {
	t := &Tables{
		settings: state.Define(s, "mailSettings", state.TableOptions[settingsRow]{
			Version: 1, Key: func(settingsRow) string { return settingsKey },
		}),
		outbox: state.Define(s, "mailOutbox", state.TableOptions[messageRow]{
			Version: 1, Key: func(r messageRow) string { return r.ID },
		}),
	}
	t.byDue = state.DefineIndex(t.outbox, "due", func(r messageRow) []string {
		if r.Failed {
			return nil
		}
		return []string{dueKey(r.Due)}
	})
	return t
}

// Config is what a Post works with.
type Config struct {
	Store  *state.Store
	Tables *Tables // declared in the schema Store was opened with
	Vault  *keys.Vault
	// Hostname is how the box greets the mail server, and the right side of its Message-IDs.
	Hostname string
	// Roots are the authorities a mail server's certificate is checked against; nil for those of the system.
	Roots *x509.CertPool
	Now   func() time.Time
	Log   *slog.Logger
}

// Post is the outbox and the way to the mail server. It is safe for concurrent use; what goes out goes out in Run.
type Post struct {
	Config
	wake chan struct{} // capacity 1: something became due
}

// New returns a Post over an open store.
func New(c Config) *Post {
	return &Post{Config: c, wake: make(chan struct{}, 1)}
}
