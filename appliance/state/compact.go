package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// handover asks the committer to go on in a new journal, which holds the state
// at sequence base and still has its temporary name.
type handover struct {
	next   *journal
	base   uint64
	result chan handoverResult
}

type handoverResult struct {
	old *journal
	err error
}

// Compact writes the current state as a new generation and goes on in it.
// Readers are not disturbed; writers wait only while the transactions since
// the start of the compaction are copied and the file gets its name. When it
// fails before that, the store goes on with the old generation.
func (s *Store) Compact(ctx context.Context) error {
	s.compaction.Lock()
	defer s.compaction.Unlock()
	if err := errors.Join(ctx.Err(), s.Err()); err != nil {
		return err
	}
	if err := s.compact(); err != nil {
		return fmt.Errorf("compact state store %s: %w", s.dir, err)
	}
	return nil
}

func (s *Store) compact() error {
	v := s.Snapshot()
	c := checkpoint{
		schema: s.schema, root: v.root, unknown: s.unknown,
		generation: s.stats.generation.Load() + 1, base: v.root.sequence,
	}
	size, err := c.writeTemp(s.fs, s.dir)
	if err != nil {
		return err
	}
	temp := filepath.Join(s.dir, tempName)
	next, err := openJournal(s.fs, temp, c.generation, size, size)
	if err != nil {
		return errors.Join(err, s.fs.Remove(temp))
	}
	h := handover{next: next, base: c.base, result: make(chan handoverResult, 1)}
	select {
	case s.switchC <- h:
	case <-s.stopped:
		return errors.Join(ErrClosed, next.close(), s.fs.Remove(temp))
	}
	r := <-h.result
	if r.err != nil {
		return errors.Join(r.err, next.close())
	}
	if err := r.old.close(); err != nil {
		s.log.Warn("close old journal", "dir", s.dir, "error", err)
	}
	s.retire(r.old.generation, c.generation)
	return nil
}

// switchTo runs in the committer, between groups.
func (s *Store) switchTo(h handover) handoverResult {
	started := time.Now()
	old := s.journal
	if err := s.Err(); errors.Is(err, ErrFailed) {
		return handoverResult{err: errors.Join(err, s.fs.Remove(filepath.Join(s.dir, tempName)))}
	}
	if err := s.catchUp(h); err != nil {
		return handoverResult{err: errors.Join(err, s.fs.Remove(filepath.Join(s.dir, tempName)))}
	}
	if err := s.adopt(h.next.generation); err != nil {
		return handoverResult{err: err}
	}
	s.use(h.next)
	s.stats.compactions.Add(1)
	s.stats.pause.Store(int64(time.Since(started)))
	s.stats.compacted.Store(&started)
	return handoverResult{old: old}
}

// catchUp copies the transactions that became durable since the checkpoint was
// taken.
func (s *Store) catchUp(h handover) error {
	durable := s.published.Load().root.sequence
	for sequence := h.base + 1; sequence <= durable; sequence++ {
		value, err := s.journal.value(sequence)
		if err != nil {
			return err
		}
		if err := h.next.append([]byte(value), sequence, sequence-1); err != nil {
			return err
		}
	}
	return h.next.sync()
}

// adopt gives the temporary file its name, durably. Once the name may be on the
// disk, nothing may be written to the older generation any more: if that is in
// doubt, the store fails.
func (s *Store) adopt(generation uint64) error {
	name := filepath.Join(s.dir, fileName(generation))
	if err := s.fs.Rename(filepath.Join(s.dir, tempName), name); err != nil {
		f, oerr := s.fs.OpenFile(name, os.O_RDONLY, 0)
		if errors.Is(oerr, os.ErrNotExist) {
			return err
		}
		if oerr == nil {
			oerr = f.Close()
		}
		err = errors.Join(err, oerr)
		s.fail(err, nil)
		return err
	}
	if err := s.fs.SyncDir(s.dir); err != nil {
		s.fail(fmt.Errorf("flush folder: %w", err), nil)
		return err
	}
	return nil
}

// use makes j the journal that the committer appends to.
func (s *Store) use(j *journal) {
	s.journal, s.compactAbove = j, 0
	s.stats.generation.Store(j.generation)
	s.stats.checkpointBytes.Store(j.start)
	s.stats.fileBytes.Store(j.size)
}

// retire marks the replaced generation and deletes those too old to be kept.
// Nothing depends on it, so errors are only logged.
func (s *Store) retire(old, current uint64) {
	if err := s.seal(old, current); err != nil {
		s.log.Warn("mark old generation", "dir", s.dir, "generation", old, "error", err)
	}
	names, err := s.fs.Names(s.dir)
	if err != nil {
		s.log.Warn("list state folder", "dir", s.dir, "error", err)
		return
	}
	found := generations(names)
	for len(found) > keptGenerations {
		prefix := fileName(found[0])
		for _, name := range names {
			if name != prefix && !strings.HasPrefix(name, prefix+tornInfix) {
				continue
			}
			if err := s.fs.Remove(filepath.Join(s.dir, name)); err != nil {
				s.log.Warn("delete old generation", "dir", s.dir, "file", name, "error", err)
			}
		}
		found = found[1:]
	}
	if err := s.fs.SyncDir(s.dir); err != nil {
		s.log.Warn("flush state folder", "dir", s.dir, "error", err)
	}
}

// seal appends the record that names the replacing generation, so that its
// loss is noticed.
func (s *Store) seal(old, current uint64) (err error) {
	f, err := s.fs.OpenFile(filepath.Join(s.dir, fileName(old)), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(appendRecord(nil, old, record{kind: kindSeal, number: current})); err != nil {
		return err
	}
	return f.Sync()
}

// compactor runs the compactions that the committer asks for.
func (s *Store) compactor() {
	for {
		select {
		case <-s.compactC:
			if err := s.Compact(context.Background()); err != nil && s.Err() == nil {
				s.log.Warn("compaction failed; the journal goes on growing", "dir", s.dir, "error", err)
			}
		case <-s.quit:
			return
		}
	}
}
