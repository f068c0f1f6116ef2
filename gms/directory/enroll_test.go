package directory

import (
	"bytes"
	"errors"
	"testing"

	"furrow/gms/soap/spcm"
)

const (
	accountA  = "7ymdzshkpai3fgqwdui5c332cmx3532gqenqe9i"
	accountB  = "8ymdzshkpai3fgqwdui5c332cmx3532gqenqe9i"
	identityA = "grooveIdentity://7ymdzshkpai3fgqwdui5c332cmx3532g@"
	identityB = "grooveIdentity://8ymdzshkpai3fgqwdui5c332cmx3532g@"
)

func TestJoinFromCodeToActive(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	m := f.member(t, domain, "Anna")
	before, err := f.IdentityObject(m.GUID)
	must(t, err)

	bound, err := f.InstallIdentity(t.Context(), domain.GUID, m.GUID, accountA, identityA)
	must(t, err)
	if bound.Status != Pending || !bound.boundTo(accountA, identityA) {
		t.Errorf("after the install the member is %+v", bound)
	}
	installed, err := f.IdentityObject(m.GUID)
	must(t, err)
	if installed.IssuedTime != before.IssuedTime {
		t.Error("the install itself changed the object that was installed")
	}

	contact := testContact(identityA, 0)
	active, err := f.EnrollByCode(t.Context(), m.GUID, accountA, contact)
	must(t, err)
	f.reopen(t)
	active, err = f.MemberByIdentity(domain.GUID, accountA, identityA)
	must(t, err)
	if active.GUID != m.GUID || active.Status != Active || active.Contact.URL != active.IdentityURL ||
		!bytes.Equal(active.Contact.Data, contact.Data) || !bytes.Equal(active.Contact.Security, contact.Security) {
		t.Errorf("after enrollment the member is %+v with contact %+v", active, active.Contact)
	}
	enrolled, err := f.IdentityObject(m.GUID)
	must(t, err)
	if enrolled.IssuedTime <= installed.IssuedTime {
		t.Errorf("enrollment took IssuedTime from %d to %d", installed.IssuedTime, enrolled.IssuedTime)
	}
}

func TestInstallIdentity(t *testing.T) {
	f := newFixture(t)
	domain, other := f.domain(t, "Contoso"), f.domain(t, "Fabrikam")
	pending := f.member(t, domain, "Pending")
	active := f.active(t, domain, "Active", accountA, identityA)
	for _, c := range []struct {
		name                              string
		domain, member, account, identity string
		want                              error
	}{
		{"again", domain.GUID, active.GUID, accountA, identityA, nil},
		{"enrolled with another account", domain.GUID, active.GUID, accountB, identityA, ErrBoundElsewhere},
		{"enrolled with another identity", domain.GUID, active.GUID, accountA, identityB, ErrBoundElsewhere},
		{"another domain", other.GUID, pending.GUID, accountB, identityB, ErrMemberNotFound},
		{"nobody", domain.GUID, "nobody", accountB, identityB, ErrMemberNotFound},
		{"disabled", domain.GUID, f.inStatus(t, domain, Disabled, false).GUID, accountB, identityB, ErrStatus},
		{"deleted", domain.GUID, f.inStatus(t, domain, Deleted, false).GUID, accountB, identityB, ErrStatus},
		{"migrated", domain.GUID, f.inStatus(t, domain, Migrated, true).GUID, accountB, identityB, ErrStatus},
		{"no account", domain.GUID, pending.GUID, "", identityB, ErrInvalid},
		{"no identity", domain.GUID, pending.GUID, accountB, "", ErrInvalid},
		{"control character", domain.GUID, pending.GUID, accountB, "a\x00b", ErrInvalid},
		{"long account", domain.GUID, pending.GUID, string(make([]byte, maxClientGUID+1)), identityB, ErrInvalid},
		{"pending", domain.GUID, pending.GUID, accountB, identityB, nil},
		{"pending, bound anew", domain.GUID, pending.GUID, accountB, identityA, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			sequence := f.store.Snapshot().Sequence()
			_, err := f.InstallIdentity(t.Context(), c.domain, c.member, c.account, c.identity)
			if !errors.Is(err, c.want) {
				t.Fatalf("error is %v, want %v", err, c.want)
			}
			if changed := f.store.Snapshot().Sequence() != sequence; c.want != nil && changed {
				t.Error("a refused install changed something")
			}
		})
	}
}

// TestInstallUnbindsOthers is MS-GRVSPCM 3.2.5.3.4, step 2.
func TestInstallUnbindsOthers(t *testing.T) {
	f := newFixture(t)
	domain, other := f.domain(t, "Contoso"), f.domain(t, "Fabrikam")
	elsewhere := f.active(t, other, "Elsewhere", accountA, identityA)
	for _, c := range []struct {
		name   string
		before func(Member) (Member, error)
		want   Status
	}{
		{"active", func(m Member) (Member, error) { return m, nil }, Pending},
		{"disabled", func(m Member) (Member, error) { return f.DisableMember(t.Context(), m.GUID) }, Disabled},
		{"deleted", func(m Member) (Member, error) { return f.DeleteMember(t.Context(), m.GUID) }, Deleted},
	} {
		t.Run(c.name, func(t *testing.T) {
			loser, err := c.before(f.active(t, domain, "Loser", accountA, identityA))
			must(t, err)
			winner := f.member(t, domain, "Winner")
			_, err = f.InstallIdentity(t.Context(), domain.GUID, winner.GUID, accountA, identityA)
			must(t, err)
			after, err := f.Member(loser.GUID)
			must(t, err)
			if after.Status != c.want || after.bound() || after.enrolled() || after.Stamp > loser.Stamp != loser.enrolled() {
				t.Errorf("the other member went from %+v to %+v", loser, after)
			}
			found, err := f.MemberByIdentity(domain.GUID, accountA, identityA)
			must(t, err)
			if found.GUID != winner.GUID {
				t.Errorf("identity leads to %q, want %q", found.FullName, winner.FullName)
			}
			_, err = f.DeleteMember(t.Context(), winner.GUID)
			must(t, err)
		})
	}
	if after, err := f.Member(elsewhere.GUID); err != nil || after.Status != Active {
		t.Errorf("a member of another domain became %v, %v", after.Status, err)
	}
}

