package directory

import "furrow/appliance/state"

// head is what the census tells members apart by.
type head struct {
	domain, group, template string // GUIDs; template is the member's own, empty for an inherited one
	status                  Status
}

// census counts the members by what they have in common. It goes through all of them only when one has changed.
func (d *Directory) census(v *state.View) map[head]int {
	return d.counted.Of(v, func() map[head]int {
		counts := map[head]int{}
		for m := range d.t.members.All(v) {
			counts[head{m.Domain, m.Group, m.IdentityTemplate, m.Status}]++
		}
		return counts
	}, d.t.members)
}

// CountMembers counts the members by status, of one domain, given by GUID, or of all that are neither hidden nor
// deleted.
func (d *Directory) CountMembers(domain string) map[Status]int {
	view := d.store.Snapshot()
	listed := map[string]bool{}
	for dom := range d.t.domains.All(view) {
		listed[dom.GUID] = domain == "" && !dom.Hidden && !dom.deleted() || dom.GUID == domain
	}
	counts := map[Status]int{}
	for m, n := range d.census(view) {
		if listed[m.domain] {
			counts[m.status] += n
		}
	}
	return counts
}

// MemberWithIdentity returns the member who is known to others by an identity URL, and has not been deleted.
func (d *Directory) MemberWithIdentity(identityURL string) (Member, bool) {
	view := d.store.Snapshot()
	guids := d.identified.Of(view, func() map[string]string {
		guids := map[string]string{}
		for m := range d.t.members.All(view) {
			if m.IdentityURL != "" && m.Status != Deleted {
				guids[m.IdentityURL] = m.GUID
			}
		}
		return guids
	}, d.t.members)
	row, ok := d.t.members.Get(view, guids[identityURL])
	return row.Member, ok
}
