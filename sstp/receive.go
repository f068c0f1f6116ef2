package sstp

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// read is the reading goroutine. It ends with the connection.
func (c *Conn) read() {
	defer c.finish()
	r := NewReader(c.transport)
	for {
		cmd, err := r.ReadCommand()
		if !c.heard() {
			break
		}
		if err == nil {
			err = c.receive(r, cmd)
		}
		if err == nil {
			continue
		}
		if !c.cope(err) {
			return
		}
		break
	}
	// The peer is to read why the connection ends: if this end closed with
	// octets unread, the transport might drop what it has been given.
	_, _ = io.Copy(io.Discard, c.transport)
}

// heard notes that something has arrived, and reports whether the connection
// still stands.
func (c *Conn) heard() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastIn = time.Now()
	return c.end == nil
}

// cope ends the connection after an error. It reports whether the transport may
// still be of use.
func (c *Conn) cope(err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	var end *ConnError
	var parse *ParseError
	switch {
	case errors.As(err, &end) && end.Remote:
		if c.end == nil {
			c.abort(end)
		}
		c.hangUp()
		return false
	case errors.As(err, &end):
		c.shut(end)
	case errors.As(err, &parse):
		c.shut(&ConnError{Reason: ReasonProtocolError, Err: err}) // [MS-GRVSSTP] 3.3.5.6.1
	default:
		c.lose(fmt.Errorf("reading: %w", err))
		return false
	}
	return true
}

// receive does what a command asks for. The error ends the connection.
func (c *Conn) receive(r *Reader, cmd Command) error {
	if end, ok := cmd.(*ConnectClose); ok {
		return c.receiveConnectClose(end)
	}
	c.mu.Lock()
	state, served := c.state, c.served
	c.mu.Unlock()
	if state != stateEstablished {
		return c.receiveHandshake(r, state, cmd)
	}
	if handled, err := c.receiveSecurity(cmd); handled {
		return err
	}
	if !served {
		return violation(ReasonProtocolError, "%v before authentication", cmd.ID())
	}
	return c.receiveServed(cmd)
}

// receiveHandshake takes the commands before the state 'established'.
func (c *Conn) receiveHandshake(r *Reader, state connState, cmd Command) error {
	switch m := cmd.(type) {
	case *Connect:
		if state == stateTransport && !c.dialled {
			return c.accept(r, m)
		}
	case *ConnectResponse:
		if state == stateConnecting && c.dialled {
			return c.connected(r, m)
		}
	case *Open, *FanoutOpen, *Close, *Attach, *Register, *Message, *Data, *EndMessage:
		// [MS-GRVSSTP] 3.1.5.5, 3.1.5.9 to 3.1.5.11, 3.3.5.6, 3.3.5.14.
		return violation(ReasonTooManyUnknownSessionCmds, "%v before the connection is established", cmd.ID())
	}
	return outOfOrder(cmd)
}

// receiveServed takes the commands of a peer that may be served.
func (c *Conn) receiveServed(cmd Command) error {
	var err *ConnError
	switch m := cmd.(type) {
	case *Open:
		err = c.receiveOpen(m)
	case *FanoutOpen:
		err = c.receiveFanoutOpen(m)
	case *OpenResponse:
		err = c.receiveOpenResponse(m)
	case *SessionStatus:
		err = c.receiveSessionStatus(m)
	case *Close:
		c.receiveClose(m)
	case *Message:
		err = c.receiveMessage(m)
	case *Data:
		err = c.receiveData(m)
	case *EndMessage:
		err = c.receiveEndMessage(m)
	case *Noop:
		err = c.acknowledged(m, m.MessageCount)
	default:
		err = outOfOrder(cmd)
	}
	if err != nil {
		return err
	}
	return nil
}

// receiveConnectClose returns how the peer ends the connection ([MS-GRVSSTP]
// 3.1.5.4).
func (c *Conn) receiveConnectClose(m *ConnectClose) error {
	end := &ConnError{Remote: true, Reason: m.Reason}
	if m.Reason == ReasonResting {
		end.ReturnTime = time.Duration(m.ReturnTime) * time.Second
	}
	if err := c.acknowledged(m, m.MessageCount); err != nil {
		end.Err = err.Err
	}
	return end
}

// receiveClose takes the end of any session. One of the peer's own is meant
// first (wire profile 1); what is not known is ignored ([MS-GRVSSTP] 3.1.5.9).
func (c *Conn) receiveClose(m *Close) {
	why := &SessionError{SessionID: m.SessionID, Reason: m.Reason, Remote: true}
	c.mu.Lock()
	if s, ok := c.theirs.live[m.SessionID]; ok {
		s.end(why)
		c.mu.Unlock()
		c.call(func() { s.receiver.Closed(why) })
		return
	}
	if account, ok := c.theirEvents.live[m.SessionID]; ok {
		c.theirEvents.bury(m.SessionID)
		c.mu.Unlock()
		c.detached(m.SessionID, account)
		return
	}
	if e, ok := c.ourEvents.live[m.SessionID]; ok {
		c.ourEvents.bury(m.SessionID)
		e.finish(why)
		c.mu.Unlock()
		return
	}
	s, ok := c.ours.live[m.SessionID]
	if !ok {
		c.mu.Unlock()
		return
	}
	tell := s.endByPeer(why)
	c.mu.Unlock()
	c.call(tell)
}
