package relay

import (
	"context"
	"errors"
	"sync"
	"time"

	"furrow/relay/queue"
	"furrow/sstp"
)

// forwarder brings what waits for another relay to it, over a connection that it
// dials and keeps while it is of use. A connection that the other relay has made
// is not used: nothing proves who made it.
type forwarder struct {
	server   *Server
	relayURL string
	address  queue.Address
	poked    chan struct{} // holds one

	mu          sync.Mutex
	running     bool
	wanted      bool // somebody wishes to know whether the relay can be reached
	subscribers map[*fanout]struct{}
	down        sstp.StatusID // why the relay could not be reached; 0 if it could, or nobody knows
	downSince   time.Time     // the last attempt
}

// holdDown is how long after an attempt that failed its outcome is taken for
// that of the next, in terms of the shortest wait between attempts.
const holdDown = 10

// withForwarder finds or makes the forwarder of a relay and has f use it, while
// its lock is held.
func (s *Server) withForwarder(relayURL string, use func(f *forwarder)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.forwarders[relayURL]
	if f == nil {
		f = &forwarder{
			server:      s,
			relayURL:    relayURL,
			address:     queue.Address{Relay: relayURL},
			poked:       make(chan struct{}, 1),
			subscribers: make(map[*fanout]struct{}),
		}
		s.forwarders[relayURL] = f
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	use(f)
}

// forward has the forwarder of a relay look for something to do.
func (s *Server) forward(relayURL string) { s.withForwarder(relayURL, (*forwarder).start) }

// reachable reports whether, for all that is known, a relay can be reached.
func (s *Server) reachable(relayURL string) bool {
	s.mu.Lock()
	f := s.forwarders[relayURL]
	s.mu.Unlock()
	if f == nil {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.down == 0
}

// start wakes the forwarder, which may have ended its run. The caller holds mu.
func (f *forwarder) start() {
	if !f.running {
		f.running = true
		f.server.work.Go(f.run)
	}
	f.poke()
}

func (f *forwarder) poke() {
	select {
	case f.poked <- struct{}{}:
	default:
	}
}

// subscribe has a fanout session told when a relay cannot be reached. That is
// tried now, unless it has been a moment ago.
func (s *Server) subscribe(relayURL string, session *fanout) {
	var down sstp.StatusID
	s.withForwarder(relayURL, func(f *forwarder) {
		if f.down != 0 && time.Since(f.downSince) < holdDown*s.config.FirstRetry {
			down = f.down
			return
		}
		f.subscribers[session] = struct{}{}
		f.wanted = true
		f.start()
	})
	if down != 0 {
		session.relayFailed(relayURL, down)
	} else if session.isEnded() {
		s.unsubscribe(relayURL, session)
	}
}

// unsubscribe ends what subscribe began, if it did.
func (s *Server) unsubscribe(relayURL string, session *fanout) {
	s.mu.Lock()
	f := s.forwarders[relayURL]
	s.mu.Unlock()
	if f == nil {
		return
	}
	f.mu.Lock()
	delete(f.subscribers, session)
	f.mu.Unlock()
	s.discard(f)
}

// discard forgets a forwarder that does nothing and that nobody waits for.
func (s *Server) discard(f *forwarder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.running && len(f.subscribers) == 0 && s.forwarders[f.relayURL] == f {
		delete(s.forwarders, f.relayURL)
	}
}

// run is the forwarder's goroutine. It ends when there is nothing to do.
func (f *forwarder) run() {
	s := f.server
	defer s.discard(f)
	retry := backoff{first: s.config.FirstRetry, last: s.config.LastRetry}
	lost := false    // a connection, and none has stood since
	useless := false // the last connection
	for f.needed() {
		l, err := f.dial()
		if err != nil {
			status := unreachable(err)
			if lost {
				// One that breaks and comes back at once is nobody's trouble.
				status = sstp.StatusConnectionClosed
			}
			f.failed(status, err)
			f.pause(min(max(retry.next(), retryTime(err)), s.config.LastRetry), true)
			continue
		}
		f.succeeded()
		l.careful = useless
		end := l.serve()
		lost = true
		wait := returnTime(end)
		if useless = !l.useful(); !useless {
			retry.reset()
		} else {
			// It takes connections, and ends them.
			wait = max(wait, retry.next())
		}
		f.pause(min(wait, s.config.LastRetry), false)
	}
}

// needed reports whether there is a reason to be connected. If there is none the
// run has ended.
func (f *forwarder) needed() bool {
	for {
		select {
		case <-f.poked:
		default:
		}
		waiting := len(f.server.queues.Waiting(f.relayURL)) > 0
		f.mu.Lock()
		stopping := f.server.ctx.Err() != nil
		if !stopping && (waiting || f.wanted) {
			f.mu.Unlock()
			return true
		}
		if stopping || len(f.poked) == 0 {
			f.running = false
			f.mu.Unlock()
			return false
		}
		f.mu.Unlock()
	}
}

// pause waits between attempts; if somebody may cut it short, until a session
// asks for the relay and the last attempt is some time past.
func (f *forwarder) pause(wait time.Duration, mayCut bool) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return
		case <-f.server.ctx.Done():
			return
		case <-f.poked:
			if mayCut && f.asked() {
				return
			}
		}
	}
}

