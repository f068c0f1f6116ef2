package directory

import (
	"iter"
	"slices"

	"furrow/appliance/state"
)

// RelayUser is a member as a user of a relay (MS-GRVSPMR 3.3.1).
type RelayUser struct {
	// ID is the userId: the member's pre-authentication token.
	ID     string
	Member string // GUID
	Status Status
	// Assigned says that the member's relay set names the relay.
	Assigned bool
}

// MemberOfRelayUser returns the GUID of the member that is a user of relays by
// this ID, be it a deleted one. Of a domain that was purged there is none.
func (d *Directory) MemberOfRelayUser(r state.Reader, id string) (guid string, ok bool) {
	row, ok := d.t.membersByToken.First(r, id)
	return row.GUID, ok
}

// RelayUsers returns all members of all domains as users of a relay, in order of
// the members' GUIDs, in the state that r shows: of the store that the directory was made
// with.
func (d *Directory) RelayUsers(r state.Reader, relay string) iter.Seq[RelayUser] {
	return func(yield func(RelayUser) bool) {
		naming := map[string]bool{} // relay sets that name the relay
		for set := range d.t.relaySets.All(r) {
			naming[set.GUID] = slices.Contains(set.Relays, relay)
		}
		inherited := map[[2]string]string{} // relay sets by domain and group
		for m := range d.t.members.All(r) {
			set, at := m.RelaySet, [2]string{m.Domain, m.Group}
			if set == "" {
				var known bool
				if set, known = inherited[at]; !known {
					set = d.inheritedRelaySet(r, m.Domain, m.Group)
					inherited[at] = set
				}
			}
			if !yield(RelayUser{m.PreAuthToken, m.GUID, m.Status, naming[set]}) {
				return
			}
		}
	}
}

// inheritedRelaySet is the relay set of a group's members, "" if there is none to
// be found.
func (d *Directory) inheritedRelaySet(r state.Reader, domain, group string) string {
	row, err := d.domainAt(r, domain)
	if err != nil {
		return ""
	}
	set, err := d.groupsRelaySet(r, &row.Domain, group)
	if err != nil {
		return ""
	}
	return set.GUID
}
