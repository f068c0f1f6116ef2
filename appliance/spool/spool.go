// Package spool keeps the relay's store-and-forward messages on disk: each one
// once, however many recipients wait for it.
//
// # On disk
//
// One folder with append-only segment files. A record in a segment is one
// message: header, envelope (addressing, all recipients, metadata) and body. A
// body that outgrows a small buffer while it is received goes to a file of its
// own instead, so that several long messages can stream in at once at constant
// memory, and its space comes back as soon as the last recipient has it; the
// record then names that file. The record is the commit: a body file that no
// record names was never acknowledged. Bodies are checksummed in blocks
// (block.go), headers and envelopes as a whole (header.go).
//
// An existing file is never appended to after a restart and never changed in
// place; each start begins a new segment. The one file that is replaced is the
// checkpoint: the recipients' cursors and what the segments cannot tell.
//
// # Writing
//
// Begin, Write and Commit run in the sender's goroutine, including the flush of
// a body file. One committer goroutine appends the records of all who wait, in
// one flush (group commit), and gives them their positions; only then Commit
// returns and only then a reader can see them. After any failed flush nothing
// more is written until the next Open: a second flush may report success for
// data that is gone.
//
// # Queues
//
// A queue is a view: the positions a recipient still waits for, rebuilt by Open
// from headers and envelopes. A recipient is done with a position when it is
// acknowledged, purged, expired or found damaged; Maintain writes that down now
// and then. A crash before costs a duplicate, never a message. A file goes when
// nobody waits for anything in it, after the checkpoint that says so; a segment
// of which little is live is rewritten.
//
// # Damage
//
// Damage costs the record it is in. Open finds it in headers and envelopes,
// reading finds it in bodies; either says so, drops that record from all queues
// and goes on. Behind a damaged header the scanner looks for the segment's
// marker, which no sender can know (scan.go).
//
// # Locks
//
// Spool.tending (one Maintain at a time) is taken before Spool.mu (everything
// in memory). The active segment's file belongs to the committer.
package spool

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"furrow/appliance/disk"
)

// Options says where a spool is and how large it may be. Dir is required; every
// other zero value means the default.
type Options struct {
	Dir string
	// FS is the file system; default the real one.
	FS disk.FS
	// Now is the clock; default time.Now. A clock that goes backwards does not
	// take messages back in time: none is stored before the one before it.
	Now func() time.Time
	// Log hears of damage found while running; default nobody.
	Log *slog.Logger
	// SegmentBytes is where a segment is full; default 64 MiB.
	SegmentBytes int64
	// InlineBytes is the longest body without a file of its own; default
	// 256 KiB.
	InlineBytes int64
	// BufferBytes bounds the memory of all bodies being received that have no
	// file yet; default 32 MiB. Beyond it bodies get a file sooner. A body with
	// a file takes 80 KiB while it is received.
	BufferBytes int64
	// MaxBytes bounds the spool on disk; default no bound.
	MaxBytes int64
	// ReserveBytes is what must stay free on the disk, for the rest of the box
	// and for rewriting segments; default 256 MiB.
	ReserveBytes int64
}

