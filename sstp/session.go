package sstp

import (
	"slices"
	"time"
)

// Wire profile 1: the end that dialled counts its sessions, attach and register
// events included, up from 1, the end that accepted up from 0x80000000.
const (
	firstDialledID  uint32 = 1
	firstAcceptedID uint32 = 0x80000000
)

func firstID(dialled bool) uint32 {
	if dialled {
		return firstDialledID
	}
	return firstAcceptedID
}

// nextID returns the identifier for a new session of this end.
func (c *Conn) nextID() uint32 {
	for {
		c.lastID++
		if c.lastID == 0 || c.dialled && c.lastID == firstAcceptedID { // the end of the range
			c.lastID = firstID(c.dialled)
		}
		if !c.ours.has(c.lastID) && !c.ourEvents.has(c.lastID) {
			return c.lastID
		}
	}
}

// sessions are the sessions of one kind that one end has opened.
type sessions[S any] struct {
	live   map[uint32]S
	closed []tombstone // the oldest first
}

// tombstone is what is left of a closed session: the other end may have sent
// commands for it before it knew (wire profile 1).
type tombstone struct {
	id uint32
	at time.Time
}

func (t *sessions[S]) has(id uint32) bool {
	_, ok := t.live[id]
	return ok
}

func (t *sessions[S]) add(id uint32, s S) {
	if t.live == nil {
		t.live = make(map[uint32]S)
	}
	t.live[id] = s
}

// bury replaces a session, or what might have been one, by its tombstone.
func (t *sessions[S]) bury(id uint32) {
	delete(t.live, id)
	if len(t.live) == 0 {
		t.live = nil
	}
	t.expire()
	if len(t.closed) == maxTombstones {
		t.closed = t.closed[1:]
	}
	t.closed = append(t.closed, tombstone{id, time.Now()})
}

// buried reports whether a session has been closed a short time ago.
func (t *sessions[S]) buried(id uint32) bool {
	t.expire()
	return slices.ContainsFunc(t.closed, func(s tombstone) bool { return s.id == id })
}

// expire forgets tombstones that are too old.
func (t *sessions[S]) expire() {
	now, old := time.Now(), 0
	for old < len(t.closed) && now.Sub(t.closed[old].at) >= tombstoneTime {
		old++
	}
	if t.closed = t.closed[old:]; len(t.closed) == 0 {
		t.closed = nil
	}
}
