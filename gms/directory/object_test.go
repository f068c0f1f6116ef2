package directory

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/policy"
)

// verified checks an object's signature and returns what it says.
func (f *fixture) verified(t failer, o ManagedObject) policy.Object {
	t.Helper()
	signed, err := policy.Parse(o.Data)
	must(t, err)
	domain, err := f.Domain(o.Domain)
	must(t, err)
	certificate, err := keys.ParseCertificate(domain.Certificate)
	must(t, err)
	object, err := signed.Verify(certificate.SignatureKey())
	must(t, err)
	if object.GUID != o.GUID || object.Name() != o.Name || object.Body.Type() != o.Type ||
		object.Issued.UnixMilli() != o.IssuedTime {
		t.Fatalf("%s object %s of %d says it is %s object %s of %d", o.Type, o.GUID, o.IssuedTime,
			object.Body.Type(), object.GUID, object.Issued.UnixMilli())
	}
	if identity, ok := object.Body.(policy.Identity); ok && identity.Enrollment != nil {
		must(t, signed.VerifyContact(certificate.SignatureKey()))
	}
	return object
}

func TestMemberObjects(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	m := f.active(t, domain, "Anna", accountA, identityA)
	objects, err := f.MemberObjects(m.GUID, nil)
	must(t, err)
	var types []policy.Type
	for _, o := range objects {
		types = append(types, o.Type)
		f.verified(t, o)
		group, member := domain.IdentityTemplate, ""
		if o.Type == policy.TypeIdentity {
			group, member = "", m.GUID
		}
		if !o.Active || o.Group != group || o.Member != member || o.Domain != domain.GUID {
			t.Errorf("%s object is %+v", o.Type, o)
		}
	}
	want := []policy.Type{policy.TypeIdentity, policy.TypeIdentityPolicy, policy.TypeDomainTrust, policy.TypeDataRecovery}
	if !slices.Equal(types, want) {
		t.Errorf("objects of types %v, want %v", types, want)
	}
	identity := f.verified(t, objects[0]).Body.(policy.Identity)
	if identity.FullName != "Anna" || identity.Disabled || identity.PreAuthToken != "" || identity.Enrollment == nil {
		t.Errorf("identity object shows %+v", identity)
	}
	if e := identity.Enrollment; e.Affiliation != policy.Affiliation("Contoso", "Anna") || !e.Expires.Equal(domain.Expires) {
		t.Errorf("enrollment shows %+v", e)
	}
	if trust := f.verified(t, objects[2]).Body.(policy.DomainTrust); !bytes.Equal(trust.Certificate, domain.Certificate) {
		t.Error("the trust object does not show the domain's certificate")
	}
	if recovery := f.verified(t, objects[3]).Body.(policy.DataRecovery); !bytes.Equal(recovery.Certificate, domain.RecoveryCertificate) {
		t.Error("the data recovery object does not show the data recovery certificate")
	}
}

func TestDeviceObjects(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	reg := registration(t, domain)
	reg.Device = true
	_, err := f.RegisterAccount(t.Context(), reg)
	must(t, err)
	objects, err := f.DeviceObjects(domain.GUID, accountA, nil)
	must(t, err)
	var types []policy.Type
	for _, o := range objects {
		types = append(types, o.Type)
		f.verified(t, o)
		if !o.Active || o.Group != domain.DeviceTemplate || o.Member != "" {
			t.Errorf("%s object is %+v", o.Type, o)
		}
	}
	want := []policy.Type{policy.TypeDevicePolicy, policy.TypeAccountServices, policy.TypeDataRecovery,
		policy.TypePassphrase, policy.TypeComponentUpdate}
	if !slices.Equal(types, want) {
		t.Errorf("objects of types %v, want %v", types, want)
	}
	_, err = f.DeleteDevice(t.Context(), domain.GUID, accountA)
	must(t, err)
	left, err := f.DeviceObjects(domain.GUID, accountA, map[string]int64{objects[0].GUID: objects[0].IssuedTime})
	must(t, err)
	if len(left) != 1 || left[0].Type != policy.TypeDevicePolicy || left[0].Active {
		t.Errorf("a deleted device gets %+v", left)
	}
	if _, err := f.DeviceObjects(domain.GUID, accountB, nil); !errors.Is(err, ErrDeviceNotFound) {
		t.Errorf("unknown device: %v", err)
	}
}

