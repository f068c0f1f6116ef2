package audit

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"furrow/appliance/blob"
	"furrow/appliance/state"
	"furrow/gms/soap/spcm"
)

const (
	// maxUploads bounds the unfinished uploads of an account. A client sends a
	// log and a file or two at a time; one that begins anew leaves the old
	// upload behind, and the oldest goes first.
	maxUploads = 8

	// maxUnfinished bounds the bytes of all unfinished uploads: accounts are
	// made by anyone who has a domain's certificate.
	maxUnfinished = 2 << 30

	// uploadLifetime is how long nothing may be heard of an upload.
	uploadLifetime = 24 * time.Hour
)

// Sender says who has sent an upload, as its Event does.
type Sender struct {
	Domain      string `json:"domain"`  // GUID
	Account     string `json:"account"` // GUID
	IdentityURL string `json:"identityURL"`
	Device      string `json:"device"`     // GUID
	DeviceName  string `json:"deviceName"` // host name
}

const (
	// maxGUID bounds the GUIDs that clients make, in bytes; Groove's have 39.
	maxGUID = 96

	// maxName bounds host names and identity URLs, in bytes.
	maxName = 512
)

// check accepts a sender, and the GUID of its upload, as part of a row. The
// account exists.
func (s *Sender) check(upload string) error {
	switch {
	case s.Device == "" || len(s.Device) > maxGUID:
		return fmt.Errorf("%w: device GUID of %d bytes", ErrInvalid, len(s.Device))
	case len(upload) > maxGUID:
		return fmt.Errorf("%w: backup GUID of %d bytes", ErrInvalid, len(upload))
	case len(s.DeviceName) > maxName || len(s.IdentityURL) > maxName:
		return fmt.Errorf("%w: device name or identity URL is too long", ErrInvalid)
	}
	return nil
}

// Kinds of uploads.
const (
	kindLog  = "log"
	kindFile = "file"
)

// uploadRow is an unfinished upload.
type uploadRow struct {
	Sender
	Kind     string    `json:"kind"`
	GUID     string    `json:"guid"` // of the backup, made by the client
	Name     string    `json:"name"` // of its blobs
	Count    int       `json:"count"`
	Total    int       `json:"total"`    // bytes
	Received int       `json:"received"` // fragments
	Bytes    int       `json:"bytes"`    // received
	Hash     string    `json:"hash,omitempty"`
	Updated  time.Time `json:"updated"`
}

func (u uploadRow) key() string { return joinKey(u.Domain, u.Account, u.Kind, u.GUID) }

// blob is the name of a fragment, counted from 1.
func (u uploadRow) blob(index int) string { return u.Name + "." + strconv.Itoa(index) }

func (u uploadRow) fragments() []string {
	names := make([]string, u.Received)
	for i := range names {
		names[i] = u.blob(i + 1)
	}
	return names
}

// errUnsound is wrapped by what is wrong with an upload as a whole: its client
// is answered that it is not complete (MS-GRVSPCM 3.2.5.7.2).
var errUnsound = errors.New("upload is not sound")

// begin is what the first fragment says of its upload.
func (a *Archive) begin(kind string, from Sender, f *spcm.UploadFragment, hash string) uploadRow {
	return uploadRow{
		Sender: from, Kind: kind, GUID: f.BackupGUID, Name: rand.Text(), Count: int(f.Count), Total: int(f.TotalSize), Hash: hash,
	}
}

// expect returns the upload that a fragment continues, or begins (MS-GRVSPCM
// 3.2.5.7.2, 3.2.5.7.4). It must be the next one, and say of the whole what the
// first has said.
func (a *Archive) expect(first uploadRow, f *spcm.UploadFragment, limit int) (uploadRow, error) {
	if err := first.check(first.GUID); err != nil {
		return uploadRow{}, err
	}
	if first.Total > limit {
		return uploadRow{}, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, first.Total, limit)
	}
	up, known := a.t.uploads.Get(a.store.Snapshot(), first.key())
	switch {
	case !known && f.Index == 1:
		up = first
	case !known:
		return uploadRow{}, fmt.Errorf("%w: %d without the ones before", ErrFragment, f.Index)
	case int(f.Index) != up.Received+1:
		return uploadRow{}, fmt.Errorf("%w: %d after %d", ErrFragment, f.Index, up.Received)
	case up.Count != first.Count || up.Total != first.Total || up.Sender != first.Sender || up.Hash != first.Hash:
		return uploadRow{}, fmt.Errorf("%w: of another upload", ErrFragment)
	}
	if up.Bytes+len(f.Data) > up.Total {
		return uploadRow{}, fmt.Errorf("%w: more than the %d bytes it announced", ErrTooLarge, up.Total)
	}
	return up, nil
}

