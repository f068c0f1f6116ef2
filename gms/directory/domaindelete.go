package directory

import (
	"context"
	"fmt"
	"time"

	"furrow/appliance/state"
)

// deletedDomainLife is how long a deleted domain answers clients that still ask.
// It is longer than a device lies in a drawer while its owner is on leave; who
// comes later is told that there is no such domain.
const deletedDomainLife = 400 * 24 * time.Hour

// DeleteDomain ends a domain for good. The published text has no rule for this.
// It is refused with ErrDomainNotEmpty while there are members that are not
// deleted, unless withMembers asks to delete these too, in the same transaction.
//
// Members end as in DeleteMember and devices as in DeleteDevice, so their clients
// are told (MS-GRVSPCM 3.2.5.3.3) and relays learn of it. For that, the domain's
// keys, accounts, templates and rows stay until PurgeDeletedDomains; nothing can
// be added to them or changed, and the name is free. Of a hidden domain nothing
// stays.
func (d *Directory) DeleteDomain(ctx context.Context, guid string, withMembers bool) (Domain, error) {
	var row domainRow
	ended := 0
	var backups []Backup // of the erased domain
	err := d.store.Update(ctx, func(tx *state.Tx) (err error) {
		if row, err = d.liveDomainAt(tx, guid); err != nil {
			return err
		}
		ended = 0
		for m := range d.t.membersByDomain.Find(tx, guid) {
			if m.Status != Deleted {
				ended++
			}
		}
		if ended > 0 && !withMembers {
			return fmt.Errorf("%w: %d are not deleted", ErrDomainNotEmpty, ended)
		}
		row.Deleted, row.Stamp = d.now().UTC(), d.stamp(tx)
		if row.Hidden {
			backups = d.eraseDomain(tx, guid)
			return nil
		}
		return d.endDomain(tx, row)
	})
	if err != nil {
		return Domain{}, fmt.Errorf("deleting domain %s: %w", guid, err)
	}
	d.deleteBlobs(backups)
	d.log.Info("domain deleted", "domain", guid, "name", row.Name, "members", ended)
	return row.Domain, nil
}

// endDomain stores a deleted domain and ends its members and devices.
func (d *Directory) endDomain(tx *state.Tx, row domainRow) error {
	if err := d.t.domains.Put(tx, row); err != nil {
		return err
	}
	for before := range d.t.membersByDomain.Find(tx, row.GUID) {
		if before.Status == Deleted {
			continue
		}
		after := before
		after.end()
		if err := d.putMember(tx, before, &after); err != nil {
			return err
		}
	}
	for device := range d.t.devices.Range(tx, joinKey(row.GUID, ""), row.GUID+"\x01") {
		device.Status = DeviceDeleted
		if err := d.t.devices.Put(tx, device); err != nil {
			return err
		}
	}
	return nil
}

// eraseDomain removes every row of a domain. Relays hear of its members by what
// they are known to know (package relaylink). It returns the account backups
// whose blobs are to follow.
func (d *Directory) eraseDomain(tx *state.Tx, guid string) (backups []Backup) {
	for m := range d.t.membersByDomain.Find(tx, guid) {
		d.t.members.Delete(tx, m.GUID)
		d.t.publications.Delete(tx, m.GUID)
		d.t.automaticResets.Delete(tx, m.GUID)
	}
	for account := range d.t.accounts.Range(tx, joinKey(guid, ""), guid+"\x01") {
		d.t.accounts.Delete(tx, joinKey(guid, account.GUID))
	}
	for device := range d.t.devices.Range(tx, joinKey(guid, ""), guid+"\x01") {
		d.t.devices.Delete(tx, joinKey(guid, device.GUID))
	}
	for b := range d.t.backups.Range(tx, joinKey(guid, ""), guid+"\x01") {
		d.t.backups.Delete(tx, b.key())
		backups = append(backups, b)
	}
	for reset := range d.t.passwordResets.Range(tx, joinKey(guid, ""), guid+"\x01") {
		d.t.passwordResets.Delete(tx, joinKey(guid, reset.Account))
	}
	for f := range d.t.failures.Range(tx, joinKey(guid, ""), guid+"\x01") {
		d.t.failures.Delete(tx, joinKey(guid, f.Account))
	}
	for t := range d.t.identityTemplates.All(tx) {
		if t.Domain == guid {
			d.t.identityTemplates.Delete(tx, t.GUID)
		}
	}
	for t := range d.t.deviceTemplates.All(tx) {
		if t.Domain == guid {
			d.t.deviceTemplates.Delete(tx, t.GUID)
		}
	}
	for set := range d.t.relaySets.All(tx) {
		if set.Domain == guid {
			d.t.relaySets.Delete(tx, set.GUID)
		}
	}
	for g := range d.t.groups.All(tx) {
		if g.Domain == guid {
			d.t.groups.Delete(tx, g.GUID)
		}
	}
	for trust := range d.t.trusts.All(tx) {
		if trust.Domain == guid {
			d.t.trusts.Delete(tx, trust.GUID)
		}
	}
	d.t.domains.Delete(tx, guid)
	return backups
}

// PurgeDeletedDomains removes what stayed of domains whose deletion is more than
// 400 days ago, and returns how many there were.
func (d *Directory) PurgeDeletedDomains(ctx context.Context) (int, error) {
	purged := 0
	now := d.now()
	for _, domain := range d.AllDomains() {
		if !domain.deleted() || now.Sub(domain.Deleted) < deletedDomainLife {
			continue
		}
		var backups []Backup
		err := d.store.Update(ctx, func(tx *state.Tx) error {
			backups = d.eraseDomain(tx, domain.GUID)
			return nil
		})
		if err != nil {
			return purged, fmt.Errorf("purging deleted domain %s: %w", domain.GUID, err)
		}
		d.deleteBlobs(backups)
		purged++
		d.log.Info("deleted domain purged", "domain", domain.GUID, "name", domain.Name)
	}
	return purged, nil
}