func TestEnrollByCode(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	active := f.active(t, domain, "Active", accountA, identityA)
	pending := f.member(t, domain, "Pending")
	with := func(edit func(*Contact)) Contact {
		c := testContact(identityB, 0)
		edit(&c)
		return c
	}
	for _, c := range []struct {
		name            string
		member, account string
		contact         Contact
		want            error
	}{
		{"same key again", active.GUID, accountA, testContact(identityA, 0), nil},
		{"another key", active.GUID, accountA, testContact(identityA, 1), ErrEnrolledWithOtherKey},
		{"disabled", f.inStatus(t, domain, Disabled, true).GUID, accountB, testContact(identityB, 0), ErrStatus},
		{"deleted", f.inStatus(t, domain, Deleted, true).GUID, accountB, testContact(identityB, 0), ErrStatus},
		{"migrated", f.inStatus(t, domain, Migrated, true).GUID, accountB, testContact(identityB, 0), ErrStatus},
		{"nobody", "nobody", accountB, testContact(identityB, 0), ErrMemberNotFound},
		{"another member's identity", pending.GUID, accountA, testContact(identityA, 0), ErrBoundElsewhere},
		{"no account", pending.GUID, "", testContact(identityB, 0), ErrInvalid},
		{"no contact URL", pending.GUID, accountB, with(func(c *Contact) { c.URL = "" }), ErrInvalid},
		{"no contact", pending.GUID, accountB, with(func(c *Contact) { c.Data = nil }), ErrInvalid},
		{"large contact", pending.GUID, accountB, with(func(c *Contact) { c.Data = make([]byte, spcm.MaxContact+1) }), ErrInvalid},
		{"no security", pending.GUID, accountB, with(func(c *Contact) { c.Security = nil }), ErrInvalid},
		{"no key", pending.GUID, accountB, with(func(c *Contact) { c.SignatureKey = nil }), ErrInvalid},
		{"not bound before", pending.GUID, accountB, testContact(identityB, 0), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			sequence := f.store.Snapshot().Sequence()
			m, err := f.EnrollByCode(t.Context(), c.member, c.account, c.contact)
			if !errors.Is(err, c.want) {
				t.Fatalf("error is %v, want %v", err, c.want)
			}
			changed := f.store.Snapshot().Sequence() != sequence
			switch {
			case c.want != nil && changed:
				t.Error("a refused enrollment changed something")
			case c.want == nil && m.Status != Active:
				t.Errorf("member is %v", m.Status)
			}
		})
	}
	if m, err := f.Member(active.GUID); err != nil || m.Stamp != active.Stamp {
		t.Errorf("enrolling again with the same key changed the object: %v", err)
	}
}

func TestReenroll(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	m := f.member(t, domain, "Anna")
	contact := testContact(identityA, 0)
	again := func() (Member, error) {
		return f.Reenroll(t.Context(), domain.GUID, accountA, identityA, contact)
	}
	if _, err := again(); !errors.Is(err, ErrMemberNotFound) {
		t.Fatalf("before the install: %v", err)
	}
	_, err := f.InstallIdentity(t.Context(), domain.GUID, m.GUID, accountA, identityA)
	must(t, err)
	first, err := again()
	must(t, err)
	second, err := again()
	must(t, err)
	if first.Status != Active || first.GUID != m.GUID || second.Stamp != first.Stamp {
		t.Errorf("first %+v, then %+v", first, second)
	}
	contact = testContact(identityA, 1)
	third, err := again()
	must(t, err)
	if third.Stamp <= second.Stamp || !bytes.Equal(third.Contact.SignatureKey, contact.SignatureKey) {
		t.Errorf("a new contact left the member at %+v", third)
	}
	contact.URL = identityB
	if _, err := again(); !errors.Is(err, ErrInvalid) {
		t.Errorf("contact of another identity: %v", err)
	}
	contact.URL = identityA
	if _, err := f.Reenroll(t.Context(), domain.GUID, accountB, identityA, contact); !errors.Is(err, ErrMemberNotFound) {
		t.Errorf("another account: %v", err)
	}
	_, err = f.DisableMember(t.Context(), m.GUID)
	must(t, err)
	if _, err := again(); !errors.Is(err, ErrStatus) {
		t.Errorf("disabled: %v", err)
	}
	_, err = f.DeleteMember(t.Context(), m.GUID)
	must(t, err)
	if _, err := again(); !errors.Is(err, ErrStatus) {
		t.Errorf("deleted: %v", err)
	}
}
