package relay

import (
	"context"
	"errors"
	"io"
	"sync"

	"furrow/appliance/spool"
	"furrow/relay/queue"
	"furrow/sstp"
)

// intake stores the messages of one inbound session, in their order. While one is
// being flushed the next ones are read and follow it, so that those of a sender
// who does not wait for each share a flush. While none comes it costs no goroutine.
type intake struct {
	server   *Server
	resource string
	order    spool.Order
	// settle does what verdicts mean for the session, before the message is
	// acknowledged. They are nil if the relay is in trouble.
	settle func(to []target, verdicts []queue.Verdict)
	// targets are those that are left, as the queues know them.
	targets func() []target

	mu      sync.Mutex
	waiting []*sstp.Incoming
	busy    bool
	shut    bool // this end has closed the session

	// newest is closed when the message submitted last has been settled; nil
	// before the first one. It belongs to run.
	newest chan struct{}
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
//
// The next message does not wait for that unless somebody is refused: what is
// behind such a message may not be for them.
func (i *intake) store(m *sstp.Incoming) {
	to := i.targets()
	// What has arrived to its end is stored, whether its connection or the relay
	// goes meanwhile or not: the queues outlive both.
	ctx := context.WithoutCancel(i.server.ctx)
	pending, err := i.write(ctx, m, to)
	before, settled := i.newest, make(chan struct{})
	i.newest = settled
	settle := func() {
		defer close(settled)
		var verdicts []queue.Verdict
		if pending != nil {
			verdicts, err = pending.Wait(ctx)
		}
		if before != nil {
			<-before
		}
		i.finish(m, to, verdicts, err)
	}
	if pending != nil && pending.Unanimous() {
		i.server.work.Go(settle)
	} else {
		settle()
	}
}

// finish does what has become of a message.
func (i *intake) finish(m *sstp.Incoming, to []target, verdicts []queue.Verdict, err error) {
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

// write takes a message as it arrives and submits it.
func (i *intake) write(ctx context.Context, m *sstp.Incoming, to []target) (_ *queue.Pending, err error) {
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
	return w.Submit(ctx, &i.order), nil
}
