package state

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"furrow/appliance/disk"
)

const tornInfix = ".torn-"

// Open opens the store in dir, which it makes if need be, and says what it
// found. A damaged store opens too, read-only; see Report.Recovery. The folder
// belongs to one Store at a time.
func Open(dir string, schema *Schema, opts Options) (*Store, *Report, error) {
	if err := schema.use(); err != nil {
		return nil, nil, err
	}
	s := newStore(dir, schema, opts)
	report, err := s.open()
	if err != nil {
		return nil, nil, fmt.Errorf("open state store %s: %w", dir, err)
	}
	return s, report, nil
}

func newStore(dir string, schema *Schema, opts Options) *Store {
	s := &Store{
		dir: dir, schema: schema, opts: opts, fs: opts.FS, log: opts.Logger,
		pending:  newBatch(),
		wake:     make(chan struct{}, 1),
		switchC:  make(chan handover),
		quit:     make(chan struct{}),
		stopped:  make(chan struct{}),
		failed:   make(chan struct{}),
		compactC: make(chan struct{}, 1),
	}
	if s.fs == nil {
		s.fs = disk.OS{}
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.opts.CompactBytes <= 0 {
		s.opts.CompactBytes = defaultCompactBytes
	}
	if s.opts.CompactFactor <= 0 {
		s.opts.CompactFactor = defaultCompactFactor
	}
	return s
}

func (s *Store) open() (_ *Report, err error) {
	if err := s.fs.MakeDir(s.dir); err != nil {
		return nil, err
	}
	if s.lock, err = lockDir(s.dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.lock.Close())
		}
	}()
	names, err := s.fs.Names(s.dir)
	if err != nil {
		return nil, err
	}
	if slices.Contains(names, tempName) { // left by an interrupted compaction
		if err := s.fs.Remove(filepath.Join(s.dir, tempName)); err != nil {
			return nil, err
		}
	}
	found := generations(names)
	if len(found) == 0 {
		// A folder that lost its generations must not pass for a new one.
		if i := slices.IndexFunc(names, func(name string) bool {
			return strings.HasPrefix(name, filePrefix) && name != tempName
		}); i >= 0 {
			return nil, fmt.Errorf("%s is there, but no generation: %w", names[i], os.ErrNotExist)
		}
		if err := s.create(); err != nil {
			return nil, err
		}
		found = []uint64{1}
	}
	return s.load(found)
}

// create writes the first, empty generation.
func (s *Store) create() error {
	c := checkpoint{schema: s.schema, root: s.schema.newHead(), generation: 1}
	if _, err := c.writeTemp(s.fs, s.dir); err != nil {
		return err
	}
	return s.adopt(1)
}

// reading is what was read of the files.
type reading struct {
	newest uint64
	data   []byte // of the newest generation
	scan   scan   // of data
	report *Report
}

// read reads the newest of the found generations, or what can be proved of
// older and damaged ones. It changes no file.
func (s *Store) read(found []uint64) (*reading, error) {
	newest := found[len(found)-1]
	st := newStage()
	data, err := readFile(s.fs, filepath.Join(s.dir, fileName(newest)))
	if errors.Is(err, ErrTooLarge) {
		return nil, err
	}
	sc := scanGeneration(data, newest, st)
	switch {
	case err != nil:
		sc.finding = finding{kind: damaged, offset: int64(len(data)), cause: err.Error()}
	case sc.sealed != 0:
		sc.finding = finding{kind: damaged, offset: sc.end, cause: fmt.Sprintf("%s, which replaced it, is gone", fileName(sc.sealed))}
	}
	report := &Report{Generation: newest}
	switch sc.finding.kind {
	case newer:
		return nil, fmt.Errorf("%s: %w", fileName(newest), ErrNewer)
	case damaged:
		if st, err = s.rebuild(found, sc.finding, report); err != nil {
			return nil, err
		}
	}
	if err := s.install(st, report); err != nil {
		return nil, err
	}
	return &reading{newest, data, sc, report}, nil
}

