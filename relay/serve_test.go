package relay

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"furrow/sstp"
	"furrow/sstp/auth"
)

// raw connects without a word.
func (b *box) raw(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", b.address)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	must(t, conn.SetDeadline(time.Now().Add(patience)))
	return conn
}

func put(t *testing.T, w io.Writer, commands ...sstp.Command) {
	t.Helper()
	var octets []byte
	for _, cmd := range commands {
		var err error
		octets, err = sstp.Append(octets, cmd, sstp.Version15)
		must(t, err)
	}
	_, err := w.Write(octets)
	must(t, err)
}

// connectAs is a Connect with a token of the device layer.
func (b *box) connectAs(t *testing.T, p *person) *sstp.Connect {
	t.Helper()
	_, token, err := auth.NewLogin(auth.DeviceLayer, p.deviceKey)
	must(t, err)
	return &sstp.Connect{
		Version: sstp.Version15, TargetDeviceURL: b.url(),
		SourceDeviceURLs: []string{p.device}, AuthenticationToken: token,
	}
}

func asRelay(b *box) *sstp.Connect {
	return &sstp.Connect{Version: sstp.Version15, TargetDeviceURL: b.url(), SourceDeviceURLs: []string{"grooveDNS://other.example"}}
}

// Nothing is served before authentication, and to nobody who has just registered.
func TestUnauthenticated(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice")
	stranger := newPerson(t, "stranger")
	for name, commands := range map[string][]sstp.Command{
		"challenged":    {b.connectAs(t, p[0]), &sstp.Open{SessionID: 1, ResourceURL: resource, IdentityURL: p[0].identity}},
		"unregistered":  {b.connectAs(t, stranger), &sstp.Open{SessionID: 1, ResourceURL: resource, IdentityURL: p[0].identity}},
		"fanout":        {b.connectAs(t, p[0]), &sstp.FanoutOpen{SessionID: 1, ResourceURL: resource, Entries: []sstp.FanoutDeviceEntry{entry(p[0], "")}}},
		"wrong proof":   {b.connectAs(t, p[0]), &sstp.ConnectAuthenticate{AuthenticationToken: []byte{1, 4, 5, 0, 0, 0, 0}}},
		"no connection": {&sstp.Open{SessionID: 1, ResourceURL: resource, IdentityURL: p[0].identity}},
	} {
		t.Run(name, func(t *testing.T) {
			conn := b.raw(t)
			put(t, conn, commands...)
			r := sstp.NewReader(conn)
			for {
				cmd, err := r.ReadCommand()
				must(t, err)
				if end, ok := cmd.(*sstp.ConnectClose); ok {
					if end.Reason == sstp.ReasonNone {
						t.Errorf("ended with %+v", end)
					}
					break
				}
			}
		})
	}
	if st := b.server.Stats(); st.Devices != 0 || st.MessagesReceived != 0 {
		t.Errorf("%+v", st)
	}
}

// A peer that says it is a relay may bring messages for users of this one, and
// nothing else.
func TestOtherRelay(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := b.people(t, "bob")
	conn := b.raw(t)
	put(t, conn, asRelay(b),
		&sstp.FanoutOpen{SessionID: 1, ResourceURL: resource, Entries: []sstp.FanoutDeviceEntry{entry(p[0], "grooveDNS://third.example")}},
		&sstp.Open{SessionID: 2, ResourceURL: sstp.WANDPPResource},
		&sstp.Open{SessionID: 3, ResourceURL: resource, IdentityURL: p[0].identity},
		&sstp.FanoutOpen{SessionID: 4, ResourceURL: resource, Entries: []sstp.FanoutDeviceEntry{entry(p[0], b.url())}},
		&sstp.Message{SessionID: 4}, &sstp.Data{SessionID: 4, Payload: []byte("x")}, &sstp.EndMessage{SessionID: 4},
	)
	r := sstp.NewReader(conn)
	want := map[uint32]sstp.OpenResponseID{1: sstp.OpenFanoutNotSupported, 2: sstp.OpenUnknown, 3: sstp.OpenOk, 4: sstp.OpenOk}
	for acknowledged := false; len(want) > 0 || !acknowledged; {
		cmd, err := r.ReadCommand()
		must(t, err)
		switch m := cmd.(type) {
		case *sstp.OpenResponse:
			if m.Response != want[m.SessionID] {
				t.Errorf("session %d: %v, want %v", m.SessionID, m.Response, want[m.SessionID])
			}
			delete(want, m.SessionID)
		case *sstp.Noop:
			acknowledged = m.MessageCount == 1
		}
	}
}

