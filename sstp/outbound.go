package sstp

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// sessionState is the SessionState of [MS-GRVSSTP] 3.1.1.3.
type sessionState uint8

const (
	sessionOpening   sessionState = iota // no OpenResponse yet
	sessionSuspended                     // OkStopSending
	sessionReady
	sessionClosed
)

// OutboundSession is a session that this end has opened. It is safe for
// concurrent use.
type OutboundSession struct {
	c          *Conn
	id         uint32
	entries    int // addresses of a fanout session; 0 for a plain one
	originator Originator

	// What follows is guarded by c.mu.
	state    sessionState
	deadline time.Time // for the OpenResponse
	err      error     // why the session has ended
	current  *Outgoing // the sequence begun and not ended
}

// Open opens a session to one address; cmd.SessionID is set here. It waits only
// for its turn to send, not for the OpenResponse: that reaches the Originator,
// and Send waits for it.
func (c *Conn) Open(ctx context.Context, cmd Open, o Originator) (*OutboundSession, error) {
	if !c.cfg.LooseNaming { // [MS-GRVSSTP] 3.1.4.3.2
		if err := cmd.CheckNames(); err != nil {
			return nil, err
		}
	}
	s := &OutboundSession{c: c, originator: o}
	return s, c.open(ctx, s, func() Command {
		cmd.SessionID = s.id
		return &cmd
	})
}

// FanoutOpen opens a session to many addresses, of a relay; otherwise it is like
// Open.
func (c *Conn) FanoutOpen(ctx context.Context, cmd FanoutOpen, o Originator) (*OutboundSession, error) {
	if !c.cfg.LooseNaming { // [MS-GRVSSTP] 3.1.4.3.3
		if err := cmd.CheckNames(); err != nil {
			return nil, err
		}
	}
	s := &OutboundSession{c: c, originator: o, entries: len(cmd.Entries)}
	return s, c.open(ctx, s, func() Command {
		cmd.SessionID = s.id
		return &cmd
	})
}

func (c *Conn) open(ctx context.Context, s *OutboundSession, command func() Command) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.wait(ctx, func() bool { return c.served && c.opening < maxOpening && !c.backlogged() })
	if err != nil {
		return err
	}
	s.id = c.nextID()
	if err := c.send(command()); err != nil {
		return err
	}
	c.ours.add(s.id, s)
	c.opening++
	if limit := c.cfg.Timers.SessionEstablishment; limit > 0 {
		s.deadline = time.Now().Add(limit)
		c.arm(s.deadline)
	}
	return nil
}

// ID returns the SessionId.
func (s *OutboundSession) ID() uint32 { return s.id }

// Conn returns the connection of the session.
func (s *OutboundSession) Conn() *Conn { return s.c }

// Close ends the session. A sequence that has not been ended is lost; those that
// have been are still acknowledged. The Originator is not told.
func (s *OutboundSession) Close(reason Reason) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.state != sessionClosed {
		s.end(&SessionError{SessionID: s.id, Reason: reason})
		s.c.sendClose(s.id, reason)
	}
}

// end drops the session.
func (s *OutboundSession) end(why error) {
	s.stop(why)
	s.c.ours.bury(s.id)
}

// endByPeer drops the session, which the peer has closed or refused, and returns
// how to tell the layer above. The peer counts the session's sequences when it
// acknowledges, but may not have kept them: their fate is not known.
func (s *OutboundSession) endByPeer(why error) (tell func()) {
	s.end(why)
	var unknown []sent
	for i := range s.c.outbound {
		if entry := &s.c.outbound[i]; entry.session == s {
			unknown = append(unknown, *entry)
			entry.done = nil
		}
	}
	return func() {
		for _, sent := range unknown {
			sent.report(why)
		}
		s.originator.Closed(why)
	}
}

// stop makes the session useless.
func (s *OutboundSession) stop(why error) {
	if s.state == sessionOpening {
		s.c.opening--
	}
	s.state, s.err = sessionClosed, why
	if s.current != nil {
		s.current.stop()
	}
	s.c.changed.Broadcast()
}

// receiveOpenResponse takes the answer to Open or FanoutOpen ([MS-GRVSSTP]
// 3.1.5.5), or the change of an earlier one: a parked session resumes with Ok
// (wire profile 1).
func (c *Conn) receiveOpenResponse(m *OpenResponse) *ConnError {
	c.mu.Lock()
	s, ok := c.ours.live[m.SessionID]
	if !ok {
		buried := c.ours.buried(m.SessionID)
		c.mu.Unlock()
		if buried {
			return nil
		}
		return unknownSession(m, m.SessionID)
	}
	if m.Response == OpenOk || m.Response == OpenOkStopSending {
		was, is := s.state, sessionReady
		if m.Response == OpenOkStopSending {
			is = sessionSuspended
		}
		if was == sessionOpening {
			c.opening--
		}
		s.state = is
		c.changed.Broadcast()
		c.mu.Unlock()
		if is != was {
			c.call(func() { s.originator.Ready(is == sessionReady) })
		}
		return nil
	}
	tell := s.endByPeer(&OpenRefusedError{m.Response})
	c.mu.Unlock()
	c.call(tell)
	return nil
}

// receiveSessionStatus takes the loss of targets of a fanout session, of which
// only its originator can be told ([MS-GRVSSTP] 2.2.8.1).
func (c *Conn) receiveSessionStatus(m *SessionStatus) *ConnError {
	c.mu.Lock()
	s, ok := c.ours.live[m.SessionID]
	c.mu.Unlock()
	if !ok {
		return nil // closed, as far as this end is concerned
	}
	if s.entries == 0 {
		return outOfOrder(m)
	}
	if i := slices.IndexFunc(m.Indexes, func(i uint16) bool { return int(i) >= s.entries }); i >= 0 {
		return &ConnError{
			Reason: ReasonProtocolError,
			Err:    fmt.Errorf("SessionStatus for entry %d of a fanout session of %d", m.Indexes[i], s.entries),
		}
	}
	c.call(func() { s.originator.Status(m) })
	return nil
}
