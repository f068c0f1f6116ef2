// Package statistics keeps what clients report of their use of tools and spaces
// (MS-GRVSPCM 3.2.5.3.5): counted by day, member, type, tool and space, and the
// reports themselves for a while.
//
// A report is counted once. What identifies it, its Event and its content, is
// remembered for a month; an older one is refused, for it may be a recording.
// It counts for the day, in UTC, on which its client has made it.
//
// A statistic names an account. It is a member's if that account itself has
// sent it: with another's key anyone could speak for the member.
package statistics

import (
	"errors"
	"log/slog"
	"strings"
	"time"

	"furrow/appliance/blob"
	"furrow/appliance/state"
	"furrow/gms/directory"
)

// What a caller can tell apart with errors.Is.
var (
	// ErrOutdated: the report is too old to know whether it was counted, or
	// from the far future.
	ErrOutdated = errors.New("report made too long ago")
	// ErrFull: no room for more.
	ErrFull = errors.New("no space for statistics")
	// ErrInvalid: a setting is out of its range.
	ErrInvalid = errors.New("invalid value")
)

// Tables are the tables of this package in a store's schema.
type Tables struct {
	days     *state.Table[Daily]
	reports  *state.Table[Report]
	settings *state.Table[Settings]
}

// Declare adds the tables to a schema.
func Declare(s *state.Schema) *Tables {
	return &Tables{
		days:    state.Define(s, "statisticsDays", state.TableOptions[Daily]{Version: 1, Key: Daily.key}),
		reports: state.Define(s, "statisticsReports", state.TableOptions[Report]{Version: 1, Key: Report.key}),
		settings: state.Define(s, "statisticsSettings", state.TableOptions[Settings]{
			Version: 1, Key: func(Settings) string { return settingsKey },
		}),
	}
}

// joinKey makes one key of several names, which hold no control characters.
func joinKey(parts ...string) string { return strings.Join(parts, "\x00") }

// Config is what a Book works with.
type Config struct {
	Store     *state.Store
	Tables    *Tables // declared in the schema Store was opened with
	Blobs     *blob.Store
	Directory *directory.Directory
	Now       func() time.Time
	Log       *slog.Logger
}

// Book counts reports. It is safe for concurrent use.
type Book struct {
	store     *state.Store
	t         *Tables
	blobs     *blob.Store
	directory *directory.Directory
	now       func() time.Time
	log       *slog.Logger
	maxDaily  int // rows
}

// Open returns a book, after it has deleted the blobs that a crash has left
// without a row. It deletes none beside a store in recovery mode, whose rows
// may be missing.
func Open(c Config) (*Book, error) {
	b := &Book{
		store: c.Store, t: c.Tables, blobs: c.Blobs, directory: c.Directory, now: c.Now, log: c.Log, maxDaily: maxDaily,
	}
	if errors.Is(b.store.Err(), state.ErrRecovery) {
		return b, nil
	}
	named := map[string]bool{}
	for r := range b.t.reports.All(b.store.Snapshot()) {
		named[r.Blob] = true
	}
	_, err := b.blobs.Retain(func(name string) bool { return named[name] })
	return b, err
}

// drop deletes the blob of a report, if it has one. What cannot be deleted now
// is at the next start.
func (b *Book) drop(name string) {
	if name == "" {
		return
	}
	if err := b.blobs.Delete(name); err != nil {
		b.log.Warn("statistics blob not deleted", "blob", name, "error", err)
	}
}

// storageError gives the ways in which there can be no room one kind.
func storageError(err error) error {
	if errors.Is(err, blob.ErrFull) || errors.Is(err, state.ErrFull) {
		return errors.Join(ErrFull, err)
	}
	return err
}
