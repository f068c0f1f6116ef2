package relay

import (
	"context"
	"errors"
	"io"
	"time"

	"furrow/appliance/spool"
	"furrow/relay/queue"
	"furrow/sstp"
)

// lane is one queue on its way to one connection, in a session of its own. It is
// the [sstp.Originator] of that session. delivery.mu guards it, but for sent,
// which belongs to the worker that serves the lane.
type lane struct {
	delivery *delivery
	address  queue.Address
	session  *sstp.OutboundSession // nil until it is opened
	ready    bool                  // the session takes messages
	listed   bool                  // in delivery.due, or a worker has it
	again    bool                  // to be looked at again by the worker that has it
	gone     bool                  // not in delivery.lanes any more
	unacked  int                   // messages sent and not acknowledged
	sent     spool.Position        // the newest message sent
}

// step opens the session of the lane, or sends one message. It reports whether
// there is more to do now.
func (l *lane) step(buf []byte) bool {
	d := l.delivery
	if !d.may(l.address) {
		d.drop(l, sstp.ReasonNone)
		return false
	}
	item, waiting := d.server.queues.Next(l.address, l.sent)
	if !waiting {
		d.idle(l)
		return false
	}
	d.mu.Lock()
	session, ready := l.session, l.ready
	d.mu.Unlock()
	switch {
	case session == nil:
		l.open()
		return false // Ready goes on
	case !ready:
		return false
	}
	return l.send(session, item, buf)
}

// open opens the session.
func (l *lane) open() {
	d := l.delivery
	session, err := d.conn.Open(d.ctx, sstp.Open{
		ResourceURL:      l.address.Resource,
		IdentityURL:      l.address.Identity,
		DeviceURL:        l.address.Device,
		IdentityTargeted: l.address.IdentityTargeted(), // note <5>
	}, l)
	if err != nil {
		l.failed("opening a session", err)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	l.session = session
	l.again = l.again || l.ready // Ready may have come before
}

// send sends one message. It reports whether the lane can go on.
func (l *lane) send(session *sstp.OutboundSession, item spool.Item, buf []byte) bool {
	d := l.delivery
	m, err := d.server.queues.Message(item.Position)
	if errors.Is(err, spool.ErrGone) || errors.Is(err, spool.ErrDamaged) {
		l.sent = item.Position
		return true
	}
	if err != nil {
		l.failed("opening a message", err)
		return false
	}
	defer d.server.closeMessage(m)
	d.mu.Lock()
	l.unacked++
	d.mu.Unlock()
	if err := transfer(d.ctx, session, m, buf, func(err error) { l.settled(item.Position, err) }); err != nil {
		l.failed("sending a message", err)
		return false
	}
	l.sent = item.Position
	d.server.counters.sent(item.Size)
	return true
}

// settled hears of the fate of a message. One that is not acknowledged stays in
// its queue; the end of the session or connection is told separately.
func (l *lane) settled(p spool.Position, err error) {
	d := l.delivery
	if err == nil {
		d.server.queues.Ack(l.address, p)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if l.unacked--; l.unacked == 0 && len(d.lanes) > keepSessions {
		d.list(l)
	}
}

// failed gives the session up after an error. What the peer or the connection has
// done is told by Closed as well; anything else is trouble of the relay's own,
// which may pass.
func (l *lane) failed(what string, err error) {
	d := l.delivery
	if d.ctx.Err() != nil {
		return
	}
	var closed *sstp.SessionError
	var refused *sstp.OpenRefusedError
	if !errors.As(err, &closed) && !errors.As(err, &refused) {
		d.server.log.Warn("relay: "+what, "resource", l.address.Resource, "target", l.address.Target(), "err", err)
	}
	d.drop(l, sstp.ReasonInternalError)
	if errors.Is(err, spool.ErrDamaged) {
		d.wake(l.address) // it is in no queue any more, and those behind it can go
	} else {
		d.rest(l.address)
	}
}

// Ready implements [sstp.Originator].
func (l *lane) Ready(ready bool) {
	d := l.delivery
	d.mu.Lock()
	defer d.mu.Unlock()
	if l.ready = ready; ready {
		d.list(l)
	}
}

// Status implements [sstp.Originator]; it is for fanout sessions.
func (l *lane) Status(*sstp.SessionStatus) {}

// Closed implements [sstp.Originator]: the peer does not want the session, now.
func (l *lane) Closed(err error) {
	l.delivery.server.log.Info("relay: session refused by its recipient",
		"resource", l.address.Resource, "target", l.address.Target(), "err", err)
	l.delivery.drop(l, sstp.ReasonNone)
	l.delivery.rest(l.address)
}

// drop forgets a lane and closes its session, if that stands. What it has sent is
// still acknowledged.
func (d *delivery) drop(l *lane, reason sstp.Reason) {
	d.mu.Lock()
	session := l.session
	if !l.gone {
		l.gone = true
		delete(d.lanes, l.address)
	}
	d.mu.Unlock()
	if session != nil {
		session.Close(reason)
	}
}

// idle closes the session of a lane in which nothing waits, if there are many, or
// forgets the lane if it has none.
func (d *delivery) idle(l *lane) {
	d.mu.Lock()
	keep := l.again || l.unacked > 0 || l.session != nil && len(d.lanes) <= keepSessions
	if !keep && !l.gone {
		l.gone = true
		delete(d.lanes, l.address)
	}
	session := l.session
	d.mu.Unlock()
	if !keep && session != nil {
		session.Close(sstp.ReasonIdle)
	}
}

// rest leaves a queue alone for some time, so that a peer that refuses it is not
// asked all the time.
func (d *delivery) rest(a queue.Address) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended || d.resting[a] != nil {
		return
	}
	if d.resting == nil {
		d.resting = make(map[queue.Address]*time.Timer)
	}
	d.resting[a] = time.AfterFunc(d.server.config.RestTime, func() {
		d.mu.Lock()
		delete(d.resting, a)
		d.mu.Unlock()
		d.wake(a)
	})
}

// transfer sends a stored message on a session; settled is called as
// [sstp.OutboundSession.Send] says.
func transfer(ctx context.Context, session *sstp.OutboundSession, m *spool.Message, buf []byte, settled func(error)) error {
	header, err := parseHeader(m.Envelope.Metadata)
	if err != nil {
		return err
	}
	out, err := session.Send(ctx, *header, settled)
	if err != nil {
		return err
	}
	if _, err := io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{m}, buf); err != nil {
		return err
	}
	return out.Close()
}

// closeMessage ends the reading of a message.
func (s *Server) closeMessage(m *spool.Message) {
	if err := m.Close(); err != nil {
		s.log.Warn("relay: closing a message", "err", err)
	}
}
