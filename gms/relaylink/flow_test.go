package relaylink_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"furrow/gms/directory"
	"furrow/gms/soap"
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

// scenario changes the directory in steps. It must come to the same whatever
// happens to messages and processes.
func (p *pair) scenario(t failer, sync func()) {
	t.Helper()
	m := p.manager
	alice, bob, carol := m.member(t, "Alice"), m.member(t, "Bob"), m.member(t, "Carol")
	m.disable(t, carol)
	sync()
	if !p.relay.enabled(t, bob) {
		t.Fatalf("Bob is no user")
	}
	p.relay.onDevice(t, bob)
	m.disable(t, alice)
	m.enable(t, carol)
	m.remove(t, bob)
	must(t, m.links.SetDefaults(context.Background(), p.guid, spmr.RelayDefault{DeviceLifetime: 9, DeviceQuota: 9, IdentityLifetime: 9, IdentityQuota: 9}))
	sync()
	p.agree(t, "at the end")
	if p.relay.relay.Settings().DeviceLifetime != 9 {
		t.Fatalf("settings %+v", p.relay.relay.Settings())
	}
	if got := purged(p.relay); !slices.Contains(got, "grooveAccount://"+bob.GUID) {
		t.Fatalf("purged %v", got)
	}
}

// messages is how many messages the scenario takes.
func messages(t *testing.T) int {
	t.Helper()
	p := testPair(t)
	p.scenario(t, func() { p.sync(t) })
	return len(p.wire.methods())
}

// TestLostAnswers loses the answer to each message in turn.
func TestLostAnswers(t *testing.T) {
	for lost := range messages(t) {
		p := newPair(t, t.TempDir)
		p.wire.lose = func(n int) bool { return n == lost }
		failures := 0
		p.scenario(t, func() {
			for p.manager.links.Sync(t.Context(), p.guid) != nil {
				if failures++; failures > 3 {
					t.Fatalf("answer %d lost: the manager does not recover", lost)
				}
			}
		})
		if failures != 1 {
			t.Errorf("answer %d lost: %d failures", lost, failures)
		}
		p.close(t)
	}
}

