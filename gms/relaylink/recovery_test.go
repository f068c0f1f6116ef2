package relaylink_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"furrow/gms/soap"
	"furrow/gms/soap/spmr"
	"furrow/relay/registry"
)

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
	var members []member
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
	_, err = p.relay.relay.AddUsers(t.Context(), registry.Request{Manager: id.GUID, Key: key}, []string{members[2].user})
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
		var members []member
		pick := func() member { return members[rapid.IntRange(0, len(members)-1).Draw(rt, "member")] }
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
