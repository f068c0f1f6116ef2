package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"furrow/appliance/state"
)

func checkGroupName(name string) error {
	if err := checkRequired("name", name, maxDomainName); err != nil {
		return err
	}
	if name != strings.TrimSpace(name) || strings.Contains(name, groupSeparator) {
		return &ValidationError{"name", "begins or ends with a space or contains a " + groupSeparator}
	}
	return nil
}

// CreateGroup adds a group to a domain, in the group parent or, if that is empty,
// at the top. It fails with ErrDomainNotFound, ErrGroupNotFound, ErrNameTaken,
// ErrTooDeep or a ValidationError.
func (d *Directory) CreateGroup(ctx context.Context, domain, parent, name string) (Group, error) {
	g := Group{GUID: newGUID(), Domain: domain, Parent: parent, Name: name}
	err := checkGroupName(name)
	if err == nil {
		err = d.store.Update(ctx, func(tx *state.Tx) error {
			if _, err := d.liveDomainAt(tx, domain); err != nil {
				return err
			}
			return d.putGroup(tx, g)
		})
	}
	if err != nil {
		return Group{}, fmt.Errorf("creating group %q: %w", name, nameConflict(err))
	}
	d.log.Info("group created", "domain", domain, "group", g.GUID, "name", name)
	return g, nil
}

// putGroup stores a group that is new or has another name or place.
func (d *Directory) putGroup(tx *state.Tx, g Group) error {
	_, above := d.ancestry(tx, g.Parent)
	switch {
	case g.Parent == "":
	case len(above) == 0:
		return fmt.Errorf("%w: %q", ErrGroupNotFound, g.Parent)
	case slices.Contains(above, g.GUID):
		return ErrGroupCycle
	}
	if parent, ok := d.t.groups.Get(tx, g.Parent); ok && parent.Domain != g.Domain {
		return fmt.Errorf("%w: %q in this domain", ErrGroupNotFound, g.Parent)
	}
	if len(above)+1+d.height(tx, g) > maxGroupDepth {
		return fmt.Errorf("%w: %d levels", ErrTooDeep, maxGroupDepth)
	}
	return d.t.groups.Put(tx, g)
}

// height is the number of levels of groups in a group.
func (d *Directory) height(r state.Reader, g Group) int {
	height := 0
	for _, path := range d.below(r, g.Domain, g.GUID, "") {
		height = max(height, 1+strings.Count(path, groupSeparator))
	}
	return height
}

// RenameGroup gives a group another name. Clients do not see it.
func (d *Directory) RenameGroup(ctx context.Context, guid, name string) (Group, error) {
	return d.changeGroup(ctx, guid, "renaming", func(g *Group) { g.Name = name })
}

// MoveGroup puts a group, with all that is in it, into another one or, if parent is
// empty, to the top of its domain. Members who inherit something else there get new
// objects. It fails with ErrGroupNotFound, ErrGroupCycle, ErrTooDeep or
// ErrNameTaken.
func (d *Directory) MoveGroup(ctx context.Context, guid, parent string) (Group, error) {
	return d.changeGroup(ctx, guid, "moving", func(g *Group) { g.Parent = parent })
}

// UpdateGroup lets edit change name, place and assignments of a group at once.
func (d *Directory) UpdateGroup(ctx context.Context, guid string, edit func(*Group)) (Group, error) {
	return d.changeGroup(ctx, guid, "changing", edit)
}

// changeGroup changes name, place or assignments of a group.
func (d *Directory) changeGroup(ctx context.Context, guid, action string, change func(*Group)) (Group, error) {
	var g Group
	err := d.store.Update(ctx, func(tx *state.Tx) error {
		before, err := d.groupAt(tx, guid)
		if err != nil {
			return err
		}
		domain, err := d.liveDomainAt(tx, before.Domain)
		if err != nil {
			return err
		}
		g = before
		if change(&g); g == before {
			return nil
		}
		if err := checkGroupName(g.Name); err != nil {
			return err
		}
		if err := d.checkAssigned(tx, g.Domain, g.IdentityTemplate, g.RelaySet); err != nil {
			return err
		}
		oldTemplate, err := d.groupsTemplate(tx, &domain.Domain, guid)
		if err != nil {
			return err
		}
		oldSet, err := d.groupsRelaySet(tx, &domain.Domain, guid)
		if err != nil {
			return err
		}
		if err := d.putGroup(tx, g); err != nil {
			return err
		}
		return d.restampGroup(tx, &domain.Domain, &g, oldTemplate, oldSet)
	})
	if err != nil {
		return Group{}, fmt.Errorf("%s group %s: %w", action, guid, nameConflict(err))
	}
	d.log.Info("group changed", "action", action, "domain", g.Domain, "group", guid, "name", g.Name)
	return g, nil
}

// restampGroup stores the stamps of a group in which these templates and sets held
// before.
func (d *Directory) restampGroup(tx *state.Tx, domain *Domain, g *Group, oldTemplate, oldSet Inherited) error {
	template, err := d.groupsTemplate(tx, domain, g.GUID)
	if err != nil {
		return err
	}
	set, err := d.groupsRelaySet(tx, domain, g.GUID)
	if err != nil {
		return err
	}
	g.IdentityTemplateStamp = d.changed(tx, oldTemplate, template)
	g.RelaySetStamp = d.changed(tx, oldSet, set)
	return d.t.groups.Put(tx, *g)
}

// DeleteGroup removes a group. It is refused with ErrGroupNotEmpty while there are
// members or groups in it, unless toParent asks to put these where the group was,
// in the same transaction. Deleted members do not count.
func (d *Directory) DeleteGroup(ctx context.Context, guid string, toParent bool) (Group, error) {
	var g Group
	err := d.store.Update(ctx, func(tx *state.Tx) (err error) {
		if g, err = d.groupAt(tx, guid); err != nil {
			return err
		}
		domain, err := d.liveDomainAt(tx, g.Domain)
		if err != nil {
			return err
		}
		if err := d.emptyGroup(tx, &domain.Domain, g, toParent); err != nil {
			return err
		}
		d.t.groups.Delete(tx, guid)
		return nil
	})
	if errors.Is(err, state.ErrTooLarge) {
		err = fmt.Errorf("too many members for one step, move some before: %w", ErrGroupNotEmpty)
	}
	if err != nil {
		return Group{}, fmt.Errorf("deleting group %s: %w", guid, nameConflict(err))
	}
	d.log.Info("group deleted", "domain", g.Domain, "group", guid, "name", g.Name)
	return g, nil
}

// emptyGroup puts what is in a group where the group is.
func (d *Directory) emptyGroup(tx *state.Tx, domain *Domain, g Group, allowed bool) error {
	for inner := range d.t.groupsByParent.Find(tx, joinKey(g.Domain, g.GUID)) {
		if !allowed {
			return ErrGroupNotEmpty
		}
		oldTemplate, err := d.groupsTemplate(tx, domain, inner.GUID)
		if err != nil {
			return err
		}
		oldSet, err := d.groupsRelaySet(tx, domain, inner.GUID)
		if err != nil {
			return err
		}
		inner.Parent = g.Parent
		if err := d.t.groups.Put(tx, inner); err != nil {
			return err
		}
		if err := d.restampGroup(tx, domain, &inner, oldTemplate, oldSet); err != nil {
			return err
		}
	}
	for before := range d.t.membersByGroup.Find(tx, g.GUID) {
		if !allowed {
			return ErrGroupNotEmpty
		}
		after := before
		after.Group = g.Parent
		if err := d.putMember(tx, before, &after); err != nil {
			return err
		}
	}
	return nil
}
