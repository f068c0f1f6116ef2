package directory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"furrow/appliance/blob"
	"furrow/appliance/state"
	"furrow/gms/soap/spcm"
)

const (
	// maxUnfinished bounds the backups of an account that are under way: one
	// from each of two devices of the person. With the last complete one an
	// account takes at most three times spcm.MaxBackup on the disk.
	maxUnfinished = 2

	// unfinishedLifetime is how long a backup may wait for its next fragment.
	// Clients send them one after the other; one that was switched off begins
	// again when its next backup is due.
	unfinishedLifetime = 24 * time.Hour
)

// Backup is a backup of a client's account, complete or under way (MS-GRVSPCM
// 3.2.1, Account Backups). An entry of that collection is a fragment; a row
// here is all of a backup, and the fragments are blobs (package blob) that it
// names.
type Backup struct {
	Domain  string `json:"domain"`
	Account string `json:"account"` // GUID
	// ID is made here for each attempt: clients may use a backup GUID again.
	ID string `json:"id"`
	// GUID, Version and Device are the client's words: BackupGUID,
	// BackupVersion and UserDeviceName.
	GUID    string `json:"guid"`
	Version int32  `json:"version"`
	Device  string `json:"device"`
	// Count is how many fragments there are to be, Announced how many bytes in
	// all by the client's reckoning.
	Count     int32 `json:"count"`
	Announced int32 `json:"announced"`
	// Stored is how many fragments there are, in order from the first, and Size
	// how many bytes they have.
	Stored int32 `json:"stored"`
	Size   int64 `json:"size"`
	// Changed is when the last of them was stored.
	Changed time.Time `json:"changed"`
}

// Complete reports whether all fragments are there.
func (b *Backup) Complete() bool { return b.Stored == b.Count }

// blobName names the blob of a fragment, counted from 1.
func (b *Backup) blobName(index int32) string { return fmt.Sprintf("%s.%d", b.ID, index) }

func (b *Backup) key() string { return joinKey(b.Domain, b.Account, b.ID) }

// Fragment is a fragment of an account's backup, as an opened AccountStore
// request has it (MS-GRVSPCM 2.2.3.3.1).
type Fragment struct {
	Domain, Account string
	Device          string
	spcm.AccountStore
	Data []byte
}

func (f *Fragment) check() error {
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrFragment, fmt.Sprintf(format, args...))
	}
	switch {
	case f.FragmentCount < 1 || f.FragmentCount > spcm.MaxBackupFragments:
		return refuse("one of %d, want 1 to %d", f.FragmentCount, spcm.MaxBackupFragments)
	case f.Index < 1 || f.Index > f.FragmentCount:
		return refuse("number %d of %d", f.Index, f.FragmentCount)
	case len(f.Data) == 0 || len(f.Data) > spcm.MaxBackupFragment:
		return refuse("%d bytes, want 1 to %d", len(f.Data), spcm.MaxBackupFragment)
	case f.BackupSize < 0 || f.BackupSize > spcm.MaxBackup:
		return refuse("backup of %d bytes, want at most %d", f.BackupSize, spcm.MaxBackup)
	case f.FragmentCount > 1 && f.BackupGUID == "":
		return refuse("no GUID binds it to the others")
	case len(f.BackupGUID) > maxClientGUID:
		return refuse("GUID of %d bytes, want at most %d", len(f.BackupGUID), maxClientGUID)
	}
	return nil
}

// StoreFragment stores a fragment of a backup (MS-GRVSPCM 3.2.5.4.1). The first
// one begins the backup; each other must continue one that is under way. When
// the last is stored, the backup takes the place of the account's last complete
// one, which is kept until then.
//
// It fails with ErrFragment for one that is out of order, differs from the
// fragments before it in what they say of the backup, or exceeds a limit of
// package spcm; with ErrMemberNotFound if no active member of the domain has
// the account, because anybody can register an account. Errors of package blob
// come through wrapped; a full disk is blob.ErrFull.
//
// The fragment's blob is durable before the row that counts it. Who stores the
// same fragment twice at once gets ErrFragment for one of them.
func (d *Directory) StoreFragment(ctx context.Context, f Fragment) (Backup, error) {
	backup, err := d.storeFragment(ctx, f)
	if err != nil {
		return Backup{}, fmt.Errorf("storing fragment %d of a backup of account %q: %w", f.Index, f.Account, err)
	}
	if backup.Complete() {
		d.log.Info("account backed up", "domain", f.Domain, "account", f.Account, "bytes", backup.Size)
	}
	return backup, nil
}

func (d *Directory) storeFragment(ctx context.Context, f Fragment) (Backup, error) {
	if err := f.check(); err != nil {
		return Backup{}, err
	}
	id := newGUID()
	backup, err := d.continued(d.store.Snapshot(), f, id)
	if err != nil {
		return Backup{}, err
	}
	name := backup.blobName(f.Index)
	switch err := d.backups.Put(name, f.Data); {
	case errors.Is(err, blob.ErrExists):
		return Backup{}, fmt.Errorf("%w: it is being stored already", ErrFragment)
	case err != nil:
		return Backup{}, err
	}
	var outdated []Backup
	err = d.store.Update(ctx, func(tx *state.Tx) error {
		now, err := d.continued(tx, f, id)
		if err != nil {
			return err
		}
		if now.ID != backup.ID { // begun again since
			return fmt.Errorf("%w: it belongs to an earlier attempt", ErrFragment)
		}
		backup = now
		outdated = d.dropOutdated(tx, backup)
		return d.t.backups.Put(tx, backup)
	})
	if errors.Is(err, state.ErrFailed) {
		return Backup{}, err // the row may be on the disk: the next start decides
	}
	if err != nil {
		return Backup{}, errors.Join(err, d.backups.Delete(name))
	}
	d.deleteBlobs(outdated)
	return backup, nil
}

