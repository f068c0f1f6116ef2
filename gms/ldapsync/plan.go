package ldapsync

import (
	"cmp"
	"fmt"
	"slices"

	"furrow/gms/directory"
)

// change is one thing that a sync does.
type change struct {
	Line
	link   link   // as it is afterwards
	person person // for Add, Merge and Update
	given  []string
	drop   string // key of a link that ends
}

// plan is what a sync does, in this order.
type plan struct {
	changes []change
	skipped []Line
	// clear are links whose member an administrator enabled again: that a sync had disabled it is over.
	clear []link
	// stopped says why nothing is changed; the changes are Hold then.
	stopped string
}

// planner is the state of making a plan. It has a copy of the members, which it changes as the plan will.
type planner struct {
	source  *Source
	members map[string]*directory.Member // pending, active and disabled ones of all domains, by GUID
	logins  map[string]string            // folded login name to GUID
	emails  map[string][]string          // folded address to GUIDs, of the source's domain
	linked  map[string]link              // of all sources, by member
	links   map[string]link              // of this source, by key
	seen    map[string]bool              // keys of entries in the list
	keyless int
	enabled int // members that come from the source and are not disabled, before anything changes

	known []*candidate // entries with a member that may have changed
	fresh []*candidate // entries without a member
	plan  plan
}

// newPlan says what a sync of a source does, when the members are these, the links of all sources those, and the server
// has entries. With force it disables as many as it finds.
func newPlan(s *Source, members []directory.Member, links []link, entries []Entry, force bool) plan {
	p := &planner{
		source: s, members: map[string]*directory.Member{}, logins: map[string]string{}, emails: map[string][]string{},
		linked: map[string]link{}, links: map[string]link{}, seen: map[string]bool{},
	}
	for i := range members {
		if m := members[i]; live(m.Status) {
			p.members[m.GUID] = &m
			p.index(&m)
		}
	}
	for _, l := range links {
		if p.members[l.Member] != nil {
			p.linked[l.Member] = l
		}
		if l.Source == s.Name {
			p.links[l.Key] = l
			if m := p.members[l.Member]; m != nil && m.Status != directory.Disabled {
				p.enabled++
			}
		}
	}
	p.sort(entries)
	p.follow()
	p.gone()
	p.limitDisabling(force, len(entries))
	return p.plan
}

func live(s directory.Status) bool {
	return s == directory.Pending || s == directory.Active || s == directory.Disabled
}

func (p *planner) index(m *directory.Member) {
	if m.RemoteUser != "" {
		p.logins[directory.Folded(m.RemoteUser)] = m.GUID
	}
	if m.Domain == p.source.Domain {
		email := directory.Folded(m.Email)
		p.emails[email] = append(p.emails[email], m.GUID)
	}
}

func (p *planner) unindex(m *directory.Member) {
	if login := directory.Folded(m.RemoteUser); p.logins[login] == m.GUID {
		delete(p.logins, login)
	}
	email := directory.Folded(m.Email)
	p.emails[email] = slices.DeleteFunc(p.emails[email], func(guid string) bool { return guid == m.GUID })
}

func (p *planner) skip(e *Entry, name, reason string) {
	p.plan.skipped = append(p.plan.skipped, Line{Action: Skip, Name: name, Entry: show(e.DN), Reason: reason})
}

func (p *planner) add(c change) { p.plan.changes = append(p.plan.changes, c) }

// sort finds out what each entry is, in an order that does not depend on the server.
func (p *planner) sort(entries []Entry) {
	entries = slices.SortedFunc(slices.Values(entries), func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.DN, b.DN))
	})
	for i := range entries {
		e := &entries[i]
		switch {
		case e.Key == "":
			p.keyless++
			p.skip(e, "", fmt.Sprintf("has no %s that can be used", p.source.Key))
		case p.seen[e.Key]:
			p.skip(e, "", fmt.Sprintf("has the %s of another entry", p.source.Key))
		default:
			p.seen[e.Key] = true
			p.place(e)
		}
	}
}

func (p *planner) place(e *Entry) {
	person, err := p.source.person(e)
	l, linked := p.links[e.Key]
	m := p.members[l.Member]
	if linked && m != nil {
		p.status(e, l, m)
		switch {
		case e.Disabled: // what else it says can wait
		case err != nil:
			p.skip(e, m.FullName, err.Error())
		default:
			p.known = append(p.known, newCandidate(e, person))
		}
		return
	}
	switch {
	case e.Disabled:
		p.skip(e, "", "is disabled in the directory and has no member")
	case err != nil:
		p.skip(e, "", err.Error())
	default:
		p.fresh = append(p.fresh, newCandidate(e, person))
	}
}

// status disables or enables the member of an entry that is there.
func (p *planner) status(e *Entry, l link, m *directory.Member) {
	switch {
	case e.Disabled && m.Status != directory.Disabled:
		p.disable(l, m, show(e.DN), "is disabled in the directory")
	case !e.Disabled && l.Disabled && m.Status == directory.Disabled:
		p.enable(l, m, e, "is no longer disabled in the directory, or is there again")
	case l.Disabled && m.Status != directory.Disabled:
		l.Disabled = false
		p.links[l.Key] = l
		p.plan.clear = append(p.plan.clear, l)
	}
}

func (p *planner) disable(l link, m *directory.Member, entry, reason string) {
	l.Disabled = true
	p.add(change{Line: Line{Action: Disable, Member: m.GUID, Name: m.FullName, Entry: entry, Reason: reason}, link: l})
}

func (p *planner) enable(l link, m *directory.Member, e *Entry, reason string) {
	l.Disabled = false
	p.links[l.Key] = l
	m.Status = directory.Pending // or active; not disabled is what counts here
	p.add(change{Line: Line{Action: Enable, Member: m.GUID, Name: m.FullName, Entry: show(e.DN), Reason: reason}, link: l})
}
