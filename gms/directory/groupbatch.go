package directory

import (
	"fmt"
	"slices"
	"strings"
)

// Member is Directory.Member as the batch has left it.
func (b MemberBatch) Member(guid string) (Member, error) {
	row, err := b.d.memberAt(b.tx, guid)
	return row.Member, err
}

// Members returns the members of a domain who are not deleted and not migrated.
func (b MemberBatch) Members(domain string) []Member {
	var members []Member
	for row := range b.d.t.membersByDomain.Find(b.tx, domain) {
		if row.Status.live() {
			members = append(members, row.Member)
		}
	}
	return members
}

// FindGroup is Directory.FindGroup as the batch has left it.
func (b MemberBatch) FindGroup(domain, guidOrPath string) (Group, error) {
	return b.d.findGroup(b.tx, domain, guidOrPath)
}

// MakeGroups returns the group of a domain with this path of names, and those groups
// on the way to it that were not there and were made, from the top down. It fails
// with ErrDomainNotFound, ErrTooDeep or a ValidationError, and has made nothing then.
func (b MemberBatch) MakeGroups(domain, path string) (g Group, made []Group, err error) {
	if _, err := b.d.liveDomainAt(b.tx, domain); err != nil {
		return Group{}, nil, err
	}
	for name := range strings.SplitSeq(path, groupSeparator) {
		found, ok := b.d.t.groupsByName.First(b.tx, joinKey(domain, g.GUID, foldName(name)))
		if !ok {
			found = Group{GUID: newGUID(), Domain: domain, Parent: g.GUID, Name: name}
			err := checkGroupName(name)
			if err == nil {
				err = b.d.putGroup(b.tx, found)
			}
			if err != nil {
				b.UnmakeGroups(made)
				return Group{}, nil, fmt.Errorf("creating group %q: %w", name, err)
			}
			made = append(made, found)
		}
		g = found
	}
	return g, made, nil
}

// UnmakeGroups takes back what MakeGroups has made, as long as nobody is in there.
func (b MemberBatch) UnmakeGroups(made []Group) {
	for _, g := range slices.Backward(made) {
		b.d.t.groups.Delete(b.tx, g.GUID)
	}
}
