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
	"unicode"

	"github.com/google/renameio/v2"
)

const (
	// partPattern names files that are being received. They are hidden, and
	// removed if nobody holds their lock any more.
	partPattern = ".furrow-*.part"
	// maxNames is how many names are tried for a file whose name is taken.
	maxNames = 10000
	// maxSuffix is room for the number and the extension that keep a name apart.
	maxSuffix = 40
	// recordLifetime is how long parcels are remembered: longer than relays keep
	// what nobody fetches.
	recordLifetime = 366 * 24 * time.Hour
)

// Inbox stores parcels as files that only their owner can read. A file appears under its name when it is whole,
// checked and on the disk; whenever the process ends, there is no other.
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

// record is what is kept of each parcel, in a file named for its identifier.
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
		return nil, errors.Join(fmt.Errorf("inbox %s: %w: %w", o.Records, ErrInboxInUse, err), owner.Close())
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

func (b *Inbox) record(p *Parcel) string { return filepath.Join(b.options.Records, p.ID+".json") }

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

// contentError says that the content of a parcel is not what its header says.
type contentError struct{ text string }

func (e *contentError) Error() string { return e.text }

// store writes the content to a hidden file and gives that its name when it is
// whole and on the disk.
func (b *Inbox) store(p *Parcel, content io.Reader) (_ Receipt, err error) {
	part, err := os.CreateTemp(b.folder, partPattern)
	if err != nil {
		return Receipt{}, err
	}
	defer func() {
		err = errors.Join(err, os.Remove(part.Name()), part.Close())
	}()
	if err := lock(part); err != nil {
		return Receipt{}, fmt.Errorf("locking %s: %w", part.Name(), err)
	}
	if err := b.copyContent(part, content, p); err != nil {
		return Receipt{}, err
	}
	if err := part.Sync(); err != nil {
		return Receipt{}, err
	}
	b.naming.Lock()
	defer b.naming.Unlock()
	// The same parcel may have come on another connection meanwhile.
	if path, done := b.find(p); done {
		return Receipt{Parcel: *p, Path: path, Duplicate: true}, nil
	}
	path, err := b.name(p, part.Name())
	if err != nil {
		return Receipt{}, err
	}
	err = errors.Join(syncFolder(b.folder), b.remember(p, record{Path: path, Stored: true}))
	return Receipt{Parcel: *p, Path: path}, err
}

// copyContent writes the content and checks it.
func (b *Inbox) copyContent(w io.Writer, content io.Reader, p *Parcel) error {
	digest := sha256.New()
	sink := &meter{w: io.MultiWriter(w, digest), progress: func(received int64) { b.options.Progress(p, received) }}
	size, err := io.Copy(sink, io.LimitReader(content, p.Size))
	if err != nil {
		return err
	}
	more, err := io.Copy(io.Discard, content) // reads to the end of the message
	switch {
	case err != nil:
		return err
	case size+more != p.Size:
		return &contentError{fmt.Sprintf("%d octets instead of %d", size+more, p.Size)}
	case !bytes.Equal(digest.Sum(nil), p.SHA256[:]):
		return &contentError{"the SHA-256 is another"}
	}
	return nil
}

// name gives a file its name: that of the parcel, or one with a number if it is
// taken. The record comes before, so that the file is found by whoever gets the
// parcel again.
func (b *Inbox) name(p *Parcel, part string) (string, error) {
	base := SafeName(p.Name)
	extension := filepath.Ext(base)
	if len(extension) > maxSuffix/2 {
		extension = ""
	}
	stem := strings.TrimSuffix(base, extension)
	for i := range maxNames {
		path := filepath.Join(b.folder, base)
		if i > 0 {
			path = filepath.Join(b.folder, fmt.Sprintf("%s (%d)%s", stem, i+1, extension))
		}
		if _, err := os.Lstat(path); err == nil {
			continue
		}
		if err := b.remember(p, record{Path: path}); err != nil {
			return "", err
		}
		if err := os.Link(part, path); !errors.Is(err, fs.ErrExist) {
			return path, err
		}
	}
	return "", fmt.Errorf("%d files have that name", maxNames)
}

func (b *Inbox) remember(p *Parcel, r record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(b.record(p), data, 0o600); err != nil {
		return fmt.Errorf("remembering the parcel: %w", err)
	}
	return syncFolder(b.options.Records)
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// SafeName makes the name of a file, fit for display too, of what a stranger has sent: no folders, no
// characters that do things to terminals, not hidden, and short enough.
func SafeName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || !unicode.IsPrint(r) {
			return '_'
		}
		return r
	}, name)
	if strings.HasPrefix(name, ".") || strings.TrimSpace(name) == "" {
		name = "_" + name
	}
	if len(name) > maxName-maxSuffix {
		extension := filepath.Ext(name)
		if len(extension) > maxSuffix/2 {
			extension = ""
		}
		stem := name[:maxName-maxSuffix-len(extension)]
		name = strings.ToValidUTF8(stem, "") + extension
	}
	return name
}
