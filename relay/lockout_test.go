package relay

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"furrow/relay/queue"
	"furrow/relay/registry"
	"furrow/sstp"
	"furrow/sstp/auth"
)

// accountModify reaches the connections that stand ([MS-GRVSPMR] 2.2.3.1).
func TestLockout(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "bob", "carol")
	alice, bob := b.attached(t, p[0]), b.attached(t, p[1])
	plain := alice.open(t, toIdentity(p[1]))
	fan := alice.fanout(t, fanoutTo(entry(p[1], ""), entry(p[2], "")))
	must(t, plain.give(t, sstp.Message{}, []byte("before")))
	receive(t, "a message", bob.got)

	b.lock(t, true, p[1])
	if end := bob.ended(t); end.Reason != sstp.ReasonDeviceAuthenticationFailed || !end.Remote {
		t.Errorf("bob's connection: %v", end)
	}
	var refused *sstp.ConnectRefusedError
	if _, err := b.tryConnect(t, p[1]); !errors.As(err, &refused) || refused.Response.Response != sstp.ResponseConnectRejected {
		t.Errorf("bob again: %v", err)
	}
	var closed *sstp.SessionError
	if err := receive(t, "the end of the session", plain.closed); !errors.As(err, &closed) || closed.Reason != sstp.ReasonNone {
		t.Errorf("session to bob: %v", err)
	}
	if m := receive(t, "the status", fan.statuses); m.Status != sstp.StatusLockedOut || !slices.Equal(m.Indexes, []uint16{0}) {
		t.Errorf("%+v", m)
	}
	must(t, fan.give(t, sstp.Message{}, []byte("meanwhile")))

	b.lock(t, false, p[1])
	bob = b.attached(t, p[1])
	must(t, alice.open(t, toIdentity(p[1])).give(t, sstp.Message{}, []byte("after")))
	if m := receive(t, "a message", bob.got); string(m.body) != "after" {
		t.Errorf("bob got %q", m.body)
	}
}

// An account with several users loses only the identity of the one who is locked
// out, and gets it back.
func TestLockoutOfAnIdentity(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "bob")
	other := newPerson(t, "other")
	other.account = p[1].account
	_, err := b.registry.AddUsers(context.Background(), b.request(), []string{other.token})
	must(t, err)
	c := b.attached(t, p[1])
	eventually(t, "bob is attached", func() bool { return slices.Contains(b.server.Online(), p[1].identity) })
	must(t, b.registry.RegisterIdentity(registrationOf(other)))
	// An identity that registers now is delivered to at once.
	eventually(t, "the new identity is online", func() bool { return slices.Contains(b.server.Online(), other.identity) })
	b.lock(t, true, other)
	eventually(t, "the identity is offline", func() bool { return !slices.Contains(b.server.Online(), other.identity) })
	b.lock(t, false, other)
	must(t, b.connect(t, p[0]).open(t, toIdentity(other)).give(t, sstp.Message{}, []byte("x")))
	if m := receive(t, "a message", c.got); m.open.IdentityURL != other.identity {
		t.Errorf("%+v", m.open)
	}
}

// A device that several people use: messages for the one who is locked out wait,
// also those for the device.
func TestLockoutOnASharedDevice(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "bob", "carol")
	shared := *p[2]
	shared.device, shared.deviceKey = p[1].device, p[1].deviceKey
	must(t, b.registry.Register(auth.Registration{DeviceURL: shared.device, DeviceKey: shared.deviceKey, AccountURL: shared.account}))
	sender := b.connect(t, p[0])
	must(t, sender.open(t, toDevice(&shared)).give(t, sstp.Message{}, []byte("for carol")))
	must(t, sender.open(t, toDevice(p[1])).give(t, sstp.Message{}, []byte("for bob")))
	b.lock(t, true, p[2])
	c := b.connect(t, p[1])
	if m := receive(t, "a message", c.got); string(m.body) != "for bob" {
		t.Errorf("got %q", m.body)
	}
	b.lock(t, false, p[2])
	if m := receive(t, "a message", c.got); string(m.body) != "for carol" {
		t.Errorf("got %q", m.body)
	}
}

