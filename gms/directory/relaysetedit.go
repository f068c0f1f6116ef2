package directory

import (
	"context"
	"fmt"

	"furrow/appliance/state"
)

// RenameRelaySet gives a relay set another name, which is for administrators only. It
// fails with ErrRelaySetNotFound, ErrNameTaken or a ValidationError.
func (d *Directory) RenameRelaySet(ctx context.Context, guid, name string) (RelaySet, error) {
	if err := checkRequired("name", name, maxDomainName); err != nil {
		return RelaySet{}, fmt.Errorf("renaming relay set: %w", err)
	}
	var set RelaySet
	err := d.store.Update(ctx, func(tx *state.Tx) error {
		var ok bool
		if set, ok = d.t.relaySets.Get(tx, guid); !ok {
			return ErrRelaySetNotFound
		}
		set.Name = name
		if err := d.checkRelaySetName(tx, &set); err != nil {
			return err
		}
		return d.t.relaySets.Put(tx, set)
	})
	if err != nil {
		return RelaySet{}, fmt.Errorf("renaming relay set %s: %w", guid, err)
	}
	d.log.Info("relay set renamed", "relaySet", guid, "name", name)
	return set, nil
}

// checkRelaySetName refuses the name of another set of the domain.
func (d *Directory) checkRelaySetName(r state.Reader, set *RelaySet) error {
	for other := range d.t.relaySets.All(r) {
		if other.Domain == set.Domain && other.GUID != set.GUID && foldName(other.Name) == foldName(set.Name) {
			return ErrNameTaken
		}
	}
	return nil
}

// DeleteRelaySet removes a relay set for good and returns it as it was. One that is
// assigned to a domain, a group or a member is refused with ErrRelaySetAssigned.
func (d *Directory) DeleteRelaySet(ctx context.Context, guid string) (RelaySet, error) {
	var set RelaySet
	err := d.store.Update(ctx, func(tx *state.Tx) error {
		var ok bool
		if set, ok = d.t.relaySets.Get(tx, guid); !ok {
			return ErrRelaySetNotFound
		}
		domain, err := d.domainAt(tx, set.Domain)
		if err != nil {
			return err
		}
		if domain.RelaySet == guid || d.relaySetAssigned(tx, guid) {
			return ErrRelaySetAssigned
		}
		d.t.relaySets.Delete(tx, guid)
		return nil
	})
	if err != nil {
		return RelaySet{}, fmt.Errorf("deleting relay set %s: %w", guid, err)
	}
	d.log.Info("relay set deleted", "relaySet", guid, "name", set.Name)
	return set, nil
}

// relaySetAssigned reports whether a group or a member has a set of its own.
func (d *Directory) relaySetAssigned(r state.Reader, guid string) bool {
	for g := range d.t.groups.All(r) {
		if g.RelaySet == guid {
			return true
		}
	}
	for m := range d.t.members.All(r) {
		if m.RelaySet == guid {
			return true
		}
	}
	return false
}
