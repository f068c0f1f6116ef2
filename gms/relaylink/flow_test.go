package relaylink_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"furrow/gms/directory"
	"furrow/gms/soap/spmr"
	"furrow/relay/registry"
)

// TestFlow follows the members of a domain through their life (MS-GRVSPMR 4.2 to
// 4.4).
func TestFlow(t *testing.T) {
	p := testPair(t)
	m, r := p.manager, p.relay
	alice, bob := m.member(t, "Alice"), m.member(t, "Bob")
	if s := p.status(t); s.Registered || !s.Contact.IsZero() {
		t.Errorf("status before the first contact %+v", s)
	}
	p.sync(t)
	p.agree(t, "first build")
	want := []string{spmr.MethodRegistration, spmr.MethodRelayQuiescent, spmr.MethodUserAdd, spmr.MethodAccountModify, spmr.MethodRelayQuiescent}
	if got := p.wire.methods(); !slices.Equal(got, want) {
		t.Errorf("3.3.4.4.1: sent %v, want %v", got, want)
	}
	if s := p.status(t); !s.Registered || s.Building || s.Pending != 0 || s.Contact.IsZero() || s.Error != "" || s.DeviceURL != deviceURL {
		t.Errorf("status %+v", s)
	}
	r.onDevice(t, alice)
	r.onDevice(t, bob)

	for _, step := range []struct {
		name string
		do   func()
		want []string
	}{
		{"nothing", func() {}, nil},
		{"disabled", func() { m.disable(t, alice) }, []string{spmr.MethodAccountModify}},
		{"enabled", func() { m.enable(t, alice) }, []string{spmr.MethodAccountModify}},
		{"another member", func() { m.member(t, "Carol") }, []string{spmr.MethodUserAdd, spmr.MethodAccountModify}},
		{"one who is disabled before the relay hears of it", func() { m.disable(t, m.member(t, "Dave")) }, []string{spmr.MethodUserAdd, spmr.MethodAccountModify}},
		{"one who is deleted before", func() { m.remove(t, m.member(t, "Eve")) }, nil},
		{"deleted", func() { m.remove(t, bob) }, []string{spmr.MethodAccountModify, spmr.MethodUserPurge}},
		{"settings", func() {
			must(t, m.links.SetDefaults(t.Context(), p.guid, spmr.RelayDefault{DeviceLifetime: 1, DeviceQuota: 2, IdentityLifetime: 3, IdentityQuota: 4, QuotaEnabled: true}))
		}, []string{spmr.MethodRelayDefault}},
	} {
		step.do()
		p.wire.forget()
		p.sync(t)
		p.agree(t, step.name)
		if got := p.wire.methods(); !slices.Equal(got, step.want) {
			t.Errorf("%s: sent %v, want %v", step.name, got, step.want)
		}
	}
	if got := purged(r); !slices.Equal(got, []string{"grooveAccount://" + bob.GUID}) {
		t.Errorf("purged %v", got)
	}
	if got, want := r.relay.Settings(), (registry.Settings{DeviceLifetime: 1, DeviceQuota: 2, IdentityLifetime: 3, IdentityQuota: 4, QuotaEnabled: true}); got != want {
		t.Errorf("settings %+v", got)
	}
	if err := m.links.SetDefaults(t.Context(), p.guid, spmr.RelayDefault{DeviceLifetime: 1}); err == nil {
		t.Error("2.2.3.6.1: settings that are not positive are accepted")
	}
	if err := m.links.SetDefaults(t.Context(), "none", spmr.RelayDefault{DeviceLifetime: 1, DeviceQuota: 2, IdentityLifetime: 3, IdentityQuota: 4}); !errors.Is(err, directory.ErrRelayNotFound) {
		t.Errorf("settings of no relay: %v", err)
	}
	if err := m.links.Rebuild(t.Context(), "none"); !errors.Is(err, directory.ErrRelayNotFound) {
		t.Errorf("rebuild of no relay: %v", err)
	}
}

