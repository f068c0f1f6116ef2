package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"furrow/relay/queue"
	"furrow/sstp"
)

// twoBoxes are relays that can reach each other, with alice at A, bob and carol
// at B.
func twoBoxes(t *testing.T, change func(*Config)) (n *network, a, b *box, alice *person, there []*person) {
	t.Helper()
	n = new(network)
	withDialer := func(c *Config) {
		c.Dialer = n
		if change != nil {
			change(c)
		}
	}
	a, b = newBox(t, "a.example", withDialer), newBox(t, "b.example", withDialer)
	n.add(a)
	n.add(b)
	return n, a, b, a.people(t, "alice")[0], b.people(t, "bob", "carol")
}

// forwarded waits until nothing waits at a box.
func forwarded(t *testing.T, b *box) {
	t.Helper()
	eventually(t, "everything is forwarded", func() bool { return b.spool.Stats().Messages == 0 })
}

func TestSingleHop(t *testing.T) {
	_, a, b, alice, there := twoBoxes(t, nil)
	dave := a.people(t, "dave")[0]
	body := randomBody(1 << 20)
	header := sstp.Message{Flags: sstp.FlagTrack, UserRef: "ref"}
	o := a.connect(t, alice).fanout(t, fanoutTo(
		entry(there[0], b.url()), entry(dave, ""),
		sstp.FanoutDeviceEntry{IdentityURL: there[1].identity, DeviceURL: there[1].device, RelayURL: b.url()}))
	must(t, o.give(t, header, body))
	must(t, o.give(t, sstp.Message{}, []byte("second")))
	for _, c := range []*testClient{b.attached(t, there[0]), b.attached(t, there[1]), a.attached(t, dave)} {
		if m := receive(t, "the first message", c.got); !bytes.Equal(m.body, body) || m.header.UserRef != "ref" || m.header.Flags != header.Flags {
			t.Errorf("%s got %d octets, %+v", c.person.name, len(m.body), m.header)
		}
		if m := receive(t, "the second message", c.got); string(m.body) != "second" {
			t.Errorf("%s got %q", c.person.name, m.body)
		}
	}
	if st := b.spool.Stats(); st.DiskBytes > 3<<19 {
		t.Errorf("%d octets for two recipients", st.DiskBytes)
	}
	forwarded(t, a)
	if st := a.server.Stats(); st.MessagesForwarded != 2 || len(st.Forwarders) != 1 || st.Forwarders[0] != (Route{RelayURL: b.url()}) {
		t.Errorf("%+v", st)
	}
	if len(o.statuses) != 0 {
		t.Errorf("status: %+v", <-o.statuses)
	}
	if st := b.server.Stats(); st.Relays != 1 || st.FanoutSessions != 1 {
		t.Errorf("%d connections, %d sessions at the other relay", st.Relays, st.FanoutSessions)
	}
}

// The other relay is down: the sender is told, what was acknowledged is kept, and
// goes when the relay is back, even if this one was stopped meanwhile.
func TestRelayDownAndBack(t *testing.T) {
	n, a, b, alice, there := twoBoxes(t, func(c *Config) { c.FirstRetry = 50 * time.Millisecond })
	hold := make(chan struct{})
	n.fail(errors.New("no route to host"))
	slow := &gatedDialer{network: n, gate: hold}
	a.dialer = slow
	a.change = func(c *Config) { c.Dialer = slow; c.FirstRetry = 10 * time.Millisecond }
	a.stop(t)
	a.start(t)

	c := a.connect(t, alice)
	o := c.fanout(t, fanoutTo(entry(alice, ""), entry(there[0], b.url()), entry(there[1], b.url())))
	must(t, o.give(t, sstp.Message{Flags: sstp.FlagDoNotDeliverIfOffline}, []byte("not kept")))
	must(t, o.give(t, sstp.Message{}, []byte("kept")))
	close(hold)
	m := receive(t, "the status", o.statuses)
	if m.Status != sstp.StatusHostNotReachable || m.DeviceURL != b.url() || !slices.Equal(m.Indexes, []uint16{1, 2}) {
		t.Errorf("%+v", m)
	}
	must(t, o.give(t, sstp.Message{}, []byte("not taken")))
	eventually(t, "one message waits for the other relay", func() bool { return a.queues.Usage(b.url()).Messages == 1 })
	a.stop(t)
	a.start(t)
	n.fail(nil)
	bob := b.attached(t, there[0])
	if m := receive(t, "what was kept", bob.got); string(m.body) != "kept" {
		t.Errorf("bob got %q", m.body)
	}
	eventually(t, "it is acknowledged", func() bool { return a.queues.Usage(b.url()).Messages == 0 })
	if len(bob.got) != 0 {
		t.Errorf("bob also got %q", (<-bob.got).body)
	}
}

