package blob

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"

	"furrow/appliance/disk"
)

// freeInterval is how much a Writer writes, in bytes, before it asks again how
// much is free. So many writers at once may take as many times this of the
// reserve.
const freeInterval = 1 << 20

// errDone is what a Writer that was committed or aborted says.
var errDone = errors.New("blob is already committed or aborted")

// Writer writes one blob. It must not be used concurrently, and must be
// committed or aborted.
type Writer struct {
	store *Store
	temp  string    // name of the file
	file  disk.File // nil when done
	size  int64
	sum   uint32
	room  int64 // what may be written before Free is asked again
	err   error // of the first write that failed
}

// Create begins a blob. Nothing is seen of it before Commit.
func (s *Store) Create() (*Writer, error) {
	s.mu.Lock()
	failed := s.failed
	s.writers++
	temp := fmt.Sprintf("%s%d", tempPrefix, s.writers)
	s.mu.Unlock()
	if failed != nil {
		return nil, fmt.Errorf("creating a blob: %w", failed)
	}
	if err := s.checkFree(); err != nil {
		return nil, fmt.Errorf("creating a blob: %w", err)
	}
	file, err := s.files.OpenFile(s.path(temp), os.O_CREATE|os.O_EXCL|os.O_WRONLY, disk.FileMode)
	if err != nil {
		return nil, fmt.Errorf("creating a blob: %w", writeError(err))
	}
	return &Writer{store: s, temp: temp, file: file, room: freeInterval}, nil
}

// checkFree returns ErrFull if the disk has no more than the reserve.
func (s *Store) checkFree() error {
	free, err := s.files.Free(s.dir)
	if err != nil {
		return errors.Join(ErrWrite, err)
	}
	if free <= s.reserve {
		return fmt.Errorf("%w: %d bytes free, reserve %d", ErrFull, free, s.reserve)
	}
	return nil
}

// Write appends to the blob. After an error only Abort is of use.
func (w *Writer) Write(p []byte) (int, error) {
	if w.file == nil {
		return 0, errDone
	}
	if w.err != nil {
		return 0, w.err
	}
	if w.room -= int64(len(p)); w.room < 0 {
		w.room = freeInterval
		if w.err = w.store.checkFree(); w.err != nil {
			return 0, w.err
		}
	}
	n, err := w.file.Write(p)
	w.size += int64(n)
	w.sum = crc32.Update(w.sum, castagnoli(), p[:n])
	if err != nil {
		w.err = writeError(err)
	}
	return n, w.err
}

// Size returns how many bytes were written.
func (w *Writer) Size() int64 { return w.size }

// Commit makes what was written the blob of this name, durably. On an error
// there is no new blob, and the writer is done; if the name is taken, the error
// is ErrExists.
func (w *Writer) Commit(name string) error {
	if w.file == nil {
		return errDone
	}
	file := w.file
	w.file = nil
	if err := w.finish(file, name); err != nil {
		return fmt.Errorf("storing blob %s: %w", name, err)
	}
	return nil
}

// finish flushes the file and gives it its name.
func (w *Writer) finish(file disk.File, name string) error {
	s := w.store
	err := w.err
	if err == nil {
		err = checkName(name)
	}
	if err == nil {
		if _, err = file.Write(appendTrailer(nil, w.size, w.sum)); err == nil {
			err = file.Sync()
		}
		if err != nil {
			err = writeError(err)
		}
	}
	if err != nil {
		return s.discard(file, w.temp, err)
	}
	if err := file.Close(); err != nil {
		return errors.Join(writeError(err), s.files.Remove(s.path(w.temp)))
	}
	return s.publish(w.temp, name, w.size)
}

// publish renames a flushed file and flushes the folder, one after the other:
// what is renamed while another's flush fails must not be promised.
func (s *Store) publish(temp, name string, size int64) error {
	s.publishing.Lock()
	defer s.publishing.Unlock()
	err := s.checkNew(name)
	if err == nil {
		if err = s.files.Rename(s.path(temp), s.path(name)); err != nil {
			err = writeError(err)
		}
	}
	if err != nil {
		return errors.Join(err, s.files.Remove(s.path(temp)))
	}
	err = s.files.SyncDir(s.dir)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.failed = errors.Join(ErrFailed, err)
		return s.failed
	}
	s.add(name, size)
	return nil
}

// checkNew says why there can be no new blob of this name.
func (s *Store) checkNew(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil {
		return s.failed
	}
	_, exists := s.sizes[name]
	if _, held := s.held[name]; exists || held {
		return ErrExists
	}
	return nil
}

// discard closes and removes a file that was begun in vain, and returns why,
// with what else went wrong.
func (s *Store) discard(file disk.File, name string, cause error) error {
	return errors.Join(cause, file.Close(), s.files.Remove(s.path(name)))
}

// Abort gives up the blob. After Commit it does nothing, so that it can be
// deferred.
func (w *Writer) Abort() error {
	if w.file == nil {
		return nil
	}
	file := w.file
	w.file = nil
	if err := w.store.discard(file, w.temp, nil); err != nil {
		return fmt.Errorf("giving up a blob: %w", err)
	}
	return nil
}

// Put stores data as the blob of this name, durably, like Create and Commit.
func (s *Store) Put(name string, data []byte) error {
	w, err := s.Create()
	if err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		return errors.Join(fmt.Errorf("storing blob %s: %w", name, err), w.Abort())
	}
	return w.Commit(name)
}
