package directory

import (
	"cmp"
	"slices"
	"strings"
)

// MemberOrder says by what a list of members is sorted.
type MemberOrder string

// The orders of lists. Members that are equal in one follow each other by name.
const (
	ByName    MemberOrder = "name"
	ByEmail   MemberOrder = "email"
	ByStatus  MemberOrder = "status"
	ByCreated MemberOrder = "created"
)

// MemberPage asks for a part of a list of members of domains that are neither hidden nor deleted.
type MemberPage struct {
	MemberFilter
	Order         MemberOrder // ByName if empty
	Backwards     bool
	Offset, Limit int
}

// ListMembers returns a part of the members that a filter selects, and how many they are in all. Names come in order
// from an index, so that a part of a long list costs little more than one of a short list.
func (d *Directory) ListMembers(p MemberPage) (members []Member, total int, err error) {
	type entry struct {
		key  string
		time int64
		guid string
	}
	view := d.store.Snapshot()
	found := make([]entry, 0, d.t.members.Len(view))
	listed := map[string]bool{}
	for domain := range d.t.domains.All(view) {
		listed[domain.GUID] = !domain.Hidden && !domain.deleted()
	}
	text := foldName(p.Text)
	for row := range d.t.membersByName.Range(view, "", "") {
		if listed[row.Domain] && row.selected(p.MemberFilter, text) {
			found = append(found, entry{row.listKey(p.Order), row.Created.UnixMilli(), row.GUID})
		}
	}
	switch p.Order {
	case ByEmail, ByStatus:
		slices.SortStableFunc(found, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	case ByCreated:
		slices.SortStableFunc(found, func(a, b entry) int { return cmp.Compare(a.time, b.time) })
	}
	if p.Backwards {
		slices.Reverse(found)
	}
	total = len(found)
	from := min(max(p.Offset, 0), total)
	for _, e := range found[from:min(from+max(p.Limit, 0), total)] {
		row, err := d.memberAt(view, e.guid)
		if err != nil {
			return nil, 0, err
		}
		members = append(members, row.Member)
	}
	return members, total, nil
}

func (r *memberRow) selected(f MemberFilter, foldedText string) bool {
	return (f.Status == 0 || r.Status == f.Status) && (f.Domain == "" || r.Domain == f.Domain) &&
		(f.Group == "" || r.Group == f.Group) && (foldedText == "" || r.mentions(foldedText))
}

// listKey is what the member is sorted by where that is neither its name nor a time.
func (r *memberRow) listKey(order MemberOrder) string {
	switch order {
	case ByEmail:
		return strings.ToLower(r.Email)
	case ByStatus:
		return r.Status.String()
	}
	return ""
}
