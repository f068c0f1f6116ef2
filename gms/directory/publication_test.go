package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"furrow/appliance/state"
	"furrow/gms/policy"
	"furrow/gms/soap/spcm"
)

// list sets the domain's policy about its contact directory.
func (f *fixture) list(t failer, domain Domain, listing policy.Listing) {
	t.Helper()
	f.policy(t, domain, func(s *IdentitySettings) { s.Identity.DomainDirectory = listing })
}

// policy changes the domain's default identity policy template.
func (f *fixture) policy(t failer, domain Domain, edit func(*IdentitySettings)) {
	t.Helper()
	template, err := f.IdentityTemplate(domain.IdentityTemplate)
	must(t, err)
	settings := IdentitySettings{template.Identity.Settings, template.DataRecovery.Settings}
	edit(&settings)
	_, err = f.UpdateIdentityTemplate(context.Background(), domain.IdentityTemplate, settings)
	must(t, err)
}

// found are the full names that a search finds.
func (f *fixture) found(t failer, domain Domain, text string) []string {
	t.Helper()
	members, err := f.SearchContacts(domain.GUID, text, spcm.MaxContacts)
	must(t, err)
	names := []string{}
	for _, m := range members {
		names = append(names, m.FullName)
	}
	return names
}

func TestSearchContacts(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	domain, other := f.domain(t, "Contoso"), f.domain(t, "Fabrikam")
	details := map[string]MemberDetails{
		"Zoë Straße": {LastName: "Straße", FirstName: "Zoë", Email: "z@example.com", State: "NRW"},
		"anna smith": {LastName: "Smith", Email: "a.smith@example.com"},
		"Anna Adams": {FirstName: "Annabel", Email: "a.adams@example.com", City: "Köln"},
		"Bob":        {Email: "bob@SMITHERS.example.com", State: "Baden"},
	}
	for name, d := range details {
		m := f.active(t, domain, name, "account of "+name, "identity of "+name)
		_, err := f.UpdateMember(ctx, m.GUID, func(md *MemberDetails) {
			*md = d
			md.FullName = name
		})
		must(t, err)
	}
	f.active(t, other, "Anna of another domain", "account", "identity")
	f.member(t, domain, "Anna pending")

	for text, want := range map[string][]string{
		"":            {"Anna Adams", "anna smith", "Bob", "Zoë Straße"},
		"ANNA":        {"Anna Adams", "anna smith"},
		"nabel":       {"Anna Adams"},
		"Smith":       {"anna smith", "Bob"},
		"strasse":     {"Zoë Straße"},
		"ZOE\u0308":   {"Zoë Straße"},
		"nrw":         {"Zoë Straße"},
		"a":           {"Anna Adams", "anna smith", "Bob", "Zoë Straße"},
		"köln":        {}, // the city is not searched
		"smithanna":   {}, // nor are two fields one
		"nobody":      {},
		"example.com": {"Anna Adams", "anna smith", "Bob", "Zoë Straße"},
	} {
		if got := f.found(t, domain, text); !slices.Equal(got, want) {
			t.Errorf("%q finds %q, want %q", text, got, want)
		}
	}
	if _, err := f.SearchContacts("nowhere", "", spcm.MaxContacts); !errors.Is(err, ErrDomainNotFound) {
		t.Errorf("unknown domain: %v", err)
	}

	f.reopen(t)
	if got := f.found(t, domain, "anna"); len(got) != 2 {
		t.Errorf("after a restart found %q", got)
	}
}