// Peers that keep silent, speak something else, or do not read, end by
// themselves and hurt nobody.
func TestHostilePeers(t *testing.T) {
	b := newBox(t, "a.example", func(c *Config) {
		c.Timers.Establishment, c.Timers.Authentication = 1500*time.Millisecond, 1500*time.Millisecond
	})
	p := b.people(t, "alice", "bob", "deaf")
	silent, half := b.raw(t), b.raw(t)
	put(t, half, b.connectAs(t, p[0])) // and no answer to the challenge
	garbage := b.raw(t)
	_, err := io.WriteString(garbage, "GET / HTTP/1.1\r\n\r\n")
	must(t, err)
	long := b.raw(t)
	_, err = long.Write([]byte{byte(sstp.IDConnect), 0xff, 0xff, 1}) // and nothing of what it announces
	must(t, err)

	// One that takes nothing any more, and has a lot to take.
	deaf, hear := b.deaf(t, p[2])
	alice, bob := b.connect(t, p[0]), b.attached(t, p[1])
	o := alice.fanout(t, fanoutTo(entry(p[1], ""), sstp.FanoutDeviceEntry{IdentityURL: p[2].identity, DeviceURL: p[2].device}))
	for i := range 16 {
		must(t, o.give(t, sstp.Message{}, make([]byte, 1<<20)))
		receive(t, "a message to bob", bob.got)
		if i == 0 {
			hear()
		}
	}
	for name, conn := range map[string]net.Conn{"silent": silent, "half-open": half, "garbage": garbage, "long": long} {
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	eventually(t, "only those who are served are left", func() bool { return b.server.Stats().Connections == 3 })
	must(t, deaf.Close())
	c := b.attached(t, p[2])
	for range 16 {
		receive(t, "what the deaf one has not got", c.got)
	}
}

// deaf authenticates. hear takes a session from the relay; nothing is read after
// that.
func (b *box) deaf(t *testing.T, p *person) (conn net.Conn, hear func()) {
	t.Helper()
	conn = b.raw(t)
	login, token, err := auth.NewLogin(auth.DeviceLayer, p.deviceKey)
	must(t, err)
	put(t, conn, &sstp.Connect{Version: sstp.Version15, TargetDeviceURL: b.url(), SourceDeviceURLs: []string{p.device}, AuthenticationToken: token})
	r := sstp.NewReader(conn)
	cmd, err := r.ReadCommand()
	must(t, err)
	answer := cmd.(*sstp.ConnectResponse)
	proof, err := login.Receive(answer.Response, answer.AuthenticationToken)
	must(t, err)
	put(t, conn, &sstp.ConnectAuthenticate{AuthenticationToken: proof})
	return conn, func() {
		cmd, err := r.ReadCommand()
		must(t, err)
		put(t, conn, &sstp.OpenResponse{SessionID: cmd.(*sstp.Open).SessionID, Response: sstp.OpenOk})
	}
}

func TestTooManyConnections(t *testing.T) {
	b := newBox(t, "a.example", func(c *Config) { c.DeviceConnections, c.MaxConnections = 2, 3 })
	p := b.people(t, "alice", "bob")
	b.connect(t, p[0])
	first := b.connect(t, p[0])
	third, err := b.tryConnect(t, p[0])
	if third == nil {
		t.Fatal(err)
	}
	if end := third.ended(t); end.Reason != sstp.ReasonCrossedConnections {
		t.Errorf("third connection: %v", end)
	}
	eventually(t, "the third is gone", func() bool { return b.server.Stats().Connections == 2 })
	b.connect(t, p[1])
	if c, err := b.tryConnect(t, p[1]); err == nil {
		t.Errorf("a connection too many: %v", c.conn)
	}
	if n := b.server.Stats().TurnedAway; n != 1 {
		t.Errorf("%d turned away", n)
	}
	first.leave2(t, b, 2)
	b.connect(t, p[0])
}

// leave2 ends the connection and waits until so many are left.
func (c *testClient) leave2(t *testing.T, b *box, left int) {
	t.Helper()
	c.conn.Close(sstp.ReasonNone, 0)
	receive(t, "the end of a connection", c.conn.Done())
	eventually(t, "the connection is gone", func() bool { return b.server.Stats().Connections == left })
}

// A new connection of a device takes over from one that may be dead; a second
// device of the identity waits its turn.
func TestLeases(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "bob")
	second := p[1].another(t, "bob2")
	must(t, b.registry.Register(auth.Registration{DeviceURL: second.device, DeviceKey: second.deviceKey, AccountURL: second.account}))
	online := func(url string) {
		t.Helper()
		eventually(t, url+" is online", func() bool { return slices.Contains(b.server.Online(), url) })
	}
	holder := func(c *testClient, n int) {
		t.Helper()
		eventually(t, "the lease changes", func() bool {
			b.server.leases.mu.Lock()
			defer b.server.leases.mu.Unlock()
			list := b.server.leases.candidates[p[1].identity]
			return len(list) == n && list[0].deviceURL == c.person.device
		})
	}
	// What delivers is to be the change of a lease, not that of the registry, at
	// which everything is looked at.
	time.Sleep(2 * changesPause)
	// A message that is not acknowledged yet goes to who takes over, too.
	acknowledged := func() {
		t.Helper()
		eventually(t, "all is acknowledged", func() bool { return b.spool.Stats().Messages == 0 })
	}
	one := b.attached(t, p[1])
	online(p[1].identity)
	two := b.attached(t, second)
	holder(one, 2)
	o := b.connect(t, p[0]).open(t, toIdentity(p[1]))
	must(t, o.give(t, sstp.Message{}, []byte("1")))
	receive(t, "a message to the first device", one.got)
	acknowledged()
	gate := make(chan struct{}, 1)
	again := b.attached(t, p[1], func(_ *sstp.Config, c *testClient) { c.gate = gate })
	holder(again, 3)
	gate <- struct{}{}
	must(t, o.give(t, sstp.Message{}, []byte("2")))
	receive(t, "a message to its new connection", again.got)
	acknowledged()
	// This one is not acknowledged, and goes to the next in line.
	must(t, o.give(t, sstp.Message{}, []byte("left behind")))
	eventually(t, "it is sent", func() bool { return b.server.Stats().MessagesSent == 3 })
	for _, c := range []*testClient{one, again} {
		c.conn.Close(sstp.ReasonNone, 0)
	}
	holder(two, 1)
	if m := receive(t, "what was left behind", two.got); string(m.body) != "left behind" {
		t.Errorf("got %q", m.body)
	}
	must(t, o.give(t, sstp.Message{}, []byte("3")))
	receive(t, "a message to the second device", two.got)
	if len(one.got)+len(again.got)+len(two.got) != 0 {
		t.Error("something came twice")
	}
}

