package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// partPattern names files that are being received. They are hidden, and
	// removed if nobody holds their lock any more.
	partPattern = ".furrow-*.part"
	// recordLifetime is how long parcels are remembered: longer than relays keep
	// what nobody fetches.
	recordLifetime = 366 * 24 * time.Hour
)

// Inbox stores parcels as files that only their owner can read. A file appears
// under its name when it is whole, checked and on the disk: whenever the process
// ends, there is no other under a name that anybody has chosen.
type Inbox struct {
	options InboxOptions
	folder  string   // Folder, absolute
	owner   *os.File // Records, locked

	naming sync.Mutex // held while a parcel gets its name
}

// Receipt says what has become of a parcel.
type Receipt struct {
	Parcel
	// Path of the file. It is empty for a parcel that was not stored because
	// Problem says so.
	Path string
	// Duplicate is set for a parcel that had been stored before.
	Duplicate bool
	// Problem is why a parcel is dropped for good: it is malformed, or its
	// content is not what it says.
	Problem error
}

// record is what is kept of each parcel, in a file named for its identifier and
// digest: who has learned the identifier of somebody else's parcel cannot have it
// taken for a duplicate of another.
type record struct {
	Path string `json:"path"`
	// Stored is set when the file is known to stand under the path. Before, it
	// may or may not.
	Stored bool `json:"stored"`
}

// ErrInboxInUse says that another process has the inbox.
var ErrInboxInUse = errors.New("another process is receiving already")

// InboxOptions are what an Inbox is made of. All are required; the functions are
// called from several goroutines.
type InboxOptions struct {
	// Folder is where files appear, and Records the folder that remembers
	// parcels. Both are made when they are not there.
	Folder, Records string
	// Progress is told how much of the content of a parcel has arrived.
	Progress func(p *Parcel, received int64)
	// Stored is told of every parcel before it is acknowledged.
	Stored func(Receipt)
}

// OpenInbox opens an inbox and removes what an earlier process has left
// unfinished in its folder.
func OpenInbox(o InboxOptions) (*Inbox, error) {
	for _, dir := range []struct {
		path string
		mode fs.FileMode
	}{{o.Folder, 0o777}, {o.Records, 0o700}} {
		if err := os.MkdirAll(dir.path, dir.mode); err != nil {
			return nil, fmt.Errorf("inbox: %w", err)
		}
	}
	absolute, err := filepath.Abs(o.Folder)
	if err != nil {
		return nil, fmt.Errorf("inbox: %w", err)
	}
	owner, err := os.Open(o.Records)
	if err != nil {
		return nil, fmt.Errorf("inbox: %w", err)
	}
	if err := lock(owner); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrInboxInUse
		}
		return nil, errors.Join(fmt.Errorf("inbox %s: %w", o.Records, err), owner.Close())
	}
	b := &Inbox{options: o, folder: absolute, owner: owner}
	if err := errors.Join(b.sweep(), b.forget(time.Now().Add(-recordLifetime))); err != nil {
		return nil, errors.Join(fmt.Errorf("inbox: %w", err), owner.Close())
	}
	return b, nil
}

// Close gives the inbox up. No handler may be running.
func (b *Inbox) Close() error { return b.owner.Close() }

// forget removes records from before a time.
func (b *Inbox) forget(before time.Time) error {
	entries, err := b.owner.ReadDir(0)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && info.ModTime().Before(before) {
			err = os.Remove(filepath.Join(b.options.Records, entry.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// sweep removes files of processes that have ended.
func (b *Inbox) sweep() error {
	parts, err := filepath.Glob(filepath.Join(globEscape(b.folder), partPattern))
	if err != nil {
		return err
	}
	for _, path := range parts {
		part, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if lock(part) == nil {
			err = os.Remove(path)
		}
		if err = errors.Join(err, part.Close()); err != nil {
			return fmt.Errorf("removing what was left unfinished: %w", err)
		}
	}
	return nil
}

// globEscape makes a path a pattern that matches itself only.
func globEscape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// lock takes the lock of a file, which ends with the process.
func lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// Handlers returns the handler of parcels, for a link.
func (b *Inbox) Handlers() Handlers {
	return Handlers{ParcelResource: func(_ context.Context, d *Delivery) error { return b.take(d.Body) }}
}

// take stores one parcel. It returns nil when the parcel may be acknowledged.
func (b *Inbox) take(body io.Reader) error {
	p, err := ReadParcel(body)
	if errors.Is(err, ErrNotParcel) {
		b.options.Stored(Receipt{Problem: err})
		return nil
	}
	if err != nil {
		return err
	}
	if path, done := b.find(p); done {
		b.options.Stored(Receipt{Parcel: *p, Path: path, Duplicate: true})
		return nil
	}
	receipt, err := b.store(p, body)
	var problem *contentError
	if errors.As(err, &problem) {
		receipt, err = Receipt{Parcel: *p, Problem: problem}, nil
	}
	if err != nil {
		return fmt.Errorf("storing %q: %w", p.Name, err)
	}
	b.options.Stored(receipt)
	return nil
}

// find reports whether a parcel has been stored before. Whoever was killed
// between making a record and the file has left a record only.
func (b *Inbox) find(p *Parcel) (path string, stored bool) {
	data, err := os.ReadFile(b.record(p))
	if err != nil {
		return "", false // to store it twice is better than to lose it
	}
	var r record
	if json.Unmarshal(data, &r) != nil {
		return "", false
	}
	return r.Path, r.Stored || holds(r.Path, p)
}

func (b *Inbox) record(p *Parcel) string {
	return filepath.Join(b.options.Records, fmt.Sprintf("%s-%x.json", p.ID, p.SHA256))
}

// holds reports whether a file is the content of a parcel.
func holds(path string, p *Parcel) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	digest := sha256.New()
	size, err := io.Copy(digest, io.LimitReader(f, p.Size+1))
	return err == nil && size == p.Size && bytes.Equal(digest.Sum(nil), p.SHA256[:])
}
