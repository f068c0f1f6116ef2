package sstp

import (
	"context"
	"fmt"
	"slices"
)

// InboundSession is a session that the peer has opened. It is safe for concurrent
// use.
type InboundSession struct {
	c        *Conn
	id       uint32
	receiver Receiver

	// What follows is guarded by c.mu.
	answered  bool // the OpenResponse is sent
	suspended bool
	err       error     // why the session has ended
	current   *Incoming // the sequence that is arriving; nil: 'waiting'
}

// ID returns the SessionId.
func (s *InboundSession) ID() uint32 { return s.id }

// Conn returns the connection of the session.
func (s *InboundSession) Conn() *Conn { return s.c }

// Suspend asks the originator not to begin message sequences, and Resume lets it
// go on (wire profile 1).
func (s *InboundSession) Suspend() error { return s.respond(OpenOkStopSending) }

// Resume ends what Suspend, or an answer of OpenOkStopSending, began.
func (s *InboundSession) Resume() error { return s.respond(OpenOk) }

func (s *InboundSession) respond(response OpenResponseID) error {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	suspend := response == OpenOkStopSending
	switch {
	case s.err != nil:
		return s.err
	case s.suspended == suspend:
		return nil
	}
	s.suspended = suspend
	return s.c.send(&OpenResponse{SessionID: s.id, Response: response})
}

// Status tells the originator of a fanout session that targets have dropped out;
// cmd.SessionID is set here. Indexes are only for connections of version 1.6. It
// waits for its turn to send, which does not come before the session's OpenResponse.
func (s *InboundSession) Status(ctx context.Context, cmd SessionStatus) error {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if err := s.c.wait(ctx, func() bool { return s.err != nil || s.answered && !s.c.backlogged() }); err != nil {
		return err
	}
	if s.err != nil {
		return s.err
	}
	cmd.SessionID = s.id
	return s.c.send(&cmd)
}

// Close ends the session. A sequence that has not arrived completely is lost, the
// others are still to be completed. The Receiver is not told.
func (s *InboundSession) Close(reason Reason) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.err == nil {
		s.end(&SessionError{SessionID: s.id, Reason: reason})
		s.c.sendClose(s.id, reason)
	}
}

// end drops the session.
func (s *InboundSession) end(why error) {
	s.stop(why)
	s.c.theirs.bury(s.id)
}

// stop makes the session useless.
func (s *InboundSession) stop(why error) {
	s.err = why
	if s.current != nil {
		s.current.stop(why)
		s.arrive(nil)
	}
	s.c.changed.Broadcast()
}

// receiveOpen opens a session to one address ([MS-GRVSSTP] 3.1.5.5).
func (c *Conn) receiveOpen(m *Open) *ConnError {
	return c.opened(m, m.SessionID, func(s *InboundSession) (Receiver, OpenResponseID) {
		if !c.cfg.LooseNaming {
			if err := m.CheckNames(); err != nil {
				return nil, c.badName(m, err)
			}
		}
		return c.handler.Open(s, m)
	})
}

// receiveFanoutOpen opens a session to many addresses ([MS-GRVSSTP] 3.3.5.6). One
// to none is answered Ok and leaves a tombstone (wire profile 1).
func (c *Conn) receiveFanoutOpen(m *FanoutOpen) *ConnError {
	return c.opened(m, m.SessionID, func(s *InboundSession) (Receiver, OpenResponseID) {
		if response := c.checkFanout(m); response != OpenOk || len(m.Entries) == 0 {
			return nil, response
		}
		return c.handler.FanoutOpen(s, m)
	})
}

// checkFanout makes the checks of [MS-GRVSSTP] 3.3.5.6, in its order.
func (c *Conn) checkFanout(m *FanoutOpen) OpenResponseID {
	here := func(e FanoutDeviceEntry) bool { return e.RelayURL == "" || c.cfg.isLocal(e.RelayURL) }
	elsewhere := func(e FanoutDeviceEntry) bool { return !here(e) }
	switch {
	case len(m.Entries) == 0:
		return OpenOk
	case !c.cfg.Multidrop && slices.ContainsFunc(m.Entries, here):
		return OpenNoFanoutEntries
	case !c.cfg.SingleHop && slices.ContainsFunc(m.Entries, elsewhere):
		return OpenFanoutNotSupported
	case IsWANDPP(m.ResourceURL):
		return OpenNoResource
	case c.cfg.LooseNaming:
		return OpenOk
	}
	if err := m.CheckNames(); err != nil {
		return c.badName(m, err)
	}
	return OpenOk
}

func (c *Conn) badName(cmd Command, err error) OpenResponseID {
	c.log.Info("sstp: session refused", "command", cmd.ID().String(), "err", err)
	return OpenUnknown
}

// opened opens a session of the peer as decide says, and always answers.
func (c *Conn) opened(cmd Command, id uint32, decide func(*InboundSession) (Receiver, OpenResponseID)) *ConnError {
	s := &InboundSession{c: c, id: id}
	c.mu.Lock()
	used := c.theirs.has(id) || c.theirEvents.has(id)
	full := len(c.theirs.live)+len(c.theirEvents.live) >= maxSessions
	c.mu.Unlock()
	switch {
	case used:
		return usedSession(cmd, id)
	case full:
		c.log.Info("sstp: session refused", "err", fmt.Errorf("more than %d", maxSessions))
		decide = func(*InboundSession) (Receiver, OpenResponseID) { return nil, OpenUnknown }
	}
	response := OpenUnknown
	c.call(func() { s.receiver, response = decide(s) })
	return c.answerOpen(s, response)
}

// answerOpen sends the OpenResponse, once the peer reads what it is sent.
func (c *Conn) answerOpen(s *InboundSession, response OpenResponseID) *ConnError {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.wait(context.Background(), func() bool { return !c.backlogged() }); err != nil {
		return nil // the connection has ended
	}
	switch accepted := response == OpenOk || response == OpenOkStopSending; {
	case s.err != nil:
		return nil // the layer above has closed it already
	case accepted && s.receiver != nil:
		s.suspended = response == OpenOkStopSending
		c.theirs.add(s.id, s)
	default:
		s.err = &OpenRefusedError{response}
		c.theirs.bury(s.id)
	}
	_ = c.send(&OpenResponse{SessionID: s.id, Response: response}) // it is of fixed size, and the connection stands
	s.answered = true
	c.changed.Broadcast() // Status may wait for it
	return nil
}
