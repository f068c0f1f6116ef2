package sstp

import "time"

// alarm is the one timer behind all those of a connection. It is set to the
// earliest time at which something may be due, and does not follow when that
// moves back: then it goes off in vain.
type alarm struct {
	timer *time.Timer
	at    time.Time // zero if it is not set
	// phase is the end of the handshake, the step of authentication or the
	// lingering that is going on; zero if that takes as long as it likes.
	phase time.Time
}

// arm makes sure that tick runs at a time, or before.
func (c *Conn) arm(at time.Time) {
	if c.alarm.at.IsZero() || at.Before(c.alarm.at) {
		c.alarm.at = at
		c.alarm.timer.Reset(time.Until(at))
	}
}

// setPhase sets how long what happens now may take, or that it may take long.
func (c *Conn) setPhase(limit time.Duration) {
	c.alarm.phase = time.Time{}
	if limit > 0 {
		c.alarm.phase = time.Now().Add(limit)
		c.arm(c.alarm.phase)
	}
}

// tick does what is due.
func (c *Conn) tick() {
	c.mu.Lock()
	c.alarm.at = time.Time{}
	now := time.Now()
	if c.end == nil && due(c.alarm.phase, now) {
		c.shut(&ConnError{Reason: ReasonResponseTimeout, Err: errTimeout})
	}
	if c.end != nil {
		c.tickLingering(now)
		c.mu.Unlock()
		return
	}
	if due(c.acknowledgeAt, now) {
		c.immediately = true
		c.kick()
	}
	c.keepAlive(now)
	late := c.lateOpenings(now)
	c.armNext(now)
	c.mu.Unlock()
	if len(late) == 0 {
		return
	}
	c.call(func() {
		for _, s := range late {
			s.originator.Closed(ErrOpenTimeout)
		}
	})
}

// tickLingering hangs up if the peer has not done so.
func (c *Conn) tickLingering(now time.Time) {
	if due(c.alarm.phase, now) {
		c.hangUp()
	} else if !c.alarm.phase.IsZero() {
		c.arm(c.alarm.phase)
	}
}

func due(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

// keepAlive sends a Noop over an idle connection (note <11>).
func (c *Conn) keepAlive(now time.Time) {
	in, out := c.cfg.Timers.InboundIdle, c.cfg.Timers.OutboundIdle
	idleIn := in > 0 && now.Sub(c.lastIn) >= in
	idleOut := out > 0 && now.Sub(c.lastOut) >= out
	if c.state != stateEstablished || !idleIn && !idleOut || c.writing || len(c.out) > 0 {
		return
	}
	if idleIn {
		c.lastIn = now // for the next one
	}
	c.mustPut(&Noop{})
	c.kick()
}

// lateOpenings closes the sessions that wait too long for an OpenResponse.
func (c *Conn) lateOpenings(now time.Time) []*OutboundSession {
	var late []*OutboundSession
	if c.opening == 0 {
		return nil
	}
	for _, s := range c.ours.live {
		if s.state == sessionOpening && due(s.deadline, now) {
			late = append(late, s)
		}
	}
	for _, s := range late {
		s.end(ErrOpenTimeout)
		c.sendClose(s.id, ReasonNone)
	}
	return late
}

// armNext sets the alarm for the earliest of what comes next.
func (c *Conn) armNext(now time.Time) {
	if !c.alarm.phase.IsZero() {
		c.arm(c.alarm.phase)
	}
	if !c.acknowledgeAt.IsZero() && !c.immediately {
		c.arm(c.acknowledgeAt)
	}
	c.armIdle(c.lastIn, c.cfg.Timers.InboundIdle, now)
	c.armIdle(c.lastOut, c.cfg.Timers.OutboundIdle, now)
	if c.opening > 0 {
		for _, s := range c.ours.live {
			if s.state == sessionOpening && !s.deadline.IsZero() {
				c.arm(s.deadline)
			}
		}
	}
}

func (c *Conn) armIdle(last time.Time, idle time.Duration, now time.Time) {
	if idle <= 0 {
		return
	}
	at := last.Add(idle)
	if !at.After(now) {
		at = now.Add(idle)
	}
	c.arm(at)
}