// TestDomainGone follows the members of domains that are deleted: of one that stays
// for clients who ask, and of one that is gone at once.
func TestDomainGone(t *testing.T) {
	p := testPair(t)
	m, r := p.manager, p.relay
	stays := m.member(t, "Stays")
	known := func() int { return len(r.relay.Users(r.relay.Managers()[0].GUID)) }
	for _, c := range []struct {
		name   string
		create func(context.Context, string, string) (directory.Domain, error)
	}{
		{"Deleted", m.dirs.CreateDomain},
		{"Hidden", m.dirs.CreateHiddenDomain},
	} {
		first := m.domain
		var err error
		m.domain, err = c.create(t.Context(), c.name, "")
		must(t, err)
		must(t, m.links.AssignToEmptySets(t.Context(), p.guid))
		anna, bob := m.member(t, "Anna"), m.member(t, "Bob")
		p.sync(t)
		r.onDevice(t, anna)
		r.purges = nil
		p.wire.forget()

		_, err = m.dirs.DeleteDomain(t.Context(), m.domain.GUID, true)
		must(t, err)
		p.sync(t)
		if got, want := p.wire.methods(), []string{spmr.MethodAccountModify, spmr.MethodUserPurge}; !slices.Equal(got, want) {
			t.Errorf("%s: sent %v, want %v", c.name, got, want)
		}
		if got := purged(r); !slices.Equal(got, []string{"grooveAccount://" + anna.GUID}) {
			t.Errorf("%s: purged %v", c.name, got)
		}
		if r.enabled(t, anna) || r.enabled(t, bob) || !r.enabled(t, stays) {
			t.Errorf("%s: the wrong members are enabled", c.name)
		}
		m.domain = first
		// Once told, the relay is told no more, and a rebuild leaves them out.
		p.wire.forget()
		m.disable(t, m.member(t, "Wakes the link"))
		must(t, r.relay.RequestRebuild(t.Context(), r.relay.Managers()[0].GUID))
		p.sync(t)
		p.agree(t, c.name+" and rebuilt")
		if slices.Contains(p.wire.methods(), spmr.MethodUserPurge) {
			t.Errorf("%s: purged again", c.name)
		}
	}
	if n := known(); n != 3 {
		t.Errorf("after the rebuild the relay knows %d users, want 3", n)
	}
}

// TestOneBox pairs manager and relay on one store without files.
func TestOneBox(t *testing.T) {
	var b *box
	w := &wire{handler: func() http.Handler { return b.server }}
	dir := t.TempDir()
	start := func() string {
		relay, err := b.relay.EnsureIdentity(t.Context(), deviceURL, soapURL)
		must(t, err)
		imported, err := b.links.ImportRelay(t.Context(), relay)
		must(t, err)
		must(t, b.links.AssignToEmptySets(t.Context(), imported.GUID))
		manager, err := b.links.EnsureIdentity(t.Context(), "")
		must(t, err)
		_, err = b.relay.ImportManager(t.Context(), manager)
		must(t, err)
		b.serve(t)
		return imported.GUID
	}
	b = newManager(t, dir, "groove.example.com", 0, w)
	t.Cleanup(func() { b.close(t) })
	guid := start()
	alice := b.member(t, "Alice")
	must(t, b.links.Sync(t.Context(), guid))
	if !b.enabled(t, alice) {
		t.Error("member is no user of the relay")
	}
	before := b.store.Snapshot().Sequence()
	b.restart(t)
	if again := start(); again != guid || b.store.Snapshot().Sequence() != before {
		t.Errorf("paired anew: relay %s, %d changes", again, b.store.Snapshot().Sequence()-before)
	}
	w.forget()
	must(t, b.links.Sync(t.Context(), guid))
	if got := w.methods(); !slices.Equal(got, []string{spmr.MethodRelayQuiescent}) {
		t.Errorf("after a restart sent %v, want the probe", got)
	}
	// A second domain gets the relay too, a set that has one stays.
	second, err := b.dirs.CreateDomain(t.Context(), "Second", "")
	must(t, err)
	start()
	if sets := b.dirs.RelaySets(second.GUID); len(sets) != 1 || !slices.Equal(sets[0].Relays, []string{guid}) {
		t.Errorf("relay sets %+v", sets)
	}
	// Another address of the server leaves the name that relays know.
	must(t, b.dirs.SetServerURL(t.Context(), "http://moved.example.com/gms.dll"))
	if id, err := b.links.EnsureIdentity(t.Context(), ""); err != nil || id.Name != "groove.example.com/gms.dll" {
		t.Errorf("identity %+v, %v", id, err)
	}
}

