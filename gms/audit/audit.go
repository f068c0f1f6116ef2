// Package audit keeps what clients upload for auditing: the audit logs of their
// devices and the files that these speak of (MS-GRVSPCM 3.2.1, 3.2.5.7).
//
// # Uploads
//
// A log or a file comes in fragments. Those of an upload must come in order;
// each is a blob before it is answered, but for the last, with which the whole
// is put together, checked and stored, and the fragments go. What is not sound
// as a whole is forgotten as a whole. An account has a few unfinished uploads
// at a time, and one that nothing is heard of goes after a day.
//
// # Logs
//
// The first log that verifies locks its device on to a key; from then on only
// logs with this key are taken (3.1.4), and each has a higher sequence than the
// one before. Before that, logs that cannot be verified are kept too, and
// marked: how logs are built is not published in full (package auditlog). A gap
// in the sequence is marked and no reason to refuse: a server that was restored
// from a backup would lock all clients out.
//
// What has become of a log is a row here and one blob with its entries, sealed
// with the vault. Searching opens the blobs whose rows may match, one at a
// time.
//
// # Files
//
// A file is a blob under the SHA-1 of its content in its domain. Another
// domain's files do not show: by hashes one could ask who has what.
package audit

import (
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"strings"
	"sync"
	"time"

	"furrow/appliance/blob"
	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/directory"
)

// What a caller can tell apart with errors.Is.
var (
	// ErrFragment: the fragment does not follow the one before, or belongs to
	// another upload than it says.
	ErrFragment = errors.New("fragment out of order")
	// ErrTooLarge: the whole would be larger than is taken.
	ErrTooLarge = errors.New("upload too large")
	// ErrFull: no room for more, on the disk or among unfinished uploads.
	ErrFull = errors.New("no space for uploads")
	// ErrFileNotFound: there is no file of this hash in the domain.
	ErrFileNotFound = errors.New("audit file not found")
	// ErrInvalid: a setting is out of its range, or a name too long.
	ErrInvalid = errors.New("invalid value")
)

// Tables are the tables of this package in a store's schema.
type Tables struct {
	devices          *state.Table[Device]
	uploads          *state.Table[uploadRow]
	uploadsByAccount *state.Index[uploadRow]
	uploadsByHash    *state.Index[uploadRow]
	logs             *state.Table[Log]
	files            *state.Table[File]
	settings         *state.Table[Settings]
}

// Declare adds the tables to a schema.
func Declare(s *state.Schema) *Tables {
	t := &Tables{
		devices: state.Define(s, "auditDevices", state.TableOptions[Device]{
			Version: 1, Key: func(r Device) string { return joinKey(r.Domain, r.GUID) },
		}),
		uploads: state.Define(s, "auditUploads", state.TableOptions[uploadRow]{Version: 1, Key: uploadRow.key}),
		logs:    state.Define(s, "auditLogs", state.TableOptions[Log]{Version: 1, Key: Log.key}),
		files: state.Define(s, "auditFiles", state.TableOptions[File]{
			Version: 1, Key: func(r File) string { return joinKey(r.Domain, r.Hash) },
		}),
		settings: state.Define(s, "auditSettings", state.TableOptions[Settings]{
			Version: 1, Key: func(Settings) string { return settingsKey },
		}),
	}
	t.uploadsByAccount = state.DefineIndex(t.uploads, "account", func(r uploadRow) []string {
		return []string{joinKey(r.Domain, r.Account)}
	})
	t.uploadsByHash = state.DefineIndex(t.uploads, "hash", func(r uploadRow) []string {
		if r.Hash == "" {
			return nil
		}
		return []string{joinKey(r.Domain, r.Hash)}
	})
	return t
}

// joinKey makes one key of several names, which hold no control characters.
func joinKey(parts ...string) string { return strings.Join(parts, "\x00") }

// Config is what an Archive works with.
type Config struct {
	Store     *state.Store
	Tables    *Tables // declared in the schema Store was opened with
	Blobs     *blob.Store
	Directory *directory.Directory
	Vault     *keys.Vault
	Now       func() time.Time
	Log       *slog.Logger
}

// Archive takes uploads and keeps what they bring. It is safe for concurrent
// use.
type Archive struct {
	store     *state.Store
	t         *Tables
	blobs     *blob.Store
	directory *directory.Directory
	vault     *keys.Vault
	now       func() time.Time
	log       *slog.Logger

	// locks serialize the fragments of an upload.
	locks [64]sync.Mutex
	seed  maphash.Seed
	// assembling is held while a log is put together: it may need some hundred
	// megabytes, and small boxes have room for one.
	assembling sync.Mutex
}

// Open returns an archive, after it has deleted the blobs that a crash has left
// without a row. It deletes none beside a store in recovery mode, whose rows
// may be missing.
func Open(c Config) (*Archive, error) {
	a := &Archive{
		store: c.Store, t: c.Tables, blobs: c.Blobs, directory: c.Directory, vault: c.Vault, now: c.Now, log: c.Log,
		seed: maphash.MakeSeed(),
	}
	if errors.Is(a.store.Err(), state.ErrRecovery) {
		return a, nil
	}
	named := a.named()
	if deleted, err := a.blobs.Retain(func(name string) bool { return named[name] }); err != nil {
		return nil, fmt.Errorf("opening the audit archive: %w", err)
	} else if deleted > 0 {
		a.log.Info("audit blobs without rows deleted", "count", deleted)
	}
	return a, nil
}

// named returns the blobs that rows name.
func (a *Archive) named() map[string]bool {
	named := map[string]bool{}
	view := a.store.Snapshot()
	for u := range a.t.uploads.All(view) {
		for i := range u.Received {
			named[u.blob(i+1)] = true
		}
	}
	for l := range a.t.logs.All(view) {
		named[l.Blob] = true
	}
	for f := range a.t.files.All(view) {
		named[f.Blob] = true
	}
	return named
}

// lock serializes what belongs to one upload, and returns the unlocking.
func (a *Archive) lock(key string) (unlock func()) {
	m := &a.locks[maphash.String(a.seed, key)%uint64(len(a.locks))]
	m.Lock()
	return m.Unlock
}

// drop deletes blobs that no row names any more. What cannot be deleted now is
// at the next start.
func (a *Archive) drop(names ...string) {
	for _, name := range names {
		if err := a.blobs.Delete(name); err != nil {
			a.log.Warn("audit blob not deleted", "blob", name, "error", err)
		}
	}
}

// storageError gives the ways in which there can be no room one kind.
func storageError(err error) error {
	if errors.Is(err, blob.ErrFull) || errors.Is(err, state.ErrFull) {
		return errors.Join(ErrFull, err)
	}
	return err
}
