package directory

import (
	"context"
	"fmt"
	"slices"

	"furrow/appliance/state"
)

// maxRelays bounds the relays of one set. Each is written twice, with its
// certificate, into the identity object of each member.
const maxRelays = 16

// RelaySet is a relay server set of a domain (MS-GRVSPCM 3.2.1).
type RelaySet struct {
	GUID   string `json:"guid"`
	Domain string `json:"domain"`
	Name   string `json:"name"`
	// Relays are the GUIDs of the set's relays in RSG sequence. There may be
	// none (MS-GRVSPCM 3.2.5.1.3).
	Relays []string `json:"relays"`
	Stamp  int64    `json:"stamp"`
}

// RelaySets returns the relay sets of a domain in order of their GUIDs.
func (d *Directory) RelaySets(domain string) []RelaySet {
	var sets []RelaySet
	for set := range d.t.relaySets.All(d.store.Snapshot()) {
		if set.Domain == domain {
			sets = append(sets, set)
		}
	}
	return sets
}

// RelaySet returns the relay set with this GUID, or ErrRelaySetNotFound.
func (d *Directory) RelaySet(guid string) (RelaySet, error) {
	set, ok := d.t.relaySets.Get(d.store.Snapshot(), guid)
	if !ok {
		return RelaySet{}, fmt.Errorf("%w: %q", ErrRelaySetNotFound, guid)
	}
	return set, nil
}

// CreateRelaySet adds an empty relay set to a domain. It serves nobody until
// it is the domain's default or a member's own.
func (d *Directory) CreateRelaySet(ctx context.Context, domain, name string) (RelaySet, error) {
	if err := checkRequired("name", name, maxDomainName); err != nil {
		return RelaySet{}, fmt.Errorf("creating relay set: %w", err)
	}
	set := RelaySet{GUID: newGUID(), Domain: domain, Name: name}
	err := d.store.Update(ctx, func(tx *state.Tx) error {
		if _, err := d.liveDomainAt(tx, domain); err != nil {
			return err
		}
		if err := d.checkRelaySetName(tx, &set); err != nil {
			return err
		}
		set.Stamp = d.stamp(tx)
		return d.t.relaySets.Put(tx, set)
	})
	if err != nil {
		return RelaySet{}, fmt.Errorf("creating relay set %q: %w", name, err)
	}
	d.log.Info("relay set created", "domain", domain, "relaySet", set.GUID, "name", name)
	return set, nil
}

// SetDefaultRelaySet makes a relay set of a domain the one of all members
// without a set of their own; their identity objects are regenerated
// (MS-GRVSPCM 3.2.5.1.3).
func (d *Directory) SetDefaultRelaySet(ctx context.Context, domain, set string) (Domain, error) {
	var row domainRow
	err := d.store.Update(ctx, func(tx *state.Tx) (err error) {
		if row, err = d.liveDomainAt(tx, domain); err != nil || row.RelaySet == set {
			return err
		}
		if s, ok := d.t.relaySets.Get(tx, set); !ok || s.Domain != domain {
			return fmt.Errorf("%w: %q", ErrRelaySetNotFound, set)
		}
		row.RelaySet, row.RelaySetStamp = set, d.stamp(tx)
		return d.t.domains.Put(tx, row)
	})
	if err != nil {
		return Domain{}, fmt.Errorf("assigning relay set to domain %s: %w", domain, err)
	}
	d.log.Info("relay set assigned", "domain", domain, "relaySet", set)
	return row.Domain, nil
}

// AssignRelays makes the given relays, in this order, those of a set; the
// identity objects of the members it serves are regenerated.
func (d *Directory) AssignRelays(ctx context.Context, set string, relays []string) (RelaySet, error) {
	if len(relays) > maxRelays {
		return RelaySet{}, fmt.Errorf("assigning relays to set %s: %w", set,
			&ValidationError{"relays", fmt.Sprintf("are more than %d", maxRelays)})
	}
	var row RelaySet
	err := d.store.Update(ctx, func(tx *state.Tx) error {
		var ok bool
		if row, ok = d.t.relaySets.Get(tx, set); !ok {
			return ErrRelaySetNotFound
		}
		if slices.Equal(row.Relays, relays) {
			return nil
		}
		for i, guid := range relays {
			if _, ok := d.t.relays.Get(tx, guid); !ok {
				return fmt.Errorf("%w: %q", ErrRelayNotFound, guid)
			}
			if slices.Contains(relays[:i], guid) {
				return &ValidationError{"relays", "name one relay twice"}
			}
		}
		row.Relays, row.Stamp = slices.Clone(relays), d.stamp(tx)
		return d.t.relaySets.Put(tx, row)
	})
	if err != nil {
		return RelaySet{}, fmt.Errorf("assigning relays to set %s: %w", set, err)
	}
	d.log.Info("relays assigned", "relaySet", set, "relays", len(relays))
	return row, nil
}
