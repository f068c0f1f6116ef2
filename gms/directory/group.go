package directory

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"furrow/appliance/state"
)

const (
	// maxGroupDepth bounds how deep groups nest. Offices have three levels; the
	// price of every lookup of what a member inherits grows with it.
	maxGroupDepth = 16

	// groupSeparator divides the names in a group's path, so names hold none.
	groupSeparator = "/"
)

// Group is a group of members in a domain. Groups nest. The published model has
// none: they are how administrators keep order, and where identity policy templates
// and relay sets are assigned to many at once. Clients see of them only what is
// assigned.
type Group struct {
	GUID   string `json:"guid"`
	Domain string `json:"domain"`
	// Parent is the GUID of the group that this one is in, empty at the top.
	Parent string `json:"parent,omitempty"`
	// Name is unique among the groups with the same parent, whatever its letter
	// case.
	Name string `json:"name"`
	// IdentityTemplate and RelaySet are the IPG and RSG GUIDs for members of the
	// group and of those in it; empty to inherit.
	IdentityTemplate string `json:"identityTemplate,omitempty"`
	RelaySet         string `json:"relaySet,omitempty"`
	// The stamps tell when what holds here changed last.
	IdentityTemplateStamp int64 `json:"identityTemplateStamp,omitempty"`
	RelaySetStamp         int64 `json:"relaySetStamp,omitempty"`
}

// declareGroups adds the table of groups and its indexes.
func (t *Tables) declareGroups(s *state.Schema) {
	t.groups = state.Define(s, "groups", state.TableOptions[Group]{
		Version: 1, Key: func(r Group) string { return r.GUID },
	})
	t.groupsByParent = state.DefineIndex(t.groups, "parent", func(r Group) []string {
		return []string{joinKey(r.Domain, r.Parent)}
	})
	t.groupsByName = state.DefineUnique(t.groups, "name", func(r Group) []string {
		return []string{joinKey(r.Domain, r.Parent, foldName(r.Name))}
	})
	t.membersByGroup = state.DefineIndex(t.members, "group", func(r memberRow) []string {
		if r.Group == "" {
			return nil
		}
		return []string{r.Group}
	})
}

// Group returns the group with this GUID, or ErrGroupNotFound.
func (d *Directory) Group(guid string) (Group, error) { return d.groupAt(d.store.Snapshot(), guid) }

func (d *Directory) groupAt(r state.Reader, guid string) (Group, error) {
	g, ok := d.t.groups.Get(r, guid)
	if !ok {
		return Group{}, fmt.Errorf("%w: %q", ErrGroupNotFound, guid)
	}
	return g, nil
}

// FindGroup returns the group of a domain with this GUID, or with this path of
// names, such as Sales/North, whatever their letter case, or ErrGroupNotFound.
func (d *Directory) FindGroup(domain, guidOrPath string) (Group, error) {
	return d.findGroup(d.store.Snapshot(), domain, guidOrPath)
}

func (d *Directory) findGroup(r state.Reader, domain, guidOrPath string) (Group, error) {
	if g, ok := d.t.groups.Get(r, guidOrPath); ok && g.Domain == domain {
		return g, nil
	}
	var found Group
	for name := range strings.SplitSeq(guidOrPath, groupSeparator) {
		var ok bool
		if found, ok = d.t.groupsByName.First(r, joinKey(domain, found.GUID, foldName(name))); !ok {
			return Group{}, fmt.Errorf("%w: %q", ErrGroupNotFound, guidOrPath)
		}
	}
	return found, nil
}

// GroupPath is a group with its place.
type GroupPath struct {
	Group
	// Path joins the names from the top, such as Sales/North.
	Path string
	// Members counts the members in the group itself who are not deleted.
	Members int
}

// Groups returns the groups of a domain, each one followed by those in it, in order
// of their names.
func (d *Directory) Groups(domain string) []GroupPath {
	view := d.store.Snapshot()
	members := map[string]int{}
	for m, n := range d.census(view) {
		if m.domain == domain && m.status != Deleted {
			members[m.group] += n
		}
	}
	var groups []GroupPath
	for g, path := range d.below(view, domain, "", "") {
		groups = append(groups, GroupPath{g, path, members[g.GUID]})
	}
	return groups
}

// GroupNames returns the groups of a domain as Groups does, with no members counted.
func (d *Directory) GroupNames(domain string) []GroupPath {
	var groups []GroupPath
	for g, path := range d.below(d.store.Snapshot(), domain, "", "") {
		groups = append(groups, GroupPath{Group: g, Path: path})
	}
	return groups
}

// below returns the groups in a group, or at the top, with their paths: each before
// those in it.
func (d *Directory) below(r state.Reader, domain, parent, path string) iter.Seq2[Group, string] {
	return func(yield func(Group, string) bool) { d.walk(r, domain, parent, path, yield) }
}

func (d *Directory) walk(r state.Reader, domain, parent, path string, yield func(Group, string) bool) bool {
	groups := slices.SortedFunc(d.t.groupsByParent.Find(r, joinKey(domain, parent)), func(a, b Group) int {
		return cmp.Compare(foldName(a.Name), foldName(b.Name))
	})
	for _, g := range groups {
		at := g.Name
		if path != "" {
			at = path + groupSeparator + g.Name
		}
		if !yield(g, at) || !d.walk(r, domain, g.GUID, at, yield) {
			return false
		}
	}
	return true
}

// GroupPathOf returns the path of names to a group, "" for none.
func (d *Directory) GroupPathOf(guid string) string {
	names, _ := d.ancestry(d.store.Snapshot(), guid)
	return strings.Join(names, groupSeparator)
}

// ancestry returns the names and GUIDs from the top down to a group.
func (d *Directory) ancestry(r state.Reader, guid string) (names, guids []string) {
	for len(guids) <= maxGroupDepth {
		g, ok := d.t.groups.Get(r, guid)
		if !ok {
			break
		}
		names, guids = append(names, g.Name), append(guids, g.GUID)
		guid = g.Parent
	}
	slices.Reverse(names)
	slices.Reverse(guids)
	return names, guids
}
