package state

import (
	"errors"
	"fmt"
	"runtime"
)

// pendingTx is a transaction that waits for the disk.
type pendingTx struct {
	value    []byte // nil: it changed nothing and waits for what it saw
	sequence uint64 // its own, or the last one it saw
	log      []undo
	err      error // what Update returns; set before the batch is done
}

// batch is the transactions that queued between two visits of the committer.
type batch struct {
	txs  []*pendingTx
	done chan struct{}
}

func newBatch() *batch { return &batch{done: make(chan struct{})} }

// maxGroup bounds how many transactions one fsync waits for.
const maxGroup = 4096

// commit is the committer: the only goroutine that writes the journal and
// publishes states.
func (s *Store) commit() {
	defer close(s.stopped)
	for {
		select {
		case <-s.wake:
			if s.commitGroup() {
				notify(s.wake) // look again, but let a handover in between
			}
		case h := <-s.switchC:
			h.result <- s.switchTo(h)
		case <-s.quit: // refusal is set, so nothing more is queued
			for s.commitGroup() {
			}
			return
		}
	}
}

// commitGroup appends what is queued, and what queues meanwhile, flushes once,
// publishes and answers. It reports whether there was anything.
func (s *Store) commitGroup() bool {
	var group []*batch
	var after *root
	written := 0
	for written < maxGroup {
		// Writers that the last group woke are about to queue: let them run
		// first, an fsync costs far more.
		runtime.Gosched()
		b, head := s.take()
		if b == nil {
			break
		}
		group, after = append(group, b), head
		n, refused, err := s.appendBatch(b)
		written += n
		if errors.Is(err, errBroken) {
			s.fail(err, group)
			return true
		}
		if err != nil {
			var later *batch
			after, later = s.retreat(b, refused, err)
			group = append(group, later)
			break
		}
	}
	if len(group) == 0 {
		return false
	}
	if written > 0 {
		if err := s.journal.sync(); err != nil {
			s.fail(fmt.Errorf("flush %s: %w", fileName(s.journal.generation), err), group)
			return true
		}
	}
	s.published.Store(&View{root: after})
	s.account(written)
	for _, b := range group {
		close(b.done)
	}
	return true
}

// take returns the queued batch and the state after it, or nil.
func (s *Store) take() (*batch, *root) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.pending
	if len(b.txs) == 0 {
		return nil, nil
	}
	s.pending = newBatch()
	return b, s.share()
}

// share returns the head's state as an immutable root.
func (s *Store) share() *root {
	s.shared = s.head.snapshot(s.shared)
	return s.shared
}

// appendBatch writes b's transactions up to the first one that the journal
// refuses, and returns how many it wrote and that one's sequence.
func (s *Store) appendBatch(b *batch) (written int, refused uint64, err error) {
	durable := s.published.Load().root.sequence
	for _, p := range b.txs {
		if p.value == nil {
			continue
		}
		if err := s.journal.append(p.value, p.sequence, durable); err != nil {
			return written, p.sequence, err
		}
		written++
	}
	return written, 0, nil
}

// retreat takes back the transaction that the journal refused and all that
// stand on it. Those before it are written, and the coming flush decides about
// them. It returns the state that is left and the batch that had queued
// meanwhile.
func (s *Store) retreat(b *batch, refused uint64, cause error) (*root, *batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.Error("state change refused", "dir", s.dir, "sequence", refused, "error", cause)
	later := s.pending
	s.pending = newBatch()
	for _, b := range []*batch{later, b} {
		for i := len(b.txs) - 1; i >= 0 && b.txs[i].sequence >= refused; i-- {
			s.head.revert(b.txs[i].log)
			b.txs[i].err = cause
		}
	}
	s.head.sequence = refused - 1
	return s.share(), later
}

// fail ends the store: nobody can say what the disk holds of the group, and a
// retried flush may report success for data that is gone. Readers keep the
// last durable state.
func (s *Store) fail(cause error, group []*batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.Error("state store failed; the service must stop", "dir", s.dir, "error", cause)
	refusal := fmt.Errorf("%s: %w: %w", s.dir, ErrFailed, cause)
	if !errors.Is(s.refusal, ErrFailed) {
		close(s.failed)
	}
	s.refusal = refusal
	group = append(group, s.pending)
	s.pending = newBatch()
	for _, b := range group {
		for _, p := range b.txs {
			p.err = refusal
		}
		close(b.done)
	}
}