// An account that detaches, or whose identities go elsewhere, gets no more.
func TestDetach(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "bob")
	c := b.connect(t, p[1])
	a := c.attach(t)
	eventually(t, "bob is online", func() bool { return slices.Contains(b.server.Online(), p[1].identity) })
	a.Close(sstp.ReasonNone)
	eventually(t, "bob is offline", func() bool { return !slices.Contains(b.server.Online(), p[1].identity) })
	sender := b.connect(t, p[0])
	must(t, sender.open(t, toIdentity(p[1])).give(t, sstp.Message{}, []byte("later")))
	must(t, sender.open(t, toDevice(p[1])).give(t, sstp.Message{}, []byte("now")))
	if m := receive(t, "a message to the device", c.got); string(m.body) != "now" {
		t.Errorf("got %q", m.body)
	}
	c.attach(t)
	if m := receive(t, "a message to the identity", c.got); string(m.body) != "later" {
		t.Errorf("got %q", m.body)
	}
}

// Everybody is told when to come back, and nothing is left behind.
func TestShutdown(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "bob")
	c := b.connect(t, p[0])
	o := c.open(t, toIdentity(p[1]))
	must(t, o.give(t, sstp.Message{}, []byte("x")))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	must(t, b.server.Shutdown(ctx, 42*time.Second))
	if end := c.ended(t); end.Reason != sstp.ReasonResting || end.ReturnTime != 42*time.Second {
		t.Errorf("%v, %v", end, end.ReturnTime)
	}
	ours, theirs := net.Pipe()
	b.server.Adopt(theirs)
	if _, err := ours.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("a late connection: %v", err)
	}
	late, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, b.server.Serve(late))
	if _, err := late.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a late listener: %v", err)
	}
	b.stop(t)
}

// carried is a transport that wants to know what comes of it.
type carried struct {
	net.Conn
	keepAlive net.KeepAliveConfig
	proven    chan struct{}
}

