package sstp

import "time"

// acknowledgments are the two message lists of a connection ([MS-GRVSSTP]
// 3.1.1.2). An acknowledgment is a count: it is of the oldest message sequences
// that the peer has outstanding on the connection, whatever their sessions
// (3.1.5.19).
type acknowledgments struct {
	// outbound are the sequences sent and not acknowledged, the oldest first.
	outbound []sent

	// inbound are the sequences received, the oldest first, from the first one
	// that is not processed.
	inbound []*Incoming
	// processed counts those taken from the head of inbound whose number has not
	// been sent.
	processed uint32
	// immediately says that the number is to be sent without delay.
	immediately bool
	// acknowledgeAt is when it is to be sent at the latest; zero if the timer of
	// 3.1.2.1 does not run.
	acknowledgeAt time.Time
}

// sent is one entry of the outbound list.
type sent struct {
	session *OutboundSession
	done    func(error) // nil if that has been reported
}

func (s sent) report(err error) {
	if s.done != nil {
		s.done(err)
	}
}

// takeCount returns the number of sequences to acknowledge, which must then be
// sent ([MS-GRVSSTP] 3.1.4.2.1).
func (c *Conn) takeCount() uint32 {
	count := c.processed
	c.processed, c.immediately, c.acknowledgeAt = 0, false, time.Time{}
	return count
}

// enterInbound makes a whole sequence the newest of the inbound list.
func (c *Conn) enterInbound(m *Incoming) {
	c.inbound = append(c.inbound, m)
	if m.complete {
		c.countProcessed()
	}
}

// countProcessed counts the processed sequences at the head of the inbound list
// and sees to it that they are acknowledged ([MS-GRVSSTP] 3.1.4.7).
func (c *Conn) countProcessed() {
	for len(c.inbound) > 0 && c.inbound[0].complete {
		c.processed++
		c.immediately = c.immediately || c.inbound[0].Header.Flags&FlagAcknowledgeImmediately != 0
		c.inbound[0] = nil
		c.inbound = c.inbound[1:]
	}
	switch {
	case c.end != nil || c.processed == 0:
	case c.immediately || c.processed >= acknowledgeEarly:
		c.immediately = true
		c.kick()
	case c.acknowledgeAt.IsZero():
		c.acknowledgeAt = time.Now().Add(c.cfg.Timers.Acknowledgment)
		c.arm(c.acknowledgeAt)
	}
	if len(c.inbound) == 0 {
		c.inbound = nil
	}
	c.changed.Broadcast()
}

// acknowledged applies a MessageCount of the peer ([MS-GRVSSTP] 3.1.5.19).
func (c *Conn) acknowledged(cmd Command, count uint32) *ConnError {
	if count == 0 {
		return nil
	}
	c.mu.Lock()
	outstanding := len(c.outbound)
	if uint64(count) > uint64(outstanding) {
		c.mu.Unlock()
		// Wire profile 1.
		return violation(ReasonProtocolError, "%v acknowledges %d message sequences of %d", cmd.ID(), count, outstanding)
	}
	head := c.outbound[:count:count]
	if c.outbound = c.outbound[count:]; len(c.outbound) == 0 {
		c.outbound = nil
		c.rest()
	}
	c.changed.Broadcast()
	c.mu.Unlock()
	c.call(func() {
		for _, sent := range head {
			sent.report(nil)
		}
	})
	return nil
}
