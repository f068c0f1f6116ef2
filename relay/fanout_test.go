package relay

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"furrow/relay/registry"
	"furrow/sstp"
)

// quota sets the quotas in megabytes.
func (b *box) quota(t *testing.T, device, identity int32) {
	t.Helper()
	_, err := b.registry.SetDefaults(context.Background(), b.request(),
		registry.Settings{DeviceQuota: device, IdentityQuota: identity, QuotaEnabled: true, PurgeEnabled: true})
	must(t, err)
}

func version15(cfg *sstp.Config, _ *testClient) { cfg.Version = sstp.Version15 }

func TestQuotaOfOpen(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "bob")
	b.quota(t, 1, 1)
	c := b.connect(t, p[0])
	o := c.open(t, toIdentity(p[1]))
	must(t, o.give(t, sstp.Message{}, make([]byte, 900<<10)))
	var closed *sstp.SessionError
	err := o.give(t, sstp.Message{}, make([]byte, 900<<10))
	if !errors.As(err, &closed) || !closed.Remote || closed.Reason != sstp.ReasonQuotaWouldBeExceeded {
		t.Errorf("beyond the quota: %v", err)
	}
	// The connection stands, and the device has a quota of its own.
	must(t, c.open(t, toDevice(p[1])).give(t, sstp.Message{}, make([]byte, 900<<10)))
	if u := b.queues.Usage(p[1].identity); u.Messages != 1 {
		t.Errorf("stored: %+v", u)
	}
}

func TestTooLongForOpen(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "bob")
	b.quota(t, 1, 1)
	o := b.connect(t, p[0]).open(t, toIdentity(p[1]))
	var closed *sstp.SessionError
	// The relay does not take all of it before it says no.
	if err := o.give(t, sstp.Message{}, make([]byte, 8<<20)); !errors.As(err, &closed) || closed.Reason != sstp.ReasonQuotaWouldBeExceeded {
		t.Errorf("%v", err)
	}
	if disk := b.spool.Stats().DiskBytes; disk > 1<<20 {
		t.Errorf("%d octets on disk", disk)
	}
}

// The targets of a fanout session that drop out are told in the form of the
// connection's version, each once, and the others get what is sent.
func TestFaults(t *testing.T) {
	for _, version := range []sstp.Version{sstp.Version15, sstp.Version16} {
		t.Run(version.String(), func(t *testing.T) {
			b := newBox(t, "a.example", nil)
			p := b.people(t, "alice", "bob", "full", "locked", "carol")
			stranger := newPerson(t, "stranger")
			b.quota(t, 1, 1)
			b.lock(t, true, p[3])
			c := b.connect(t, p[0], func(cfg *sstp.Config, _ *testClient) { cfg.Version = version })
			must(t, c.open(t, toIdentity(p[2])).give(t, sstp.Message{}, make([]byte, 1<<20-512)))
			o := c.fanout(t, fanoutTo(entry(p[1], ""), entry(p[2], ""), entry(p[3], b.url()), entry(stranger, ""), entry(p[4], "")))
			must(t, o.give(t, sstp.Message{}, []byte("first")))
			must(t, o.give(t, sstp.Message{}, []byte("second")))

			got := map[sstp.StatusID][]string{}
			indexes := map[sstp.StatusID][]uint16{}
			for len(o.statuses) > 0 {
				m := <-o.statuses
				got[m.Status] = append(got[m.Status], m.IdentityURL)
				indexes[m.Status] = append(indexes[m.Status], m.Indexes...)
			}
			want := map[sstp.StatusID][]string{
				sstp.StatusQuotaWouldBeExceeded: {p[2].identity}, sstp.StatusLockedOut: {p[3].identity, stranger.identity},
			}
			wantIndexes := map[sstp.StatusID][]uint16{}
			if version == sstp.Version16 {
				// One for each relay, as they were named: locked and stranger.
				wantIndexes = map[sstp.StatusID][]uint16{sstp.StatusQuotaWouldBeExceeded: {1}, sstp.StatusLockedOut: {2, 3}}
				want[sstp.StatusLockedOut] = want[sstp.StatusLockedOut][:1]
			}
			for _, id := range []sstp.StatusID{sstp.StatusQuotaWouldBeExceeded, sstp.StatusLockedOut} {
				if !slices.Equal(got[id], want[id]) || !slices.Equal(indexes[id], wantIndexes[id]) {
					t.Errorf("%v: %v %v, want %v %v", id, got[id], indexes[id], want[id], wantIndexes[id])
				}
			}
			for i, messages := range map[int]int{1: 2, 2: 1, 3: 0, 4: 2} {
				if u := b.queues.Usage(p[i].identity); u.Messages != messages {
					t.Errorf("%s has %d messages, want %d", p[i].name, u.Messages, messages)
				}
			}
		})
	}
}

