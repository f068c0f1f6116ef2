package relay

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"furrow/relay/presence"
	"furrow/sstp"
	"furrow/sstp/wandpp"
)

// newPresenceBox starts a relay that serves presence.
func newPresenceBox(t testing.TB, change func(*Config)) (*box, *presence.Hub) {
	t.Helper()
	hub := presence.New(presence.Config{Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(hub.Close) // after the box's own cleanup
	return newBox(t, "a.example", func(c *Config) {
		c.Presence = hub
		if change != nil {
			change(c)
		}
	}), hub
}

// say sends a presence message.
func (o *outbox) say(t testing.TB, m wandpp.Message) {
	t.Helper()
	text, err := wandpp.Encode(m)
	must(t, err)
	must(t, o.give(t, sstp.Message{Flags: sstp.FlagAcknowledgeImmediately}, text))
}

// told waits for a Notify of one device.
func (c *testClient) told(t testing.TB, p *person, status wandpp.Status) {
	t.Helper()
	got := receive(t, "a notification", c.got)
	want, err := wandpp.Encode(&wandpp.Notify{Devices: []wandpp.DeviceStatus{{URL: p.device, Status: status}}})
	must(t, err)
	if got.open.ResourceURL != sstp.WANDPPResource || got.open.DeviceURL != c.person.device || string(got.body) != string(want) {
		t.Errorf("%s was told %+v: %s, want %s", c.person.name, got.open, got.body, want)
	}
}

func (c *testClient) presence(t testing.TB) *outbox {
	t.Helper()
	return c.open(t, sstp.Open{ResourceURL: sstp.WANDPPResource})
}

// TestPresenceOfUsers has users locked out and cleared while they are online.
func TestPresenceOfUsers(t *testing.T) {
	b, hub := newPresenceBox(t, nil)
	p := b.people(t, "alice", "bob", "carol")
	alice := b.connect(t, p[0])
	watch := alice.presence(t)
	begin := func(p *person) *testClient {
		c := b.connect(t, p)
		c.presence(t).say(t, &wandpp.Publish{Status: wandpp.Online})
		watch.say(t, &wandpp.Subscribe{Devices: []string{p.device}})
		alice.told(t, p, wandpp.Online)
		return c
	}
	for what, test := range map[string]struct {
		who *person
		end func()
	}{
		"locked out": {p[1], func() { b.lock(t, true, p[1]) }},
		"cleared":    {p[2], func() { must(t, b.registry.ClearAccount(context.Background(), p[2].account)) }},
	} {
		who := test.who
		c := begin(who)
		second := c.presence(t)
		begun := time.Now()
		test.end()
		alice.told(t, who, wandpp.Offline)
		if waited := time.Since(begun); waited > 2*time.Second {
			t.Errorf("%s: offline after %v, want it without the grace time of a lost connection", what, waited)
		}
		if end := c.ended(t); end.Reason != sstp.ReasonDeviceAuthenticationFailed {
			t.Errorf("%s: %v", what, end)
		}
		if err := receive(t, "the end of the session", second.closed); err == nil {
			t.Errorf("%s: the session has not ended", what)
		}
		if _, err := b.tryConnect(t, who); err == nil {
			t.Errorf("%s: connected again", what)
		}
	}
	if st := hub.Stats(); st.Online != 0 || st.Subscriptions != 2 {
		t.Errorf("%+v", st)
	}

	// A user who may come back does.
	b.lock(t, false, p[1])
	c := b.connect(t, p[1])
	c.presence(t).say(t, &wandpp.Publish{Status: wandpp.Online})
	alice.told(t, p[1], wandpp.Online)
}

// TestPresenceIsNotQueued stores nothing for who is not there.
func TestPresenceIsNotQueued(t *testing.T) {
	b, _ := newPresenceBox(t, nil)
	p := b.people(t, "alice", "bob")
	alice := b.connect(t, p[0])
	o := alice.presence(t)
	o.say(t, &wandpp.Subscribe{Devices: []string{p[1].device}})
	alice.told(t, p[1], wandpp.Offline)
	alice.leave(t, b)
	bob := b.connect(t, p[1])
	bob.presence(t).say(t, &wandpp.Publish{Status: wandpp.Online})
	for range b.queues.All() {
		t.Error("something is queued")
	}
	if st := b.server.Stats(); st.MessagesReceived != 0 || st.MessagesSent != 0 {
		t.Errorf("%+v", st)
	}
}

// TestPresenceBesideReceiving has a connection that is there for presence leave the
// device's messages to the one that receives, whichever comes first.
func TestPresenceBesideReceiving(t *testing.T) {
	b, _ := newPresenceBox(t, nil)
	p := b.people(t, "alice", "bob")
	alice := b.connect(t, p[0])
	send := func(text string, to *testClient) {
		t.Helper()
		must(t, alice.open(t, toDevice(p[1])).give(t, sstp.Message{}, []byte(text)))
		if m := receive(t, "the message", to.got); string(m.body) != text {
			t.Errorf("got %q, want %q", m.body, text)
		}
	}
	receiving := b.attached(t, p[1])
	b.connect(t, p[1]).presence(t).say(t, &wandpp.Publish{Status: wandpp.Online})
	send("presence came later", receiving)
	receiving.conn.Close(sstp.ReasonNone, 0)
	receive(t, "the end of a connection", receiving.conn.Done())
	receiving = b.connect(t, p[1])
	b.connect(t, p[1]).presence(t).say(t, &wandpp.Publish{Status: wandpp.Online})
	receiving.attach(t)
	eventually(t, "the connection that receives has the device's lease", func() bool {
		l := &b.server.leases
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.candidates[p[1].device][0].attached.Load()
	})
	send("presence came between", receiving)
}