// TestSearchContactsFollows searches after each step of a member's life.
func TestSearchContactsFollows(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	domain := f.domain(t, "Contoso")
	m := f.member(t, domain, "Anna")
	step := func(name string, want int, do func() error) {
		t.Helper()
		must(t, do())
		if got := f.found(t, domain, "an"); len(got) != want {
			t.Errorf("%s: found %q, want %d", name, got, want)
		}
	}
	ofMember := func(change func() (Member, error)) func() error {
		return func() error {
			_, err := change()
			return err
		}
	}
	step("pending", 0, func() error { return nil })
	step("bound", 0, ofMember(func() (Member, error) { return f.InstallIdentity(ctx, domain.GUID, m.GUID, accountA, identityA) }))
	step("active", 1, ofMember(func() (Member, error) {
		return f.EnrollByCode(ctx, m.GUID, accountA, testContact(identityA, 0))
	}))
	step("disabled", 0, ofMember(func() (Member, error) { return f.DisableMember(ctx, m.GUID) }))
	step("enabled", 1, ofMember(func() (Member, error) { return f.EnableMember(ctx, m.GUID) }))
	step("renamed", 0, ofMember(func() (Member, error) {
		return f.UpdateMember(ctx, m.GUID, func(d *MemberDetails) { d.FullName, d.Email = "Bob", "bob@example.com" })
	}))
	step("renamed back", 1, ofMember(func() (Member, error) {
		return f.UpdateMember(ctx, m.GUID, func(d *MemberDetails) { d.FullName = "Diana" })
	}))
	step("deleted", 0, ofMember(func() (Member, error) { return f.DeleteMember(ctx, m.GUID) }))
}

func TestSearchContactsFindsFifty(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	for i := range 52 {
		f.active(t, domain, fmt.Sprintf("Member %02d", i*17%52), fmt.Sprint("account", i), fmt.Sprint("identity", i))
	}
	for _, text := range []string{"", "ember"} {
		names := f.found(t, domain, text)
		if len(names) != spcm.MaxContacts || names[0] != "Member 00" || names[49] != "Member 49" {
			t.Errorf("%q finds %d, from %q to %q", text, len(names), names[0], names[len(names)-1])
		}
	}
}

func TestPublishContact(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	domain, other := f.domain(t, "Contoso"), f.domain(t, "Fabrikam")
	m := f.active(t, domain, "Anna", accountA, identityA)
	publish := func(vCard string) error {
		return f.PublishContact(ctx, domain.GUID, accountA, identityA, []byte(vCard))
	}
	shown := func() string {
		contacts, err := f.PublishedContacts(domain.GUID, []string{m.GUID})
		if errors.Is(err, ErrNotPublished) {
			if names := f.found(t, domain, ""); len(names) != 0 {
				t.Errorf("found %q, which cannot be fetched", names)
			}
			return ""
		}
		must(t, err)
		if names := f.found(t, domain, ""); !slices.Equal(names, []string{"Anna"}) {
			t.Errorf("found %q", names)
		}
		return string(contacts[0].VCard)
	}
	before, err := f.IdentityObject(m.GUID)
	must(t, err)

	// Listed by policy, before its client has published.
	if got := shown(); !strings.Contains(got, "FN: Anna\r\n") {
		t.Errorf("listed by policy is %q", got)
	}
	must(t, publish("first"))
	if got := shown(); got != "first" {
		t.Errorf("published is %q", got)
	}
	sequence := f.store.Snapshot().Sequence()
	must(t, publish("first"))
	if after := f.store.Snapshot().Sequence(); after != sequence {
		t.Error("publishing the same again wrote something")
	}
	if err := publish(""); !errors.Is(err, ErrListingFixed) {
		t.Errorf("withdrawn against the policy: %v", err)
	}

	f.list(t, domain, policy.ListingNever)
	if got := shown(); got != "" {
		t.Errorf("against the policy there is %q", got)
	}
	if err := publish("second"); !errors.Is(err, ErrListingFixed) {
		t.Errorf("published against the policy: %v", err)
	}
	must(t, publish(""))

	f.list(t, domain, policy.ListingByMember)
	if got := shown(); got != "" {
		t.Errorf("after withdrawing there is %q", got)
	}
	must(t, publish("third"))
	f.reopen(t)
	if got := shown(); got != "third" {
		t.Errorf("after a restart there is %q", got)
	}

	after, err := f.IdentityObject(m.GUID)
	must(t, err)
	if after.IssuedTime != before.IssuedTime {
		t.Error("publishing gave the identity object a new IssuedTime")
	}

	for name, test := range map[string]struct {
		domain string
		guids  []string
	}{
		"unknown":                  {domain.GUID, []string{"none"}},
		"one unknown":              {domain.GUID, []string{m.GUID, "none"}},
		"from another domain":      {other.GUID, []string{m.GUID}},
		"from a domain not there":  {"nowhere", []string{m.GUID}},
		"pending":                  {domain.GUID, []string{f.member(t, domain, "Bob").GUID}},
		"listed nowhere, as above": {domain.GUID, []string{f.active(t, domain, "Eve", "e", "e").GUID}},
	} {
		if got, err := f.PublishedContacts(test.domain, test.guids); !errors.Is(err, ErrNotPublished) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}

	if err := f.PublishContact(ctx, domain.GUID, accountA, "other", []byte("x")); !errors.Is(err, ErrMemberNotFound) {
		t.Errorf("unknown identity: %v", err)
	}
	if err := publish(strings.Repeat("x", spcm.MaxContact+1)); !errors.Is(err, ErrInvalid) {
		t.Errorf("too long: %v", err)
	}
	_, err = f.DisableMember(ctx, m.GUID)
	must(t, err)
	if err := publish("fourth"); !errors.Is(err, ErrStatus) {
		t.Errorf("disabled: %v", err)
	}
}

