package blob

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
)

// Hold keeps the files of a store on the disk while they are copied. Blobs come
// and go meanwhile as ever, but a name that went is not free again before
// Release. After a crash those that went are back, without a row that names
// them.
type Hold struct {
	store   *Store
	release sync.Once
}

// Hold begins one. It must be released.
func (s *Store) Hold() *Hold {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holds++
	return &Hold{store: s}
}

// Release removes, after the last Hold, what was deleted meanwhile. What it
// could not remove is as after a crash.
func (h *Hold) Release() (err error) {
	h.release.Do(func() { err = h.store.unhold() })
	return err
}

func (s *Store) unhold() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holds--; s.holds > 0 {
		return nil
	}
	var errs []error
	for name := range s.held {
		if err := s.files.Remove(s.path(name)); err != nil {
			errs = append(errs, fmt.Errorf("deleting blob %s: %w", name, err))
		}
	}
	clear(s.held)
	return errors.Join(errs...)
}

// Size is about how many octets Each visits.
func (h *Hold) Size() int64 { return h.store.TotalSize() }

// Each visits the files of all blobs that there are when it is called, and of
// those that were deleted since the Hold began: Open finds them in a folder
// with these files. Every row of the owner's that was stored when the Hold had
// begun thus has its blob, as rows are stored after blobs and removed before.
func (h *Hold) Each(visit func(name string, size int64, open func() (io.ReadCloser, error)) error) error {
	s := h.store
	s.mu.Lock()
	names := slices.AppendSeq(slices.Collect(maps.Keys(s.sizes)), maps.Keys(s.held))
	s.mu.Unlock()
	slices.Sort(names)
	for _, name := range names {
		size, err := s.files.Size(s.path(name))
		if err != nil {
			return fmt.Errorf("copying blob %s: %w", name, err)
		}
		err = visit(name, size, func() (io.ReadCloser, error) { return s.files.OpenFile(s.path(name), os.O_RDONLY, 0) })
		if err != nil {
			return err
		}
	}
	return nil
}
