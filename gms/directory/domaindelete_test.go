package directory

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"furrow/appliance/state"
	"furrow/gms/policy"
)

func TestDeleteDomain(t *testing.T) {
	f := newFixture(t)
	domain, other := f.domain(t, "Contoso"), f.domain(t, "Fabrikam")
	f.device(t, domain)
	active := f.active(t, domain, "Anna", accountA, identityA)
	pending := f.member(t, domain, "Bob")
	stays := f.active(t, other, "Cara", accountB, identityB)
	sequence := f.store.Snapshot().Sequence()

	if _, err := f.DeleteDomain(t.Context(), domain.GUID, false); !errors.Is(err, ErrDomainNotEmpty) {
		t.Fatalf("a domain with members is deleted: %v", err)
	}
	if f.store.Snapshot().Sequence() != sequence {
		t.Error("a refused deletion changed something")
	}
	deleted, err := f.DeleteDomain(t.Context(), domain.GUID, true)
	must(t, err)
	if f.store.Snapshot().Sequence() != sequence+1 {
		t.Error("the deletion took more than one transaction")
	}
	f.reopen(t)
	if deleted.Deleted.IsZero() || !slices.ContainsFunc(f.AllDomains(), func(d Domain) bool { return d.deleted() }) {
		t.Errorf("deleted at %v, of all domains %+v", deleted.Deleted, f.AllDomains())
	}
	if all := f.Domains(); len(all) != 1 || all[0].GUID != other.GUID {
		t.Errorf("domains %+v, want the other one", all)
	}
	for _, name := range []string{"Contoso", domain.GUID} {
		if _, err := f.FindDomain(name); !errors.Is(err, ErrDomainNotFound) {
			t.Errorf("%q is found: %v", name, err)
		}
	}

	// Clients who still ask are told, and proven by their keys as before.
	if _, err := f.AccountKey(domain.GUID, accountA); err != nil {
		t.Errorf("account of the deleted domain: %v", err)
	}
	for _, m := range []Member{active, pending} {
		objects, err := f.MemberObjects(m.GUID, map[string]int64{m.GUID: 1 << 50})
		if err != nil || len(objects) != 1 || objects[0].GUID != m.GUID || objects[0].Active {
			t.Errorf("objects of %s: %+v, %v", m.FullName, objects, err)
		}
	}
	if m, err := f.MemberByIdentity(domain.GUID, accountA, identityA); err != nil || m.Status != Deleted || m.enrolled() {
		t.Errorf("member behind the identity: %+v, %v", m, err)
	}
	objects, err := f.DeviceObjects(domain.GUID, accountA, nil)
	if err != nil || len(objects) != 1 || objects[0].Type != policy.TypeDevicePolicy || objects[0].Active {
		t.Errorf("objects of the device: %+v, %v", objects, err)
	}
	if m, err := f.Member(stays.GUID); err != nil || m.Status != Active {
		t.Errorf("member of the other domain: %+v, %v", m, err)
	}

	f.refusesChanges(t, domain)
	if again := f.domain(t, "Contoso"); again.GUID == domain.GUID {
		t.Error("the name leads to the old domain")
	}
}

