package relay

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"furrow/appliance/spool"
	"furrow/relay/queue"
	"furrow/sstp"
)

// link is one connection to another relay. It is the [sstp.Handler] of that
// connection.
type link struct {
	forwarder *forwarder
	conn      *sstp.Conn
	// careful is set if the connection before ended without a message having been
	// acknowledged: the first is then waited for before others follow, or a
	// transport that always breaks early would never get anywhere.
	careful bool

	mu       sync.Mutex
	hops     map[string]*hop // by route
	after    spool.Position  // the newest message sent
	inFlight map[spool.Position]bool
	failures map[spool.Position]int // refusals of messages that are to be sent again
	trouble  bool                   // something has failed
	progress bool                   // something has been acknowledged
	taken    bool                   // the peer has acknowledged something
}

// hop is a single-hop session: an outbound fanout session to those targets of an
// inbound one that are on the other relay ([MS-GRVSSTP] 3.3.5.6.1). It is the
// [sstp.Originator] of that session.
type hop struct {
	link    *link
	key     string
	open    *sstp.FanoutOpen
	session *sstp.OutboundSession
	unacked int // guarded by link.mu
}

// maxFailures is how often one message may be refused on a connection before it
// is given up, so that those behind it are not held up for ever.
const maxFailures = 3

// errRoute says that the targets of a message cannot be read.
var errRoute = errors.New("no targets")

// serve forwards what waits, in order, until the connection ends, the server
// stops, or nothing has come for a long time. It returns how the connection has
// ended.
func (l *link) serve() error {
	s := l.forwarder.server
	buf := make([]byte, copyBytes)
	retry := backoff{first: s.config.FirstRetry, last: s.config.LastRetry}
	idle := time.NewTimer(s.config.ForwarderIdle)
	defer idle.Stop()
	for l.conn.Err() == nil && s.ctx.Err() == nil {
		trouble, progress := l.news()
		if progress {
			retry.reset()
		}
		if trouble {
			l.rest(retry.next())
			continue
		}
		if item, ok := l.next(); ok && !l.mustWait() {
			idle.Reset(s.config.ForwarderIdle)
			l.forward(item, buf)
			continue
		}
		select {
		case <-l.forwarder.poked:
		case <-l.conn.Done():
		case <-s.ctx.Done():
		case <-idle.C:
			l.conn.Close(sstp.ReasonIdle, 0)
		}
	}
	l.conn.Close(sstp.ReasonNone, 0) // if it stands
	<-l.conn.Done()
	return l.conn.Err()
}

// news reports whether something has failed, and whether something has been
// acknowledged, since the last time.
func (l *link) news() (trouble, progress bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	trouble, progress = l.trouble, l.progress
	l.trouble, l.progress = false, false
	return trouble, progress
}

// useful reports whether the connection has been good for anything.
func (l *link) useful() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.taken
}

// mustWait reports whether nothing may be sent before an acknowledgment, which
// pokes the forwarder.
func (l *link) mustWait() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.careful && !l.taken && len(l.inFlight) > 0
}

// next is the oldest message that is not on its way.
func (l *link) next() (spool.Item, bool) {
	for {
		l.mu.Lock()
		after := l.after
		l.mu.Unlock()
		item, ok := l.forwarder.server.queues.Next(l.forwarder.address, after)
		if !ok {
			return item, false
		}
		l.mu.Lock()
		onTheWay := l.inFlight[item.Position]
		if onTheWay && l.after == after {
			l.after = item.Position
		}
		l.mu.Unlock()
		if !onTheWay {
			return item, true
		}
	}
}

// forward sends one message. If it fails the message stays.
func (l *link) forward(item spool.Item, buf []byte) {
	s := l.forwarder.server
	m, err := s.queues.Message(item.Position)
	if errors.Is(err, spool.ErrGone) || errors.Is(err, spool.ErrDamaged) {
		return // it is in no queue any more
	}
	if err != nil {
		s.log.Warn("relay: opening a message", "err", err)
		l.settled(item.Position, err)
		return
	}
	defer s.closeMessage(m)
	h, err := l.hop(queue.Route(m, l.forwarder.address))
	if err != nil {
		l.settled(item.Position, err)
		return
	}
	l.sending(item.Position, h)
	settled := func(err error) {
		l.returned(h)
		l.settled(item.Position, err)
	}
	if err := transfer(s.ctx, h.session, m, buf, settled); err != nil {
		h.session.Close(sstp.ReasonInternalError)
		l.forget(h)
		settled(err)
		return
	}
	s.counters.forwarded(item.Size)
}

// nobodyLeft reports whether the other relay has closed a session because all of
// its targets were refused ([MS-GRVSSTP] 2.2.9.1).
func nobodyLeft(err error) bool {
	var closed *sstp.SessionError
	return errors.As(err, &closed) && closed.Remote &&
		(closed.Reason == sstp.ReasonEmptySession || closed.Reason == sstp.ReasonQuotaWouldBeExceeded)
}

