package relay

import (
	"context"
	"errors"
	"io"
	"sync"

	"furrow/relay/queue"
	"furrow/sstp"
)

// intake stores the messages of one inbound session, one after the other, so that
// they keep their order. While none comes it costs no goroutine.
type intake struct {
	server   *Server
	resource string
	// settle does what verdicts mean for the session, before the message is
	// acknowledged. They are nil if the relay is in trouble.
	settle func(to []target, verdicts []queue.Verdict)
	// targets are those that are left, as the queues know them.
	targets func() []target

	mu      sync.Mutex
	waiting []*sstp.Incoming
	busy    bool
	shut    bool // this end has closed the session
}

// target is where a message of a session goes: one queue.
type target struct {
	queue.Recipient
	// entries are the indexes of the session's entries that this queue serves.
	entries []int
}

// take is Message of an [sstp.Receiver].
func (i *intake) take(m *sstp.Incoming) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.waiting = append(i.waiting, m)
	if !i.busy {
		i.busy = true
		i.server.work.Go(i.run)
	}
}

func (i *intake) run() {
	i.mu.Lock()
	defer i.mu.Unlock()
	for len(i.waiting) > 0 {
		m, shut := i.waiting[0], i.shut
		i.waiting = i.waiting[1:]
		i.mu.Unlock()
		if shut {
			// The sender has heard Close, or will, and sends it again.
			m.Complete()
		} else {
			i.store(m)
		}
		i.mu.Lock()
	}
	i.waiting, i.busy = nil, false
}

// refuse says that this end closes the session: what has arrived behind the
// message that was refused is not to overtake it.
func (i *intake) refuse() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.shut = true
}

// errRefused ends the reading of a message that nobody may have.
var errRefused = errors.New("refused")

// body is a [queue.Writer] that says so as soon as nobody is left.
type body struct{ *queue.Writer }

func (b body) Write(p []byte) (int, error) {
	n, err := b.Writer.Write(p)
	if err == nil && b.Refused() {
		err = errRefused
	}
	return n, err
}

// store takes one message. It is acknowledged when it is durable or refused for
// every target ([MS-GRVSSTP] 3.3.4.2.2); one that does not arrive to its end is
// forgotten, and one that cannot be stored ends its session, so that it is sent
// again.
func (i *intake) store(m *sstp.Incoming) {
	to := i.targets()
	verdicts, err := i.write(m, to)
	var session *sstp.SessionError
	var conn *sstp.ConnError
	switch {
	case errors.As(err, &session), errors.As(err, &conn):
		return
	case err != nil:
		i.server.counters.failed.Add(1)
		i.server.log.Error("relay: message not stored", "resource", i.resource, "err", err)
		verdicts = nil
	}
	i.settle(to, verdicts)
	m.Complete()
}

func (i *intake) write(m *sstp.Incoming, to []target) (_ []queue.Verdict, err error) {
	if len(to) == 0 {
		return []queue.Verdict{}, nil
	}
	header, err := i.server.storedHeader(i.resource, m.Header)
	if err != nil {
		return nil, err
	}
	recipients := make([]queue.Recipient, len(to))
	for n := range to {
		recipients[n] = to[n].Recipient
	}
	w, err := i.server.queues.Begin(header, recipients)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Abort()) }()
	n, err := io.Copy(body{w}, m)
	if err != nil && !errors.Is(err, errRefused) {
		return nil, err
	}
	i.server.counters.received(n)
	// What has arrived to its end is stored, whether its connection or the relay
	// goes meanwhile or not: the queues outlive both.
	return w.Commit(context.WithoutCancel(i.server.ctx))
}
