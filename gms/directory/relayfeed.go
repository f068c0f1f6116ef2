package directory

import (
	"cmp"
	"iter"
	"slices"

	"furrow/appliance/state"
)

// RelayUser is a member as a user of a relay, whose userId is the member's GUID
// (MS-GRVSPMR 3.3.1).
type RelayUser struct {
	Member string // GUID
	Status Status
	// Assigned says that the member's relay set names the relay.
	Assigned bool
}

// HasMember reports whether there is a member with this GUID, be it a deleted one.
// Of a domain that was purged there is none.
func (d *Directory) HasMember(r state.Reader, guid string) bool {
	_, ok := d.t.members.Get(r, guid)
	return ok
}

// RelayUsers returns all members of all domains as users of a relay, in order of
// their GUIDs, in the state that r shows: of the store that the directory was made
// with.
func (d *Directory) RelayUsers(r state.Reader, relay string) iter.Seq[RelayUser] {
	return func(yield func(RelayUser) bool) {
		naming := map[string]bool{} // relay sets that name the relay
		for set := range d.t.relaySets.All(r) {
			naming[set.GUID] = slices.Contains(set.Relays, relay)
		}
		defaults := map[string]string{} // relay sets of domains
		for domain := range d.t.domains.All(r) {
			defaults[domain.GUID] = domain.RelaySet
		}
		for m := range d.t.members.All(r) {
			set := cmp.Or(m.RelaySet, defaults[m.Domain])
			if !yield(RelayUser{m.GUID, m.Status, naming[set]}) {
				return
			}
		}
	}
}
