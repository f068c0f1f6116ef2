package relay

import (
	"net"
	"testing"

	"furrow/relay/queue"
	"furrow/sstp"
)

// taker is the accepting end of a connection whose one session an intake takes.
type taker struct {
	intake *intake
	closed chan error
}

func (k *taker) Established()            {}
func (k *taker) Attached(uint32, string) {}
func (k *taker) Detached(uint32, string) {}
func (k *taker) Closed(err error)        { k.closed <- err }

func (k *taker) Open(*sstp.InboundSession, *sstp.Open) (sstp.Receiver, sstp.OpenResponseID) {
	return takerSession{k.intake}, sstp.OpenOk
}

func (k *taker) FanoutOpen(*sstp.InboundSession, *sstp.FanoutOpen) (sstp.Receiver, sstp.OpenResponseID) {
	return nil, sstp.OpenFanoutNotSupported
}

type takerSession struct{ intake *intake }

func (s takerSession) Message(m *sstp.Incoming) { s.intake.take(m) }
func (s takerSession) Closed(error)             {}

// What has arrived whole behind a message that is refused is not stored in its
// stead, and is acknowledged all the same: an acknowledgment is a count.
func TestNothingOvertakesARefusal(t *testing.T) {
	const behind = 5
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "bob")
	arrived, decide := make(chan struct{}), make(chan struct{})
	i := &intake{server: b.server, resource: resource}
	i.targets = func() []target {
		close(arrived) // once: nothing behind the first is stored
		<-decide
		return []target{{Recipient: queue.Recipient{Address: queue.Address{Resource: resource, Identity: "grooveIdentity://nobody@"}}}}
	}
	i.settle = func([]target, []queue.Verdict) { i.refuse() }

	ours, theirs := net.Pipe()
	k := &taker{intake: i, closed: make(chan error, 1)}
	timers := sstp.Timers{Acknowledgment: 1}
	cfg := sstp.Config{LocalDeviceURLs: []string{"dpp:///taker"}, Timers: timers}
	accepted := sstp.Accept(theirs, cfg, func(*sstp.Conn, *sstp.Connect) sstp.Admission {
		return sstp.Admission{Response: sstp.ResponseOk, Handler: k}
	})
	c := &testClient{person: p[0], got: make(chan delivered, 1), closed: make(chan error, 1)}
	conn, _, err := sstp.Dial(t.Context(), ours, sstp.Config{LocalDeviceURLs: []string{p[0].device}, Timers: timers}, "dpp:///taker", nil, c)
	must(t, err)
	c.conn = conn
	o := c.open(t, toIdentity(p[1]))
	fates := []<-chan error{o.begin(t, sstp.Message{}, []byte("first"))}
	receive(t, "the first message", arrived)
	for range behind {
		fates = append(fates, o.begin(t, sstp.Message{}, []byte("behind")))
	}
	eventually(t, "the others wait", func() bool {
		i.mu.Lock()
		defer i.mu.Unlock()
		return len(i.waiting) == behind
	})
	close(decide)
	for _, fate := range fates {
		must(t, receive(t, "an acknowledgment", fate))
	}
	for a, u := range b.queues.All() {
		t.Errorf("stored for %v: %+v", a, u)
	}
	conn.Close(sstp.ReasonNone, 0)
	receive(t, "the end", conn.Done())
	receive(t, "the end", accepted.Done())
}
