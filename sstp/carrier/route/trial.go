package route

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"furrow/sstp"
)

// maxConnect bounds what is written before the answer: a Connect has at most some
// hundred octets for each URL in it, and 65,535 as any command.
const maxConnect = 1 << 16

// Reasons why a way is closed.
var (
	errNoAnswer = errors.New("no answer")
	errNotSSTP  = errors.New("the answer is not that of a relay")
)

// trial is a transport that has yet to prove that a relay is at its other end. One
// reads from it and one writes to it at a time.
type trial struct {
	router *Router
	relay  string
	ctx    context.Context // of dialling after DialRelay; ends with Close
	cancel context.CancelFunc

	// Of DialRelay and then of Read.
	rest     []way
	failures []error
	nameless bool // the relay's name does not resolve here

	mu       sync.Mutex
	way      way
	conn     io.ReadWriteCloser // nil between two ways
	written  []byte             // since the beginning, until answered
	last     bool               // there is no way after this
	timer    *time.Timer        // runs from the Connect to the answer; nil without
	late     bool               // the timer has ended
	answered bool
	closed   bool
}

func newTrial(r *Router, relayURL string, ways []way) *trial {
	t := &trial{router: r, relay: relayURL, rest: ways}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

// next takes the next way that stands, and writes there what has been written. The
// error tells of all ways that were tried.
func (t *trial) next(ctx context.Context) error {
	for len(t.rest) > 0 {
		w := t.rest[0]
		t.rest = t.rest[1:]
		if w.direct && t.nameless {
			continue // as with the ways before
		}
		timeout := attemptTimeout
		if len(t.rest) == 0 {
			timeout = lastTimeout
		}
		attempt, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("%w within %v", errNoAnswer, timeout))
		conn, err := w.dial(attempt)
		if err == nil {
			err = t.take(w, conn)
		}
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		t.reject(w, err)
	}
	return errors.Join(t.failures...)
}

// take goes on with a connection.
func (t *trial) take(w way, conn io.ReadWriteCloser) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return errors.Join(net.ErrClosed, conn.Close())
	}
	t.way, t.conn, t.last, t.late, t.timer = w, conn, len(t.rest) == 0, false, nil
	if len(t.written) == 0 {
		return nil
	}
	if _, err := conn.Write(t.written); err != nil {
		t.conn = nil
		return errors.Join(err, conn.Close())
	}
	t.expectAnswer()
	return nil
}

// expectAnswer closes the connection if none comes in time, so that Read goes on with
// the next way, if there is one. mu is held.
func (t *trial) expectAnswer() {
	if t.timer != nil || t.last {
		return
	}
	conn := t.conn
	t.timer = time.AfterFunc(answerTimeout, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.conn == conn && !t.answered {
			t.late = true
			_ = conn.Close() // Read finds out
		}
	})
}

// reject takes note that a way is closed.
func (t *trial) reject(w way, err error) {
	var dns *net.DNSError
	t.nameless = t.nameless || w.direct && errors.As(err, &dns) && dns.IsNotFound
	t.failures = append(t.failures, fmt.Errorf("%s: %w", w.name, err))
	t.router.failed(t.relay, w, err)
}

// Read reads what the relay says, and until it says something finds a way to it.
func (t *trial) Read(p []byte) (int, error) {
	for {
		t.mu.Lock()
		w, conn, answered := t.way, t.conn, t.answered
		t.mu.Unlock()
		if conn == nil { // all ways have failed before
			return 0, net.ErrClosed
		}
		n, err := conn.Read(p)
		if answered || n == 0 && err == nil {
			return n, err
		}
		if err = t.judge(p[:n], err); err == nil {
			t.router.worked(t.relay, w)
			return n, nil
		}
		if errors.Is(err, net.ErrClosed) && t.isClosed() {
			return 0, err
		}
		t.reject(w, err)
		if err := t.next(t.ctx); err != nil {
			return 0, err
		}
	}
}

// judge decides whether a relay has answered; err, which came with the answer, is
// met again by the next Read. If it has not, the connection is given up.
func (t *trial) judge(answer []byte, err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
		return net.ErrClosed
	case t.late:
		err = fmt.Errorf("%w within %v", errNoAnswer, answerTimeout)
	case len(answer) > 0 && isAnswer(answer[0]):
		if t.timer != nil {
			t.timer.Stop()
		}
		t.answered, t.written = true, nil
		return nil
	case len(answer) > 0:
		err = fmt.Errorf("%w: its first octet is %#02x", errNotSSTP, answer[0])
	}
	if t.timer != nil {
		t.timer.Stop()
	}
	_ = t.conn.Close() // it is of no use, whatever comes of that
	t.conn = nil
	return err
}

// isAnswer reports whether a command that begins so may be the answer to a Connect.
func isAnswer(first byte) bool {
	id := sstp.CommandID(first)
	return id == sstp.IDConnectResponse || id == sstp.IDConnectClose
}

// Write writes to the relay. Before its answer that cannot fail, for Read finds out,
// nor take long, for a Connect fits into the buffers of a new connection.
func (t *trial) Write(p []byte) (int, error) {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return 0, net.ErrClosed
	}
	if t.answered {
		conn := t.conn
		t.mu.Unlock()
		return conn.Write(p)
	}
	defer t.mu.Unlock()
	if len(t.written)+len(p) > maxConnect {
		return 0, fmt.Errorf("route: more than %d octets before the answer to Connect", maxConnect)
	}
	t.written = append(t.written, p...)
	if t.conn != nil {
		_, _ = t.conn.Write(p)
		t.expectAnswer()
	}
	return len(p), nil
}

// Close ends the transport, or the search for one.
func (t *trial) Close() error {
	t.cancel()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return net.ErrClosed
	}
	t.closed = true
	if t.timer != nil {
		t.timer.Stop()
	}
	if t.conn == nil {
		return nil
	}
	return t.conn.Close()
}

func (t *trial) isClosed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed
}