func TestOnlyWhatTheClientLacks(t *testing.T) {
	f := newFixture(t)
	m := f.active(t, f.domain(t, "Contoso"), "Anna", accountA, identityA)
	all, err := f.MemberObjects(m.GUID, nil)
	must(t, err)
	held := make(map[string]int64)
	for _, o := range all {
		held[o.GUID] = o.IssuedTime
	}
	get := func(held map[string]int64) (guids []string) {
		t.Helper()
		objects, err := f.MemberObjects(m.GUID, held)
		must(t, err)
		for _, o := range objects {
			guids = append(guids, o.GUID)
		}
		return guids
	}
	if guids := get(held); len(guids) != 0 {
		t.Errorf("a client that has all gets %v", guids)
	}
	held[all[1].GUID]--
	delete(held, all[3].GUID)
	held["another object"] = 1
	if guids := get(held); !slices.Equal(guids, []string{all[1].GUID, all[3].GUID}) {
		t.Errorf("client gets %v, want the older and the missing one", guids)
	}
	held[all[1].GUID] += 1000 // newer than the server's own
	if guids := get(held); !slices.Equal(guids, []string{all[3].GUID}) {
		t.Errorf("client gets %v, want the missing one", guids)
	}
	_, err = f.DeleteMember(t.Context(), m.GUID)
	must(t, err)
	last, err := f.MemberObjects(m.GUID, map[string]int64{m.GUID: 1 << 50})
	must(t, err)
	if len(last) != 1 || last[0].GUID != m.GUID || last[0].Active || !f.verified(t, last[0]).Body.(policy.Identity).Disabled {
		t.Errorf("a deleted member gets %+v", last)
	}
}

// testRelay returns the details of a relay that could register.
func testRelay(t failer, host string) RelayDetails {
	t.Helper()
	certificate, err := testSets()[1].Certify(keys.Name{CommonName: host}, time.Unix(0, 0))
	must(t, err)
	return RelayDetails{
		DeviceURL: "grooveDNS://" + host, SOAPURL: "http://" + host + ":8009/",
		SSTPCertificate: certificate.DER(), SOAPCertificate: certificate.DER(),
	}
}

