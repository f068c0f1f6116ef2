package queue

import (
	"cmp"
	"slices"

	"furrow/appliance/spool"
	"furrow/sstp"
)

// Watch has a function called when something may have come for its targets.
type Watch struct {
	wake    func(Address)
	queues  *Queues
	targets map[string]struct{} // guarded by Queues.mu
}

// Watch returns a watch of no targets yet. wake is told the queue. It must not
// block and must not call the queues: it is called while they are locked. The
// caller calls Stop at the end.
func (q *Queues) Watch(wake func(Address)) *Watch {
	return &Watch{wake: wake, queues: q, targets: make(map[string]struct{})}
}

// Add begins to watch a target. What waits already is not told.
func (w *Watch) Add(targetURL string) {
	w.queues.mu.Lock()
	defer w.queues.mu.Unlock()
	w.targets[targetURL] = struct{}{}
	w.queues.target(targetURL).watches[w] = struct{}{}
}

// Remove ends to watch a target.
func (w *Watch) Remove(targetURL string) {
	w.queues.mu.Lock()
	defer w.queues.mu.Unlock()
	w.remove(targetURL)
}

func (w *Watch) remove(targetURL string) {
	if _, watched := w.targets[targetURL]; watched {
		delete(w.targets, targetURL)
		delete(w.queues.targets[targetURL].watches, w)
	}
}

// Stop ends the watch.
func (w *Watch) Stop() {
	w.queues.mu.Lock()
	defer w.queues.mu.Unlock()
	for targetURL := range w.targets {
		w.remove(targetURL)
	}
}

// wake tells all watches. The caller holds Queues.mu.
func (t *target) wake(a Address) {
	for w := range t.watches {
		w.wake(a)
	}
}

// Waiting lists the queues of a target in which something waits, the one that
// has waited longest first.
func (q *Queues) Waiting(targetURL string) []Address {
	type waiting struct {
		Address
		first spool.Position
	}
	var list []waiting
	q.mu.Lock()
	if t := q.targets[targetURL]; t != nil {
		for key, a := range t.queues {
			if t.withheld[key] > 0 {
				continue
			}
			for item := range q.spool.Queue(key, 0) {
				list = append(list, waiting{a, item.Position})
				break
			}
		}
	}
	q.mu.Unlock()
	slices.SortFunc(list, func(a, b waiting) int { return cmp.Compare(a.first, b.first) })
	addresses := make([]Address, len(list))
	for i, w := range list {
		addresses[i] = w.Address
	}
	return addresses
}

// Next returns the first message of a queue above after; 0 begins with the
// oldest. Messages whose lifetime has ended are passed over and gone.
func (q *Queues) Next(a Address, after spool.Position) (spool.Item, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	key := a.key()
	t := q.targets[a.Target()]
	if t == nil || t.withheld[key] > 0 {
		return spool.Item{}, false
	}
	for item := range q.spool.Queue(key, after) {
		if !q.over(item) {
			return item, true
		}
		if q.spool.Ack(key, item.Position) {
			q.counters.expired.Add(1)
		}
	}
	return spool.Item{}, false
}

func (q *Queues) over(item spool.Item) bool {
	return !item.Expires.IsZero() && q.options.ClockTrusted() && !q.options.Now().Before(item.Expires)
}

// Message opens a message for delivery; see spool.Message.
func (q *Queues) Message(p spool.Position) (*spool.Message, error) { return q.spool.Message(p) }

// Route returns what Recipient.Route said for a, of an open message.
func Route(m *spool.Message, a Address) []byte {
	key := a.key()
	for _, r := range m.Envelope.Recipients {
		if r.Key == key {
			return r.Address
		}
	}
	return nil
}

// Ack takes a message out of a queue once its recipient has it. It reports
// whether it was there.
func (q *Queues) Ack(a Address, p spool.Position) bool {
	taken := q.spool.Ack(a.key(), p)
	if taken {
		q.counters.delivered.Add(1)
	}
	return taken
}

// DiscardTransient drops what was for a target only while it was online. It is
// called when the target has gone.
func (q *Queues) DiscardTransient(targetURL string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := q.targets[targetURL]
	if t == nil || !t.transient {
		return
	}
	t.transient = false
	for key := range t.queues {
		for item := range q.spool.Queue(key, 0) {
			if sstp.MessageFlags(item.Flags)&sstp.FlagDoNotDeliverIfOffline != 0 && q.spool.Ack(key, item.Position) {
				q.counters.discarded.Add(1)
			}
		}
	}
}
