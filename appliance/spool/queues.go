package spool

import (
	"iter"
	"time"
)

// Queue yields what a recipient waits for, in order, from the first position
// above after; 0 begins at the cursor. The queue may change meanwhile: what
// arrives is yielded too, what goes is not.
func (s *Spool) Queue(recipient string, after Position) iter.Seq[Item] {
	return func(yield func(Item) bool) {
		for {
			item, ok := s.following(recipient, after)
			if !ok || !yield(item) {
				return
			}
			after = item.Position
		}
	}
}

// following is the first item of a queue above after.
func (s *Spool) following(recipient string, after Position) (Item, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	q := s.index.queues[recipient]
	if q == nil {
		return Item{}, false
	}
	i, _ := q.find(after + 1)
	if i == len(q.items) {
		return Item{}, false
	}
	return q.items[i].item(), true
}

// Ack takes one message, in whatever order, out of a recipient's queue. It
// reports whether it was there. Maintain and Close make it durable; after a
// crash before that the message is in the queue again.
func (s *Spool) Ack(recipient string, p Position) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.index.queues[recipient]
	if q == nil {
		return false
	}
	i, found := q.find(p)
	if found {
		s.index.remove(q, i)
		s.dirty = true
	}
	return found
}

// Purge empties a recipient's queue and returns what was in it.
func (s *Spool) Purge(recipient string) Usage {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.index.queues[recipient]
	if q == nil {
		return Usage{}
	}
	u := q.usage()
	for len(q.items) > 0 {
		s.index.remove(q, 0)
		s.dirty = true
	}
	return u
}

// Expire takes out of each queue what is older than limit says for its
// recipient (0: no limit; MS-GRVSPMR 2.2.3.6 gives devices and identities
// different ones) and, out of every queue, what has outlived its own lifetime.
// A nil limit is no limit for anybody. It returns how many items it took.
func (s *Spool) Expire(limit func(recipient string) time.Duration) int {
	now := s.options.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	expired := 0
	for recipient, q := range s.index.queues {
		if limit == nil {
			break
		}
		age := limit(recipient)
		if age <= 0 {
			continue
		}
		// Stored times grow with positions, so the oldest come first.
		for oldest := now.Add(-age).UnixMilli(); len(q.items) > 0 && q.items[0].stored < oldest; expired++ {
			s.index.remove(q, 0)
		}
	}
	for r := range s.index.ephemeral {
		if r.expires() <= now.UnixMilli() {
			expired += s.index.drop(r)
		}
	}
	s.dirty = s.dirty || expired > 0
	return expired
}

// Usage is what waits for one recipient. Quota is the relay's to decide.
func (s *Spool) Usage(recipient string) Usage {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if q := s.index.queues[recipient]; q != nil {
		return q.usage()
	}
	return Usage{}
}

// Queues yields every queue that is not empty, as it is at the call, in no
// order.
func (s *Spool) Queues() iter.Seq2[string, Usage] {
	type entry struct {
		recipient string
		usage     Usage
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	entries := make([]entry, 0, len(s.index.queues))
	for recipient, q := range s.index.queues {
		if len(q.items) > 0 {
			entries = append(entries, entry{recipient, q.usage()})
		}
	}
	return func(yield func(string, Usage) bool) {
		for _, e := range entries {
			if !yield(e.recipient, e.usage) {
				return
			}
		}
	}
}