// TestRegeneration makes each kind of change and holds which objects get a
// higher IssuedTime, with a clock that runs, stands and jumps back.
func TestRegeneration(t *testing.T) {
	f := newFixture(t)
	domain, other := f.domain(t, "Contoso"), f.domain(t, "Fabrikam")
	anna := f.active(t, domain, "Anna", accountA, identityA)
	bert := f.member(t, domain, "Bert")
	carl := f.member(t, other, "Carl")
	reg := registration(t, domain)
	reg.Device = true
	_, err := f.RegisterAccount(t.Context(), reg)
	must(t, err)
	relay, err := f.CreateRelay(t.Context(), testRelay(t, "relay.example.com"))
	must(t, err)
	identity, err := f.IdentityTemplate(domain.IdentityTemplate)
	must(t, err)
	device, err := f.DeviceTemplate(domain.DeviceTemplate)
	must(t, err)

	otherIdentity, err := f.CreateTemplate(t.Context(), domain.GUID, IdentityKind, "Other")
	must(t, err)
	otherDevice, err := f.CreateTemplate(t.Context(), domain.GUID, DeviceKind, "Other")
	must(t, err)
	otherSet, err := f.CreateRelaySet(t.Context(), domain.GUID, "Other")
	must(t, err)
	outer := f.group(t, domain, "", "Outer")
	inner := f.group(t, domain, outer.GUID, "Inner")
	special := f.group(t, domain, "", "Special")
	must(t, f.AssignRelaySet(t.Context(), Target{Level: GroupLevel, GUID: special.GUID}, otherSet.GUID))
	_, err = f.MoveMember(t.Context(), bert.GUID, inner.GUID)
	must(t, err)
	ofDomain, ofOuter := Target{Level: DomainLevel, GUID: domain.GUID}, Target{Level: GroupLevel, GUID: outer.GUID}

	current := func() map[string]ManagedObject {
		t.Helper()
		objects := make(map[string]ManagedObject)
		add := func(who string, list []ManagedObject, err error) {
			t.Helper()
			must(t, err)
			for _, o := range list {
				objects[who+" "+o.Type.String()] = o
			}
		}
		list, err := f.MemberObjects(anna.GUID, nil)
		add("anna", list, err)
		list, err = f.MemberObjects(bert.GUID, nil)
		add("bert", list, err)
		list, err = f.MemberObjects(carl.GUID, nil)
		add("carl", list, err)
		list, err = f.DeviceObjects(domain.GUID, accountA, nil)
		add("device", list, err)
		return objects
	}
	ctx := context.Background()
	// Each change gets the number of the round, so that it is one every time.
	for _, c := range []struct {
		name   string
		change func(round int) error
		want   []string // beginnings of what is regenerated
	}{
		{"server URL", func(n int) error {
			return f.SetServerURL(ctx, "http://groove"+strconv.Itoa(n)+".example.com/gms.dll")
		}, []string{"anna", "bert", "carl", "device"}},
		{"domain name", func(n int) error {
			_, err := f.RenameDomain(ctx, domain.GUID, "Contoso "+strconv.Itoa(n))
			return err
		}, []string{"anna", "bert", "device"}},
		{"member", func(n int) error {
			_, err := f.UpdateMember(ctx, bert.GUID, func(d *MemberDetails) { d.Title = strconv.Itoa(n) })
			return err
		}, []string{"bert IdentityTemplate"}},
		{"member's relay set", func(n int) error {
			_, err := f.UpdateMember(ctx, bert.GUID, func(d *MemberDetails) {
				d.RelaySet = []string{otherSet.GUID, ""}[n%2]
			})
			return err
		}, []string{"bert IdentityTemplate"}},
		{"default relay set", func(n int) error {
			return f.AssignRelaySet(ctx, ofDomain, []string{otherSet.GUID, domain.RelaySet}[n%2])
		}, []string{"anna IdentityTemplate", "bert IdentityTemplate"}},
		{"group's relay set", func(n int) error {
			return f.AssignRelaySet(ctx, ofOuter, []string{otherSet.GUID, ""}[n%2])
		}, []string{"bert IdentityTemplate"}},
		{"default identity template", func(n int) error {
			return f.AssignTemplate(ctx, ofDomain, []string{otherIdentity.GUID, identity.GUID}[n%2])
		}, []string{"anna IdentityPolicy", "anna DomainTrust", "anna DataRecovery", "bert IdentityPolicy", "bert DomainTrust", "bert DataRecovery"}},
		{"group's identity template", func(n int) error {
			return f.AssignTemplate(ctx, ofOuter, []string{otherIdentity.GUID, ""}[n%2])
		}, []string{"bert IdentityPolicy", "bert DomainTrust", "bert DataRecovery"}},
		{"member's identity template", func(n int) error {
			return f.AssignTemplate(ctx, Target{Level: MemberLevel, GUID: anna.GUID}, []string{otherIdentity.GUID, ""}[n%2])
		}, []string{"anna IdentityPolicy", "anna DomainTrust", "anna DataRecovery"}},
		{"default device template", func(n int) error {
			return f.AssignTemplate(ctx, ofDomain, []string{otherDevice.GUID, device.GUID}[n%2])
		}, []string{"device"}},
		{"device's template", func(n int) error {
			return f.AssignTemplate(ctx, Target{Level: DeviceLevel, GUID: accountA, Domain: domain.GUID},
				[]string{otherDevice.GUID, ""}[n%2])
		}, []string{"device"}},
		{"assigned what was inherited", func(n int) error {
			to := Target{Level: MemberLevel, GUID: bert.GUID}
			return errors.Join(
				f.AssignTemplate(ctx, to, []string{identity.GUID, ""}[n%2]),
				f.AssignRelaySet(ctx, to, []string{domain.RelaySet, ""}[n%2]),
				f.AssignTemplate(ctx, ofOuter, []string{identity.GUID, ""}[n%2]),
				f.AssignRelaySet(ctx, ofOuter, []string{domain.RelaySet, ""}[n%2]),
			)
		}, nil},
		{"moved to a group with the same", func(n int) error {
			_, err := f.MoveMember(ctx, bert.GUID, []string{"", inner.GUID}[n%2])
			return err
		}, nil},
		{"moved to a group with another relay set", func(n int) error {
			_, err := f.MoveMember(ctx, anna.GUID, []string{special.GUID, ""}[n%2])
			return err
		}, []string{"anna IdentityTemplate"}},
		{"group moved to a group with another relay set", func(n int) error {
			_, err := f.MoveGroup(ctx, outer.GUID, []string{special.GUID, ""}[n%2])
			return err
		}, []string{"bert IdentityTemplate"}},
		{"group renamed", func(n int) error {
			_, err := f.RenameGroup(ctx, inner.GUID, "Inner "+strconv.Itoa(n))
			return err
		}, nil},
		{"group dissolved", func(n int) error {
			middle, err := f.CreateGroup(ctx, domain.GUID, outer.GUID, "Middle")
			if err != nil {
				return err
			}
			_, moved := f.MoveGroup(ctx, inner.GUID, middle.GUID)
			_, deleted := f.DeleteGroup(ctx, middle.GUID, true)
			return errors.Join(moved, deleted)
		}, nil},
		{"login name", func(n int) error {
			_, err := f.UpdateMember(ctx, bert.GUID, func(d *MemberDetails) { d.RemoteUser = "bert" + strconv.Itoa(n) })
			return err
		}, nil},
		{"templates of nobody", func(n int) error {
			made, err := f.CopyTemplate(ctx, identity.GUID, "Copy")
			if err != nil {
				return err
			}
			_, set := f.ChangeTemplate(ctx, made.GUID, "", []policy.Value{{Key: "identity.lockVCard", Value: "on"}})
			_, named := f.ChangeTemplate(ctx, made.GUID, "Copied "+strconv.Itoa(n), nil)
			return errors.Join(set, named, f.DeleteTemplate(ctx, made.GUID))
		}, nil},
		{"status", func(n int) error {
			_, err := []func(context.Context, string) (Member, error){f.DisableMember, f.EnableMember}[n%2](ctx, anna.GUID)
			return err
		}, []string{"anna IdentityTemplate"}},
		{"contact", func(n int) error {
			_, err := f.Reenroll(ctx, domain.GUID, accountA, identityA, testContact(identityA, n+1))
			return err
		}, []string{"anna IdentityTemplate"}},
		{"relays of the set", func(n int) error {
			_, err := f.AssignRelays(ctx, domain.RelaySet, [][]string{{relay.GUID}, nil}[n%2])
			return err
		}, []string{"anna IdentityTemplate", "bert IdentityTemplate"}},
		{"relay of the set", func(n int) error {
			if _, err := f.AssignRelays(ctx, domain.RelaySet, []string{relay.GUID}); err != nil {
				return err
			}
			_, err := f.UpdateRelay(ctx, relay.GUID, testRelay(t, "relay"+strconv.Itoa(n)+".example.com"))
			return err
		}, []string{"anna IdentityTemplate", "bert IdentityTemplate"}},
		{"identity policy", func(int) error {
			settings := IdentitySettings{identity.Identity.Settings, identity.DataRecovery.Settings}
			settings.Identity.LockVCard = !settings.Identity.LockVCard
			var err error
			identity, err = f.UpdateIdentityTemplate(ctx, identity.GUID, settings)
			return err
		}, []string{"anna IdentityPolicy", "bert IdentityPolicy"}},
		{"data recovery policy of identities", func(int) error {
			settings := IdentitySettings{identity.Identity.Settings, identity.DataRecovery.Settings}
			settings.DataRecovery.AutomaticReset = !settings.DataRecovery.AutomaticReset
			var err error
			identity, err = f.UpdateIdentityTemplate(ctx, identity.GUID, settings)
			return err
		}, []string{"anna DataRecoveryPolicy", "bert DataRecoveryPolicy"}},
		{"passphrase policy", func(n int) error {
			settings := DeviceSettings{device.Device.Settings, device.AccountServices.Settings,
				device.DataRecovery.Settings, device.Passphrase.Settings, device.ComponentUpdate.Settings}
			settings.Passphrase.ResetInstructions = strconv.Itoa(n)
			var err error
			device, err = f.UpdateDeviceTemplate(ctx, device.GUID, settings)
			return err
		}, []string{"device PassphrasePolicy"}},
		{"nothing", func(int) error {
			url, err := f.ServerURL()
			if err != nil {
				return err
			}
			current, err := f.Domain(domain.GUID)
			if err != nil {
				return err
			}
			_, renamed := f.RenameDomain(ctx, domain.GUID, current.Name)
			_, enabled := f.EnableMember(ctx, anna.GUID)
			_, installed := f.InstallIdentity(ctx, domain.GUID, anna.GUID, accountA, identityA)
			_, bound := f.InstallIdentity(ctx, domain.GUID, bert.GUID, accountB, identityB)
			return errors.Join(f.SetServerURL(ctx, url), renamed, enabled, installed, bound)
		}, nil},
		{"another domain", func(n int) error {
			_, err := f.UpdateMember(ctx, carl.GUID, func(d *MemberDetails) { d.City = strconv.Itoa(n) })
			return err
		}, []string{"carl IdentityTemplate"}},
	} {
		for round, clock := range []time.Duration{time.Second, 0, -time.Hour, 2 * time.Hour} {
			t.Run(c.name+" "+clock.String(), func(t *testing.T) {
				f.now = f.now.Add(clock)
				before := current()
				must(t, c.change(round))
				after := current()
				for name, o := range after {
					depends := slices.ContainsFunc(c.want, func(w string) bool { return strings.HasPrefix(name, w) })
					switch old := before[name]; {
					case depends && o.IssuedTime <= old.IssuedTime:
						t.Errorf("%s: IssuedTime went from %d to %d", name, old.IssuedTime, o.IssuedTime)
					case depends:
						f.verified(t, o)
					case o.IssuedTime != old.IssuedTime || !bytes.Equal(o.Data, old.Data):
						t.Errorf("%s was regenerated", name)
					}
				}
			})
		}
	}
}