// gatedDialer dials when the gate is open.
type gatedDialer struct {
	*network
	gate chan struct{}
}

func (d *gatedDialer) DialRelay(ctx context.Context, relayURL string) (io.ReadWriteCloser, error) {
	select {
	case <-d.gate:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return d.network.DialRelay(ctx, relayURL)
}

func TestRelayWithoutName(t *testing.T) {
	_, a, _, alice, there := twoBoxes(t, nil)
	o := a.connect(t, alice, version15).fanout(t, fanoutTo(entry(there[0], "grooveDNS://nowhere.example"), entry(there[1], "grooveDNS://nowhere.example")))
	for i := range 2 {
		m := receive(t, "the status", o.statuses)
		if m.Status != sstp.StatusDNSLookupFailed || m.DeviceURL != "grooveDNS://nowhere.example" || m.IdentityURL != there[i].identity || m.Indexes != nil {
			t.Errorf("%+v", m)
		}
	}
	// Without anything that waits the relay is not dialled for ever.
	eventually(t, "the relay is forgotten", func() bool { return len(a.server.Stats().Forwarders) == 0 })
}

// A connection that stood is lost and does not come back at once: that is
// ConnectionClosed. What is not acknowledged is sent again.
func TestForwardingConnectionLost(t *testing.T) {
	n, a, b, alice, there := twoBoxes(t, nil)
	o := a.connect(t, alice).fanout(t, fanoutTo(entry(there[0], b.url())))
	must(t, o.give(t, sstp.Message{}, []byte("1")))
	eventually(t, "one is forwarded", func() bool { return a.queues.Usage(b.url()).Messages == 0 })
	n.fail(errors.New("no route to host"))
	b.stop(t)
	eventually(t, "the loss is told", func() bool {
		must(t, o.give(t, sstp.Message{}, []byte("2")))
		return len(o.statuses) > 0
	})
	if m := <-o.statuses; m.Status != sstp.StatusConnectionClosed || m.DeviceURL != b.url() || !slices.Equal(m.Indexes, []uint16{0}) {
		t.Errorf("%+v", m)
	}
	b.start(t)
	n.fail(nil)
	c := b.attached(t, there[0])
	for _, want := range []string{"1", "2"} {
		if m := receive(t, "a message", c.got); string(m.body) != want {
			t.Errorf("got %q, want %q", m.body, want)
		}
	}
	eventually(t, "nothing waits", func() bool { return a.queues.Usage(b.url()).Messages == 0 })
}

// The other relay refuses targets: the originator hears of them by its own
// indexes.
func TestIndexesAreMapped(t *testing.T) {
	for _, version := range []sstp.Version{sstp.Version15, sstp.Version16} {
		t.Run(version.String(), func(t *testing.T) {
			_, a, b, alice, there := twoBoxes(t, nil)
			erin := a.people(t, "erin")[0]
			b.lock(t, true, there[1])
			// The other relay speaks 1.6; that the two sides of this one may
			// differ must not matter.
			c := a.connect(t, alice, func(cfg *sstp.Config, _ *testClient) { cfg.Version = version })
			o := c.fanout(t, fanoutTo(entry(erin, ""), entry(there[0], b.url()), entry(erin, a.url()), entry(there[1], b.url())))
			must(t, o.give(t, sstp.Message{}, []byte("x")))
			m := receive(t, "the status", o.statuses)
			if m.Status != sstp.StatusLockedOut || m.IdentityURL != there[1].identity {
				t.Errorf("%+v", m)
			}
			if want := map[bool][]uint16{true: {3}}[version == sstp.Version16]; !slices.Equal(m.Indexes, want) {
				t.Errorf("indexes %v, want %v", m.Indexes, want)
			}
			must(t, o.give(t, sstp.Message{}, []byte("y")))
			bob := b.attached(t, there[0])
			for _, want := range []string{"x", "y"} {
				if m := receive(t, "a message", bob.got); string(m.body) != want {
					t.Errorf("bob got %q, want %q", m.body, want)
				}
			}
			forwardedBut(t, a, 2)
			if len(o.statuses) != 0 {
				t.Errorf("told again: %+v", <-o.statuses)
			}
		})
	}
}

// forwardedBut waits until only messages for a box's own users wait there.
func forwardedBut(t *testing.T, b *box, own int) {
	t.Helper()
	eventually(t, "everything is forwarded", func() bool { return b.spool.Stats().Messages == own })
}

// All targets are refused: nothing is left to wait for.
func TestAllRefusedByTheOtherRelay(t *testing.T) {
	_, a, b, alice, _ := twoBoxes(t, func(c *Config) { c.EmptySessionTime = 20 * time.Millisecond })
	o := a.connect(t, alice).fanout(t, fanoutTo(entry(newPerson(t, "stranger"), b.url())))
	must(t, o.give(t, sstp.Message{}, []byte("x")))
	if m := receive(t, "the status", o.statuses); m.Status != sstp.StatusLockedOut {
		t.Errorf("%+v", m)
	}
	receive(t, "the end of the session", o.closed)
	forwarded(t, a)
}

// A relay that serves no fanout sessions keeps one message from arriving, not
// those behind it.
func TestGivenUp(t *testing.T) {
	_, a, b, alice, there := twoBoxes(t, nil)
	// B would have to forward this one in turn; nothing is forwarded twice.
	bad, err := route(resource, []sstp.FanoutDeviceEntry{entry(there[0], a.url())})
	must(t, err)
	h, err := a.server.storedHeader(resource, sstp.Message{})
	must(t, err)
	w, err := a.queues.Begin(h, []queue.Recipient{{Address: queue.Address{Relay: b.url()}, Route: bad}})
	must(t, err)
	_, err = w.Write([]byte("bad"))
	must(t, err)
	_, err = w.Commit(t.Context())
	must(t, err)
	o := a.connect(t, alice).fanout(t, fanoutTo(entry(there[0], b.url())))
	must(t, o.give(t, sstp.Message{}, []byte("good")))
	if m := receive(t, "the message behind", b.attached(t, there[0]).got); string(m.body) != "good" {
		t.Errorf("got %q", m.body)
	}
	forwarded(t, a)
	if n := a.server.Stats().GivenUp; n != 1 {
		t.Errorf("%d given up", n)
	}
}

// In the order in which they were taken, whatever session they came in.
func TestForwardingOrder(t *testing.T) {
	const messages = 100
	_, a, b, alice, there := twoBoxes(t, nil)
	c := a.connect(t, alice)
	var fates []<-chan error
	sessions := []*outbox{c.fanout(t, fanoutTo(entry(there[0], b.url()))), c.fanout(t, fanoutTo(entry(there[0], b.url()), entry(there[1], b.url())))}
	for i := range messages {
		fates = append(fates, sessions[0].begin(t, sstp.Message{}, fmt.Appendf(nil, "%d", i)))
		fates = append(fates, sessions[1].begin(t, sstp.Message{}, fmt.Appendf(nil, "%d", messages+i)))
	}
	for _, fate := range fates {
		must(t, receive(t, "an acknowledgment", fate))
	}
	forwarded(t, a)
	bob := b.attached(t, there[0])
	next := []int{0, messages}
	for range 2 * messages {
		var i int
		if _, err := fmt.Sscan(string(receive(t, "a message", bob.got).body), &i); err != nil {
			t.Fatal(err)
		}
		if i != next[i/messages] {
			t.Fatalf("%d, want %d", i, next[i/messages])
		}
		next[i/messages]++
	}
}

func TestNetDialer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { must(t, l.Close()) }()
	d := new(NetDialer)
	conn, err := d.DialRelay(t.Context(), sstp.RelayScheme+l.Addr().String())
	must(t, err)
	must(t, conn.Close())
	for url, want := range map[string]sstp.StatusID{
		"grooveDNS://127.0.0.1:1":   sstp.StatusHostNotReachable,
		"grooveDNS://relay.invalid": sstp.StatusDNSLookupFailed,
		"dpp:///x":                  sstp.StatusHostNotReachable,
		"grooveDNS://":              sstp.StatusHostNotReachable,
	} {
		if conn, err := d.DialRelay(t.Context(), url); err == nil || unreachable(err) != want {
			t.Errorf("%s: %v, %v; want %v", url, conn, err, want)
		}
	}
}

func TestBackoff(t *testing.T) {
	b := backoff{first: time.Second, last: 5 * time.Second}
	for i, most := range []time.Duration{1, 2, 4, 5, 5} {
		most *= time.Second
		if got := b.next(); got < most/2 || got > most {
			t.Errorf("wait %d is %v, want %v to %v", i, got, most/2, most)
		}
	}
	b.reset()
	if got := b.next(); got > time.Second {
		t.Errorf("after a success %v", got)
	}
}
