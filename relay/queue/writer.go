package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"furrow/appliance/spool"
	"furrow/sstp"
)

// Recipient is one target of a message.
type Recipient struct {
	Address
	// Route is what forwarding to a relay needs to know; nil for the relay's own
	// users.
	Route []byte
}

// Header is what a message carries besides its body.
type Header struct {
	Resource string
	Flags    sstp.MessageFlags
	Lifetime time.Duration // whole seconds; 0 if the message is good for ever
	// Metadata is the sender's, opaque.
	Metadata []byte
	// Online says who is; it is asked only for messages that are for nobody
	// else (FlagDoNotDeliverIfOffline). It must not call the queues.
	Online func(Address) bool
}

// Writer takes one message. It is used by one goroutine.
type Writer struct {
	queues     *Queues
	recipients []Recipient
	verdicts   []Verdict
	online     func(Address) bool // nil if the message is for those offline too
	live       int                // recipients who are still Accepted
	out        *spool.Writer      // nil if there is none of them
	size       int64
	recheck    int64 // size at which the quotas are asked again
}

// recheckBytes is how much of a message comes in before its recipients' quotas
// are asked again, to refuse one that is far too long early.
const recheckBytes = 1 << 20

// Begin starts a message. Who may not have it is settled for now; Refused and
// Commit tell. An error means that the relay is in trouble, not that anybody was
// refused. The caller ends the Writer with Commit or Abort.
func (q *Queues) Begin(h Header, to []Recipient) (*Writer, error) {
	w := &Writer{
		queues:     q,
		recipients: to,
		verdicts:   make([]Verdict, len(to)),
		recheck:    recheckBytes,
	}
	if h.Flags&sstp.FlagDoNotDeliverIfOffline != 0 {
		w.online = h.Online
	}
	limits := q.options.Directory.Limits()
	e := spool.Envelope{Resource: h.Resource, Flags: byte(h.Flags), Lifetime: h.Lifetime, Metadata: h.Metadata}
	for i, r := range to {
		v, err := q.standing(r.Address)
		if err != nil {
			return nil, err
		}
		if v == Accepted && w.online != nil && !w.online(r.Address) {
			v = Offline
		}
		if v == Accepted && !q.hasRoom(r.Address, limits) {
			v = NoRoom
		}
		w.verdicts[i] = v
		if v == Accepted {
			w.live++
			e.Recipients = append(e.Recipients, spool.Recipient{Key: r.key(), Address: r.Route})
		}
	}
	if w.live == 0 {
		return w, nil
	}
	var err error
	w.out, err = q.spool.Begin(e)
	return w, w.diskFull(err)
}

func (q *Queues) hasRoom(a Address, limits Limits) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.room(a, 0, limits)
}

// diskFull makes a want of space on disk everybody's NoRoom: the box goes on,
// and the sender hears it as a quota.
func (w *Writer) diskFull(err error) error {
	if errors.Is(err, spool.ErrFull) || errors.Is(err, spool.ErrTooLarge) || errors.Is(err, spool.ErrBehind) {
		w.queues.options.Log.Warn("message refused", "err", err, "recipients", w.live)
		return w.refuseAll(NoRoom)
	}
	return err
}

// refuseAll gives the message up, and says so to all who were to have it.
func (w *Writer) refuseAll(v Verdict) error {
	for i := range w.verdicts {
		if w.verdicts[i] == Accepted {
			w.verdicts[i] = v
		}
	}
	w.live = 0
	return w.Abort()
}

// Verdicts returns what stands so far, one for each recipient. Only after Commit
// is it final.
func (w *Writer) Verdicts() []Verdict { return w.verdicts }

// Refused reports whether nobody is left who may have the message. Write then
// drops what it gets.
func (w *Writer) Refused() bool { return w.live == 0 }

// Write adds to the body. After an error the message can only be aborted.
func (w *Writer) Write(p []byte) (int, error) {
	w.size += int64(len(p))
	if w.out == nil {
		return len(p), nil
	}
	if w.size > w.queues.options.MaxMessageBytes {
		return len(p), w.refuseAll(TooLarge)
	}
	if w.size >= w.recheck {
		w.recheck = w.size + recheckBytes
		if !w.anyRoom() {
			return len(p), w.refuseAll(NoRoom)
		}
	}
	n, err := w.out.Write(p)
	if err == nil {
		return n, nil
	}
	if err := w.diskFull(err); err != nil {
		return n, fmt.Errorf("storing a message: %w", err)
	}
	return len(p), nil
}

