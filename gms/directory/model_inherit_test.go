package directory

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"furrow/gms/policy"

	"pgregory.net/rapid"
)

// given is what is assigned at one level, "" to inherit.
type given struct{ template, set string }

// modelOffer is what can be assigned in a domain, the first as the default.
type modelOffer struct {
	standard  given
	templates []string
	sets      []string
	settings  map[string]int // versions of templates
}

func newOffer(rt *rapid.T, f *fixture, domain Domain) *modelOffer {
	ctx := context.Background()
	o := &modelOffer{
		standard:  given{domain.IdentityTemplate, domain.RelaySet},
		templates: []string{domain.IdentityTemplate}, sets: []string{domain.RelaySet}, settings: map[string]int{},
	}
	template, err := f.CreateTemplate(ctx, domain.GUID, IdentityKind, "Other")
	must(rt, err)
	set, err := f.CreateRelaySet(ctx, domain.GUID, "Other")
	must(rt, err)
	o.templates, o.sets = append(o.templates, template.GUID), append(o.sets, set.GUID)
	return o
}

type modelGroup struct {
	guid   string
	domain int
	parent *modelGroup
	own    given
}

// within reports whether g is other or somewhere in it.
func (g *modelGroup) within(other *modelGroup) bool {
	return g != nil && (g == other || g.parent.within(other))
}

func (g *modelGroup) depth() int {
	if g == nil {
		return 0
	}
	return 1 + g.parent.depth()
}

// inheriting is the part of a member in the model that inheritance is about.
type inheriting struct {
	offer         *modelOffer
	group         *modelGroup
	own           given
	holds         given // at the last check
	version       int
	policyShown   int64
	policyChanged bool
	way           string // by which it holds, at the last check
	otherWay      bool   // since the check before
}

// path describes every assignment from the member up to the domain.
func (i *inheriting) path() string {
	path := fmt.Sprint(i.own)
	for g := i.group; g != nil; g = g.parent {
		path += fmt.Sprint(g.guid, g.own)
	}
	return path + fmt.Sprint(i.offer.standard)
}

func (i *inheriting) resolve() given {
	result := i.own
	for g := i.group; g != nil; g = g.parent {
		result = given{cmp.Or(result.template, g.own.template), cmp.Or(result.set, g.own.set)}
	}
	return given{cmp.Or(result.template, i.offer.standard.template), cmp.Or(result.set, i.offer.standard.set)}
}

func (m *machine) anyGroup(rt *rapid.T) *modelGroup {
	if len(m.groups) == 0 {
		m.createGroup(rt)
	}
	return rapid.SampledFrom(m.groups).Draw(rt, "group")
}

// place is a group of a domain, or nil for the top.
func (m *machine) place(rt *rapid.T, domain int) *modelGroup {
	places := []*modelGroup{nil}
	for _, g := range m.groups {
		if g.domain == domain {
			places = append(places, g)
		}
	}
	return places[rapid.IntRange(0, len(places)-1).Draw(rt, "place")]
}

func guidOf(g *modelGroup) string {
	if g == nil {
		return ""
	}
	return g.guid
}

func (m *machine) createGroup(rt *rapid.T) {
	domain := rapid.IntRange(0, 1).Draw(rt, "domain")
	parent := m.place(rt, domain)
	g, err := m.f.CreateGroup(context.Background(), m.domains[domain].GUID, guidOf(parent), m.name())
	if parent.depth() == maxGroupDepth {
		expect(rt, err, ErrTooDeep)
		return
	}
	expect(rt, err, nil)
	m.groups = append(m.groups, &modelGroup{guid: g.GUID, domain: domain, parent: parent})
}

func (m *machine) moveGroup(rt *rapid.T) {
	g := m.anyGroup(rt)
	to := m.place(rt, rapid.IntRange(0, 1).Draw(rt, "domain"))
	_, err := m.f.MoveGroup(context.Background(), g.guid, guidOf(to))
	deepest := 0
	for _, other := range m.groups {
		if other.within(g) {
			deepest = max(deepest, other.depth()-g.depth()+1)
		}
	}
	switch {
	case to.within(g):
		expect(rt, err, ErrGroupCycle)
	case to != nil && to.domain != g.domain:
		expect(rt, err, ErrGroupNotFound)
	case to.depth()+deepest > maxGroupDepth:
		expect(rt, err, ErrTooDeep)
	default:
		expect(rt, err, nil)
		g.parent = to
	}
}

func (m *machine) deleteGroup(rt *rapid.T) {
	g := m.anyGroup(rt)
	toParent := rapid.Bool().Draw(rt, "toParent")
	_, err := m.f.DeleteGroup(context.Background(), g.guid, toParent)
	used := slices.ContainsFunc(m.groups, func(other *modelGroup) bool { return other.parent == g }) ||
		slices.ContainsFunc(m.members, func(member *modelMember) bool { return member.group == g })
	if used && !toParent {
		expect(rt, err, ErrGroupNotEmpty)
		return
	}
	expect(rt, err, nil)
	m.groups = slices.DeleteFunc(m.groups, func(other *modelGroup) bool { return other == g })
	for _, other := range m.groups {
		if other.parent == g {
			other.parent = g.parent
		}
	}
	for _, member := range m.members {
		if member.group == g {
			member.group = g.parent
		}
	}
}

func (m *machine) moveMember(rt *rapid.T) {
	member := m.any(rt)
	to := m.place(rt, rapid.IntRange(0, 1).Draw(rt, "domain"))
	_, err := m.f.MoveMember(context.Background(), member.guid, guidOf(to))
	switch {
	case member.status == Deleted:
		expect(rt, err, ErrStatus)
	case to != nil && to.domain != member.domain:
		expect(rt, err, ErrGroupNotFound)
	default:
		expect(rt, err, nil)
		member.group = to
	}
}

