package carrier

import (
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	// maxInterval bounds the time between polls, whatever the relay asks for, so
	// that a virtual connection is not taken for dead.
	maxInterval = time.Minute

	// emptyInterval is the time between polls if the relay wishes none but has
	// nothing to say.
	emptyInterval = time.Second
)

// poller is the client's end of Polling.
type poller struct {
	*courier
	session  *session
	request  uint64 // RequestSequenceNum, of the next
	response uint64 // ResponseSequenceNum, of the last
	phase    phase
	readings checksums
	terms    pollTerms
	interval time.Duration // between polls
	polls    uint32        // with that interval
}

// dialPolling makes the first exchange of the handshake. The second needs data,
// and so is the first of the stream's own (3.5.4.1.1).
func (c *client) dialPolling() (io.ReadWriteCloser, error) {
	p := &poller{courier: c.newCourier(), session: c.newSession(), readings: anyChecksum()}
	if _, err := p.poll(nil); err != nil {
		return nil, err
	}
	p.work.Go(func() { p.fail(p.run()) })
	return p, nil
}

// run polls. The next poll waits for the response to the last, and for the layer
// above to have taken its octets.
func (p *poller) run() error {
	var data []byte
	pause := time.Duration(-1) // the handshake goes on when there is data
	for {
		more, err := p.wait(pause)
		if err != nil {
			return err
		}
		data = p.take(data[:0], maxBody-len(p.message().appendTo(nil))-maxNumber)
		got, err := p.poll(data)
		if err != nil {
			return err
		}
		if err := p.deliver(got); err != nil {
			return err
		}
		pause = p.pause(more, len(got) > 0)
		if cap(data) > maxBody/2 && !more {
			data = nil
		}
	}
}

// pause returns how long to wait for something to send before the next poll
// (3.5.2.3).
func (p *poller) pause(sent, received bool) time.Duration {
	least, most := seconds(p.terms.min), seconds(p.terms.max)
	p.polls++
	switch {
	case sent || p.interval < least:
		p.interval, p.polls = least, 0
	case p.polls >= p.terms.repetitions && 2*p.interval <= most:
		p.interval, p.polls = 2*p.interval, 0
	case p.interval > most:
		p.interval, p.polls = most, 0
	}
	if p.interval == 0 && !received {
		return emptyInterval
	}
	return p.interval
}

func seconds(n uint32) time.Duration {
	return min(time.Duration(n)*time.Second, maxInterval)
}

func (p *poller) message() message {
	return message{server: p.name, guid: p.guid, sequence: p.request}
}

// poll sends a message with data and returns that of the response.
func (p *poller) poll(data []byte) ([]byte, error) {
	m := p.message()
	m.checksum = p.readings.of(data)
	body, err := p.session.exchange(p.post(append(m.appendTo(nil), data...)), receiveTime)
	p.session.hangUp() // each pair has a connection of its own (3.5.4.3.1)
	if err != nil {
		return nil, err
	}
	m, rest, err := parseMessage(body)
	if err != nil {
		return nil, err
	}
	terms, data, err := parsePollTerms(rest)
	if err != nil {
		return nil, err
	}
	if err := p.check(m, data); err != nil {
		return nil, err
	}
	p.advance(m, terms)
	return data, nil
}

// check compares what a response says with what it ought to (3.5.5.1.1).
func (p *poller) check(m message, data []byte) error {
	inOrder := m.sequence == 0
	switch p.phase {
	case probed:
		inOrder = m.sequence <= 1 // 3.5.5.1.1.1 against 3.6.5.2.1
	case established:
		inOrder = m.sequence == p.response+1
	}
	switch {
	case !strings.EqualFold(m.server, p.name), m.guid != p.guid:
		return fmt.Errorf("%w: response of another", errUnfit)
	case !inOrder:
		return fmt.Errorf("%w: %d after %d", errSequence, m.sequence, p.response)
	case !p.readings.accept(m.checksum, data):
		return errChecksum
	}
	return nil
}

// advance moves on after a response.
func (p *poller) advance(m message, terms pollTerms) {
	p.response, p.terms = m.sequence, terms
	switch p.phase {
	case probing:
		p.phase = probed
	case probed:
		p.phase = established
		p.request = 1
	case established:
		p.request++
	}
}
