package carrier

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// rowSize is how many octets in a body tell that it is one of a row: that whoever
// sends them has more to send, even if that is not at hand yet.
const rowSize = maxBody / 2

// phase is how far a virtual connection of Polling is.
type phase int

const (
	probing     phase = iota // the first request is being answered
	probed                   // it has been
	established              // the second has come
)

// polled is a virtual connection of Polling, from its first request on.
type polled struct {
	piecemeal
	ready chan struct{} // has room for one: something has changed

	// busy says that a request is being answered, which protects what follows.
	busy     bool // protected by mu
	phase    phase
	expected uint64 // RequestSequenceNum
	next     uint64 // ResponseSequenceNum
	readings checksums
	row      bool // the responses are in a row, and have not run dry
}

var (
	errSequence = errors.New("carrier: sequence number")
	errChecksum = errors.New("carrier: checksum")
)

func newPolled(v *virtual) *polled {
	p := &polled{ready: make(chan struct{}, 1), readings: anyChecksum()}
	p.init(v, func() { signal(p.ready) })
	return p
}

// signal lets whoever waits for a channel with room for one go on.
func signal(ready chan struct{}) {
	select {
	case ready <- struct{}{}:
	default:
	}
}

// answerPoll answers a request of Polling. All that is wrong, but for a checksum,
// closes the connection without an answer, and the virtual one (3.6.5).
func (s *Server) answerPoll(x *exchange, h Head) verdict {
	body, err := x.body(h)
	if err != nil {
		return s.drop(x, err)
	}
	m, data, err := parseMessage(body)
	if err == nil {
		err = s.checkName(m.server)
	}
	if err != nil {
		return s.drop(x, err)
	}
	p, err := s.seize(m, data)
	switch {
	case errors.Is(err, errFull), errors.Is(err, errStopping):
		return s.refuse(x, http.StatusInternalServerError, err)
	case err != nil:
		return s.drop(x, err)
	}
	response, err := p.process(m, data)
	// Before it has been written, for then the client may send the next.
	p.release()
	if err != nil {
		p.virtual.end(err)
		if errors.Is(err, errChecksum) {
			return s.refuse(x, http.StatusBadRequest, err) // wire profile 1
		}
		return s.drop(x, err)
	}
	if err := x.write(response); err != nil {
		p.virtual.end(fmt.Errorf("response lost: %w", err)) // nothing could repeat it
		return hangUp
	}
	return dismissed
}

// process takes what a message brings and returns the response.
func (p *polled) process(m message, data []byte) ([]byte, error) {
	if err := p.check(m, data); err != nil {
		return nil, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.deliver(data); err != nil {
		return nil, err
	}
	if len(data) < rowSize && (len(data) > 0 || p.row) {
		p.await(answerTime)
	}
	return p.response(m)
}

// seize returns the virtual connection of a message, busy with it. It makes a new
// one for the first message of the handshake (3.6.5.1).
func (s *Server) seize(m message, data []byte) (*polled, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.table[m.guid]; v != nil {
		p, ok := v.body.(*polled)
		if !ok || !p.seize() {
			return nil, errUnfit
		}
		return p, nil
	}
	if m.sequence != 0 || len(data) > 0 {
		return nil, fmt.Errorf("%w: no such virtual connection", errUnfit)
	}
	v := &virtual{server: s, mode: Polling, guid: m.guid}
	p := newPolled(v)
	p.busy = true
	v.body = p
	return p, s.add(v)
}

// seize lets one request be answered at a time: the next is to be sent after the
// response.
func (p *polled) seize() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy {
		return false
	}
	p.busy = true
	return true
}

func (p *polled) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy = false
}

// check compares what a message says with what it ought to (3.6.5.1 to 3.6.5.3).
// Polls without data are in order, whatever 3.6.5.3 says.
func (p *polled) check(m message, data []byte) error {
	switch {
	case m.sequence != p.expected:
		return fmt.Errorf("%w: %d, expected %d", errSequence, m.sequence, p.expected)
	case !p.readings.accept(m.checksum, data):
		return errChecksum
	case p.phase == probed && len(data) == 0:
		return fmt.Errorf("%w: handshake without data", errUnfit)
	}
	return nil
}

// advance moves on after a message in order. Both messages of the handshake have
// the number 0 (3.5.4.1.1).
func (p *polled) advance() error {
	switch p.phase {
	case probing:
		p.phase = probed
	case probed:
		if !p.establish() {
			return errForsaken
		}
		p.phase = established
		p.expected = 1
	case established:
		p.expected++
	}
	return nil
}

// establish gives the stream to the relay.
func (p *polled) establish() bool {
	s := p.virtual.server
	s.mu.Lock()
	if p.virtual.place == nil {
		s.mu.Unlock()
		return false
	}
	p.start()
	s.stand(p.virtual)
	s.mu.Unlock()
	s.cfg.Adopt(p)
	return true
}

// response returns the response to a message, with what waits (3.6.5.2.1).
func (p *polled) response(m message) ([]byte, error) {
	p.mu.Lock()
	if p.over() {
		p.mu.Unlock()
		return nil, net.ErrClosed
	}
	answer := message{server: m.server, guid: m.guid, sequence: p.next}
	data := p.takeLocked(nil, maxBody-responseOverhead(answer))
	terms := idleTerms
	p.row = len(data) >= rowSize || len(data) > 0 && p.row
	if p.row || len(p.out) > 0 || p.closed {
		terms = busyTerms
	}
	p.mu.Unlock()
	if p.phase == established {
		// The response that ends the handshake has the number 0, too: 3.5.5.1.1.1
		// against 3.6.5.2.1.
		p.next++
		p.idle.touch()
	}
	answer.checksum = p.readings.of(data)
	body := append(terms.appendTo(answer.appendTo(nil)), data...)
	return append(appendResponse(nil, p.virtual.server.cfg.Product, http.StatusOK, false, int64(len(body))), body...), nil
}

// await waits for octets, but not long.
func (p *polled) await(limit time.Duration) {
	late := time.NewTimer(limit)
	defer late.Stop()
	for {
		if waiting, closed, err := p.outlook(); waiting > 0 || closed || err != nil {
			return
		}
		select {
		case <-p.ready:
		case <-late.C:
			return
		}
	}
}