// anyRoom reports whether somebody has room for what has come so far.
func (w *Writer) anyRoom() bool {
	q := w.queues
	limits := q.options.Directory.Limits()
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, r := range w.recipients {
		if w.verdicts[i] == Accepted && q.room(r.Address, w.size, limits) {
			return true
		}
	}
	return false
}

// Commit ends the message and returns when it is durable for all Accepted
// recipients. After an error it is not acknowledged to anybody.
func (w *Writer) Commit(ctx context.Context) ([]Verdict, error) {
	return w.Submit(ctx, nil).Wait(ctx)
}

// Pending is a message that is on its way to the disk.
type Pending struct {
	writer  *Writer
	refused map[int]bool   // recipients refused only at the end
	pending *spool.Pending // nil if nothing is on its way
	err     error
}

// Submit is the first part of Commit, up to where messages that are submitted
// later are stored later; Wait is the rest. Behind one that could not be stored
// none of the same order is: it has no room.
//
// Who is refused only now is in the record all the same. Their queues are
// withheld from delivery until the message is out of them again. A crash in
// between delivers it to them, which hurts nobody.
func (w *Writer) Submit(ctx context.Context, order *spool.Order) *Pending {
	p := &Pending{writer: w}
	if w.out == nil {
		return p
	}
	p.refused = w.claim()
	if w.live == 0 {
		w.settle(0, p.refused)
		p.err = w.Abort()
		return p
	}
	out := w.out
	w.out = nil
	if p.pending, p.err = out.Submit(ctx, order); p.err != nil {
		p.settled(0)
	}
	return p
}

// Unanimous reports whether all recipients are Accepted so far. What comes behind
// a message of which they are not is to wait for its end.
func (p *Pending) Unanimous() bool {
	return p.err == nil && p.writer.live == len(p.writer.recipients)
}

// Wait returns what Commit does. It is called once.
func (p *Pending) Wait(ctx context.Context) ([]Verdict, error) {
	w := p.writer
	if p.pending != nil {
		var position spool.Position
		position, p.err = p.pending.Wait(ctx)
		p.settled(position)
	}
	if p.err != nil {
		return nil, p.err
	}
	w.queues.counters.refused(w.verdicts)
	return w.verdicts, nil
}

// settled notes where the message is, or that it is nowhere because of err.
func (p *Pending) settled(position spool.Position) {
	w := p.writer
	w.settle(position, p.refused)
	switch err := w.diskFull(p.err); {
	case err != nil:
		p.err = fmt.Errorf("storing a message: %w", err)
	case p.err == nil:
		w.queues.counters.stored(w.live, w.size)
	default:
		p.err = nil
	}
}

// claim decides on every recipient and takes its part of their quotas. It
// returns the recipients that it refused.
func (w *Writer) claim() (refused map[int]bool) {
	q := w.queues
	limits := q.options.Directory.Limits()
	refused = make(map[int]bool)
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, r := range w.recipients {
		if w.verdicts[i] != Accepted {
			continue
		}
		key, t := r.key(), q.target(r.Target())
		if !q.room(r.Address, w.size, limits) {
			w.verdicts[i] = NoRoom
			w.live--
			refused[i] = true
			t.withheld[key]++
			continue
		}
		t.queues[key] = r.Address
		t.committing += charge(w.size, 1)
		t.transient = t.transient || w.online != nil
	}
	return refused
}

// settle undoes claim once the message is at p, or at 0 if it is nowhere, and
// wakes who waits for it.
func (w *Writer) settle(p spool.Position, refused map[int]bool) {
	q := w.queues
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, r := range w.recipients {
		key, t := r.key(), q.targets[r.Target()]
		switch {
		case refused[i]:
			q.spool.Ack(key, p)
			if t.withheld[key]--; t.withheld[key] == 0 {
				delete(t.withheld, key)
			}
		case w.verdicts[i] == Accepted:
			t.committing -= charge(w.size, 1)
			if w.online != nil && !w.online(r.Address) && q.spool.Ack(key, p) {
				// It went after Begin, and may have done so before the message
				// was there for DiscardTransient to find.
				w.verdicts[i] = Offline
			}
		default:
			continue
		}
		t.wake(r.Address)
	}
}

// Abort gives the message up. It does nothing after Commit, so it can be
// deferred.
func (w *Writer) Abort() error {
	out := w.out
	w.out = nil
	if out == nil {
		return nil
	}
	if err := out.Abort(); err != nil {
		return fmt.Errorf("giving up a message: %w", err)
	}
	return nil
}
