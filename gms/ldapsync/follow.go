package ldapsync

import (
	"fmt"
	"slices"

	"furrow/gms/directory"
)

// candidate is an entry with usable values.
type candidate struct {
	*Entry
	person person
	email  string // folded
	login  string // folded, may be empty
	why    string // it had to wait when it was last looked at
}

func newCandidate(e *Entry, p person) *candidate {
	return &candidate{Entry: e, person: p, email: p.folded("email"), login: p.folded("login")}
}

// folded is the first value of a field in the form in which members are found.
func (p person) folded(field string) string { return directory.Folded(p.first(field)) }

func (p person) first(field string) string {
	if len(p[field]) == 0 {
		return ""
	}
	return p[field][0]
}

// outcome is what came of looking at a candidate.
type outcome int

const (
	waits   outcome = iota // something is in its way that may go
	settled                // there is nothing to do, or nothing that could be done
	done                   // a change was planned
)

// follow updates, merges and adds until nothing more can be done. One change can be in the way of another: a login name
// must be free before somebody else gets it. What then still waits is skipped.
func (p *planner) follow() {
	shared := sharedNames(p.fresh)
	for again := true; again; {
		again = false
		look := func(at func(*candidate) outcome) func(*candidate) bool {
			return func(c *candidate) bool {
				o := at(c)
				again = again || o == done
				return o != waits
			}
		}
		p.known = slices.DeleteFunc(p.known, look(p.update))
		claims := p.claims()
		p.fresh = slices.DeleteFunc(p.fresh, look(func(c *candidate) outcome { return p.welcome(c, shared, claims) }))
	}
	for _, c := range slices.Concat(p.known, p.fresh) {
		p.skip(c.Entry, show(c.person.first("fullName")), c.why)
	}
}

// update plans what changes for the member of an entry.
func (p *planner) update(c *candidate) outcome {
	l := p.links[c.Key]
	return p.take(c, p.members[l.Member], change{Line: Line{Action: Update}, link: l, given: l.Fields})
}

// take plans that a member gets the values of an entry.
func (p *planner) take(c *candidate, m *directory.Member, planned change) outcome {
	details := m.MemberDetails
	changed, now := c.person.onto(&details, planned.given)
	if len(changed) == 0 && planned.Action == Update {
		return settled
	}
	if _, err := details.Checked(); err != nil {
		p.skip(c.Entry, m.FullName, err.Error())
		return settled
	}
	login := directory.Folded(details.RemoteUser)
	if holder, taken := p.logins[login]; login != "" && taken && holder != m.GUID {
		c.why = fmt.Sprintf("login name %q is that of %s", details.RemoteUser, p.members[holder].FullName)
		return waits
	}
	planned.Member, planned.Name, planned.Entry = m.GUID, details.FullName, show(c.DN)
	planned.Fields, planned.person = changed, c.person
	planned.link.Fields = now
	p.unindex(m)
	m.MemberDetails = details
	p.index(m)
	p.add(planned)
	return done
}

// names counts how often e-mail addresses and login names appear.
type names struct{ emails, logins map[string]int }

func sharedNames(candidates []*candidate) names {
	n := names{map[string]int{}, map[string]int{}}
	for _, c := range candidates {
		n.emails[c.email]++
		n.logins[c.login]++
	}
	return n
}

// claims counts how many new entries have the e-mail address or login name of each member.
func (p *planner) claims() map[string]int {
	claims := map[string]int{}
	for _, c := range p.fresh {
		for _, guid := range p.namesakes(c) {
			claims[guid]++
		}
	}
	return claims
}

// namesakes are the members that a new entry could be: those with its e-mail address in the domain, and the one with its
// login name anywhere.
func (p *planner) namesakes(c *candidate) []string {
	found := slices.Clone(p.emails[c.email])
	if guid, ok := p.logins[c.login]; ok && c.login != "" && !slices.Contains(found, guid) {
		found = append(found, guid)
	}
	return found
}

// welcome plans what becomes of an entry without a member.
func (p *planner) welcome(c *candidate, shared names, claims map[string]int) outcome {
	namesakes := p.namesakes(c)
	switch {
	case shared.emails[c.email] > 1:
		c.why = fmt.Sprintf("several new entries have the e-mail address %q", show(c.person.first("email")))
	case c.login != "" && shared.logins[c.login] > 1:
		c.why = fmt.Sprintf("several new entries have the login name %q", show(c.person.first("login")))
	case len(namesakes) > 1:
		c.why = fmt.Sprintf("%d members have its e-mail address or login name", len(namesakes))
	case len(namesakes) == 1:
		return p.merge(c, p.members[namesakes[0]], claims)
	default:
		return p.create(c)
	}
	return waits
}

// merge plans that a member that is there already becomes that of an entry.
func (p *planner) merge(c *candidate, m *directory.Member, claims map[string]int) outcome {
	old, linked := p.linked[m.GUID]
	remade := linked && old.Source == p.source.Name && !p.seen[old.Key]
	switch {
	case claims[m.GUID] > 1:
		c.why = fmt.Sprintf("several new entries could be the member %s", m.FullName)
		return waits
	case m.Domain != p.source.Domain:
		c.why = fmt.Sprintf("login name %q is that of %s in another domain", show(c.person.first("login")), m.FullName)
		return waits
	case linked && !remade:
		c.why = fmt.Sprintf("its e-mail address or login name is that of %s, who comes from another entry", m.FullName)
		return waits
	}
	planned := change{
		Line: Line{Action: Merge, Reason: "has the same e-mail address or login name"},
		link: link{Source: p.source.Name, Key: c.Key, Member: m.GUID},
	}
	if remade { // the account was deleted and made again
		planned.drop, planned.given, planned.link.Disabled = old.Key, old.Fields, old.Disabled
		planned.Reason = "its entry was made anew"
	}
	o := p.take(c, m, planned)
	if o != done {
		return o
	}
	l := p.plan.changes[len(p.plan.changes)-1].link
	delete(p.links, planned.drop)
	p.links[c.Key], p.linked[m.GUID] = l, l
	if l.Disabled && m.Status == directory.Disabled {
		p.enable(l, m, c.Entry, "its entry is there again")
	}
	return done
}

// create plans a new member.
func (p *planner) create(c *candidate) outcome {
	if _, there := p.links[c.Key]; there {
		c.why = "its member was deleted or migrated; one added by hand with the same e-mail address would be merged"
		return waits
	}
	details, now, err := c.person.details()
	if err != nil {
		p.skip(c.Entry, show(details.FullName), err.Error())
		return settled
	}
	m := &directory.Member{GUID: "entry " + c.Key, Domain: p.source.Domain, MemberDetails: details, Status: directory.Pending}
	p.members[m.GUID] = m
	p.index(m)
	l := link{Source: p.source.Name, Key: c.Key, Member: m.GUID, Fields: now}
	p.links[c.Key], p.linked[m.GUID] = l, l
	p.add(change{Line: Line{Action: Add, Name: details.FullName, Entry: show(c.DN)}, link: l, person: c.person})
	return done
}

// details are those of a new member, and the fields among them that have a value.
func (p person) details() (d directory.MemberDetails, given []string, err error) {
	_, given = p.onto(&d, nil)
	d, err = d.Checked()
	return d, given, err
}
