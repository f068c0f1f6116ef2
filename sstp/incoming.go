package sstp

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
)

// receiving is what a connection holds of the sequences that arrive.
type receiving struct {
	arriving int    // sequences begun and not ended
	buffered int    // octets that wait to be read
	recycled []byte // memory for the next buffer, while sequences are arriving
}

// Incoming is a message sequence that is being received. It is read by one
// goroutine.
type Incoming struct {
	// Header is the Message that began the sequence.
	Header Message

	session *InboundSession

	// What follows is guarded by session.c.mu.
	arrived  sync.Cond // there is something to read, or never will be
	buf      []byte
	read     int   // of buf
	filled   bool  // some Data has arrived: 'buffering'
	whole    bool  // EndMessage has arrived
	complete bool  // processed, or not to be
	err      error // why the rest will not arrive
}

var errCompleted = errors.New("sstp: message sequence already completed")

// Session returns the session of the sequence.
func (m *Incoming) Session() *InboundSession { return m.session }

// Read reads data as it arrives. The error is io.EOF when EndMessage has arrived,
// a [*SessionError] or a [*ConnError] if it will not: the sequence has to be
// forgotten then, and may come again.
func (m *Incoming) Read(p []byte) (int, error) {
	c := m.session.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := m.await(); err != nil {
		return 0, err
	}
	n := copy(p, m.buf[m.read:])
	m.read += n
	if m.read == len(m.buf) {
		c.recycle(m.buf)
		m.buf, m.read = nil, 0
	}
	c.release(n)
	return n, nil
}

// WriteTo writes all data to w as it arrives, without copying. Errors are those
// of Read and of w.
func (m *Incoming) WriteTo(w io.Writer) (int64, error) {
	c := m.session.c
	c.mu.Lock()
	defer c.mu.Unlock()
	for total := int64(0); ; {
		if err := m.await(); err == io.EOF {
			return total, nil
		} else if err != nil {
			return total, err
		}
		buf, data := m.buf, m.buf[m.read:]
		m.buf, m.read = nil, 0
		c.mu.Unlock()
		n, err := w.Write(data)
		c.mu.Lock()
		total += int64(n)
		c.recycle(buf)
		c.release(len(data))
		if err != nil {
			return total, err
		}
	}
}

// await waits until there is data.
func (m *Incoming) await() error {
	for {
		switch {
		case m.complete:
			return errCompleted
		case m.err != nil:
			return m.err
		case m.read < len(m.buf):
			return nil
		case m.whole:
			return io.EOF
		}
		m.arrived.Wait()
	}
}

// Complete says that the sequence has been processed, or will not be: in any case
// it is not expected again, and is acknowledged in its turn ([MS-GRVSSTP]
// 3.1.4.7). What has not been read is dropped. After an error of Read it does
// nothing.
func (m *Incoming) Complete() {
	c := m.session.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.complete {
		return
	}
	m.complete = true
	m.drop()
	if m.whole {
		c.countProcessed()
	}
}

// stop says that the rest of the sequence will not arrive, or is not wanted.
func (m *Incoming) stop(why error) {
	m.err = why
	m.drop()
}

// drop forgets what has arrived.
func (m *Incoming) drop() {
	n := len(m.buf) - m.read
	m.buf, m.read = nil, 0
	m.session.c.release(n)
	m.arrived.Broadcast()
}

// release makes room for n octets more.
func (c *Conn) release(n int) {
	if n > 0 && c.buffered >= receiveBuffer {
		c.changed.Broadcast()
	}
	c.buffered -= n
}

// recycle keeps the memory of one buffer for the next.
func (c *Conn) recycle(buf []byte) {
	if c.arriving > 0 && cap(buf) > cap(c.recycled) {
		c.recycled = buf[:0]
	}
}

// arrive makes m the sequence that is arriving, or none if it is nil.
func (s *InboundSession) arrive(m *Incoming) {
	if s.current != nil {
		s.c.arriving--
	}
	if s.current = m; m != nil {
		s.c.arriving++
	}
	if s.c.arriving == 0 {
		s.c.recycled = nil
	}
}

// receiveMessage begins a sequence ([MS-GRVSSTP] 3.1.5.10).
func (c *Conn) receiveMessage(m *Message) *ConnError {
	if err := c.acknowledged(m, m.MessageCount); err != nil {
		return err
	}
	c.mu.Lock()
	s, ok := c.theirs.live[m.SessionID]
	if !ok {
		defer c.mu.Unlock()
		return c.stray(m, m.SessionID)
	}
	if s.current != nil {
		c.mu.Unlock()
		return outOfOrder(m)
	}
	in := &Incoming{Header: *m, session: s}
	in.Header.Fragmentation = slices.Clone(m.Fragmentation)
	in.arrived.L = &c.mu
	s.arrive(in)
	c.mu.Unlock()
	c.call(func() { s.receiver.Message(in) })
	return nil
}

// receiveData goes on with a sequence ([MS-GRVSSTP] 3.1.5.11). Too much that is
// not read keeps the connection from being read.
func (c *Conn) receiveData(m *Data) *ConnError {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.wait(context.Background(), func() bool { return c.buffered < receiveBuffer }); err != nil {
		return nil // the connection has ended
	}
	s, ok := c.theirs.live[m.SessionID]
	if !ok {
		return c.stray(m, m.SessionID)
	}
	in := s.current
	if in == nil {
		return outOfOrder(m)
	}
	in.filled = true
	if in.complete {
		return nil
	}
	if in.buf == nil {
		in.buf, c.recycled = c.recycled, nil
	}
	in.buf = append(in.buf, m.Payload...)
	c.buffered += len(m.Payload)
	in.arrived.Signal()
	return nil
}

// receiveEndMessage ends a sequence. One without Data is a protocol error (wire
// profile 1). Too many that are not processed keep the connection from being
// read.
//
// A sequence that ends after this end has closed its session is acknowledged
// although nobody has seen it: the peer, which did not know, has entered it in its
// list ([MS-GRVSSTP] 3.1.4.6), and an acknowledgment that did not count it would
// be taken for another sequence.
func (c *Conn) receiveEndMessage(m *EndMessage) *ConnError {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.wait(context.Background(), func() bool { return len(c.inbound) < maxInbound }); err != nil {
		return nil // the connection has ended
	}
	s, ok := c.theirs.live[m.SessionID]
	if !ok {
		err := c.stray(m, m.SessionID)
		if err == nil {
			c.enterInbound(&Incoming{Header: Message{SessionID: m.SessionID}, complete: true})
		}
		return err
	}
	in := s.current
	if in == nil || !in.filled {
		return outOfOrder(m)
	}
	s.arrive(nil)
	in.whole = true
	in.arrived.Signal()
	c.enterInbound(in)
	return nil
}

// stray is the reaction to a part of a sequence for a session that is not there.
// If it has been closed a short time ago the peer may not have known (wire
// profile 1).
func (c *Conn) stray(cmd Command, id uint32) *ConnError {
	if c.theirs.buried(id) {
		return nil
	}
	return unknownSession(cmd, id) // [MS-GRVSSTP] 3.1.5.10, 3.1.5.11
}