// assign gives a template or a relay set to a target and returns what that has then.
func (m *machine) assign(rt *rapid.T, to Target, offer *modelOffer, own given, inherit bool) (given, error) {
	var none []string
	if inherit {
		none = []string{""}
	}
	if rapid.Bool().Draw(rt, "template") {
		own.template = rapid.SampledFrom(append(none, offer.templates...)).Draw(rt, "guid")
		return own, m.f.AssignTemplate(context.Background(), to, own.template)
	}
	own.set = rapid.SampledFrom(append(none, offer.sets...)).Draw(rt, "guid")
	return own, m.f.AssignRelaySet(context.Background(), to, own.set)
}

func (m *machine) assignToGroup(rt *rapid.T) {
	g := m.anyGroup(rt)
	own, err := m.assign(rt, Target{Level: GroupLevel, GUID: g.guid}, m.offers[g.domain], g.own, true)
	expect(rt, err, nil)
	g.own = own
}

func (m *machine) assignToMember(rt *rapid.T) {
	member := m.any(rt)
	own, err := m.assign(rt, Target{Level: MemberLevel, GUID: member.guid}, member.offer, member.own, true)
	if member.status == Deleted {
		expect(rt, err, ErrStatus)
		return
	}
	expect(rt, err, nil)
	member.own = own
}

func (m *machine) assignToDomain(rt *rapid.T) {
	domain := rapid.IntRange(0, 1).Draw(rt, "domain")
	offer := m.offers[domain]
	own, err := m.assign(rt, Target{Level: DomainLevel, GUID: m.domains[domain].GUID}, offer, offer.standard, false)
	expect(rt, err, nil)
	offer.standard = own
}

func (m *machine) changeSettings(rt *rapid.T) {
	offer := m.offers[rapid.IntRange(0, 1).Draw(rt, "domain")]
	template := rapid.SampledFrom(offer.templates).Draw(rt, "template")
	offer.settings[template]++
	_, err := m.f.ChangeTemplate(context.Background(), template, "", []policy.Value{
		{Key: "identity.backupInterval", Value: fmt.Sprint(offer.settings[template], "h")},
	})
	expect(rt, err, nil)
}

func (m *machine) deleteTemplate(rt *rapid.T) {
	domain := rapid.IntRange(0, 1).Draw(rt, "domain")
	offer := m.offers[domain]
	template := rapid.SampledFrom(offer.templates).Draw(rt, "template")
	err := m.f.DeleteTemplate(context.Background(), template)
	if offer.standard.template == template ||
		slices.ContainsFunc(m.groups, func(g *modelGroup) bool { return g.own.template == template }) ||
		slices.ContainsFunc(m.members, func(member *modelMember) bool { return member.own.template == template }) {
		expect(rt, err, ErrTemplateAssigned)
		return
	}
	expect(rt, err, nil)
	offer.templates = slices.DeleteFunc(offer.templates, func(other string) bool { return other == template })
}

// deleteDomain deletes a domain and puts a new one in its place.
func (m *machine) deleteDomain(rt *rapid.T) {
	i := rapid.IntRange(0, 1).Draw(rt, "domain")
	withMembers := rapid.IntRange(0, 4).Draw(rt, "withMembers") == 0
	domain := m.domains[i]
	_, err := m.f.DeleteDomain(context.Background(), domain.GUID, withMembers)
	live := slices.ContainsFunc(m.members, func(member *modelMember) bool { return member.domain == i && member.status != Deleted })
	if live && !withMembers {
		expect(rt, err, ErrDomainNotEmpty)
		return
	}
	expect(rt, err, nil)
	for _, member := range m.members {
		if member.domain != i {
			continue
		}
		// The deletion stamps the domain, which all its objects show.
		member.domain, member.changed, member.policyChanged = -1, true, true
		member.status, member.key = Deleted, -1
		member.group, member.own = nil, given{}
	}
	m.groups = slices.DeleteFunc(m.groups, func(g *modelGroup) bool { return g.domain == i })
	m.domains[i] = m.f.domain(rt, domain.Name)
	m.offers[i] = newOffer(rt, m.f, m.domains[i])
}

// checkInherited compares what holds for a member, and that its policy objects have a
// higher IssuedTime when something else does.
func (m *machine) checkInherited(rt *rapid.T, want *modelMember, row memberRow) {
	template, set, err := m.f.MemberInheritance(want.guid)
	must(rt, err)
	holds := want.resolve()
	if (given{template.GUID, set.GUID}) != holds {
		rt.Fatalf("member %s has %v and %v, want %v", want.name, template, set, holds)
	}
	version := want.offer.settings[holds.template]
	want.changed = want.changed || holds.set != want.holds.set
	changed := want.policyChanged || holds.template != want.holds.template || version != want.version
	view := m.f.store.Snapshot()
	by, err := m.f.issuerAt(view, row.Domain)
	must(rt, err)
	policies, err := m.f.identityPolicies(view, by, row)
	must(rt, err)
	issued := policies[0].IssuedTime
	// Who comes to the same thing by another way may get it anew.
	way := want.path()
	want.otherWay, want.way = want.way != way, way
	if rose := issued > want.policyShown; rose != changed && !(rose && want.otherWay) || issued < want.policyShown {
		rt.Fatalf("member %s: IssuedTime of its policy went from %d to %d, it changed: %v",
			want.name, want.policyShown, issued, changed)
	}
	want.holds, want.version, want.policyShown, want.policyChanged = holds, version, issued, false
}
