package directory

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"furrow/appliance/keys"

	"pgregory.net/rapid"
)

// TestModel drives the directory with random administrators and clients, a
// clock that jumps and restarts in between, beside a model as simple as the
// rules can be said.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		must(rt, err)
		f := openFixture(rt, dir)
		defer f.close(rt)
		must(rt, f.SetServerURL(context.Background(), testURL))
		m := &machine{f: f}
		for _, name := range []string{"Alpha", "Beta"} {
			m.domains = append(m.domains, f.domain(rt, name))
			m.offers = append(m.offers, newOffer(rt, f, m.domains[len(m.domains)-1]))
		}
		rt.Repeat(map[string]func(*rapid.T){
			"create":  m.create,
			"update":  m.update,
			"disable": m.disable,
			"enable":  m.enable,
			"delete":  m.delete,
			"install": m.install,
			"code":    m.enrollByCode,
			"again":   m.reenroll,
			"rename":  m.renameDomain,
			"clock":   m.setClock,

			"create group":    m.createGroup,
			"move group":      m.moveGroup,
			"delete group":    m.deleteGroup,
			"move member":     m.moveMember,
			"assign to group": m.assignToGroup,
			"assign":          m.assignToMember,
			"default":         m.assignToDomain,
			"settings":        m.changeSettings,
			"delete template": m.deleteTemplate,
			"delete domain":   m.deleteDomain,
			"reopen":          func(rt *rapid.T) { m.f.reopen(rt) },
			"":                m.check,
		})
	})
}

type machine struct {
	f       *fixture
	domains []Domain
	offers  []*modelOffer // of the domains
	groups  []*modelGroup
	members []*modelMember
	names   int
}

type modelMember struct {
	guid, name        string
	domain            int
	status            Status
	account, identity string
	key               int // of the contact; -1: not enrolled
	shown             int64
	changed           bool // what its identity object shows
	inheriting
}

func (m *machine) create(rt *rapid.T) {
	domain := rapid.IntRange(0, 1).Draw(rt, "domain")
	name := m.name()
	created := m.f.member(rt, m.domains[domain], name)
	m.members = append(m.members, &modelMember{
		guid: created.GUID, name: name, domain: domain, status: Pending, key: -1, changed: true,
		inheriting: inheriting{offer: m.offers[domain]},
	})
}

func (m *machine) name() string {
	m.names++
	return "Member " + strconv.Itoa(m.names)
}

func (m *machine) any(rt *rapid.T) *modelMember {
	if len(m.members) == 0 {
		m.create(rt)
	}
	return rapid.SampledFrom(m.members).Draw(rt, "member")
}

// expect compares an outcome with the one the model predicts.
func expect(rt *rapid.T, got, want error) {
	if !errors.Is(got, want) {
		rt.Fatalf("outcome %v, want %v", got, want)
	}
}

func (m *machine) update(rt *rapid.T) {
	member := m.any(rt)
	name := m.name()
	_, err := m.f.UpdateMember(context.Background(), member.guid, func(d *MemberDetails) { d.FullName = name })
	if member.status == Deleted {
		expect(rt, err, ErrStatus)
		return
	}
	expect(rt, err, nil)
	member.name, member.changed = name, true
}

func (m *machine) disable(rt *rapid.T) {
	m.move(rt, m.f.DisableMember, func(member *modelMember) Status {
		if member.status == Deleted {
			return 0
		}
		return Disabled
	})
}

func (m *machine) enable(rt *rapid.T) {
	m.move(rt, m.f.EnableMember, func(member *modelMember) Status {
		switch {
		case member.status == Deleted:
			return 0
		case member.key >= 0:
			return Active
		default:
			return Pending
		}
	})
}

func (m *machine) delete(rt *rapid.T) {
	m.move(rt, m.f.DeleteMember, func(member *modelMember) Status {
		member.key = -1
		member.group, member.own = nil, given{}
		return Deleted
	})
}

func (m *machine) move(rt *rapid.T, do func(context.Context, string) (Member, error), next func(*modelMember) Status) {
	member := m.any(rt)
	to := next(member)
	_, err := do(context.Background(), member.guid)
	if to == 0 {
		expect(rt, err, ErrStatus)
		return
	}
	expect(rt, err, nil)
	member.changed = member.changed || member.status != to
	member.status = to
}

func (m *machine) anyIdentity(rt *rapid.T) (account, identity string) {
	return rapid.SampledFrom([]string{accountA, accountB}).Draw(rt, "account"),
		rapid.SampledFrom([]string{identityA, identityB}).Draw(rt, "identity")
}

// holder is the member of a domain that is bound to an account and identity.
func (m *machine) holder(domain int, account, identity string) *modelMember {
	for _, member := range m.members {
		if member.domain == domain && member.account == account && member.identity == identity {
			return member
		}
	}
	return nil
}

func (m *machine) install(rt *rapid.T) {
	member := m.any(rt)
	domain := rapid.IntRange(0, 1).Draw(rt, "domain")
	account, identity := m.anyIdentity(rt)
	_, err := m.f.InstallIdentity(context.Background(), m.domains[domain].GUID, member.guid, account, identity)
	switch {
	case member.domain != domain:
		expect(rt, err, ErrMemberNotFound)
		return
	case member.status != Pending && member.status != Active:
		expect(rt, err, ErrStatus)
		return
	case member.key >= 0 && (member.account != account || member.identity != identity):
		expect(rt, err, ErrBoundElsewhere)
		return
	}
	expect(rt, err, nil)
	if other := m.holder(domain, account, identity); other != nil && other != member {
		other.changed = other.changed || other.key >= 0
		other.account, other.identity, other.key = "", "", -1
		if other.status == Active {
			other.status = Pending
		}
	}
	member.account, member.identity = account, identity
}