func TestInactive(t *testing.T) {
	b := newBox(t, "a.example", func(c *Config) { c.RetryTime = 7 * time.Second })
	p := b.people(t, "alice")
	c := b.connect(t, p[0])
	ctx := context.Background()
	_, err := b.registry.SetInactive(ctx, b.request(), true)
	must(t, err)
	if end := c.ended(t); end.Reason != sstp.ReasonResting || end.ReturnTime != 7*time.Second {
		t.Errorf("connection: %v, %v", end, end.ReturnTime)
	}
	var refused *sstp.ConnectRefusedError
	if _, err := b.tryConnect(t, p[0]); !errors.As(err, &refused) || refused.Response.Response != sstp.ResponseTryLater || refused.Response.RetryTime != 7 {
		t.Errorf("connecting: %v", err)
	}
	_, err = b.registry.SetInactive(ctx, b.request(), false)
	must(t, err)
	// That ended the building of the user database, in which alice was not.
	b.relist(t, p[0])
	b.connect(t, p[0])
}

func TestPurge(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "bob", "carol")
	c := b.connect(t, p[0])
	for _, to := range []sstp.Open{toIdentity(p[1]), toDevice(p[1]), toIdentity(p[2])} {
		must(t, c.open(t, to).give(t, sstp.Message{}, []byte("x")))
	}
	holdings, err := b.registry.Holdings(b.manager.Manager, []string{p[1].token})
	must(t, err)
	must(t, Purger{Registry: b.registry, Queues: b.queues, SpareRecent: true}.Purge(context.Background(), holdings))
	if n := b.queues.Stats().Purged; n != 0 {
		t.Errorf("%d recent messages purged", n)
	}
	for range 2 {
		must(t, Purger{Registry: b.registry, Queues: b.queues}.Purge(context.Background(), holdings))
	}
	b.stop(t)
	b.start(t)
	left := map[string]int{}
	for a, u := range b.queues.All() {
		left[a.Target()] = u.Messages
	}
	if len(left) != 1 || left[p[2].identity] != 1 {
		t.Errorf("left: %v", left)
	}
}

func TestConsistencyCheck(t *testing.T) {
	b := newBox(t, "a.example", nil)
	p := b.people(t, "alice", "bob", "carol")
	o := b.connect(t, p[0]).fanout(t, fanoutTo(entry(p[1], ""), entry(p[2], ""), entry(p[2], "grooveDNS://nowhere.example")))
	must(t, o.give(t, sstp.Message{}, []byte("xyz")))
	must(t, b.registry.ClearAccount(context.Background(), p[1].account))
	got, err := b.server.ConsistencyCheck(context.Background())
	must(t, err)
	orphan := queue.Address{Resource: resource, Identity: p[1].identity}
	if got.Messages != 1 || got.Bytes != 3 || got.Damaged != 0 || !slices.Equal(got.Orphaned, []queue.Address{orphan}) {
		t.Errorf("%+v", got)
	}
}

func TestDirectory(t *testing.T) {
	b := newBox(t, "a.example", nil)
	d := NewDirectory(b.registry)
	_, err := b.registry.SetDefaults(context.Background(), b.request(), registry.Settings{
		DeviceLifetime: 2, IdentityLifetime: 3, DeviceQuota: 4, IdentityQuota: 5, PurgeEnabled: true, QuotaEnabled: true,
	})
	must(t, err)
	day := 24 * time.Hour
	if got := d.Limits(); got != (queue.Limits{DeviceLifetime: 2 * day, IdentityLifetime: 3 * day, DeviceQuota: 4 << 20, IdentityQuota: 5 << 20}) {
		t.Errorf("%+v", got)
	}
	_, err = b.registry.SetDefaults(context.Background(), b.request(), registry.Settings{})
	must(t, err)
	if got := d.Limits(); got != (queue.Limits{}) {
		t.Errorf("switched off: %+v", got)
	}
}