// refusesChanges shows that nothing can be added to a domain or changed in it.
func (f *fixture) refusesChanges(t *testing.T, domain Domain) {
	t.Helper()
	ctx := t.Context()
	for name, change := range map[string]func() error{
		"delete": func() error { _, err := f.DeleteDomain(ctx, domain.GUID, true); return err },
		"rename": func() error { _, err := f.RenameDomain(ctx, domain.GUID, "Contoso 2"); return err },
		"member": func() error {
			_, err := f.CreateMember(ctx, domain.GUID, MemberDetails{FullName: "Dan", Email: "d@example.com"})
			return err
		},
		"relay set":         func() error { _, err := f.CreateRelaySet(ctx, domain.GUID, "New"); return err },
		"default relay set": func() error { _, err := f.SetDefaultRelaySet(ctx, domain.GUID, "x"); return err },
		"account": func() error {
			_, err := f.RegisterAccount(ctx, registration(t, domain))
			return err
		},
	} {
		if err := change(); !errors.Is(err, ErrDomainNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPurgeDeletedDomains(t *testing.T) {
	f := newFixture(t)
	domain, other := f.domain(t, "Contoso"), f.domain(t, "Fabrikam")
	f.fill(t, domain)
	f.fill(t, other)
	before := f.rowsOf(t, other)
	_, err := f.DeleteDomain(t.Context(), domain.GUID, true)
	must(t, err)
	f.now = f.now.Add(deletedDomainLife - time.Second)
	if n, err := f.PurgeDeletedDomains(t.Context()); err != nil || n != 0 {
		t.Errorf("purged %d, %v, a second too early", n, err)
	}
	f.now = f.now.Add(time.Second)
	if n, err := f.PurgeDeletedDomains(t.Context()); err != nil || n != 1 {
		t.Errorf("purged %d, %v", n, err)
	}
	f.reopen(t)
	if left := f.rowsOf(t, domain); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
	if after := f.rowsOf(t, other); !slices.Equal(after, before) {
		t.Errorf("the other domain has %v, had %v", after, before)
	}
}

func TestHiddenDomainLeavesNothing(t *testing.T) {
	f := newFixture(t)
	domain, err := f.CreateHiddenDomain(t.Context(), "Self-test", "")
	must(t, err)
	f.fill(t, domain)
	if all := f.Domains(); len(all) != 1 || !all[0].Hidden {
		t.Errorf("domains %+v", all)
	}
	_, err = f.DeleteDomain(t.Context(), domain.GUID, false)
	if !errors.Is(err, ErrDomainNotEmpty) {
		t.Errorf("a hidden domain with members is deleted: %v", err)
	}
	_, err = f.DeleteDomain(t.Context(), domain.GUID, true)
	must(t, err)
	f.reopen(t)
	if left := f.rowsOf(t, domain); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
	if _, err := f.Domain(domain.GUID); !errors.Is(err, ErrDomainNotFound) {
		t.Errorf("domain: %v", err)
	}
}

// fill gives a domain a row in each table.
func (f *fixture) fill(t *testing.T, domain Domain) {
	t.Helper()
	f.device(t, domain)
	f.active(t, domain, "Anna", accountA, identityA)
	f.member(t, domain, "Bob")
}

// device registers the account of a device.
func (f *fixture) device(t *testing.T, domain Domain) {
	t.Helper()
	account := registration(t, domain)
	account.Device = true
	_, err := f.RegisterAccount(t.Context(), account)
	must(t, err)
}

// rowsOf names the rows that belong to a domain.
func (f *fixture) rowsOf(t *testing.T, domain Domain) (rows []string) {
	t.Helper()
	r := f.store.Snapshot()
	collect := func(table, domainOf, key string) {
		if domainOf == domain.GUID {
			rows = append(rows, fmt.Sprintf("%s %q", table, key))
		}
	}
	for row := range f.t.domains.All(r) {
		collect("domain", row.GUID, row.GUID)
	}
	for row := range f.t.members.All(r) {
		collect("member", row.Domain, row.GUID)
	}
	for row := range f.t.accounts.All(r) {
		collect("account", row.Domain, row.GUID)
	}
	for row := range f.t.devices.All(r) {
		collect("device", row.Domain, row.GUID)
	}
	for row := range f.t.identityTemplates.All(r) {
		collect("identity template", row.Domain, row.GUID)
	}
	for row := range f.t.deviceTemplates.All(r) {
		collect("device template", row.Domain, row.GUID)
	}
	for row := range f.t.relaySets.All(r) {
		collect("relay set", row.Domain, row.GUID)
	}
	return rows
}

// TestDeleteLargeDomain shows that 10,000 members, whatever they enrolled with, can be
// deleted in one transaction, which has room for 32 MB.
func TestDeleteLargeDomain(t *testing.T) {
	const members, room = 200, 32 << 20 / 10_000
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	row, err := f.newMember(domain.GUID, MemberDetails{FullName: "Anna Anderson", Email: "anna.anderson@example.com"})
	must(t, err)
	contact := testContact(identityA, 0)
	contact.Data = make([]byte, 2*room)
	must(t, f.store.Update(t.Context(), func(tx *state.Tx) error {
		for i := range members {
			m := row
			m.GUID, m.PreAuthToken, m.KeyID, m.IdentityURL = newGUID(), newGUID(), fmt.Sprint(i), fmt.Sprint(identityA, i)
			m.AccountGUID, m.Status, m.Contact = accountA, Active, &contact
			if err := f.t.members.Put(tx, m); err != nil {
				return err
			}
		}
		return nil
	}))
	before := folderSize(t, f.stateDir())
	_, err = f.DeleteDomain(t.Context(), domain.GUID, true)
	must(t, err)
	if grown := folderSize(t, f.stateDir()) - before; grown > members*room {
		t.Errorf("the journal grew by %d bytes for %d members", grown, members)
	}
	if n := len(f.Members(MemberFilter{Domain: domain.GUID, Status: Deleted})); n != members {
		t.Errorf("%d members are deleted, want %d", n, members)
	}
}