func (c *carried) SetKeepAliveConfig(k net.KeepAliveConfig) error {
	c.keepAlive = k
	return nil
}

func (c *carried) Proven() { close(c.proven) }

// A transport that is no socket, as a carrier brings it.
func TestAdopt(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "bob")
	ours, theirs := net.Pipe()
	transport := &carried{Conn: theirs, proven: make(chan struct{})}
	b.server.Adopt(transport)
	if transport.keepAlive != deadPeer() {
		t.Errorf("keep-alive: %+v", transport.keepAlive)
	}
	c := &testClient{person: p[0], got: make(chan delivered, 1), closed: make(chan error, 1)}
	login, token, err := auth.NewLogin(auth.DeviceLayer, p[0].deviceKey)
	must(t, err)
	conn, answer, err := sstp.Dial(t.Context(), ours, sstp.Config{LocalDeviceURLs: []string{p[0].device}}, b.url(), token, c)
	must(t, err)
	defer func() { conn.Close(sstp.ReasonNone, 0); <-conn.Done() }()
	proof, err := login.Receive(answer.Response, answer.AuthenticationToken)
	must(t, err)
	select {
	case <-transport.proven:
		t.Error("proven before the proof")
	default:
	}
	must(t, conn.Authenticate(proof))
	receive(t, "word that the peer is proven", transport.proven)
	c.conn = conn
	must(t, c.open(t, toIdentity(p[1])).give(t, sstp.Message{Flags: sstp.FlagAcknowledgeImmediately}, make([]byte, 100<<10)))
}

// presenceCalls writes down what it is told of connections, and refuses sessions.
type presenceCalls struct{ calls chan string }

func (p presenceCalls) Connected(deviceURL string, _ *sstp.Conn) { p.calls <- "connected " + deviceURL }
func (p presenceCalls) Expelled(*sstp.Conn)                      { p.calls <- "expelled" }
func (p presenceCalls) Ended(*sstp.Conn)                         { p.calls <- "ended" }

func (p presenceCalls) Open(*sstp.InboundSession) (sstp.Receiver, sstp.OpenResponseID) {
	p.calls <- "open"
	return nil, sstp.OpenNoResource
}

func TestPresence(t *testing.T) {
	calls := make(chan string, 10)
	b := newBox(t, "a.example", func(c *Config) { c.Presence = presenceCalls{calls} })
	expect := func(want string) {
		t.Helper()
		if got := receive(t, want, calls); got != want {
			t.Errorf("presence was told %q, want %q", got, want)
		}
	}
	p := b.people(t, "alice", "bob")
	c := b.connect(t, p[0])
	expect("connected " + p[0].device)
	var refused *sstp.OpenRefusedError
	o := c.open(t, sstp.Open{ResourceURL: "GrooveWanDPP"})
	if err := receive(t, "the answer", o.closed); !errors.As(err, &refused) || refused.Response != sstp.OpenNoResource {
		t.Errorf("%v", err)
	}
	expect("open")
	c.leave(t, b)
	expect("ended")

	b.connect(t, p[1])
	expect("connected " + p[1].device)
	b.lock(t, true, p[1])
	expect("expelled")
	expect("ended")
}

// A fanout session for presence is refused before anybody is asked ([MS-GRVSSTP]
// 3.3.5.6), whoever the entries are.
func TestFanoutOfPresence(t *testing.T) {
	calls := make(chan string, 10)
	b := newBox(t, "a.example", func(c *Config) { c.Presence = presenceCalls{calls} })
	p := b.people(t, "alice", "bob")
	c := b.connect(t, p[0])
	receive(t, "the connection", calls)
	for _, entries := range [][]sstp.FanoutDeviceEntry{
		{entry(p[1], "")},
		{entry(p[1], "grooveDNS://other.example")},
		{{IdentityURL: p[1].identity, DeviceURL: p[1].device}},
	} {
		for _, resource := range []string{sstp.WANDPPResource, "grooveWanDPP"} {
			o := c.fanout(t, sstp.FanoutOpen{ResourceURL: resource, Entries: entries})
			var refused *sstp.OpenRefusedError
			if err := receive(t, "the answer", o.closed); !errors.As(err, &refused) || refused.Response != sstp.OpenNoResource {
				t.Errorf("%s to %+v: %v", resource, entries, err)
			}
		}
	}
	if len(calls) != 0 {
		t.Errorf("presence was told %q", <-calls)
	}
}