// TestObjectsAfterReopening: objects are made anew from the rows, byte for
// byte.
func TestObjectsAfterReopening(t *testing.T) {
	f := newFixture(t)
	m := f.active(t, f.domain(t, "Contoso"), "Anna", accountA, identityA)
	before, err := f.MemberObjects(m.GUID, nil)
	must(t, err)
	f.reopen(t)
	after, err := f.MemberObjects(m.GUID, nil)
	must(t, err)
	for i, o := range after {
		if !bytes.Equal(o.Data, before[i].Data) || o.IssuedTime != before[i].IssuedTime {
			t.Errorf("%s object differs after reopening", o.Type)
		}
	}
}

// TestOneVersionOneContent: while a member is being changed, readers see its
// identity object in rising versions, and each version with one content.
func TestOneVersionOneContent(t *testing.T) {
	f := newFixture(t)
	m := f.member(t, f.domain(t, "Contoso"), "Anna")
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	var seen sync.Map // IssuedTime to the bytes first seen with it
	for range 4 {
		readers.Go(func() {
			for last := int64(0); ctx.Err() == nil; {
				o, err := f.IdentityObject(m.GUID)
				if err != nil {
					t.Error(err)
					return
				}
				if o.IssuedTime < last {
					t.Errorf("IssuedTime %d after %d", o.IssuedTime, last)
				}
				last = o.IssuedTime
				if first, again := seen.LoadOrStore(last, o.Data); again && !bytes.Equal(first.([]byte), o.Data) {
					t.Errorf("two contents of IssuedTime %d", last)
				}
			}
		})
	}
	defer readers.Wait()
	defer stop()
	for i := range 50 {
		_, err := f.UpdateMember(t.Context(), m.GUID, func(d *MemberDetails) { d.Title = strconv.Itoa(i) })
		must(t, err)
	}
}