// refusal reports whether the other relay will not take a message, as far as can
// be seen, however often it is sent. Any other trouble, the other relay's own
// included, may pass.
func refusal(err error) bool {
	var refused *sstp.OpenRefusedError
	var closed *sstp.SessionError
	return errors.Is(err, errRoute) || errors.As(err, &refused) ||
		errors.As(err, &closed) && closed.Remote && closed.Reason == sstp.ReasonProtocolError
}

// hop finds or opens the session for a route.
func (l *link) hop(route []byte) (*hop, error) {
	key := string(route)
	l.mu.Lock()
	h := l.hops[key]
	l.mu.Unlock()
	if h != nil {
		return h, nil
	}
	open, err := parseRoute(route)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errRoute, err)
	}
	l.closeIdle()
	h = &hop{link: l, key: key, open: open}
	h.session, err = l.conn.FanoutOpen(l.forwarder.server.ctx, *open, h)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hops == nil {
		l.hops = make(map[string]*hop)
	}
	l.hops[key] = h
	return h, nil
}

// closeIdle closes the sessions that have nothing on its way, if there are many.
func (l *link) closeIdle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.hops) < keepSessions {
		return
	}
	for key, h := range l.hops {
		if h.unacked == 0 {
			delete(l.hops, key)
			h.session.Close(sstp.ReasonIdle)
		}
	}
}

func (l *link) forget(h *hop) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hops[h.key] == h {
		delete(l.hops, h.key)
	}
}

// sending notes that a message is on its way.
func (l *link) sending(p spool.Position, h *hop) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inFlight == nil {
		l.inFlight = make(map[spool.Position]bool)
	}
	l.inFlight[p] = true
	l.after = max(l.after, p)
	h.unacked++
}

// returned notes that a message of a session is not on its way any more.
func (l *link) returned(h *hop) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h.unacked--
}

// settled hears of the fate of a message.
func (l *link) settled(p spool.Position, err error) {
	s := l.forwarder.server
	done := err == nil || nobodyLeft(err)
	if !done && l.failed(p, err) {
		s.log.Error("relay: message given up", "relay", l.forwarder.relayURL, "position", p, "err", err)
		s.counters.givenUp.Add(1)
		done = true
	}
	if done {
		s.queues.Ack(l.forwarder.address, p)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.inFlight, p)
	if done {
		l.taken, l.progress = true, true
		delete(l.failures, p)
	} else {
		l.after = 0 // look for it again
		l.trouble = true
	}
	if !done || l.careful {
		l.forwarder.poke()
	}
}

// failed counts the refusals of a message, and reports whether that was the last.
func (l *link) failed(p spool.Position, err error) bool {
	if !refusal(err) {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failures == nil {
		l.failures = make(map[spool.Position]int)
	}
	l.failures[p]++
	return l.failures[p] >= maxFailures
}

// rest waits after a failure, while the connection stands.
func (l *link) rest(wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.conn.Done():
	case <-l.forwarder.server.ctx.Done():
	}
}

// Established implements [sstp.Handler].
func (l *link) Established() {
	l.forwarder.server.log.Info("relay: connected to another relay", "relay", l.forwarder.relayURL)
}

// Open implements [sstp.Handler]: nothing is served on a connection to another
// relay, which has proved nothing.
func (l *link) Open(*sstp.InboundSession, *sstp.Open) (sstp.Receiver, sstp.OpenResponseID) {
	return nil, sstp.OpenUnknown
}

// FanoutOpen implements [sstp.Handler].
func (l *link) FanoutOpen(*sstp.InboundSession, *sstp.FanoutOpen) (sstp.Receiver, sstp.OpenResponseID) {
	return nil, sstp.OpenNoFanoutEntries
}

// Attached implements [sstp.Handler]; there are no accounts.
func (l *link) Attached(uint32, string) {}

// Detached implements [sstp.Handler].
func (l *link) Detached(uint32, string) {}

// Closed implements [sstp.Handler].
func (l *link) Closed(err error) {
	l.forwarder.server.log.Info("relay: connection to another relay ended", "relay", l.forwarder.relayURL, "err", err)
}

// Ready implements [sstp.Originator].
func (h *hop) Ready(bool) {}

// Status implements [sstp.Originator]: targets have dropped out at the other
// relay. The sessions here that have them are told, each with its own indexes.
func (h *hop) Status(m *sstp.SessionStatus) {
	var entries []sstp.FanoutDeviceEntry
	for _, i := range m.Indexes { // checked by the connection
		entries = append(entries, h.open.Entries[i])
	}
	if m.Indexes == nil {
		entries = []sstp.FanoutDeviceEntry{{IdentityURL: m.IdentityURL, DeviceURL: m.DeviceURL}}
	}
	h.link.forwarder.refused(h.open.ResourceURL, m.Status, entries)
}

// Closed implements [sstp.Originator].
func (h *hop) Closed(err error) {
	h.link.forget(h)
	var closed *sstp.SessionError
	if errors.As(err, &closed) && closed.Reason == sstp.ReasonQuotaWouldBeExceeded {
		h.link.forwarder.refused(h.open.ResourceURL, sstp.StatusQuotaWouldBeExceeded, h.open.Entries)
	}
}