// keep stores a fragment that is not the last one.
func (a *Archive) keep(ctx context.Context, up uploadRow, data []byte) error {
	before := up.Received
	up.Received++
	up.Bytes += len(data)
	up.Updated = a.now().UTC()
	if a.unfinished()+int64(len(data)) > maxUnfinished {
		return fmt.Errorf("%w: too many unfinished uploads", ErrFull)
	}
	if err := a.blobs.Put(up.blob(up.Received), data); err != nil {
		return storageError(err)
	}
	var evicted []string
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		evicted = nil
		// It may have been evicted, or purged, since it was expected.
		if now, known := a.t.uploads.Get(tx, up.key()); known != (before > 0) || now.Received != before {
			return fmt.Errorf("%w: the upload has ended", ErrFragment)
		}
		if before == 0 {
			evicted = a.evict(tx, up)
		}
		return a.t.uploads.Put(tx, up)
	})
	if err != nil {
		a.drop(up.blob(up.Received))
		return storageError(err)
	}
	a.drop(evicted...)
	return nil
}

// evict makes room for one upload among those of an account and returns the
// blobs to delete.
func (a *Archive) evict(tx *state.Tx, up uploadRow) (blobs []string) {
	own := slices.SortedFunc(a.t.uploadsByAccount.Find(tx, joinKey(up.Domain, up.Account)), func(x, y uploadRow) int {
		return cmp.Or(x.Updated.Compare(y.Updated), cmp.Compare(x.Name, y.Name))
	})
	for len(own) >= maxUploads {
		a.t.uploads.Delete(tx, own[0].key())
		blobs = append(blobs, own[0].fragments()...)
		own = own[1:]
	}
	return blobs
}

// unfinished returns the bytes of all unfinished uploads.
func (a *Archive) unfinished() (bytes int64) {
	for u := range a.t.uploads.All(a.store.Snapshot()) {
		bytes += int64(u.Bytes)
	}
	return bytes
}

// assemble writes the fragments and the last one, which was not stored, to w.
func (a *Archive) assemble(w io.Writer, up uploadRow, last []byte) error {
	if up.Bytes+len(last) != up.Total {
		return fmt.Errorf("%w: %d bytes of %d", errUnsound, up.Bytes+len(last), up.Total)
	}
	for _, name := range up.fragments() {
		err := a.copyBlob(w, name)
		if errors.Is(err, blob.ErrDamaged) || errors.Is(err, blob.ErrNotFound) {
			return fmt.Errorf("%w: %w", errUnsound, err) // the client can bring it again
		}
		if err != nil {
			return err
		}
	}
	_, err := w.Write(last)
	return err
}

func (a *Archive) copyBlob(w io.Writer, name string) (err error) {
	r, err := a.blobs.Open(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, r.Close())
}

// forget ends an upload: one that is stored, in the transaction that stores it,
// or one that is not sound.
func (a *Archive) forget(tx *state.Tx, up uploadRow) {
	if up.Received > 0 {
		a.t.uploads.Delete(tx, up.key())
	}
}

// abandon ends an upload that is not sound, and says why in the log.
func (a *Archive) abandon(ctx context.Context, up uploadRow, cause error) error {
	a.log.Warn("audit upload abandoned", "kind", up.Kind, "domain", up.Domain, "account", up.Account,
		"device", up.Device, "error", cause)
	if up.Received == 0 {
		return nil
	}
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		a.forget(tx, up)
		return nil
	})
	if err != nil {
		return fmt.Errorf("ending an audit upload: %w", storageError(err))
	}
	a.drop(up.fragments()...)
	return nil
}
