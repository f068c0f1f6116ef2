package service

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// TestReplay sends each request that changes something a second time, byte for
// byte: it is answered as the first time and changes nothing, even if the
// directory has moved on.
func TestReplay(t *testing.T) {
	b := newBox(t)
	member := b.member(t, "Alice")
	code := b.code(t, member)
	alice := b.account(t, "alice", aliceKey(), false)
	for _, step := range []struct {
		service string
		body    func() []byte
	}{
		{spcm.ServiceCreateAccount, func() []byte { return alice.createRequest(t) }},
		{spcm.ServiceManagedObjectInstall, func() []byte {
			return alice.request(t, spcm.ServiceManagedObjectInstall, alice.installation(member.GUID).Encode())
		}},
		{spcm.ServiceDomainEnrollment, func() []byte {
			return codeRequest(t, spcm.ServiceDomainEnrollment, code, alice.enrollmentOf(t, code).Encode())
		}},
		{spcm.ServiceEnrollment, func() []byte {
			return alice.request(t, spcm.ServiceEnrollment, payloadOf(t, b, alice, spcm.ServiceEnrollment))
		}},
		{spcm.ServiceAccountHeartbeat, func() []byte {
			b.pass(2 * time.Hour) // or there is nothing to record
			return alice.request(t, spcm.ServiceAccountHeartbeat, payloadOf(t, b, alice, spcm.ServiceAccountHeartbeat))
		}},
		{spcm.ServiceAccountStore, func() []byte { return alice.storeRequest(t, fragmentOf("one", 1, 1), "backup") }},
	} {
		body := step.body()
		before := b.sequence()
		_, _, first := b.send(t, pathServices, body)
		changed := b.sequence()
		if step.service != spcm.ServiceEnrollment && changed == before {
			t.Errorf("%s changed nothing", step.service)
		}
		b.pass(time.Minute)
		_, _, second := b.send(t, "/AutoActivate/gms.dll/", body)
		if !bytes.Equal(first, second) {
			t.Errorf("%s is answered otherwise the second time:\n%s\n%s", step.service, first, second)
		}
		if after := b.sequence(); after != changed {
			t.Errorf("%s changed something the second time", step.service)
		}
	}
}

// TestReplayAcrossChange shows why: recorded bytes must not undo what has
// happened since.
func TestReplayAcrossChange(t *testing.T) {
	b := newBox(t)
	first := b.member(t, "Alice")
	second := b.member(t, "Alice at another place")
	alice := b.created(t, "alice", aliceKey(), false)
	install := func(m directory.Member) []byte {
		return alice.request(t, spcm.ServiceManagedObjectInstall, alice.installation(m.GUID).Encode())
	}
	recorded := install(first)
	b.succeed(t, spcm.ServiceManagedObjectInstall, recorded)
	b.succeed(t, spcm.ServiceManagedObjectInstall, install(second))
	b.succeed(t, spcm.ServiceManagedObjectInstall, recorded)
	if got := b.reread(t, second).AccountGUID; got != alice.event.GUID {
		t.Errorf("the recording has unbound the member: bound to %q", got)
	}

	// A client may replace its key; the recording of the old one is too old
	// even after the window.
	old := alice.createRequest(t)
	renewed := b.account(t, "alice", aliceKey(), false)
	renewed.event.Created++
	b.succeed(t, spcm.ServiceCreateAccount, renewed.createRequest(t))
	b.pass(soap.ReplayWindow + time.Second)
	if r := b.ask(t, spcm.ServiceCreateAccount, old); r.Fault == nil || r.Fault.Code != soap.CodeParameter {
		t.Errorf("recording of an old key: fault %v, want 204", r.Fault)
	}
	b.succeed(t, spcm.ServiceManagedObjectInstall, renewed.request(t, spcm.ServiceManagedObjectInstall,
		renewed.installation(second.GUID).Encode()))
}

// TestRefusedIsNotKept checks that a request which was refused may succeed
// later.
func TestRefusedIsNotKept(t *testing.T) {
	b := newBox(t)
	member, alice := b.installed(t, "alice", aliceKey())
	disabled(t, b, member, nil)
	body := alice.request(t, spcm.ServiceEnrollment, payloadOf(t, b, alice, spcm.ServiceEnrollment))
	if r := b.ask(t, spcm.ServiceEnrollment, body); r.Fault == nil {
		t.Fatal("a disabled member enrolled")
	}
	_, err := b.directory.EnableMember(t.Context(), member.GUID)
	must(t, err)
	b.succeed(t, spcm.ServiceEnrollment, body)
}

// TestSameAtOnce sends the same bytes over several connections at once: one
// change.
func TestSameAtOnce(t *testing.T) {
	b := newBox(t)
	body := b.account(t, "alice", aliceKey(), true).createRequest(t)
	before := b.sequence()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { b.succeed(t, spcm.ServiceCreateAccount, body) })
	}
	wg.Wait()
	if after := b.sequence(); after != before+1 {
		t.Errorf("%d changes, want 1", after-before)
	}
}