// Without a target left the relay waits for the originator to close, and then
// closes itself (note <16>).
func TestEmptySession(t *testing.T) {
	const wait = 100 * time.Millisecond
	b := newBox(t, "a.example", func(c *Config) { c.EmptySessionTime = wait })
	p := b.people(t, "alice", "bob")
	c := b.connect(t, p[0])
	stranger := newPerson(t, "stranger")
	begin := time.Now()
	o := c.fanout(t, fanoutTo(entry(stranger, "")))
	receive(t, "the status", o.statuses)
	must(t, o.give(t, sstp.Message{}, []byte("in vain")))
	var closed *sstp.SessionError
	if err := receive(t, "the close", o.closed); !errors.As(err, &closed) || closed.Reason != sstp.ReasonEmptySession {
		t.Errorf("closed: %v", err)
	}
	if took := time.Since(begin); took < wait {
		t.Errorf("closed after %v", took)
	}
	// One that the originator closes is not closed again, and nothing is left.
	o = c.fanout(t, fanoutTo(entry(stranger, "")))
	receive(t, "the status", o.statuses)
	o.session.Close(sstp.ReasonNone)
	must(t, c.open(t, toIdentity(p[1])).give(t, sstp.Message{}, []byte("x")))
	eventually(t, "all sessions are forgotten", func() bool {
		for _, peer := range b.server.everybody() {
			peer.mu.Lock()
			n := len(peer.sessions)
			peer.mu.Unlock()
			if n != 1 {
				return false
			}
		}
		return true
	})
}

func TestFanoutToNobody(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice")
	c := b.connect(t, p[0])
	c.fanout(t, fanoutTo())
	var entries []sstp.FanoutDeviceEntry
	for i := range maxRelays + 1 {
		entries = append(entries, entry(p[0], sstp.RelayScheme+string(rune('a'+i%26))+string(rune('a'+i/26))))
	}
	var refused *sstp.OpenRefusedError
	if err := receive(t, "the refusal", c.fanout(t, fanoutTo(entries...)).closed); !errors.As(err, &refused) || refused.Response != sstp.OpenFanoutNotSupported {
		t.Errorf("to many relays: %v", err)
	}
}

// D: the message is for those who are online, and for nobody else.
func TestDoNotDeliverIfOffline(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "bob", "carol")
	bob := b.attached(t, p[1])
	eventually(t, "bob is online", func() bool { return slices.Contains(b.server.Online(), p[1].identity) })
	d := sstp.Message{Flags: sstp.FlagDoNotDeliverIfOffline}
	c := b.connect(t, p[0])
	o := c.fanout(t, fanoutTo(entry(p[1], ""), entry(p[2], "")))
	must(t, o.give(t, d, []byte("now or never")))
	must(t, c.open(t, toIdentity(p[2])).give(t, d, []byte("now or never")))
	must(t, o.give(t, sstp.Message{}, []byte("at any time")))
	for _, want := range []string{"now or never", "at any time"} {
		if m := receive(t, "a message to bob", bob.got); string(m.body) != want {
			t.Errorf("bob got %q", m.body)
		}
	}
	if len(o.statuses) != 0 {
		t.Errorf("status: %+v", <-o.statuses)
	}
	if m := receive(t, "a message to carol", b.attached(t, p[2]).got); string(m.body) != "at any time" {
		t.Errorf("carol got %q", m.body)
	}
}

// One that was on its way when its recipient went is not kept either.
func TestDoNotKeepWhenGone(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "bob")
	bob := b.attached(t, p[1], func(_ *sstp.Config, c *testClient) { c.gate = make(chan struct{}) })
	eventually(t, "bob is online", func() bool { return slices.Contains(b.server.Online(), p[1].identity) })
	o := b.connect(t, p[0]).open(t, toIdentity(p[1]))
	must(t, o.give(t, sstp.Message{Flags: sstp.FlagDoNotDeliverIfOffline}, []byte("x")))
	must(t, o.give(t, sstp.Message{}, []byte("y")))
	bob.leave(t, b)
	if m := receive(t, "a message", b.attached(t, p[1]).got); string(m.body) != "y" {
		t.Errorf("got %q", m.body)
	}
}
