package service

import (
	"bytes"
	"strings"
	"testing"

	"furrow/gms/directory"
	"furrow/gms/policy"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// TestReadings sends requests as somebody would who has read the specification
// the other way, under the ids of readings.go in package soap.
func TestReadings(t *testing.T) {
	b := newBox(t)
	member, alice := b.active(t, "alice", aliceKey())
	laptop := b.created(t, "laptop", aliceKey(), true)
	heartbeat := payloadOf(t, b, alice, spcm.ServiceAccountHeartbeat)
	beat := func(edit func(text []byte) []byte) []byte {
		return edit(alice.request(t, spcm.ServiceAccountHeartbeat, heartbeat))
	}
	// fragments that are altered before they are secured
	secured := func(edit func(f *soap.Fragment)) []byte {
		f := soap.NewFragment(alice.event.Element())
		edit(f)
		text, err := f.Secure(alice.key, heartbeat, soap.MACOverDigest)
		must(t, err)
		return envelope(spcm.ServiceAccountHeartbeat, text)
	}
	rename := func(from, to string) func(*soap.Fragment) {
		return func(f *soap.Fragment) {
			a := f.Wrapper().RemoveAttr(from)
			f.Wrapper().CreateAttr(to, a.Value)
		}
	}
	wrapped := func(t *testing.T) []byte {
		bare := strings.TrimPrefix(string(laptop.installation("policy").Encode()), soap.Prolog)
		bare = strings.Replace(bare, spcm.TypeIdentityTemplate, "Policy", 1)
		return laptop.request(t, spcm.ServiceManagedObjectInstall,
			[]byte(soap.Prolog+`<g:fragment xmlns:g="urn:groove.net">`+bare+`</g:fragment>`))
	}
	for _, tt := range []struct {
		reading, service string
		body             []byte
	}{
		{"B2", spcm.ServiceAccountHeartbeat, secured(rename("_EventID", "EventID"))},
		{"B17", spcm.ServiceAccountHeartbeat, secured(rename("DomainGUID", "DomainGuid"))},
		{"B9", spcm.ServiceManagedObjectInstall, wrapped(t)},
		{"B13", spcm.ServiceAccountHeartbeat, beat(func(text []byte) []byte { return bytes.TrimPrefix(text, []byte(soap.Prolog)) })},
		{"B14", spcm.ServiceAccountHeartbeat, beat(func(text []byte) []byte {
			return replaced(t, text, `(<Payload [^>]*>.{76})`, string(text[bytes.Index(text, []byte("<Payload")):][:len(`<Payload xsi:type="base64">`)+76])+"\r\n")
		})},
		{"B16", spcm.ServiceAccountHeartbeat, beat(func(text []byte) []byte {
			text = replaced(t, text, `<Payload xsi:type="base64">`, `<Payload xsi:type="binary" data="`)
			return replaced(t, text, `</Payload>`, `"/>`)
		})},
		{"years of the schema namespaces", spcm.ServiceAccountHeartbeat, beat(func(text []byte) []byte {
			return replaced(t, text, "1999/XMLSchema", "2001/XMLSchema")
		})},
	} {
		t.Run(tt.reading, func(t *testing.T) { b.succeed(t, tt.service, tt.body) })
	}

	for _, reading := range soap.ManagementMACs() { // A1, A6
		f := soap.NewFragment(alice.event.Element())
		text, err := f.Secure(alice.key, alice.status().Encode(), reading)
		must(t, err)
		r := b.succeed(t, spcm.ServiceManagedObjectStatus, envelope(spcm.ServiceManagedObjectStatus, text))
		answer, err := soap.ParseFragment(r.Payload, spcm.MaxResponseSize, soap.WrapperManagedObjects)
		must(t, err)
		if _, _, err := answer.Open(alice.key, []soap.MACReading{reading}); err != nil {
			t.Errorf("a request with MAC reading %d is answered with another: %v", reading, err)
		}
	}

	for i, reading := range soap.CreateAccountSignatures() { // A4; A7 is accepted only
		if reading.Bare {
			continue
		}
		a := b.account(t, string(rune('p'+i)), aliceKey(), false)
		fragment, err := a.creation(t).Encode(a.signer)
		must(t, err)
		signed, err := soap.ParseFragment(fragment, len(fragment), soap.WrapperEvent)
		must(t, err)
		text, err := signed.Sign(a.signer, reading.Rounds)
		must(t, err)
		b.succeed(t, spcm.ServiceCreateAccount, envelope(spcm.ServiceCreateAccount, text))
	}
	if got := b.reread(t, member).Status; got != directory.Active {
		t.Errorf("the member is %s", got)
	}
}

// TestDeleted checks what clients of deleted members and devices are told
// (MS-GRVSPCM 3.2.5.3.3).
func TestDeleted(t *testing.T) {
	b := newBox(t)
	member, alice := b.active(t, "alice", aliceKey())
	deleted(t, b, member, nil)
	laptop := b.created(t, "laptop", aliceKey(), true)
	_, err := b.directory.DeleteDevice(t.Context(), b.domain.GUID, laptop.event.GUID)
	must(t, err)

	for _, tt := range []struct {
		of   *account
		want policy.Type
	}{{alice, policy.TypeIdentity}, {laptop, policy.TypeDevicePolicy}} {
		objects := b.objects(t, tt.of)
		if len(objects) != 1 || objects[0].Active {
			t.Fatalf("deleted %s: %d objects, the first active=%v", tt.want, len(objects), objects[0].Active)
		}
		signed, err := policy.Parse(objects[0].Object)
		must(t, err)
		if got := signed.Unverified().Body.Type(); got != tt.want {
			t.Errorf("object is %s, want %s", got, tt.want)
		}
		// It is told so however new the object is that it has.
		again := b.objects(t, tt.of, heldOf(objects, b.clock().UnixMilli()+1e6)...)
		if len(again) != 1 || again[0].Active {
			t.Errorf("deleted %s: told %d objects the second time", tt.want, len(again))
		}
	}
}

// TestDomainMemberZero checks that without DomainMember=1 the row for 210 does
// not apply (MS-GRVSPCM 3.2.5.3.3).
func TestDomainMemberZero(t *testing.T) {
	b := newBox(t)
	_, alice := b.installed(t, "alice", aliceKey())
	m := alice.status()
	m.DomainMember = false
	r := b.succeed(t, spcm.ServiceManagedObjectStatus, alice.request(t, spcm.ServiceManagedObjectStatus, m.Encode()))
	if r.Payload == nil {
		t.Error("no objects")
	}
}

// TestRebinding checks that installing a second identity object takes the first
// member's binding away (MS-GRVSPCM 3.2.5.3.4), and that the way back from 210
// leads over Enrollment (3.2.5.2.5).
func TestRebinding(t *testing.T) {
	b := newBox(t)
	first, alice := b.active(t, "alice", aliceKey())
	second := b.member(t, "Alice at another place")
	b.succeed(t, spcm.ServiceManagedObjectInstall,
		alice.request(t, spcm.ServiceManagedObjectInstall, alice.installation(second.GUID).Encode()))
	if got := b.reread(t, first); got.Status != directory.Pending || got.AccountGUID != "" || got.IdentityURL != "" {
		t.Errorf("first member is %s, bound to %q, %q", got.Status, got.AccountGUID, got.IdentityURL)
	}
	if got := b.reread(t, second); got.Status != directory.Pending || got.AccountGUID != alice.event.GUID {
		t.Errorf("second member is %s, bound to %q", got.Status, got.AccountGUID)
	}
	status := alice.status().Encode()
	r := b.ask(t, spcm.ServiceManagedObjectStatus, alice.request(t, spcm.ServiceManagedObjectStatus, status))
	if r.Fault == nil || r.Fault.Code != soap.CodeReenrollment {
		t.Fatalf("fault %v, want 210", r.Fault)
	}
	b.succeed(t, spcm.ServiceEnrollment,
		alice.request(t, spcm.ServiceEnrollment, payloadOf(t, b, alice, spcm.ServiceEnrollment)))
	b.objects(t, alice)
}