// continued returns the backup with the fragment counted in. id is for a new
// one.
func (d *Directory) continued(r state.Reader, f Fragment, id string) (Backup, error) {
	if !d.inUse(r, f.Domain, f.Account) {
		return Backup{}, fmt.Errorf("%w: no active one has account %q", ErrMemberNotFound, f.Account)
	}
	b := Backup{
		Domain: f.Domain, Account: f.Account, ID: id, GUID: f.BackupGUID, Version: f.BackupVersion,
		Count: f.FragmentCount, Announced: f.BackupSize,
	}
	if f.Index > 1 {
		old, ok := d.unfinished(r, f)
		switch {
		case !ok:
			return Backup{}, fmt.Errorf("%w: number %d of a backup that is not under way", ErrFragment, f.Index)
		case f.Index != old.Stored+1:
			return Backup{}, fmt.Errorf("%w: number %d after %d", ErrFragment, f.Index, old.Stored)
		case b.Count != old.Count || b.Announced != old.Announced || b.Version != old.Version:
			return Backup{}, fmt.Errorf("%w: it says otherwise of the backup than the one before", ErrFragment)
		}
		b = old
	}
	b.Device, b.Changed = f.Device, d.now().UTC()
	b.Stored++
	if b.Size += int64(len(f.Data)); b.Size > spcm.MaxBackup {
		return Backup{}, fmt.Errorf("%w: backup exceeds %d bytes", ErrFragment, spcm.MaxBackup)
	}
	return b, nil
}

// inUse reports whether an active member of the domain is bound to the account.
func (d *Directory) inUse(r state.Reader, domain, account string) bool {
	for m := range d.t.membersByIdentity.Range(r, joinKey(domain, account, ""), joinKey(domain, account)+"\x01") {
		if m.Status == Active {
			return true
		}
	}
	return false
}

// backupsOf returns the backups of an account, the one changed last in front.
func (d *Directory) backupsOf(r state.Reader, domain, account string) []Backup {
	all := slices.Collect(d.t.backups.Range(r, joinKey(domain, account, ""), joinKey(domain, account)+"\x01"))
	slices.SortStableFunc(all, func(a, b Backup) int {
		return cmp.Or(b.Changed.Compare(a.Changed), cmp.Compare(a.ID, b.ID))
	})
	return all
}

func (d *Directory) unfinished(r state.Reader, f Fragment) (Backup, bool) {
	for _, b := range d.backupsOf(r, f.Domain, f.Account) {
		if b.GUID == f.BackupGUID && !b.Complete() {
			return b, true
		}
	}
	return Backup{}, false
}

// dropOutdated removes the rows that a changed backup makes useless: other
// attempts at the same one, the last complete one when this is complete, and
// what is under way beyond maxUnfinished or unfinishedLifetime.
func (d *Directory) dropOutdated(tx *state.Tx, changed Backup) (dropped []Backup) {
	underWay := 0
	if !changed.Complete() {
		underWay++
	}
	for _, b := range d.backupsOf(tx, changed.Domain, changed.Account) {
		outdated := false
		switch {
		case b.ID == changed.ID:
		case b.Complete():
			outdated = changed.Complete()
		case b.GUID == changed.GUID || d.abandoned(b) || underWay >= maxUnfinished:
			outdated = true
		default:
			underWay++
		}
		if outdated {
			d.t.backups.Delete(tx, b.key())
			dropped = append(dropped, b)
		}
	}
	return dropped
}

func (d *Directory) abandoned(b Backup) bool {
	return !b.Complete() && d.now().Sub(b.Changed) > unfinishedLifetime
}

// deleteBlobs deletes the fragments of backups whose rows are gone, durably.
// What is left of them takes room until the next start, no more.
func (d *Directory) deleteBlobs(gone []Backup) {
	for _, b := range gone {
		for i := int32(1); i <= b.Stored; i++ {
			if err := d.backups.Delete(b.blobName(i)); err != nil {
				d.log.Warn("fragment of an old backup stays", "account", b.Account, "error", err)
			}
		}
	}
}

// CollectBackups deletes the fragments that no row names, as a crash leaves
// them, and the backups that were given up. It is for the start, before
// anything is served, and never for a state restored from damaged files, which
// may lack rows.
func (d *Directory) CollectBackups(ctx context.Context) error {
	named := map[string]bool{}
	err := d.store.Update(ctx, func(tx *state.Tx) error {
		clear(named)
		for b := range d.t.backups.All(tx) {
			if d.abandoned(b) {
				d.t.backups.Delete(tx, b.key())
				continue
			}
			for i := int32(1); i <= b.Stored; i++ {
				named[b.blobName(i)] = true
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("collecting account backups: %w", err)
	}
	deleted, err := d.backups.Retain(func(name string) bool { return named[name] })
	if err != nil {
		return fmt.Errorf("collecting account backups: %w", err)
	}
	if deleted > 0 {
		d.log.Info("fragments of unfinished account backups deleted", "fragments", deleted)
	}
	return nil
}
