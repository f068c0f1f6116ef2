// Package blob keeps immutable files: bodies that are too large for the
// journal of package state and that a row there refers to by name, such as
// account backups and uploaded files.
//
// # Order of writes
//
// A blob is durable when Commit returns: its file was flushed under a temporary
// name, renamed, and its folder flushed. The owner then stores the row that
// names it, and removes a row before the blob. A crash between the two leaves
// at most a blob that no row names; the owner, who alone knows its rows, has
// those deleted at its start with Retain. A half-written file is never seen:
// Open removes what a crash has left of it. So each owner has a Store with a
// folder of its own.
//
// # Damage
//
// A file ends in a trailer with the length and a CRC-32C of what is before it.
// A [Reader] compares both; what is not as it was written comes back as
// ErrDamaged in the place of io.EOF, so a caller that reads to the end knows.
//
// # Failing disks
//
// A full disk, or one with less left than the reserve, refuses new blobs with
// ErrFull and keeps giving out the others. The flush of a file that fails costs
// that blob only, because nothing else is in its file. After a failed flush of
// the folder nothing can be promised of any name in it, and a second flush may
// report success for what is gone: the store then takes no more until the next
// Open.
package blob

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"furrow/appliance/disk"
)

// The errors a caller can tell apart with errors.Is. Every error of Commit and
// Put means that there is no blob.
var (
	// ErrNotFound: there is no blob of this name.
	ErrNotFound = errors.New("no such blob")
	// ErrExists: there is a blob of this name, and blobs do not change.
	ErrExists = errors.New("blob exists")
	// ErrName: the name cannot be that of a blob.
	ErrName = errors.New("invalid blob name")
	// ErrFull: no room, or less than the reserve would be left.
	ErrFull = errors.New("no space for blobs")
	// ErrWrite: the disk refused a write for a reason other than space.
	ErrWrite = errors.New("blob write failed")
	// ErrFailed: a flush of the folder failed; nothing more is taken before
	// the next Open.
	ErrFailed = errors.New("blob store has failed")
	// ErrDamaged: what is on disk is not what was written.
	ErrDamaged = errors.New("blob is damaged")
	// ErrNewer: the file has a format that this binary does not know.
	ErrNewer = errors.New("blob was written by a newer version")
)

// defaultReserve is what must stay free on the disk for the journal and the
// rest of the box, as package spool leaves it.
const defaultReserve = 256 << 20

// Options says where a store is. Dir is required; every other zero value means
// the default.
type Options struct {
	Dir string
	// FS is the file system; default the real one.
	FS disk.FS
	// ReserveBytes is what must stay free on the disk; default 256 MiB.
	ReserveBytes int64
}

// Store is an open folder of blobs. It is safe for concurrent use and has
// nothing to close. The caller makes sure that no other process has the folder.
type Store struct {
	dir     string
	files   disk.FS
	reserve int64

	publishing sync.Mutex // taken before mu, held while a blob gets its name

	mu      sync.Mutex
	sizes   map[string]int64 // of the contents, by name
	total   int64            // of the sizes
	writers int64            // begun so far, which makes temporary names unique
	failed  error
	holds   int
	held    map[string]struct{} // deleted while there are holds: files without a blob
}

// Open opens the store in a folder, which it makes if it is not there, and
// removes half-written files.
func Open(o Options) (*Store, error) {
	s := &Store{
		dir: o.Dir, files: o.FS, reserve: o.ReserveBytes, sizes: map[string]int64{}, held: map[string]struct{}{},
	}
	if s.files == nil {
		s.files = disk.OS{}
	}
	if s.reserve == 0 {
		s.reserve = defaultReserve
	}
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("opening blobs in %s: %w", o.Dir, err)
	}
	return s, nil
}

func (s *Store) load() error {
	if err := s.files.MakeDir(s.dir); err != nil {
		return err
	}
	names, err := s.files.Names(s.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		switch {
		case strings.HasPrefix(name, tempPrefix):
			if err := s.files.Remove(s.path(name)); err != nil {
				return err
			}
		case checkName(name) == nil:
			size, err := s.files.Size(s.path(name))
			if err != nil {
				return err
			}
			s.add(name, max(size-trailerSize, 0))
		}
	}
	return nil
}

func (s *Store) path(name string) string { return filepath.Join(s.dir, name) }

// add and remove keep the books. The mutex is held, or nobody else has s yet.
func (s *Store) add(name string, size int64) {
	s.sizes[name] = size
	s.total += size
}

func (s *Store) remove(name string) {
	s.total -= s.sizes[name]
	delete(s.sizes, name)
}

// maxName is less than the 255 bytes that file systems allow, and more than
// GUIDs and digests need.
const maxName = 128

// tempPrefix begins the names of files that are being written. No blob's name
// begins with a dot.
const tempPrefix = ".new-"

// checkName accepts names of ASCII letters, digits, dashes and inner dots.
func checkName(name string) error {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	if name == "" || len(name) > maxName || name[0] == '.' || strings.Trim(name, plain) != "" {
		return fmt.Errorf("%w: %.*q", ErrName, maxName, name)
	}
	return nil
}

// Size returns the length of a blob in bytes, or ErrNotFound.
func (s *Store) Size(name string) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	size, ok := s.sizes[name]
	if !ok {
		return 0, fmt.Errorf("%w: %.*q", ErrNotFound, maxName, name)
	}
	return size, nil
}

// Names returns the names of all blobs in order.
func (s *Store) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.sizes))
}

// TotalSize returns the length of all blobs in bytes.
func (s *Store) TotalSize() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

// Delete removes a blob; one that is not there is no error. Who has it open can
// read on. A power cut may bring the blob back, without a row that names it.
func (s *Store) Delete(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.sizes[name]; !ok {
		return nil
	}
	if s.holds > 0 {
		s.held[name] = struct{}{}
	} else if err := s.files.Remove(s.path(name)); err != nil {
		return fmt.Errorf("deleting blob %s: %w", name, err)
	}
	s.remove(name)
	return nil
}

// Retain deletes the blobs for which keep is false and returns how many these
// were. An owner calls it at its start, when nothing is being written: a blob
// has no row yet between its Commit and its owner's transaction.
func (s *Store) Retain(keep func(name string) bool) (deleted int, err error) {
	for _, name := range s.Names() {
		if keep(name) {
			continue
		}
		if err := s.Delete(name); err != nil {
			return deleted, err
		}
		deleted++
	}
	return deleted, nil
}

// writeError names the kind of a failed write: the ways in which Linux says
// "no space" become ErrFull.
func writeError(err error) error {
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, full) {
			return errors.Join(ErrFull, err)
		}
	}
	return errors.Join(ErrWrite, err)
}
