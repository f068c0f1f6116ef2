package directory

import (
	"errors"
	"fmt"
	"io"

	"furrow/appliance/blob"
	"furrow/appliance/state"
)

// LastBackup returns the last complete backup of an account, or ErrNoBackup.
func (d *Directory) LastBackup(domain, account string) (Backup, error) {
	return d.lastBackup(d.store.Snapshot(), domain, account)
}

func (d *Directory) lastBackup(r state.Reader, domain, account string) (Backup, error) {
	for _, b := range d.backupsOf(r, domain, account) {
		if b.Complete() {
			return b, nil
		}
	}
	return Backup{}, fmt.Errorf("%w of account %q", ErrNoBackup, account)
}

// BackupReader reads a complete backup: by Read its fragments one after the
// other, or all at once by Fragments, not both. It must be closed.
type BackupReader struct {
	Backup
	fragments []*blob.Reader
	joined    io.Reader
}

// OpenBackup opens the last complete backup of an account, or fails with
// ErrNoBackup. What is open can be read to its end even when a newer one takes
// its place.
func (d *Directory) OpenBackup(domain, account string) (*BackupReader, error) {
	for {
		backup, err := d.LastBackup(domain, account)
		if err != nil {
			return nil, err
		}
		r, err := d.openBackup(backup)
		if err == nil {
			return r, nil
		}
		// Unless a newer one has come between the row and its blobs.
		if last, gone := d.LastBackup(domain, account); gone != nil || last.ID == backup.ID {
			return nil, fmt.Errorf("opening backup of account %q: %w", account, err)
		}
	}
}

func (d *Directory) openBackup(b Backup) (*BackupReader, error) {
	r := &BackupReader{Backup: b}
	parts := make([]io.Reader, 0, b.Count)
	for i := int32(1); i <= b.Count; i++ {
		fragment, err := d.backups.Open(b.blobName(i))
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		r.fragments = append(r.fragments, fragment)
		parts = append(parts, fragment)
	}
	r.joined = io.MultiReader(parts...)
	return r, nil
}

// Read reads on. It fails with blob.ErrDamaged when what was read of a fragment
// is not what was stored.
func (r *BackupReader) Read(p []byte) (int, error) { return r.joined.Read(p) }

// Fragments returns the fragments in order, as they were stored.
func (r *BackupReader) Fragments() ([][]byte, error) {
	all := make([][]byte, 0, len(r.fragments))
	for _, f := range r.fragments {
		data, err := io.ReadAll(f)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// Close closes the backup.
func (r *BackupReader) Close() error {
	var errs []error
	for _, f := range r.fragments {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}