// TestHTTP is the flow over a real connection.
func TestHTTP(t *testing.T) {
	relay := newRelay(t, t.TempDir(), 2)
	t.Cleanup(func() { relay.close(t) })
	web := httptest.NewServer(relay.server)
	t.Cleanup(web.Close)
	_, err := relay.relay.EnsureIdentity(t.Context(), deviceURL, web.URL+"/SOAP")
	must(t, err)
	manager := newManager(t, t.TempDir(), "groove.example.com", 0, &wire{handler: func() http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.RequestURI = ""
			answer, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { must(t, answer.Body.Close()) }()
			w.WriteHeader(answer.StatusCode)
			must(t, copyBody(w, answer))
		})
	}})
	t.Cleanup(func() { manager.close(t) })
	guid := introduce(t, manager, relay)
	alice := manager.member(t, "Alice")
	must(t, manager.links.Sync(t.Context(), guid))
	if !relay.enabled(t, alice) {
		t.Error("member is no user of the relay")
	}
}

// TestRebuild follows epoch 0 (MS-GRVSPMR 3.3.4.4).
func TestRebuild(t *testing.T) {
	p := testPair(t)
	m, r := p.manager, p.relay
	alice, bob := m.member(t, "Alice"), m.member(t, "Bob")
	m.disable(t, bob)
	p.sync(t)
	must(t, r.relay.RequestRebuild(t.Context(), r.relay.Managers()[0].GUID))

	var during []bool
	p.wire.after = func(int) { during = append(during, r.relay.Quiescent()) }
	p.wire.forget()
	m.disable(t, alice)
	p.sync(t)
	p.agree(t, "rebuilt")
	want := []string{
		spmr.MethodAccountModify, // answered with epoch 0
		spmr.MethodRelayQuiescent, spmr.MethodUserAdd, spmr.MethodAccountModify, spmr.MethodRelayQuiescent,
	}
	if got := p.wire.methods(); !slices.Equal(got, want) || !slices.Equal(during, []bool{false, true, true, true, false}) {
		t.Errorf("sent %v with the relay inactive %v, want %v", got, during, want)
	}

	// On the manager's own account; a deleted member whose messages are gone is not
	// announced again.
	p.wire.after = nil
	m.remove(t, bob)
	p.sync(t)
	must(t, m.links.Rebuild(t.Context(), p.guid))
	p.wire.forget()
	if s := p.status(t); !s.Building {
		t.Errorf("status %+v", s)
	}
	p.sync(t)
	p.agree(t, "rebuilt by the manager")
	if got := p.wire.methods(); !slices.Equal(got, want[1:]) {
		t.Errorf("sent %v, want %v", got, want[1:])
	}

	// A member who was deleted while a build was due is locked out and purged.
	carol := m.member(t, "Carol")
	p.sync(t)
	r.onDevice(t, carol)
	must(t, r.relay.RequestRebuild(t.Context(), r.relay.Managers()[0].GUID))
	m.remove(t, carol)
	p.sync(t)
	p.agree(t, "deleted before a build")
	if got := purged(r); !slices.Contains(got, "grooveAccount://"+carol.GUID) {
		t.Errorf("purged %v", got)
	}
}