func (f *forwarder) asked() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.wanted
}

// dial connects to the relay.
func (f *forwarder) dial() (*link, error) {
	s := f.server
	ctx, cancel := context.WithTimeout(s.ctx, transportTimeout)
	defer cancel()
	transport, err := s.config.Dialer.DialRelay(ctx, f.relayURL)
	if err != nil {
		return nil, err
	}
	l := &link{forwarder: f}
	l.conn, _, err = sstp.Dial(ctx, transport, s.outgoing, f.relayURL, nil, l)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// succeeded notes that the relay can be reached.
func (f *forwarder) succeeded() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down, f.wanted = 0, false
}

// failed tells every session that has targets there that the relay cannot be
// reached ([MS-GRVSSTP] 3.3.5.6.1, 3.3.5.9). What waits for it goes on waiting.
func (f *forwarder) failed(status sstp.StatusID, err error) {
	s := f.server
	if s.ctx.Err() != nil {
		return
	}
	s.counters.dialFailures.Add(1)
	f.mu.Lock()
	f.down, f.downSince, f.wanted = status, time.Now(), false
	for session := range f.subscribers {
		// Each may have to wait for its originator to read.
		s.work.Go(func() { session.relayFailed(f.relayURL, status) })
	}
	told := len(f.subscribers)
	clear(f.subscribers)
	f.mu.Unlock()
	s.log.Warn("relay: another relay cannot be reached", "relay", f.relayURL, "status", status.String(), "sessions", told, "err", err)
	s.queues.DiscardTransient(f.relayURL)
}

// refused tells the sessions that have these targets that the other relay does
// not take messages for them.
func (f *forwarder) refused(resource string, status sstp.StatusID, entries []sstp.FanoutDeviceEntry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for session := range f.subscribers {
		if session.resource == resource {
			f.server.work.Go(func() { session.refusedBy(f.relayURL, status, entries) })
		}
	}
}

// returnTime is when a relay that closed a connection wishes to be called again.
func returnTime(end error) time.Duration {
	var closed *sstp.ConnError
	if errors.As(end, &closed) && closed.Remote {
		return closed.ReturnTime
	}
	return 0
}

// retryTime is when a relay that refused a connection wishes to be called again.
func retryTime(err error) time.Duration {
	var refused *sstp.ConnectRefusedError
	if errors.As(err, &refused) && refused.Response.Response == sstp.ResponseTryLater {
		return time.Duration(refused.Response.RetryTime) * time.Second
	}
	return 0
}
