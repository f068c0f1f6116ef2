package spool

import "strings"

// index is what is known in memory about the records on disk. The spool's mutex
// guards it.
type index struct {
	records   map[Position]*record
	queues    map[string]*queue
	ephemeral map[*record]struct{} // the live ones with a lifetime
	// doomed are body files that nobody waits for. They are removed once the
	// cursors that say so are on disk.
	doomed []bodyFile
}

// bodyFile is a body that has a file of its own.
type bodyFile struct {
	id   uint64
	span int64 // octets on disk
}

func newIndex() *index {
	return &index{
		records:   make(map[Position]*record),
		queues:    make(map[string]*queue),
		ephemeral: make(map[*record]struct{}),
	}
}

// queue finds or makes a recipient's queue.
func (x *index) queue(recipient string) *queue {
	q := x.queues[recipient]
	if q == nil {
		recipient = strings.Clone(recipient) // it may be a part of an envelope
		q = &queue{recipient: recipient}
		x.queues[recipient] = q
	}
	return q
}

// add puts a record, the newest of all, in its segment and in those of the
// queues that are not done with it. It reports whether anybody waits for it.
func (x *index) add(r *record, queues []*queue) bool {
	for _, q := range queues {
		if !q.done(r.position) {
			q.push(r)
		}
	}
	if len(r.waiting) == 0 {
		return false
	}
	x.records[r.position] = r
	r.segment.records = append(r.segment.records, r)
	r.segment.live += r.extent()
	if r.lifetime != 0 {
		x.ephemeral[r] = struct{}{}
	}
	return true
}

// remove takes one item out of a queue, and forgets its record if that was the
// last queue.
func (x *index) remove(q *queue, i int) *record {
	r := q.remove(i)
	if len(r.waiting) == 0 {
		delete(x.records, r.position)
		delete(x.ephemeral, r)
		r.segment.live -= r.extent()
		if r.ownFile {
			x.doomed = append(x.doomed, bodyFile{id: r.bodyID, span: bodySpan(r.body)})
		}
	}
	return r
}

// drop takes a record out of every queue and returns how many there were.
func (x *index) drop(r *record) int {
	n := len(r.waiting)
	for len(r.waiting) > 0 {
		q := r.waiting[0]
		i, _ := q.find(r.position)
		x.remove(q, i)
	}
	return n
}

// forget drops the queues that are empty and whose cursors no record on disk
// can need: none has a position below lowest.
func (x *index) forget(lowest Position) {
	for key, q := range x.queues {
		if len(q.items) == 0 && q.cursor < lowest {
			delete(x.queues, key)
		}
	}
}
