// Package plan makes backups of the box when they are due, keeps them at a target, reads each back, and removes the
// oldest beyond those that are to be kept.
//
// Settings and the outcome of the last backup are tables of the state; passwords and keys in them are sealed. One backup
// is made at a time.
package plan

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"furrow/appliance/backup"
	"furrow/appliance/keys"
	"furrow/appliance/state"
)

var (
	// ErrInvalid says that settings are not acceptable.
	ErrInvalid = errors.New("invalid backup settings")
	// ErrNoTarget says that the box has not been told where backups go.
	ErrNoTarget = errors.New("no backup target is set; set one with: furrow backup set")
	// ErrBusy says that a backup is being made.
	ErrBusy = errors.New("a backup is being made already")
)

// Tables are the package's tables in a store's schema.
type Tables struct {
	settings *state.Table[settingsRow]
	outcome  *state.Table[outcomeRow]
}

// singleton is the key of tables that have one row.
const singleton = "box"

// Declare adds them to a schema.
func Declare(s *state.Schema) *Tables {
	return &Tables{
		settings: state.Define(s, "backupSettings", state.TableOptions[settingsRow]{
			Version: 1, Key: func(settingsRow) string { return singleton },
		}),
		outcome: state.Define(s, "backupOutcome", state.TableOptions[outcomeRow]{
			Version: 1, Key: func(outcomeRow) string { return singleton },
		}),
	}
}

// Config is what a Plan works with.
type Config struct {
	Store  *state.Store
	Tables *Tables // declared in the schema Store was opened with
	Vault  *keys.Vault
	Source *backup.Source
	// Hostname is in the names of the backups, so that boxes can share a target.
	Hostname string
	Now      func() time.Time
	Log      *slog.Logger
}

// Plan makes backups. It is safe for concurrent use.
type Plan struct {
	Config
	wake  chan struct{} // capacity 1: the settings have changed
	asked chan struct{} // capacity 1: a backup is wanted that is not due

	making sync.Mutex // held while a backup is made

	mu      sync.Mutex
	running *Running // nil while none is made
}

// Running is a backup that is being made.
type Running struct {
	Since       time.Time
	Done, Total int64 // octets of the box, Total about
}

// New returns a Plan over an open store.
func New(c Config) *Plan {
	return &Plan{Config: c, wake: make(chan struct{}, 1), asked: make(chan struct{}, 1)}
}

// Write makes a backup for somebody who takes it himself, with a password of his own or, when that is empty, the one of
// the settings.
func (p *Plan) Write(ctx context.Context, w io.Writer, password string) (backup.Manifest, error) {
	if password == "" {
		s, err := p.secrets()
		if err != nil {
			return backup.Manifest{}, err
		}
		if password = s.Passphrase; password == "" {
			return backup.Manifest{}, backup.ErrNoPassword
		}
	}
	if !p.making.TryLock() {
		return backup.Manifest{}, ErrBusy
	}
	defer p.making.Unlock()
	return p.write(ctx, w, password)
}

// write makes a backup and says meanwhile how far it is. The caller holds making.
func (p *Plan) write(ctx context.Context, w io.Writer, password string) (backup.Manifest, error) {
	since := p.Now()
	p.setRunning(&Running{Since: since})
	defer p.setRunning(nil)
	return p.Source.Write(ctx, w, password, func(done, total int64) {
		p.setRunning(&Running{Since: since, Done: done, Total: total})
	})
}

func (p *Plan) setRunning(r *Running) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = r
}

// Running returns the backup that is being made, nil if none is.
func (p *Plan) Running() *Running {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running
}
