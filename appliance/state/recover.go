package state

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

const damagedSuffix = ".damaged"

// recovery is what AcceptRecovery needs to know.
type recovery struct {
	newest uint64
	files  []string // damaged
	seen   uint64   // highest sequence of which there is a trace
}

// rebuild finds the longest provable beginning of the history: the newest
// sound checkpoint, and every following transaction that is whole and next in
// sequence, from that generation and the newer ones. The checkpoint of a
// generation is a state that the generation before it reaches, so a damaged
// checkpoint costs nothing while the older file is sound.
func (s *Store) rebuild(found []uint64, first finding, report *Report) (*stage, error) {
	newest := found[len(found)-1]
	rec := &recovery{newest: newest, seen: first.lost}
	rep := &Recovery{Offset: first.offset, Cause: first.cause}
	st := newStage()
	files := make(map[uint64][]byte)
	from := 0
	for i := len(found) - 1; i >= 0; i-- {
		data, err := readFile(s.fs, filepath.Join(s.dir, fileName(found[i])))
		if errors.Is(err, ErrTooLarge) {
			return nil, err
		}
		files[found[i]] = data // after a read error, what could be read
		trial := newStage()
		sc := scanGeneration(data, found[i], trial)
		if sc.finding.kind == newer {
			return nil, fmt.Errorf("%s: %w", fileName(found[i]), ErrNewer)
		}
		rec.newest = max(rec.newest, sc.sealed)
		if err != nil || sc.finding.kind == damaged {
			rec.files = append(rec.files, fileName(found[i]))
		}
		if sc.checkpoint {
			st, from, rep.Checkpoint = trial, i, found[i]
			break
		}
	}
	for _, generation := range found[from:] {
		for _, r := range survivors(files[generation], 0, generation) {
			rec.seen = max(rec.seen, r.mark)
			if r.kind != kindJournal {
				continue
			}
			rec.seen = max(rec.seen, r.number)
			if r.number == st.sequence+1 {
				st.apply(r)
			}
		}
	}
	rep.Files, rep.LostFrom, rep.LostTo = rec.files, st.sequence+1, rec.seen
	report.Recovery, s.recovery = rep, rec
	return st, nil
}

// AcceptRecovery ends recovery mode: the state shown becomes a new generation,
// the damaged files are renamed out of the way and kept, and Update works
// again. The numbers of the lost transactions are not used again.
func (s *Store) AcceptRecovery(ctx context.Context) error {
	s.compaction.Lock()
	defer s.compaction.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.acceptRecovery(); err != nil {
		return fmt.Errorf("accept recovery of state store %s: %w", s.dir, err)
	}
	return nil
}

func (s *Store) acceptRecovery() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.refusal == nil:
		return ErrNotRecovering
	case !errors.Is(s.refusal, ErrRecovery):
		return s.refusal
	}
	rec := s.recovery
	s.head.sequence = max(s.head.sequence, rec.seen)
	state := s.share()
	c := checkpoint{schema: s.schema, root: state, unknown: s.unknown, generation: rec.newest + 1, base: state.sequence}
	size, err := c.writeTemp(s.fs, s.dir)
	if err != nil {
		return err
	}
	temp, name := filepath.Join(s.dir, tempName), filepath.Join(s.dir, fileName(c.generation))
	if err := s.fs.Rename(temp, name); err != nil {
		return err
	}
	if err := s.fs.SyncDir(s.dir); err != nil {
		return err
	}
	for _, file := range rec.files {
		name := filepath.Join(s.dir, file)
		if err := s.fs.Rename(name, name+damagedSuffix); err != nil {
			s.log.Warn("set damaged file aside", "dir", s.dir, "file", file, "error", err)
		}
	}
	if err := s.start(c.generation, size, size); err != nil {
		return err
	}
	s.published.Store(&View{root: state})
	s.recovery, s.refusal = nil, nil
	return nil
}
