package queue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync/atomic"

	"furrow/appliance/spool"
)

// counters count since the start.
type counters struct {
	messages, bytes, recipients           atomic.Uint64
	unknown, lockedOut, noRoom, tooLarge  atomic.Uint64
	delivered, expired, purged, discarded atomic.Uint64
}

func (c *counters) stored(recipients int, size int64) {
	c.messages.Add(1)
	c.bytes.Add(uint64(size))
	c.recipients.Add(uint64(recipients))
}

func (c *counters) refused(verdicts []Verdict) {
	for _, v := range verdicts {
		switch v {
		case Accepted:
		case Unknown:
			c.unknown.Add(1)
		case LockedOut:
			c.lockedOut.Add(1)
		case NoRoom:
			c.noRoom.Add(1)
		case TooLarge:
			c.tooLarge.Add(1)
		case Offline:
			c.discarded.Add(1)
		}
	}
}

// Stats are counts since the start, for metrics and pages. All but the first
// two count a message once for each recipient.
type Stats struct {
	Messages   uint64 // stored
	Bytes      uint64 // in their bodies
	Recipients uint64 // to whom they went

	Unknown, LockedOut, NoRoom, TooLarge uint64 // refused
	Delivered                            uint64 // acknowledged by the recipient
	Expired                              uint64 // for their age
	Purged                               uint64 // by the management server or an administrator
	Discarded                            uint64 // only wanted online
}

// Stats returns the present counts.
func (q *Queues) Stats() Stats {
	c := &q.counters
	return Stats{
		Messages: c.messages.Load(), Bytes: c.bytes.Load(), Recipients: c.recipients.Load(),
		Unknown: c.unknown.Load(), LockedOut: c.lockedOut.Load(), NoRoom: c.noRoom.Load(), TooLarge: c.tooLarge.Load(),
		Delivered: c.delivered.Load(), Expired: c.expired.Load(), Purged: c.purged.Load(), Discarded: c.discarded.Load(),
	}
}

// All yields every queue in which something waits, in no order.
func (q *Queues) All() iter.Seq2[Address, spool.Usage] {
	return func(yield func(Address, spool.Usage) bool) {
		for key, u := range q.spool.Queues() {
			// New and Begin let no other keys in.
			if a, err := parseKey(key); err == nil && !yield(a, u) {
				return
			}
		}
	}
}

// Report is what a Check has found.
type Report struct {
	Messages int   // read whole
	Bytes    int64 // in their bodies
	Damaged  int   // lost, and taken out of their queues
}

// Check reads every message that waits, and so finds what the disk has lost. It
// takes as long as reading all of it takes.
func (q *Queues) Check(ctx context.Context) (Report, error) {
	var r Report
	seen := make(map[spool.Position]bool)
	for key := range q.spool.Queues() {
		for item := range q.spool.Queue(key, 0) {
			if err := ctx.Err(); err != nil {
				return r, fmt.Errorf("checking the queues: %w", context.Cause(ctx))
			}
			if seen[item.Position] {
				continue
			}
			seen[item.Position] = true
			switch n, err := q.read(item.Position); {
			case err == nil:
				r.Messages++
				r.Bytes += n
			case errors.Is(err, spool.ErrDamaged):
				r.Damaged++
			case errors.Is(err, spool.ErrGone): // delivered meanwhile
			default:
				return r, fmt.Errorf("checking the queues: %w", err)
			}
		}
	}
	return r, nil
}

func (q *Queues) read(p spool.Position) (n int64, err error) {
	m, err := q.spool.Message(p)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	return io.Copy(io.Discard, m)
}