// TestUnboundMemberIsWithdrawn: what somebody published as a member does not
// come back when another enrolls as that member.
func TestUnboundMemberIsWithdrawn(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	domain := f.domain(t, "Contoso")
	f.list(t, domain, policy.ListingByMember)
	m := f.active(t, domain, "Anna", accountA, identityA)
	must(t, f.PublishContact(ctx, domain.GUID, accountA, identityA, []byte("first")))

	next := f.member(t, domain, "Anna again")
	_, err := f.InstallIdentity(ctx, domain.GUID, next.GUID, accountA, identityA)
	must(t, err)
	_, err = f.InstallIdentity(ctx, domain.GUID, m.GUID, "another", "another")
	must(t, err)
	_, err = f.EnrollByCode(ctx, m.GUID, "another", testContact("another", 1))
	must(t, err)
	if names := f.found(t, domain, ""); len(names) != 0 {
		t.Errorf("found %q", names)
	}
}

// TestErasedDomainLeavesNothing: of a domain of the box's own, not even what its
// members published or asked for, nor its part of the index.
func TestErasedDomainLeavesNothing(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	domain, err := f.CreateHiddenDomain(ctx, "Test", "")
	must(t, err)
	_, err = f.RegisterAccount(ctx, registration(t, domain))
	must(t, err)
	m := f.active(t, domain, "Anna", accountA, identityA)
	must(t, f.PublishContact(ctx, domain.GUID, accountA, identityA, []byte("vCard")))
	_, err = f.RequestPasswordReset(ctx, ResetRequest{
		Domain: domain.GUID, Account: accountA, KeyHash: recoveryKeyOf(t, domain).Hash(), AnswerKey: recoveryKeyOf(t, domain),
	})
	must(t, err)
	must(t, f.store.Update(ctx, func(tx *state.Tx) error {
		return f.t.automaticResets.Put(tx, automaticReset{Member: m.GUID})
	}))
	if names := f.found(t, domain, ""); len(names) != 1 {
		t.Fatalf("found %q", names)
	}
	_, err = f.DeleteDomain(ctx, domain.GUID, true)
	must(t, err)
	view := f.store.Snapshot()
	if p, r, a := f.t.publications.Len(view), f.t.passwordResets.Len(view), f.t.automaticResets.Len(view); p+r+a != 0 {
		t.Errorf("%d publications, %d resets and %d automatic ones stay", p, r, a)
	}
	f.found(t, f.domain(t, "Another"), "")
	if _, ok := f.names.domains[domain.GUID]; ok {
		t.Error("the index still has the domain")
	}
}

// TestDeletedMemberIsWithdrawn: nobody needs what a deleted member published.
func TestDeletedMemberIsWithdrawn(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	domain := f.domain(t, "Contoso")
	m := f.active(t, domain, "Anna", accountA, identityA)
	must(t, f.PublishContact(ctx, domain.GUID, accountA, identityA, []byte("vCard")))
	_, err := f.DeleteMember(ctx, m.GUID)
	must(t, err)
	if n := f.t.publications.Len(f.store.Snapshot()); n != 0 {
		t.Error("the publication stays")
	}
}