// TestRegenerationIsOneRow: the price of regenerating all objects of a domain
// does not grow with its members.
func TestRegenerationIsOneRow(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	m := f.member(t, domain, "Anna")
	row, err := f.memberAt(f.store.Snapshot(), m.GUID)
	must(t, err)
	const members = 1000
	must(t, f.store.Update(t.Context(), func(tx *state.Tx) error {
		for i := range members {
			row.GUID, row.PreAuthToken, row.KeyID = newGUID(), newGUID(), strconv.Itoa(i)
			if err := f.t.members.Put(tx, row); err != nil {
				return err
			}
		}
		return nil
	}))
	before := folderSize(t, f.stateDir())
	must(t, f.SetServerURL(t.Context(), "http://new.example.com/gms.dll"))
	if grown := folderSize(t, f.stateDir()) - before; grown > members {
		t.Errorf("the journal grew by %d bytes for %d members", grown, members)
	}
}

func folderSize(t *testing.T, dir string) (size int64) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(_ string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	}))
	return size
}

// TestLongestDetails: what the limits let in can be shown.
func TestLongestDetails(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, strings.Repeat("𝔊", maxDomainName))
	long := strings.Repeat("𝔊", maxText)
	semicolons := strings.Repeat(";", maxText)
	m, err := f.CreateMember(t.Context(), domain.GUID, MemberDetails{
		FullName: long, Email: strings.Repeat("a", 64) + "@" + strings.Repeat("b", maxEmail-65),
		FirstName: long, LastName: long, Organization: semicolons, Title: long, Street1: long, Street2: long,
		City: long, State: long, PostalCode: long, Country: long, Phone: long, Cell: long, Fax: long,
	})
	must(t, err)
	_, err = f.EnrollByCode(t.Context(), m.GUID, accountA, testContact(identityA, 0))
	must(t, err)
	object, err := f.IdentityObject(m.GUID)
	must(t, err)
	if identity := f.verified(t, object).Body.(policy.Identity); identity.FullName != long {
		t.Error("the identity object shows another name")
	}
}
