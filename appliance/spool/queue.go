package spool

import (
	"cmp"
	"slices"
	"time"
)

// Item is one message in a queue.
type Item struct {
	Position Position
	Size     int64     // of the body, in octets
	Stored   time.Time // when it was committed, to the millisecond
	Expires  time.Time // when it is worthless; zero if never
	Flags    byte      // the sender's message flags
}

func (h *header) item() Item {
	i := Item{Position: h.position, Size: h.body, Stored: time.UnixMilli(h.stored), Flags: h.flags}
	if at := h.expires(); at != 0 {
		i.Expires = time.UnixMilli(at)
	}
	return i
}

// Usage is what waits in one queue.
type Usage struct {
	Messages int
	Bytes    int64     // of bodies
	Oldest   time.Time // when the first was stored; zero if none waits
	Newest   time.Time // when the last was stored; zero if none waits
}

// queue is what one recipient waits for.
type queue struct {
	recipient string
	items     []*record // ascending positions
	bytes     int64     // of their bodies
	// Every position up to cursor, and each in beyond, is done: acknowledged,
	// purged, expired or lost. beyond is ascending and above cursor.
	cursor Position
	beyond []Position
}

func (q *queue) done(p Position) bool {
	if p <= q.cursor {
		return true
	}
	_, found := slices.BinarySearch(q.beyond, p)
	return found
}

// push adds r, the newest record of all. A recipient named twice gets it once.
func (q *queue) push(r *record) {
	if n := len(q.items); n > 0 && q.items[n-1] == r {
		return
	}
	q.items = append(q.items, r)
	q.bytes += r.body
	r.waiting = append(r.waiting, q)
}

// find returns where p is, or would be.
func (q *queue) find(p Position) (int, bool) {
	return slices.BinarySearchFunc(q.items, p, func(r *record, p Position) int {
		return cmp.Compare(r.position, p)
	})
}

// remove takes out the item at index i and moves the cursor.
func (q *queue) remove(i int) *record {
	r := q.items[i]
	q.bytes -= r.body
	r.leave(q)
	if i == 0 {
		q.items[0] = nil
		q.items = q.items[1:]
	} else {
		q.items = slices.Delete(q.items, i, i+1)
	}
	at, _ := slices.BinarySearch(q.beyond, r.position)
	q.beyond = slices.Insert(q.beyond, at, r.position)
	q.settle()
	return r
}

// settle moves the cursor up to just below the first item, or to the last
// position that is done if there is none.
func (q *queue) settle() {
	if len(q.items) > 0 {
		q.cursor = max(q.cursor, q.items[0].position-1)
	} else if n := len(q.beyond); n > 0 {
		q.cursor = max(q.cursor, q.beyond[n-1])
	}
	above, found := slices.BinarySearch(q.beyond, q.cursor)
	if found {
		above++
	}
	if q.beyond = slices.Delete(q.beyond, 0, above); len(q.beyond) == 0 {
		q.beyond = nil
	}
}

func (q *queue) usage() Usage {
	u := Usage{Messages: len(q.items), Bytes: q.bytes}
	if u.Messages > 0 {
		u.Oldest = time.UnixMilli(q.items[0].stored)
		u.Newest = time.UnixMilli(q.items[u.Messages-1].stored)
	}
	return u
}