func (o *Options) fill() {
	if o.FS == nil {
		o.FS = disk.OS{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.SegmentBytes = orDefault(o.SegmentBytes, 64<<20)
	o.InlineBytes = orDefault(o.InlineBytes, 256<<10)
	o.BufferBytes = orDefault(o.BufferBytes, 32<<20)
	o.ReserveBytes = orDefault(o.ReserveBytes, 256<<20)
}

func orDefault(n, otherwise int64) int64 {
	if n == 0 {
		return otherwise
	}
	return n
}

// Spool is an open spool. Its methods may be called at once from many
// goroutines. The caller makes sure that no other process has the folder.
type Spool struct {
	// Fixed by Open.
	options Options
	files   disk.FS
	buffers budget
	shelf   shelf     // for who reads
	blocks  sync.Pool // of *[]byte, each of blockSpan, for who reads

	commits chan *commit  // to the committer
	quit    chan struct{} // closed by Close
	stopped chan struct{} // closed by the committer
	failed  chan struct{} // closed by the first failed flush

	writers atomic.Int64 // neither committed nor aborted
	disk    atomic.Int64 // octets in segments and body files
	failure atomic.Pointer[error]

	// Owned by the committer.
	active disk.File     // of segment current
	out    *bufio.Writer // to active

	tending sync.Mutex // held by Maintain and Close

	mu       sync.RWMutex
	index    *index
	segments map[string]*segment // by name
	current  *segment            // being appended to; nil before the first commit
	next     Position            // of the next record
	stamp    int64               // time of the last record, milliseconds since 1970
	dirty    bool                // the last checkpoint is no longer true
	damaged  int
	holds    int // files stay while there are any
	closed   bool
}

// Open opens the spool in o.Dir, making it if needed. Damage does not stop it;
// the Report tells what was found. The caller calls Maintain now and then, and
// Close at the end.
func Open(o Options) (*Spool, Report, error) {
	o.fill()
	s := &Spool{
		options:  o,
		files:    o.FS,
		buffers:  budget{limit: o.BufferBytes},
		blocks:   sync.Pool{New: func() any { return new(make([]byte, blockSpan)) }},
		shelf:    shelf{files: o.FS},
		commits:  make(chan *commit, maxSubmitted),
		quit:     make(chan struct{}),
		stopped:  make(chan struct{}),
		failed:   make(chan struct{}),
		index:    newIndex(),
		segments: make(map[string]*segment),
	}
	if err := s.files.MakeDir(o.Dir); err != nil {
		return nil, Report{}, fmt.Errorf("prepare spool: %w", err)
	}
	report, err := s.recover()
	if err != nil {
		return nil, Report{}, fmt.Errorf("open spool %s: %w", o.Dir, err)
	}
	go s.runCommitter()
	return s, report, nil
}

// Close ends writing and saves the cursors. Messages being read stay readable;
// Writers that were not committed no longer can be, and should be aborted.
func (s *Spool) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	if !first {
		return nil
	}
	close(s.quit)
	<-s.stopped
	s.tending.Lock()
	defer s.tending.Unlock()
	err := s.shelf.close()
	if s.active != nil {
		err = errors.Join(err, s.active.Close())
	}
	if s.Err() == nil {
		err = errors.Join(err, s.sweep())
	}
	return err
}

// Err is nil while messages can be written, and wraps ErrFailed after a failed
// flush.
func (s *Spool) Err() error {
	if err := s.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Failed is closed by the first failed flush.
func (s *Spool) Failed() <-chan struct{} { return s.failed }

// fail stops all writing after a flush failed with err.
func (s *Spool) fail(what string, err error) error {
	err = fmt.Errorf("%w: %s: %w", ErrFailed, what, err)
	if s.failure.CompareAndSwap(nil, &err) {
		s.options.Log.Error("spool stops writing", "err", err)
		close(s.failed)
	}
	return err
}

func (s *Spool) sync(f disk.File, name string) error {
	if err := f.Sync(); err != nil {
		return s.fail("flush "+name, err)
	}
	return nil
}

func (s *Spool) syncDir() error {
	if err := s.files.SyncDir(s.options.Dir); err != nil {
		return s.fail("flush folder", err)
	}
	return nil
}

func (s *Spool) path(name string) string { return filepath.Join(s.options.Dir, name) }

// admit checks that n more octets fit on the disk and in the spool.
func (s *Spool) admit(n int64) error {
	if used := s.disk.Load(); s.options.MaxBytes > 0 && used+n > s.options.MaxBytes {
		return fmt.Errorf("%w: it holds %d of at most %d octets", ErrFull, used, s.options.MaxBytes)
	}
	free, err := s.files.Free(s.options.Dir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrWrite, err)
	}
	if free-n < s.options.ReserveBytes {
		return fmt.Errorf("%w: %d octets free, reserve %d", ErrFull, free, s.options.ReserveBytes)
	}
	return nil
}

// Stats is the state of a spool at one moment.
type Stats struct {
	Messages  int   // that somebody waits for
	Queues    int   // that are not empty
	Segments  int   // files
	DiskBytes int64 // in segments and body files, live or not
	Damaged   int   // records lost to damage, found by Open or since
}

// Stats returns the present state.
func (s *Spool) Stats() Stats {
	s.mu.RLock()
	defer s.mu.RUnlock()
	st := Stats{
		Messages:  len(s.index.records),
		Segments:  len(s.segments),
		DiskBytes: s.disk.Load(),
		Damaged:   s.damaged,
	}
	for _, q := range s.index.queues {
		if len(q.items) > 0 {
			st.Queues++
		}
	}
	return st
}

// lose drops a record found damaged from all queues and counts it. It reports
// whether anybody waited for it.
func (s *Spool) lose(d *Damage) bool {
	s.mu.Lock()
	r := s.index.records[d.Position]
	if r != nil {
		s.index.drop(r)
		s.damaged++
		s.dirty = true
	}
	s.mu.Unlock()
	if r == nil {
		return false
	}
	s.options.Log.Error("spooled message lost", "position", d.Position, "file", d.File, "reason", d.Reason)
	return true
}
