package state

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"

	"furrow/appliance/disk"
)

// Options tune a store. The zero value is for production.
type Options struct {
	// Logger gets findings, compactions and failures. Default: discarded.
	Logger *slog.Logger
	// FS replaces the file system below the store. BuntDB's own writes go
	// beside it.
	FS disk.FS
	// CompactBytes and CompactFactor: a new generation is written when the
	// journal behind the checkpoint has more than CompactBytes and more than
	// CompactFactor times the checkpoint. Defaults 4 MiB and 4.
	CompactBytes  int64
	CompactFactor int64
}

const (
	// BuntDB keeps the journal in memory as long as the file lives, so these
	// bound memory as well as the time of a start.
	defaultCompactBytes  = 4 << 20
	defaultCompactFactor = 4
)

// Store holds a schema's tables. Its methods may be called from any goroutine.
type Store struct {
	dir    string
	fs     disk.FS
	log    *slog.Logger
	opts   Options
	schema *Schema
	lock   *os.File

	unknown   orphans              // never changes
	published atomic.Pointer[View] // newest durable state

	mu       sync.Mutex
	head     *root  // newest state, ahead of published while groups are in flight
	shared   *root  // last snapshot of head
	pending  *batch // transactions that no group has taken yet
	refusal  error  // why Update refuses, nil while it does not
	recovery *recovery

	// Owned by the committer once it runs.
	journal      *journal
	compactAbove int64 // no automatic compaction before the file is this long

	wake    chan struct{} // capacity 1: pending has something
	switchC chan handover // unbuffered
	quit    chan struct{} // closed by Close
	stopped chan struct{} // closed when the committer has returned
	failed  chan struct{} // closed on failure

	compaction sync.Mutex    // held during a compaction
	compactC   chan struct{} // capacity 1: the journal is long
	workers    sync.WaitGroup

	stats counters
}

// View calls fn with the newest durable state.
func (s *Store) View(fn func(v *View) error) error { return fn(s.Snapshot()) }

// Snapshot returns the newest durable state. It never waits.
func (s *Store) Snapshot() *View { return s.published.Load() }

// Update runs fn in a transaction and returns nil when its changes are
// durable. When fn returns an error, nothing changes and Update returns that
// error. Transactions run one after the other, so fn must be quick and must
// not call Update.
//
// fn sees transactions that are not durable yet. Whatever Update returns, it
// returns after these have become durable too, so a caller never acts on
// something that a power cut takes back.
//
// ctx is looked at before fn runs. After that Update waits for the disk,
// because an early return could not say whether the change happened.
func (s *Store) Update(ctx context.Context, fn func(tx *Tx) error) error {
	p, b, err := s.stack(ctx, fn)
	if b == nil {
		return err
	}
	<-b.done
	return p.err
}

// stack applies fn to the head and queues it. Without a batch there is nothing
// to wait for.
func (s *Store) stack(ctx context.Context, fn func(tx *Tx) error) (*pendingTx, *batch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	if s.refusal != nil {
		return nil, nil, s.refusal
	}
	p, err := s.attempt(fn)
	if p.value == nil && s.head.sequence == s.published.Load().root.sequence {
		return nil, nil, err
	}
	p.err = err
	if p.value == nil {
		p.sequence = s.head.sequence
	}
	b := s.pending
	b.txs = append(b.txs, p)
	if len(b.txs) == 1 {
		notify(s.wake)
	}
	return p, b, nil
}

// attempt runs fn. If it fails or panics the head is as before.
func (s *Store) attempt(fn func(tx *Tx) error) (*pendingTx, error) {
	tx := newTx(s.head)
	keep := false
	defer func() {
		if !keep {
			s.head.revert(tx.log)
		}
	}()
	if err := fn(tx); err != nil {
		return &pendingTx{}, err
	}
	if tx.err != nil || !tx.changed() {
		return &pendingTx{}, tx.err
	}
	keep = true
	s.head.sequence++
	return &pendingTx{value: tx.value, sequence: s.head.sequence, log: tx.log}, nil
}

// Failed is closed when a flush failed. The service must then stop with Err's
// message; a restart reads what the disk really has.
func (s *Store) Failed() <-chan struct{} { return s.failed }

// Err is why Update refuses: ErrFailed with its cause, ErrRecovery, ErrClosed,
// or nil.
func (s *Store) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refusal
}

// Close waits for queued transactions and a running compaction, and releases
// the folder. Further Updates get ErrClosed; snapshots stay readable.
//
// BuntDB's own ticker goroutine ends up to a second later.
func (s *Store) Close() error {
	s.mu.Lock()
	if errors.Is(s.refusal, ErrClosed) {
		s.mu.Unlock()
		return nil
	}
	s.refusal = fmt.Errorf("%s: %w", s.dir, ErrClosed)
	s.mu.Unlock()
	if err := errors.Join(s.stop(), s.lock.Close()); err != nil {
		return fmt.Errorf("close state store %s: %w", s.dir, err)
	}
	return nil
}

// stop ends the goroutines and closes the journal.
func (s *Store) stop() error {
	close(s.quit)
	s.workers.Wait()
	s.compaction.Lock() // a Compact in a caller's goroutine
	defer s.compaction.Unlock()
	if s.journal == nil {
		return nil
	}
	return s.journal.close()
}

// notify wakes the receiver of a channel with capacity 1.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