// load makes the found generations the store's state.
func (s *Store) load(found []uint64) (*Report, error) {
	r, err := s.read(found)
	if err != nil {
		return nil, err
	}
	newest, data, sc, report := r.newest, r.data, r.scan, r.report
	if sc.finding.kind == torn {
		report.Torn = s.setAside(newest, data, sc.end)
	}
	if report.Recovery != nil {
		s.refusal = fmt.Errorf("%s: %w: %v", s.dir, ErrRecovery, report.Recovery)
		s.log.Error("state store is damaged and read-only", "dir", s.dir, "recovery", report.Recovery.String())
		return report, nil
	}
	if err := s.harden(newest, data, sc); err != nil {
		return nil, err
	}
	if report.Upgraded > 0 {
		if err := s.keepBeforeUpgrade(newest, data[:sc.end]); err != nil {
			return nil, err
		}
	}
	if err := s.start(newest, sc.start, sc.end); err != nil {
		return nil, err
	}
	if report.Upgraded > 0 {
		if err := s.Compact(context.Background()); err != nil {
			return nil, errors.Join(err, s.stop())
		}
		report.Generation = s.stats.generation.Load()
	}
	return report, nil
}

// install makes the replayed rows the store's state.
func (s *Store) install(st *stage, report *Report) error {
	head, unknown, upgraded, err := st.build(s.schema)
	if err != nil {
		return err
	}
	s.head, s.unknown = head, unknown
	s.published.Store(&View{root: s.share()})
	report.Sequence, report.Rows, report.Upgraded = st.sequence, st.rows(), upgraded
	report.Unknown = slices.Sorted(maps.Keys(unknown))
	return nil
}

// start opens a sound file as the journal and begins to accept transactions.
func (s *Store) start(generation uint64, start, size int64) error {
	j, err := openJournal(s.fs, filepath.Join(s.dir, fileName(generation)), generation, start, size)
	if err != nil {
		return err
	}
	s.use(j)
	s.workers.Go(s.commit)
	s.workers.Go(s.compactor)
	return nil
}

// setAside copies an unfinished write at the end of a file. It does not fail:
// a box with a full disk must start, and nobody was told that this write
// succeeded.
func (s *Store) setAside(generation uint64, data []byte, end int64) *Torn {
	t := &Torn{File: fileName(generation), Offset: end, Bytes: int64(len(data)) - end}
	if !allZero(data[end:]) {
		name := fmt.Sprintf("%s%s%d", t.File, tornInfix, end)
		if t.AsideErr = s.writeAside(name, data[end:]); t.AsideErr == nil {
			t.Aside = name
		}
	}
	s.log.Warn("cut off an unfinished write", "dir", s.dir, "file", t.File,
		"offset", t.Offset, "bytes", t.Bytes, "copy", t.Aside, "error", t.AsideErr)
	return t
}

func (s *Store) writeAside(name string, data []byte) (err error) {
	f, err := s.fs.OpenFile(filepath.Join(s.dir, name), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, disk.FileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Chmod(disk.FileMode); err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}

// harden cuts the file behind its last sound record and makes what was read
// durable before anyone sees it. The process before may have died between
// write and flush, or stopped because a flush failed; after a failed flush
// Linux may keep pages in memory that it regards as written and that are not.
// Writing the same bytes again makes it write them, or fail, for sure.
func (s *Store) harden(generation uint64, data []byte, sc scan) (err error) {
	f, err := s.fs.OpenFile(filepath.Join(s.dir, fileName(generation)), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Chmod(disk.FileMode); err != nil {
		return err
	}
	if sc.finding.kind == torn {
		if err := f.Truncate(sc.end); err != nil {
			return err
		}
	}
	if _, err := f.WriteAt(data[sc.start:sc.end], sc.start); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return s.fs.SyncDir(s.dir)
}