// TestRestarts restarts either side after each message in turn: the manager
// without having heard the answer, the relay having given it.
func TestRestarts(t *testing.T) {
	count := messages(t)
	for _, side := range []string{"manager", "relay"} {
		for at := range count {
			p := newPair(t, t.TempDir)
			p.wire.lose = func(n int) bool { return side == "manager" && n == at }
			p.wire.after = func(n int) {
				if side == "relay" && n == at {
					p.relay.restart(t)
				}
			}
			p.scenario(t, func() {
				for tries := 0; p.manager.links.Sync(t.Context(), p.guid) != nil; tries++ {
					if tries > 3 {
						t.Fatalf("%s restarted at %d: no recovery", side, at)
					}
					p.manager.restart(t)
				}
			})
			p.close(t)
		}
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

// TestRegistrationNeeded registers on fault 304 and on fault 305, and sends the
// message again.
func TestRegistrationNeeded(t *testing.T) {
	p := testPair(t)
	alice := p.manager.member(t, "Alice")
	p.sync(t)

	// The relay was set up anew from the manager's file.
	guid := p.relay.relay.Managers()[0].GUID
	id, err := p.manager.links.Identity()
	must(t, err)
	must(t, p.relay.relay.RemoveManager(t.Context(), guid))
	_, err = p.relay.relay.ImportManager(t.Context(), id)
	must(t, err)
	p.wire.forget()
	p.manager.disable(t, alice)
	p.sync(t)
	p.agree(t, "after 304")
	if got := p.wire.methods(); got[0] != spmr.MethodAccountModify || got[1] != spmr.MethodRegistration || got[2] != spmr.MethodRelayQuiescent {
		t.Errorf("sent %v", got)
	}

	// The manager works with a restored backup, so its key is an old one.
	backup := t.TempDir() + "/copy"
	p.manager.close(t)
	copyData(t, backup, p.manager.dir)
	p.manager.open(t)
	p.wire.spoil = func(n int, method string) []byte {
		if method == spmr.MethodAccountModify {
			p.wire.spoil = nil
			return spmr.NewFault(spmr.CodeRegister, nil).Encode()
		}
		return nil
	}
	p.manager.enable(t, alice)
	p.wire.forget()
	p.sync(t) // a new key
	if got, want := p.wire.methods(), []string{spmr.MethodAccountModify, spmr.MethodRegistration, spmr.MethodAccountModify}; !slices.Equal(got, want) {
		t.Errorf("3.3.4.1.1.12: sent %v, want %v", got, want)
	}
	p.manager.close(t)
	p.manager.dir = backup
	p.manager.open(t)
	p.manager.enable(t, alice)
	p.wire.forget()
	p.sync(t)
	p.agree(t, "after 305")
	if got, want := p.wire.methods(), []string{spmr.MethodAccountModify, spmr.MethodRegistration, spmr.MethodAccountModify}; !slices.Equal(got, want) {
		t.Errorf("sent %v, want %v", got, want)
	}
}

// TestBadRelay meets relays that answer nonsense: every pass ends.
func TestBadRelay(t *testing.T) {
	fault := func(code soap.Code) []byte { return spmr.NewFault(code, nil).Encode() }
	for name, test := range map[string]struct {
		spoil func(n int, method string) []byte
		want  string
	}{
		"304 to everything": {func(int, string) []byte { return fault(304) }, "304"},
		"304 to all but registration": {func(_ int, method string) []byte {
			if method == spmr.MethodRegistration {
				return nil
			}
			return fault(304)
		}, "304"},
		"304 in every build": {func(_ int, method string) []byte {
			if method == spmr.MethodUserAdd {
				return fault(304)
			}
			return nil
		}, "again and again"},
		"disabled":      {func(int, string) []byte { return fault(313) }, "fault 313: SOAP message processing disabled"},
		"unknown fault": {func(int, string) []byte { return fault(999) }, "fault 999"},
		"no SOAP":       {func(int, string) []byte { return []byte("<html>") }, "soap"},
		"too much":      {func(int, string) []byte { return make([]byte, 10*spmr.MaxResponseSize) }, "at most"},
		"another's response": {func(_ int, method string) []byte {
			return (&soap.Response{Service: method, Payload: []byte("<g/>")}).Encode(soap.RelayResponse)
		}, "fragment"},
	} {
		t.Run(name, func(t *testing.T) {
			p := testPair(t)
			p.manager.member(t, "Alice")
			p.wire.spoil = test.spoil
			err := p.manager.links.Sync(t.Context(), p.guid)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
			if n := len(p.wire.methods()); n > 20 {
				t.Errorf("%d messages", n)
			}
			if s := p.status(t); s.Error == "" || s.Failures != 1 {
				t.Errorf("status %+v", s)
			}
			p.wire.spoil = nil
			p.sync(t)
			p.agree(t, "recovered")
			if s := p.status(t); s.Error != "" || s.Failures != 0 {
				t.Errorf("status %+v", s)
			}
		})
	}
}

// TestRefusedUser has a relay that refuses one of many: the others are served, and
// the administrator is told.
func TestRefusedUser(t *testing.T) {
	p := testPair(t)
	var members []directory.Member
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		members = append(members, p.manager.member(t, name))
	}
	other := newManager(t, t.TempDir(), "other.example.com", 1, p.wire)
	t.Cleanup(func() { other.close(t) })
	guid := introduce(t, other, p.relay)
	own := other.member(t, "own")
	must(t, other.links.Sync(t.Context(), guid))

	// The other manager claims a member of ours.
	id, err := other.links.Identity()
	must(t, err)
	key, err := p.relay.relay.SharedKey(id.GUID)
	must(t, err)
	_, err = p.relay.relay.AddUsers(t.Context(), registry.Request{Manager: id.GUID, Key: key}, []string{members[2].GUID})
	must(t, err)

	err = p.manager.links.Sync(t.Context(), p.guid)
	if err == nil || !strings.Contains(err.Error(), "1 users refused") || !strings.Contains(err.Error(), members[2].GUID) {
		t.Errorf("error %v", err)
	}
	p.agree(t, "all but one") // and that one is enabled by the other manager
	p.manager.disable(t, members[2])
	if err := p.manager.links.Sync(t.Context(), p.guid); err == nil || !p.relay.enabled(t, members[2]) {
		t.Errorf("another manager's user is disabled: %v", err)
	}
	must(t, p.relay.relay.RemoveManager(t.Context(), id.GUID))
	p.sync(t)
	p.agree(t, "after the other manager has gone")
	if p.relay.enabled(t, own) {
		t.Error("a user of the removed manager is enabled")
	}
}

// TestLostUser heals a relay that has lost one user without asking for a build.
func TestLostUser(t *testing.T) {
	p := testPair(t)
	alice := p.manager.member(t, "Alice")
	p.manager.member(t, "Bob")
	p.sync(t)
	lost := false
	p.wire.spoil = func(_ int, method string) []byte {
		if method == spmr.MethodAccountModify && !lost {
			lost = true
			return spmr.NewFault(spmr.CodeInvalidInput, nil).Encode()
		}
		return nil
	}
	p.manager.disable(t, alice)
	if err := p.manager.links.Sync(t.Context(), p.guid); err == nil {
		t.Error("no error")
	}
	p.wire.forget()
	p.sync(t)
	p.agree(t, "added again")
	if got, want := p.wire.methods(), []string{spmr.MethodUserAdd, spmr.MethodAccountModify}; !slices.Equal(got, want) {
		t.Errorf("sent %v, want %v", got, want)
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

// TestModel changes the directory at random while messages and answers get lost
// and either side restarts or asks for a build; in the end they agree.
func TestModel(t *testing.T) {
	template := newPair(t, t.TempDir)
	template.sync(t) // registering is slow
	template.close(t)
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp("", "relaylink")
		must(rt, err)
		defer func() { must(rt, os.RemoveAll(dir)) }()
		p := template.copied(rt, dir)
		defer p.close(rt)
		failing := rapid.SliceOfN(rapid.IntRange(0, 40), 0, 6).Draw(rt, "answers lost")
		p.wire.lose = func(n int) bool { return slices.Contains(failing, n) }
		var members []directory.Member
		pick := func() directory.Member { return members[rapid.IntRange(0, len(members)-1).Draw(rt, "member")] }
		for range rapid.IntRange(1, 16).Draw(rt, "steps") {
			step := rapid.SampledFrom([]string{
				"create", "disable", "enable", "delete", "sync", "sync", "settings", "rebuild by the manager", "restart manager", "restart relay", "rebuild by the relay",
			}).Draw(rt, "step")
			if len(members) == 0 {
				step = "create"
			}
			switch step {
			case "create":
				members = append(members, p.manager.member(rt, "Member"))
			case "disable":
				_, _ = p.manager.dirs.DisableMember(context.Background(), pick().GUID) // a deleted one cannot
			case "enable":
				_, _ = p.manager.dirs.EnableMember(context.Background(), pick().GUID)
			case "delete":
				p.manager.remove(rt, pick())
			case "sync":
				_ = p.manager.links.Sync(context.Background(), p.guid) // may fail, that is the point
			case "settings":
				n := rapid.Int32Range(1, 3).Draw(rt, "lifetime")
				must(rt, p.manager.links.SetDefaults(context.Background(), p.guid,
					spmr.RelayDefault{DeviceLifetime: n, DeviceQuota: n, IdentityLifetime: n, IdentityQuota: n}))
				p.lifetime = n
			case "rebuild by the manager":
				must(rt, p.manager.links.Rebuild(context.Background(), p.guid))
			case "restart manager":
				p.manager.restart(rt)
			case "restart relay":
				p.relay.restart(rt)
			case "rebuild by the relay":
				must(rt, p.relay.relay.RequestRebuild(context.Background(), p.relay.relay.Managers()[0].GUID))
			}
		}
		for tries := 0; p.manager.links.Sync(context.Background(), p.guid) != nil; tries++ {
			if tries > len(failing) {
				rt.Fatalf("no recovery after %v", p.wire.methods())
			}
		}
		p.agree(rt, "at the end")
		if got := p.relay.relay.Settings().DeviceLifetime; p.lifetime != 0 && got != p.lifetime {
			rt.Fatalf("lifetime %d, want %d", got, p.lifetime)
		}
	})
}
