package directory

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"furrow/appliance/state"
	"furrow/gms/policy"
)

func (f *fixture) group(t failer, domain Domain, parent, name string) Group {
	t.Helper()
	g, err := f.CreateGroup(context.Background(), domain.GUID, parent, name)
	must(t, err)
	return g
}

// paths lists groups as path=members.
func (f *fixture) paths(domain Domain) string {
	var all []string
	for _, g := range f.Groups(domain.GUID) {
		all = append(all, g.Path+"="+strconv.Itoa(g.Members))
	}
	return strings.Join(all, " ")
}

func TestGroups(t *testing.T) {
	f := newFixture(t)
	domain, other := f.domain(t, "Contoso"), f.domain(t, "Fabrikam")
	sales := f.group(t, domain, "", "Sales")
	f.group(t, domain, sales.GUID, "South")
	north := f.group(t, domain, sales.GUID, "North")
	board := f.group(t, domain, "", "Board")
	elsewhere := f.group(t, other, "", "Sales")
	anna := f.member(t, domain, "Anna")
	_, err := f.MoveMember(t.Context(), anna.GUID, north.GUID)
	must(t, err)
	f.reopen(t)
	if got := f.paths(domain); got != "Board=0 Sales=0 Sales/North=1 Sales/South=0" {
		t.Errorf("groups %s", got)
	}
	for _, path := range []string{north.GUID, "Sales/North", "sales/NORTH"} {
		if g, err := f.FindGroup(domain.GUID, path); err != nil || g.GUID != north.GUID {
			t.Errorf("%q leads to %+v, %v", path, g, err)
		}
	}
	for _, path := range []string{"", "North", "Sales/", "Sales/West", elsewhere.GUID, "Sales/North/"} {
		if g, err := f.FindGroup(domain.GUID, path); !errors.Is(err, ErrGroupNotFound) {
			t.Errorf("%q leads to %+v, %v", path, g, err)
		}
	}
	if got := f.GroupPathOf(north.GUID); got != "Sales/North" {
		t.Errorf("path %q", got)
	}
	if in := f.Members(MemberFilter{Group: north.GUID}); len(in) != 1 || in[0].GUID != anna.GUID {
		t.Errorf("members %+v", in)
	}

	deep := sales
	for range maxGroupDepth - 1 {
		deep = f.group(t, domain, deep.GUID, "deep")
	}
	for _, c := range []struct {
		name string
		do   func() (Group, error)
		want error
	}{
		{"name taken", func() (Group, error) { return f.CreateGroup(t.Context(), domain.GUID, "", "SALES") }, ErrNameTaken},
		{"rename to a taken name", func() (Group, error) { return f.RenameGroup(t.Context(), board.GUID, "sales") }, ErrNameTaken},
		{"no name", func() (Group, error) { return f.CreateGroup(t.Context(), domain.GUID, "", "") }, ErrInvalid},
		{"slash", func() (Group, error) { return f.RenameGroup(t.Context(), board.GUID, "a/b") }, ErrInvalid},
		{"space", func() (Group, error) { return f.CreateGroup(t.Context(), domain.GUID, "", " a") }, ErrInvalid},
		{"no domain", func() (Group, error) { return f.CreateGroup(t.Context(), "none", "", "a") }, ErrDomainNotFound},
		{"no parent", func() (Group, error) { return f.CreateGroup(t.Context(), domain.GUID, "none", "a") }, ErrGroupNotFound},
		{"parent of another domain", func() (Group, error) { return f.CreateGroup(t.Context(), domain.GUID, elsewhere.GUID, "a") }, ErrGroupNotFound},
		{"moved to another domain", func() (Group, error) { return f.MoveGroup(t.Context(), board.GUID, elsewhere.GUID) }, ErrGroupNotFound},
		{"into itself", func() (Group, error) { return f.MoveGroup(t.Context(), sales.GUID, sales.GUID) }, ErrGroupCycle},
		{"into what is in it", func() (Group, error) { return f.MoveGroup(t.Context(), sales.GUID, north.GUID) }, ErrGroupCycle},
		{"too deep", func() (Group, error) { return f.CreateGroup(t.Context(), domain.GUID, deep.GUID, "a") }, ErrTooDeep},
		{"moved too deep", func() (Group, error) { return f.MoveGroup(t.Context(), sales.GUID, board.GUID) }, ErrTooDeep},
		{"relay set of another domain", func() (Group, error) {
			return Group{}, f.AssignRelaySet(t.Context(), Target{Level: GroupLevel, GUID: board.GUID}, other.RelaySet)
		}, ErrRelaySetNotFound},
		{"template of another domain", func() (Group, error) {
			return Group{}, f.AssignTemplate(t.Context(), Target{Level: GroupLevel, GUID: board.GUID}, other.IdentityTemplate)
		}, ErrTemplateNotFound},
		{"device template for a group", func() (Group, error) {
			return Group{}, f.AssignTemplate(t.Context(), Target{Level: GroupLevel, GUID: board.GUID}, domain.DeviceTemplate)
		}, ErrTemplateNotFound},
		{"no group", func() (Group, error) { return f.MoveGroup(t.Context(), "none", "") }, ErrGroupNotFound},
		{"not empty of groups", func() (Group, error) { return f.DeleteGroup(t.Context(), sales.GUID, false) }, ErrGroupNotEmpty},
		{"not empty of members", func() (Group, error) { return f.DeleteGroup(t.Context(), north.GUID, false) }, ErrGroupNotEmpty},
	} {
		sequence := f.store.Snapshot().Sequence()
		if _, err := c.do(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if f.store.Snapshot().Sequence() != sequence {
			t.Errorf("%s: a refusal changed something", c.name)
		}
	}
	if _, err := f.MoveMember(t.Context(), anna.GUID, elsewhere.GUID); !errors.Is(err, ErrGroupNotFound) {
		t.Errorf("member moved to a group of another domain: %v", err)
	}
}

func TestDeleteGroup(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	sales := f.group(t, domain, "", "Sales")
	north := f.group(t, domain, sales.GUID, "North")
	f.group(t, domain, north.GUID, "Far")
	anna, bert := f.member(t, domain, "Anna"), f.member(t, domain, "Bert")
	for _, m := range []Member{anna, bert} {
		_, err := f.MoveMember(t.Context(), m.GUID, north.GUID)
		must(t, err)
	}
	_, err := f.DeleteMember(t.Context(), bert.GUID)
	must(t, err)
	_, err = f.DeleteGroup(t.Context(), north.GUID, true)
	must(t, err)
	f.reopen(t)
	if got := f.paths(domain); got != "Sales=1 Sales/Far=0" {
		t.Errorf("groups %s", got)
	}
	// A deleted member keeps no group alive.
	_, err = f.MoveMember(t.Context(), anna.GUID, "")
	must(t, err)
	far, err := f.FindGroup(domain.GUID, "Sales/Far")
	must(t, err)
	for _, guid := range []string{far.GUID, sales.GUID} {
		_, err := f.DeleteGroup(t.Context(), guid, false)
		must(t, err)
	}
	if got := f.paths(domain); got != "" {
		t.Errorf("groups %s", got)
	}
}

// TestInheritance follows what holds for a member from the domain down to itself.
func TestInheritance(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	outer := f.group(t, domain, "", "Outer")
	inner := f.group(t, domain, outer.GUID, "Inner")
	anna := f.member(t, domain, "Anna")
	_, err := f.MoveMember(t.Context(), anna.GUID, inner.GUID)
	must(t, err)
	template, err := f.CreateTemplate(t.Context(), domain.GUID, IdentityKind, "Strict")
	must(t, err)
	set, err := f.CreateRelaySet(t.Context(), domain.GUID, "South")
	must(t, err)

	check := func(when string, level Level, source string, own bool) {
		t.Helper()
		wantTemplate, wantSet := template.GUID, set.GUID
		if !own {
			wantTemplate, wantSet = domain.IdentityTemplate, domain.RelaySet
		}
		gotTemplate, gotSet, err := f.MemberInheritance(anna.GUID)
		must(t, err)
		for what, got := range map[string]Inherited{wantTemplate: gotTemplate, wantSet: gotSet} {
			if got.GUID != what || got.From != level || got.Source != source {
				t.Errorf("%s: %+v, want %s from %s %s", when, got, what, level, source)
			}
		}
	}
	check("at first", DomainLevel, domain.GUID, false)
	for _, to := range []Target{{Level: GroupLevel, GUID: outer.GUID}, {Level: GroupLevel, GUID: inner.GUID}, {Level: MemberLevel, GUID: anna.GUID}} {
		must(t, f.AssignTemplate(t.Context(), to, template.GUID))
		must(t, f.AssignRelaySet(t.Context(), to, set.GUID))
		check("assigned", to.Level, to.GUID, true)
	}
	if gotTemplate, gotSet, err := f.GroupInheritance(inner.GUID); err != nil || gotTemplate.Source != inner.GUID || gotSet.Source != inner.GUID {
		t.Errorf("inner group: %+v, %+v, %v", gotTemplate, gotSet, err)
	}
	if err := f.DeleteTemplate(t.Context(), template.GUID); !errors.Is(err, ErrTemplateAssigned) {
		t.Errorf("an assigned template is deleted: %v", err)
	}
	if _, err := f.DeleteRelaySet(t.Context(), set.GUID); !errors.Is(err, ErrRelaySetAssigned) {
		t.Errorf("an assigned relay set is deleted: %v", err)
	}
	for _, to := range []Target{{Level: MemberLevel, GUID: anna.GUID}, {Level: GroupLevel, GUID: inner.GUID}, {Level: GroupLevel, GUID: outer.GUID}} {
		must(t, f.AssignTemplate(t.Context(), to, ""))
		must(t, f.AssignRelaySet(t.Context(), to, ""))
	}
	check("at last", DomainLevel, domain.GUID, false)
	must(t, f.DeleteTemplate(t.Context(), template.GUID))

	for name, to := range map[string]Target{
		"relay set for a device": {Level: DeviceLevel, GUID: accountA, Domain: domain.GUID},
		"no level":               {GUID: anna.GUID},
	} {
		if err := f.AssignRelaySet(t.Context(), to, set.GUID); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := f.AssignTemplate(t.Context(), Target{Level: DomainLevel, GUID: domain.GUID}, ""); !errors.Is(err, ErrTemplateNotFound) {
		t.Errorf("a domain without a default: %v", err)
	}
}

// TestRelayUsersInGroups: the relay of a group's set serves the members below it.
func TestRelayUsersInGroups(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	outer := f.group(t, domain, "", "Outer")
	inner := f.group(t, domain, outer.GUID, "Inner")
	relay, err := f.CreateRelay(t.Context(), testRelay(t, "relay.example.com"))
	must(t, err)
	set, err := f.CreateRelaySet(t.Context(), domain.GUID, "South")
	must(t, err)
	_, err = f.AssignRelays(t.Context(), set.GUID, []string{relay.GUID})
	must(t, err)
	must(t, f.AssignRelaySet(t.Context(), Target{Level: GroupLevel, GUID: outer.GUID}, set.GUID))
	anna, bert := f.member(t, domain, "Anna"), f.member(t, domain, "Bert")
	_, err = f.MoveMember(t.Context(), anna.GUID, inner.GUID)
	must(t, err)
	for user := range f.RelayUsers(f.store.Snapshot(), relay.GUID) {
		if user.Assigned != (user.Member == anna.GUID) {
			t.Errorf("Anna %s, Bert %s: %+v", anna.GUID, bert.GUID, user)
		}
	}
}

// TestPoliciesOfTheServerFollowGroups: what the management server itself reads from a
// member's policy is that of the group's template too.
func TestPoliciesOfTheServerFollowGroups(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	group := f.group(t, domain, "", "Hidden")
	anna := f.member(t, domain, "Anna")
	_, err := f.MoveMember(t.Context(), anna.GUID, group.GUID)
	must(t, err)
	template, err := f.CreateTemplate(t.Context(), domain.GUID, IdentityKind, "Hidden")
	must(t, err)
	_, err = f.ChangeTemplate(t.Context(), template.GUID, "", []policy.Value{
		{Key: "identity.domainDirectory", Value: "never"}, {Key: "dataRecovery.recovery", Value: "None"},
	})
	must(t, err)
	must(t, f.AssignTemplate(t.Context(), Target{Level: GroupLevel, GUID: group.GUID}, template.GUID))
	view := f.store.Snapshot()
	row, err := f.memberAt(view, anna.GUID)
	must(t, err)
	in, err := f.domainAt(view, domain.GUID)
	must(t, err)
	if listing, err := f.listing(view, row); err != nil || listing != policy.ListingNever {
		t.Errorf("listing %v, %v", listing, err)
	}
	if recovery, err := f.recoveryPolicy(view, in, row); err != nil || recovery.Recovery != policy.RecoveryNone {
		t.Errorf("recovery %+v, %v", recovery, err)
	}
}

// BenchmarkInheritance shows that the price for each member of a list and of what
// its members inherit does not grow with the members.
func BenchmarkInheritance(b *testing.B) {
	for _, members := range []int{100, 10_000} {
		b.Run(strconv.Itoa(members), func(b *testing.B) {
			f := openFixture(b, b.TempDir())
			defer f.close(b)
			must(b, f.SetServerURL(b.Context(), testURL))
			domain := f.domain(b, "Contoso")
			group := f.group(b, domain, "", "1")
			for i := range 8 {
				group = f.group(b, domain, group.GUID, strconv.Itoa(i))
			}
			row, err := f.newMember(domain.GUID, MemberDetails{FullName: "Anna", Email: "anna@example.com", Group: group.GUID})
			must(b, err)
			must(b, f.store.Update(b.Context(), func(tx *state.Tx) error {
				for i := range members {
					m := row
					m.GUID, m.PreAuthToken, m.KeyID, m.FullName = newGUID(), newGUID(), strconv.Itoa(i), strconv.Itoa(i)
					if err := f.t.members.Put(tx, m); err != nil {
						return err
					}
				}
				return nil
			}))
			for b.Loop() {
				for _, m := range f.Members(MemberFilter{Domain: domain.GUID}) {
					if _, _, err := f.MemberInheritance(m.GUID); err != nil {
						b.Fatal(err)
					}
				}
				for user := range f.RelayUsers(f.store.Snapshot(), "none") {
					_ = user
				}
				f.Groups(domain.GUID)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*members), "ns/member")
		})
	}
}
