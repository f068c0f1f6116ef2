package relay

import (
	"context"
	"io"
	"net"
	"testing"

	"furrow/sstp"
)

// neighbour is another relay that behaves as a test says. It is a Dialer to
// itself.
type neighbour struct {
	// response is how sessions are answered.
	response sstp.OpenResponseID
	// failures is how many messages are refused with a Close for internal error.
	failures int
	opened   chan *sstp.FanoutOpen
	got      chan string
	closed   chan error
}

const neighbourURL = "grooveDNS://neighbour.example"

func newNeighbour() *neighbour {
	return &neighbour{opened: make(chan *sstp.FanoutOpen, 100), got: make(chan string, 100), closed: make(chan error, 100)}
}

func (n *neighbour) DialRelay(context.Context, string) (io.ReadWriteCloser, error) {
	ours, theirs := net.Pipe()
	cfg := sstp.Config{LocalDeviceURLs: []string{neighbourURL}, Multidrop: true, SingleHop: true, Timers: sstp.Timers{Acknowledgment: 1}}
	sstp.Accept(theirs, cfg, func(*sstp.Conn, *sstp.Connect) sstp.Admission {
		return sstp.Admission{Response: sstp.ResponseOk, Handler: n}
	})
	return ours, nil
}

func (n *neighbour) Established()            {}
func (n *neighbour) Attached(uint32, string) {}
func (n *neighbour) Detached(uint32, string) {}
func (n *neighbour) Closed(err error)        { n.closed <- err }

func (n *neighbour) Open(*sstp.InboundSession, *sstp.Open) (sstp.Receiver, sstp.OpenResponseID) {
	return nil, sstp.OpenUnknown
}

func (n *neighbour) FanoutOpen(s *sstp.InboundSession, m *sstp.FanoutOpen) (sstp.Receiver, sstp.OpenResponseID) {
	n.opened <- m
	return neighbourSession{n, s}, n.response
}

type neighbourSession struct {
	*neighbour
	session *sstp.InboundSession
}

func (s neighbourSession) Closed(error) {}

func (s neighbourSession) Message(m *sstp.Incoming) {
	if s.failures > 0 {
		s.failures--
		s.session.Close(sstp.ReasonInternalError)
		return
	}
	go func() {
		if body, err := io.ReadAll(m); err == nil {
			m.Complete()
			s.got <- string(body)
		}
	}()
}

func besideNeighbour(t *testing.T, n *neighbour) (*box, *outbox) {
	t.Helper()
	b := newBox(t, "a.example", func(c *Config) { c.Dialer = n })
	p := b.people(t, "alice", "bob")
	return b, b.connect(t, p[0]).fanout(t, fanoutTo(entry(p[1], neighbourURL)))
}

// Trouble of the other relay's own is no refusal: the message is sent until it is
// taken.
func TestTroubledNeighbour(t *testing.T) {
	n := newNeighbour()
	n.failures = 2 * maxFailures
	b, o := besideNeighbour(t, n)
	must(t, o.give(t, sstp.Message{}, []byte("x")))
	if got := receive(t, "the message", n.got); got != "x" {
		t.Errorf("got %q", got)
	}
	forwarded(t, b)
	if given := b.server.Stats().GivenUp; given != 0 || len(n.got) != 0 {
		t.Errorf("%d given up, %d too many", given, len(n.got))
	}
}

// A message that waits while the relay is stopped is there afterwards.
func TestStopWhileWaiting(t *testing.T) {
	n := newNeighbour()
	n.response = sstp.OpenOkStopSending
	b, o := besideNeighbour(t, n)
	must(t, o.give(t, sstp.Message{}, []byte("x")))
	receive(t, "the session", n.opened)
	b.stop(t)
	receive(t, "the end of the connection", n.closed)
	n.response = sstp.OpenOk
	b.start(t)
	if got := receive(t, "the message", n.got); got != "x" {
		t.Errorf("got %q", got)
	}
	forwarded(t, b)
}