func (m *machine) enrollByCode(rt *rapid.T) {
	member := m.any(rt)
	account, identity := m.anyIdentity(rt)
	key := rapid.IntRange(0, 1).Draw(rt, "key")
	_, err := m.f.EnrollByCode(context.Background(), member.guid, account, testContact(identity, key))
	holder := m.holder(member.domain, account, identity)
	switch {
	case member.status == Active && member.key == key:
		expect(rt, err, nil)
	case member.status == Active:
		expect(rt, err, ErrEnrolledWithOtherKey)
	case member.status != Pending:
		expect(rt, err, ErrStatus)
	case holder != nil && holder != member:
		expect(rt, err, ErrBoundElsewhere)
	default:
		expect(rt, err, nil)
		member.account, member.identity, member.key = account, identity, key
		member.status, member.changed = Active, true
	}
}

func (m *machine) reenroll(rt *rapid.T) {
	domain := rapid.IntRange(0, 1).Draw(rt, "domain")
	account, identity := m.anyIdentity(rt)
	key := rapid.IntRange(0, 1).Draw(rt, "key")
	_, err := m.f.Reenroll(context.Background(), m.domains[domain].GUID, account, identity, testContact(identity, key))
	switch member := m.holder(domain, account, identity); {
	case member == nil:
		expect(rt, err, ErrMemberNotFound)
	case member.status != Pending && member.status != Active:
		expect(rt, err, ErrStatus)
	default:
		expect(rt, err, nil)
		member.changed = member.changed || member.status != Active || member.key != key
		member.status, member.key = Active, key
	}
}

func (m *machine) renameDomain(rt *rapid.T) {
	domain := rapid.IntRange(0, 1).Draw(rt, "domain")
	other := m.domains[1-domain]
	name := rapid.SampledFrom([]string{"Alpha", "Beta", "Gamma", "GAMMA"}).Draw(rt, "name")
	before := m.domains[domain]
	after, err := m.f.RenameDomain(context.Background(), before.GUID, name)
	if foldName(name) == foldName(other.Name) {
		expect(rt, err, ErrNameTaken)
		return
	}
	expect(rt, err, nil)
	m.domains[domain] = after
	for _, member := range m.members {
		member.changed = member.changed || member.domain == domain && name != before.Name
		member.policyChanged = member.policyChanged || member.domain == domain && name != before.Name
	}
}

func (m *machine) setClock(rt *rapid.T) {
	m.f.now = m.f.now.Add(time.Duration(rapid.IntRange(-1e6, 1e6).Draw(rt, "ms")) * time.Millisecond)
}

// check holds the directory against the model and the rules of
// MS-GRVSPCM 3.2.5.1.3.
func (m *machine) check(rt *rapid.T) {
	if n := len(m.f.Members(MemberFilter{})); n != len(m.members) {
		rt.Fatalf("%d members, want %d", n, len(m.members))
	}
	for _, want := range m.members {
		got, err := m.f.Member(want.guid)
		must(rt, err)
		if err := want.compare(got); err != nil {
			rt.Fatalf("member %s: %v", want.name, err)
		}
		view := m.f.store.Snapshot()
		row, err := m.f.memberAt(view, want.guid)
		must(rt, err)
		by, err := m.f.issuerAt(view, row.Domain)
		must(rt, err)
		m.checkInherited(rt, want, row)
		object, err := m.f.identityDraft(view, by, row)
		must(rt, err)
		if rose := object.IssuedTime > want.shown; rose != want.changed && !(rose && want.otherWay) || object.IssuedTime < want.shown {
			rt.Fatalf("member %s: IssuedTime went from %d to %d, shown values changed: %v",
				want.name, want.shown, object.IssuedTime, want.changed)
		}
		want.shown, want.changed = object.IssuedTime, false
		code, err := m.f.ConfigurationCode(want.guid)
		must(rt, err)
		if byCode, err := m.f.MemberByKeyID(keys.CodeKey(code).ID()); err != nil || byCode.GUID != want.guid {
			rt.Fatalf("member %s: its code leads to %q, %v", want.name, byCode.GUID, err)
		}
	}
}

func (want *modelMember) compare(got Member) error {
	switch {
	case got.FullName != want.name || got.Status != want.status:
		return fmt.Errorf("is %q and %v, want %v", got.FullName, got.Status, want.status)
	case got.AccountGUID != want.account || got.IdentityURL != want.identity:
		return fmt.Errorf("is bound to %q, %q, want %q, %q", got.AccountGUID, got.IdentityURL, want.account, want.identity)
	case got.enrolled() != (want.key >= 0):
		return fmt.Errorf("is enrolled: %v", got.enrolled())
	case got.Status == Active && (!got.enrolled() || !got.bound()):
		return errors.New("is active without enrollment or binding")
	case got.enrolled() && got.Contact.URL != got.IdentityURL:
		return fmt.Errorf("has the contact URL %q and the identity %q", got.Contact.URL, got.IdentityURL)
	}
	return nil
}
