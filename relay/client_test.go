package relay

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"furrow/sstp"
	"furrow/sstp/auth"
)

// testClient is a client connection. It takes every session and message.
type testClient struct {
	person    *person
	conn      *sstp.Conn
	transport net.Conn
	got       chan delivered // everything received, in order of its end for each session
	closed    chan error
	// refuse, if not 0, is how sessions are answered, and opens counts them.
	refuse atomic.Uint32
	opens  atomic.Uint32
	// accept, if not nil, takes a session instead.
	accept func() sstp.Receiver
	// gate, if not nil, has to give a value before a message is completed.
	gate chan struct{}
}

// delivered is one message that a client has got.
type delivered struct {
	open   sstp.Open
	header sstp.Message
	body   []byte
}

// connectTo connects and proves the device.
func (b *box) connect(t testing.TB, p *person, change ...func(*sstp.Config, *testClient)) *testClient {
	t.Helper()
	c, err := b.tryConnect(t, p, change...)
	must(t, err)
	return c
}

func (b *box) tryConnect(t testing.TB, p *person, change ...func(*sstp.Config, *testClient)) (*testClient, error) {
	t.Helper()
	transport, err := net.Dial("tcp", b.address)
	must(t, err)
	c := &testClient{person: p, transport: transport, got: make(chan delivered, 4096), closed: make(chan error, 1)}
	cfg := sstp.Config{LocalDeviceURLs: []string{p.device}, Timers: sstp.Timers{Acknowledgment: 1}}
	for _, f := range change {
		f(&cfg, c)
	}
	login, token, err := auth.NewLogin(auth.DeviceLayer, p.deviceKey)
	must(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, answer, err := sstp.Dial(ctx, transport, cfg, b.url(), token, c)
	if err != nil {
		return nil, err
	}
	c.conn = conn
	t.Cleanup(func() { conn.Close(sstp.ReasonNone, 0); <-conn.Done() })
	proof, err := login.Receive(answer.Response, answer.AuthenticationToken)
	if err != nil {
		return c, err
	}
	return c, conn.Authenticate(proof)
}

// attached connects, and attaches the account.
func (b *box) attached(t testing.TB, p *person, change ...func(*sstp.Config, *testClient)) *testClient {
	t.Helper()
	c := b.connect(t, p, change...)
	c.attach(t)
	return c
}

func (c *testClient) attach(t testing.TB) *sstp.Attachment {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	login, token, err := auth.NewLogin(auth.AccountLayer, c.person.accountKey)
	must(t, err)
	a, err := c.conn.Attach(ctx, "", c.person.account, token)
	must(t, err)
	proof, err := login.Receive(a.Response, a.Token)
	must(t, err)
	must(t, a.Authenticate(proof))
	return a
}

// leave ends the connection and waits until the relay knows.
func (c *testClient) leave(t testing.TB, b *box) {
	t.Helper()
	c.conn.Close(sstp.ReasonNone, 0)
	receive(t, "the end of a connection", c.conn.Done())
	eventually(t, "the device is offline", func() bool {
		for _, url := range b.server.Online() {
			if url == c.person.device {
				return false
			}
		}
		return true
	})
}

func (c *testClient) Established()            {}
func (c *testClient) Attached(uint32, string) {}
func (c *testClient) Detached(uint32, string) {}
func (c *testClient) Closed(err error)        { c.closed <- err }

func (c *testClient) Open(_ *sstp.InboundSession, m *sstp.Open) (sstp.Receiver, sstp.OpenResponseID) {
	c.opens.Add(1)
	if r := c.refuse.Load(); r != 0 {
		return nil, sstp.OpenResponseID(r)
	}
	if c.accept != nil {
		return c.accept(), sstp.OpenOk
	}
	in := &inbox{client: c, open: *m, queue: make(chan *sstp.Incoming, 4096)}
	go in.run()
	return in, sstp.OpenOk
}

func (c *testClient) FanoutOpen(*sstp.InboundSession, *sstp.FanoutOpen) (sstp.Receiver, sstp.OpenResponseID) {
	return nil, sstp.OpenFanoutNotSupported
}

// inbox is a session that the relay has opened.
type inbox struct {
	client *testClient
	open   sstp.Open
	queue  chan *sstp.Incoming
}

func (in *inbox) Message(m *sstp.Incoming) { in.queue <- m }
func (in *inbox) Closed(error)             { close(in.queue) }

func (in *inbox) run() {
	for m := range in.queue {
		body, err := io.ReadAll(m)
		if err != nil {
			continue
		}
		if in.client.gate != nil {
			select {
			case <-in.client.gate:
			case <-in.client.conn.Done():
				continue
			}
		}
		in.client.got <- delivered{in.open, m.Header, body}
		m.Complete()
	}
}

// outbox is a session that a client has opened.
type outbox struct {
	session  *sstp.OutboundSession
	statuses chan sstp.SessionStatus
	closed   chan error
}

func newOutbox() *outbox {
	return &outbox{statuses: make(chan sstp.SessionStatus, 1024), closed: make(chan error, 1)}
}

func (o *outbox) Ready(bool)                   {}
func (o *outbox) Status(m *sstp.SessionStatus) { o.statuses <- *m }
func (o *outbox) Closed(err error)             { o.closed <- err }

func (c *testClient) open(t testing.TB, cmd sstp.Open) *outbox {
	t.Helper()
	o := newOutbox()
	var err error
	o.session, err = c.conn.Open(context.Background(), cmd, o)
	must(t, err)
	return o
}

func (c *testClient) fanout(t testing.TB, cmd sstp.FanoutOpen) *outbox {
	t.Helper()
	o := newOutbox()
	var err error
	o.session, err = c.conn.FanoutOpen(context.Background(), cmd, o)
	must(t, err)
	return o
}

// give sends one message and returns its fate: nil when it is acknowledged.
func (o *outbox) give(t testing.TB, header sstp.Message, body []byte) error {
	t.Helper()
	return <-o.begin(t, header, body)
}

// begin sends one message; its fate is told later.
func (o *outbox) begin(t testing.TB, header sstp.Message, body []byte) <-chan error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	fate := make(chan error, 2)
	out, err := o.session.Send(ctx, header, func(err error) { cancel(); fate <- err })
	if err == nil {
		_, err = out.Write(body)
	}
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		cancel()
		fate <- err
	}
	return fate
}

const resource = "grooveDynamics://Dynamics/;x"

func toIdentity(p *person) sstp.Open {
	return sstp.Open{ResourceURL: resource, IdentityURL: p.identity}
}

func toDevice(p *person) sstp.Open {
	return sstp.Open{ResourceURL: resource, IdentityURL: p.identity, DeviceURL: p.device}
}

// entry addresses somebody's identity on a relay; "" is that of the client.
func entry(p *person, relayURL string) sstp.FanoutDeviceEntry {
	return sstp.FanoutDeviceEntry{IdentityURL: p.identity, RelayURL: relayURL}
}

func fanoutTo(entries ...sstp.FanoutDeviceEntry) sstp.FanoutOpen {
	return sstp.FanoutOpen{ResourceURL: resource, Entries: entries}
}

// ended waits for the end of a connection.
func (c *testClient) ended(t testing.TB) *sstp.ConnError {
	t.Helper()
	var end *sstp.ConnError
	if err := receive(t, "the end of a connection", c.closed); !errors.As(err, &end) {
		t.Fatalf("connection ended with %v", err)
	}
	return end
}
