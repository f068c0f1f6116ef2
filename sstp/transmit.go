package sstp

import (
	"fmt"
	"io"
	"time"
)

// put encodes a command into what is to be written next.
func (c *Conn) put(cmd Command) error {
	out, err := appendCommand(&c.cursor, c.out, cmd, c.version)
	c.out = out
	return err
}

// send sends a command at once, however much waits already: for the few that are
// bounded by what they answer or end. It fails if the command cannot be encoded
// or the connection has ended.
func (c *Conn) send(cmd Command) error {
	if c.end != nil {
		return c.end
	}
	if err := c.put(cmd); err != nil {
		return err
	}
	c.kick()
	return nil
}

// sendClose sends a Close, which can always be encoded. If the connection has
// ended it is not missed.
func (c *Conn) sendClose(id uint32, reason Reason) {
	_ = c.send(&Close{SessionID: id, Reason: reason})
}

// backlogged reports whether more is waiting to be written than should be.
func (c *Conn) backlogged() bool { return len(c.out) >= maxBacklog }

// enlist gives a sequence its turn to send. What there is room for is encoded at
// once: a sender of short messages need not wait for the writer after each, which
// then finds many of them to write together.
func (c *Conn) enlist(o *Outgoing) {
	c.ring = append(c.ring, o)
	c.fill()
	c.kick()
}

// kick makes sure that somebody writes.
func (c *Conn) kick() {
	if !c.writing && !c.hungUp {
		c.writing = true
		go c.write()
	}
}

// write writes until nothing is left to be written.
func (c *Conn) write() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.fill(); len(c.out) > 0 && !c.hungUp; c.fill() {
		octets := c.out
		c.out, c.spare = c.spare[:0], nil
		c.lastOut = time.Now()
		c.changed.Broadcast() // there is room
		c.mu.Unlock()
		n, err := c.transport.Write(octets)
		if err == nil && n < len(octets) {
			err = io.ErrShortWrite
		}
		c.mu.Lock()
		if cap(octets) <= 2*writeSize {
			c.spare = octets
		}
		if err != nil {
			c.lose(fmt.Errorf("writing: %w", err))
		}
	}
	c.writing = false
	c.rest()
	c.changed.Broadcast()
}

// rest lets go of the memory for writing when nothing is under way: an idle
// connection is to be small.
func (c *Conn) rest() {
	if !c.writing && (c.sending == 0 && len(c.outbound) == 0 || c.end != nil) {
		c.out, c.spare = nil, nil
	}
}

// fill encodes what the message sequences have to send, one command of each in
// turn, and an acknowledgment that is due and has not found a Message to go with
// (note <15>).
func (c *Conn) fill() {
	for len(c.ring) > 0 && len(c.out) < writeSize {
		o := c.ring[0]
		c.ring[0] = nil
		c.ring = c.ring[1:]
		if more := o.emit(); more {
			c.ring = append(c.ring, o)
		}
	}
	if len(c.ring) == 0 {
		c.ring = nil
	}
	if c.immediately && c.end == nil {
		c.mustPut(&Noop{MessageCount: c.takeCount()})
	}
}

// mustPut encodes a command of which it is known that it can be encoded.
func (c *Conn) mustPut(cmd Command) {
	if err := c.put(cmd); err != nil {
		c.log.Error("sstp: command lost", "err", err)
	}
}
