package service

import (
	"slices"
	"testing"
	"time"

	"furrow/appliance/keys"
	"furrow/gms/directory"
	"furrow/gms/policy"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// TestJoin walks MS-GRVPROT 3.1 steps 5 to 17 and what follows in the life of a
// member and its device.
func TestJoin(t *testing.T) {
	b := newBox(t)
	member := b.member(t, "Alice Ashby")
	code := b.code(t, member)
	alice := b.account(t, "alice", aliceKey(), false)
	device := b.account(t, "laptop", aliceKey(), true)

	// Steps 5 to 8.
	r := b.succeed(t, spcm.ServiceKeyActivation, codeRequest(t, spcm.ServiceKeyActivation, code,
		(&spcm.KeyActivation{GrooveVersion: "4,2,0,2623"}).Encode()))
	activation, err := spcm.DecodeKeyActivationResponse(openWith(t, keys.CodeKey(code), r, soap.WrapperReturnPayload))
	must(t, err)
	if activation.ActivationKey != code || activation.ServerURL != testServerURL ||
		activation.Domain.GUID != b.domain.GUID || activation.Domain.DisplayName != testDomain {
		t.Errorf("activation is for server %s, domain %+v", activation.ServerURL, activation.Domain)
	}
	want := []policy.Type{policy.TypeIdentity, policy.TypeIdentityPolicy, policy.TypeDomainTrust, policy.TypeDataRecovery}
	b.checkObjects(t, activation.Objects, want)
	if got := b.reread(t, member).Status; got != directory.Pending {
		t.Errorf("after KeyActivation the member is %s", got)
	}

	// Steps 9 to 11, for the user and for the device.
	b.succeed(t, spcm.ServiceCreateAccount, alice.createRequest(t))
	b.succeed(t, spcm.ServiceCreateAccount, device.createRequest(t))
	if key, err := b.directory.AccountKey(b.domain.GUID, alice.event.GUID); err != nil || !key.Equal(alice.key) {
		t.Errorf("the account's key is not the one sent: %v", err)
	}
	if _, err := b.directory.Device(b.domain.GUID, device.event.GUID); err != nil {
		t.Errorf("device: %v", err)
	}
	if _, err := b.directory.Device(b.domain.GUID, alice.event.GUID); err == nil {
		t.Error("a user's account became a device")
	}

	// Steps 12 and 13, one message for each object.
	for _, o := range activation.Objects {
		m := alice.installation(o.GUID)
		if o.GUID != member.GUID {
			m.Type = "Policy"
		}
		b.succeed(t, spcm.ServiceManagedObjectInstall, alice.request(t, spcm.ServiceManagedObjectInstall, m.Encode()))
	}
	if got := b.reread(t, member); got.AccountGUID != alice.event.GUID || got.IdentityURL != alice.event.IdentityURL ||
		got.Status != directory.Pending {
		t.Errorf("after ManagedObjectInstall the member is %s, bound to %q, %q", got.Status, got.AccountGUID, got.IdentityURL)
	}

	// Steps 14 to 17.
	r = b.succeed(t, spcm.ServiceDomainEnrollment,
		codeRequest(t, spcm.ServiceDomainEnrollment, code, alice.enrollmentOf(t, code).Encode()))
	enrolled, err := spcm.DecodeDomainEnrollmentResponse(openWith(t, keys.CodeKey(code), r, soap.WrapperReturnPayload))
	must(t, err)
	signed := b.checkObjects(t, enrolled.Objects, []policy.Type{policy.TypeIdentity})
	if err := signed[0].VerifyContact(alice.domain.SignatureKey()); err != nil {
		t.Errorf("contact is not signed by the domain: %v", err)
	}
	if got := b.reread(t, member); got.Status != directory.Active || got.Contact == nil {
		t.Errorf("after DomainEnrollment the member is %s, contact %v", got.Status, got.Contact)
	}

	// What the member asks from then on.
	now := b.clock().Add(time.Hour).UnixMilli()
	if got := b.objects(t, alice, heldOf(activation.Objects, now)...); got != nil {
		t.Errorf("%d objects for a client that has them all", len(got))
	}
	b.checkObjects(t, b.objects(t, alice), want)
	heartbeat := (&spcm.AccountHeartbeat{Version: "4,2,0,2623"}).Encode()
	b.succeed(t, spcm.ServiceAccountHeartbeat, alice.request(t, spcm.ServiceAccountHeartbeat, heartbeat))
	b.succeed(t, spcm.ServiceAccountHeartbeat, device.request(t, spcm.ServiceAccountHeartbeat, heartbeat))

	// The device.
	policies := b.objects(t, device)
	b.checkObjects(t, policies, []policy.Type{policy.TypeDevicePolicy, policy.TypeAccountServices,
		policy.TypeDataRecovery, policy.TypePassphrase, policy.TypeComponentUpdate})
	for _, o := range policies {
		m := device.installation(o.GUID)
		m.Type = "Policy"
		b.succeed(t, spcm.ServiceManagedObjectInstall, device.request(t, spcm.ServiceManagedObjectInstall, m.Encode()))
	}
	if got, _ := b.directory.Device(b.domain.GUID, device.event.GUID); got.Status != directory.DeviceManaged {
		t.Errorf("after ManagedObjectInstall the device is %s", got.Status)
	}

	// A new contact.
	b.pass(time.Minute)
	renewed := contact(alice.event.IdentityURL, bobKey())
	b.succeed(t, spcm.ServiceEnrollment,
		alice.request(t, spcm.ServiceEnrollment, (&spcm.Enrollment{Contact: renewed.Encode()}).Encode()))
	if got := b.reread(t, member).Contact; string(got.SignatureKey) != string(bobKey().Public().DER()) {
		t.Error("Enrollment did not take the new contact")
	}
	held := heldOf(activation.Objects, b.clock().Add(-time.Second).UnixMilli())
	signed = b.checkObjects(t, b.objects(t, alice, held...), []policy.Type{policy.TypeIdentity})
	if err := signed[0].VerifyContact(alice.domain.SignatureKey()); err != nil {
		t.Errorf("new contact is not signed by the domain: %v", err)
	}
}

// checkObjects checks that a response has active objects of these types, in any
// order, each signed by the domain.
func (b *box) checkObjects(t testing.TB, objects []spcm.ManagedObject, want []policy.Type) []*policy.Signed {
	t.Helper()
	certificate, err := keys.ParseCertificate(b.domain.Certificate)
	must(t, err)
	var all []*policy.Signed
	var types []policy.Type
	for _, o := range objects {
		signed, err := policy.Parse(o.Object)
		must(t, err)
		got, err := signed.Verify(certificate.SignatureKey())
		must(t, err)
		if got.GUID != o.GUID || got.Name() != o.Name || !o.Active {
			t.Errorf("entry %s %q active=%v is for object %s %q", o.GUID, o.Name, o.Active, got.GUID, got.Name())
		}
		types = append(types, got.Body.Type())
		all = append(all, signed)
	}
	slices.Sort(types)
	slices.Sort(want)
	if !slices.Equal(types, want) {
		t.Errorf("objects are %v, want %v", types, want)
	}
	return all
}