// TestBatches splits a long list (MS-GRVSPMR 4.3: "can be used multiple times").
func TestBatches(t *testing.T) {
	p := testPair(t)
	for range spmr.MaxUsers + 1 {
		p.manager.member(t, "Member")
	}
	p.sync(t)
	p.agree(t, "built")
	want := []string{
		spmr.MethodRegistration, spmr.MethodRelayQuiescent, spmr.MethodUserAdd, spmr.MethodUserAdd,
		spmr.MethodAccountModify, spmr.MethodAccountModify, spmr.MethodRelayQuiescent,
	}
	if got := p.wire.methods(); !slices.Equal(got, want) {
		t.Errorf("sent %v, want %v", got, want)
	}
}

// TestRelaySets moves a member to another relay: it stays a user of the first,
// where its messages are.
func TestRelaySets(t *testing.T) {
	p := testPair(t)
	m := p.manager
	alice := m.member(t, "Alice")
	p.sync(t)
	set := m.dirs.RelaySets(m.domain.GUID)[0]
	_, err := m.dirs.AssignRelays(t.Context(), set.GUID, nil)
	must(t, err)
	bob := m.member(t, "Bob")
	p.sync(t)
	if !p.relay.enabled(t, alice) || p.relay.enabled(t, bob) {
		t.Errorf("enabled: Alice %v, Bob %v", p.relay.enabled(t, alice), p.relay.enabled(t, bob))
	}
	m.disable(t, alice)
	p.sync(t)
	if p.relay.enabled(t, alice) {
		t.Error("a member of another relay is not locked out")
	}
}

// TestProbe asks a relay for its epoch when there is nothing to tell it.
func TestProbe(t *testing.T) {
	p := testPair(t)
	alice := p.manager.member(t, "Alice")
	now := time.Now()
	p.manager.now = func() time.Time { return now }
	p.manager.restart(t)
	p.sync(t)
	must(t, p.relay.relay.RequestRebuild(t.Context(), p.relay.relay.Managers()[0].GUID))
	p.wire.forget()
	p.sync(t)
	if got := p.wire.methods(); len(got) != 0 {
		t.Errorf("at once sent %v", got)
	}
	now = now.Add(time.Hour)
	p.sync(t)
	if got := p.wire.methods(); len(got) != 5 || !p.relay.enabled(t, alice) {
		t.Errorf("an hour later sent %v", got)
	}
}

// TestImportRelay brings a relay with new URLs or certificates up to date.
func TestImportRelay(t *testing.T) {
	p := testPair(t)
	id, err := p.relay.relay.EnsureIdentity(t.Context(), "grooveDNS://moved.example.com", "http://moved.example.com/SOAP")
	must(t, err)
	relay, err := p.manager.links.ImportRelay(t.Context(), id)
	if err != nil || relay.GUID != p.guid || relay.SOAPURL != "http://moved.example.com/SOAP" {
		t.Errorf("the same keys under other URLs: %+v, %v", relay.RelayDetails.SOAPURL, err)
	}
	// The same host with other keys has to be registered with anew.
	alice := p.manager.member(t, "Alice")
	p.sync(t)
	fresh := newRelay(t, t.TempDir(), 0)
	t.Cleanup(func() { fresh.close(t) })
	id, err = fresh.relay.EnsureIdentity(t.Context(), "grooveDNS://moved.example.com", "http://moved.example.com/SOAP")
	must(t, err)
	if guid := introduceAs(t, p.manager, fresh, id); guid != p.guid {
		t.Errorf("relay %s, want %s", guid, p.guid)
	}
	old := p.relay
	p.relay = fresh
	defer func() { p.relay = old }()
	p.sync(t)
	if !fresh.enabled(t, alice) {
		t.Error("member is no user of the relay's successor")
	}
}

func introduceAs(t *testing.T, manager, relay *box, id *spmr.RelayIdentity) string {
	t.Helper()
	relay.serve(t)
	imported, err := manager.links.ImportRelay(t.Context(), id)
	must(t, err)
	own, err := manager.links.Identity()
	must(t, err)
	_, err = relay.relay.ImportManager(t.Context(), own)
	must(t, err)
	return imported.GUID
}
