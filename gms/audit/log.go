package audit

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"reflect"
	"time"

	"furrow/appliance/state"
	"furrow/gms/auditlog"
	"furrow/gms/soap/spcm"
)

// Log is an uploaded audit log.
type Log struct {
	Sender
	Stamp    int64     `json:"stamp"`            // milliseconds since 1970, unique
	Member   string    `json:"member,omitempty"` // GUID, if a member's identity sent it
	Sequence int32     `json:"sequence"`
	Received time.Time `json:"received"`
	// From and To are the times of its first and last event, by the device's
	// clock.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Entries counts all entries, Undecrypted those that could not be opened.
	Entries     int `json:"entries"`
	Undecrypted int `json:"undecrypted,omitempty"`
	// Verified says that the log's MAC is that of the device's lock-on key.
	Verified bool `json:"verified"`
	// Missing counts the uploads that are missing before this one.
	Missing int    `json:"missing,omitempty"`
	Blob    string `json:"blob"`
}

func (l Log) key() string { return fmt.Sprintf("%020d", l.Stamp) }

// UploadLog takes a fragment of a device's audit log (MS-GRVSPCM 3.2.5.7.2). It
// returns whether the upload is complete and up to where the device's log is
// kept then. A whole log that is not sound, or not of its device, is not
// complete, and forgotten. The errors are ErrFragment, ErrTooLarge, ErrFull.
func (a *Archive) UploadLog(ctx context.Context, from Sender, f *spcm.UploadFragment) (complete bool, high int32, err error) {
	first := a.begin(kindLog, from, f, "")
	defer a.lock(first.key())()
	up, err := a.expect(first, f, auditlog.MaxSize)
	switch {
	case err != nil:
	case !f.Last():
		err = a.keep(ctx, up, f.Data)
	default:
		err = a.finishLog(ctx, up, f.Data)
		if complete = err == nil; errors.Is(err, errUnsound) {
			err = a.abandon(ctx, up, err)
		}
	}
	if err != nil {
		return false, 0, fmt.Errorf("taking an audit log: %w", err)
	}
	return complete, a.LastSequence(from.Domain, from.Device), nil
}

// finishLog checks and stores the whole log.
func (a *Archive) finishLog(ctx context.Context, up uploadRow, last []byte) error {
	a.assembling.Lock()
	defer a.assembling.Unlock()
	var whole bytes.Buffer
	whole.Grow(up.Bytes + len(last))
	if err := a.assemble(&whole, up, last); err != nil {
		return err
	}
	parsed, err := auditlog.Parse(whole.Bytes())
	if err != nil {
		return fmt.Errorf("%w: %w", errUnsound, err)
	}
	if parsed.Device != up.Device {
		return fmt.Errorf("%w: log of another device", errUnsound)
	}
	before, known := a.t.devices.Get(a.store.Snapshot(), joinKey(up.Domain, up.Device))
	digest := parsed.Digest()
	if known && parsed.Sequence == before.Sequence && subtle.ConstantTimeCompare(digest[:], before.Digest) == 1 {
		return a.again(ctx, up) // the client has missed the answer
	}
	if known && parsed.Sequence <= before.Sequence {
		return fmt.Errorf("%w: sequence %d, there is %d already", errUnsound, parsed.Sequence, before.Sequence)
	}
	opened, err := a.open(up, parsed, before)
	if err != nil {
		return err
	}
	device := before
	device.Domain, device.GUID, device.Name = up.Domain, up.Device, up.DeviceName
	device.Sequence, device.Digest, device.Last = parsed.Sequence, digest[:], a.now().UTC()
	device.SealedLock, device.SealedSession = opened.lock, opened.session
	row := Log{
		Sender: up.Sender, Member: a.memberOf(up.Sender), Sequence: parsed.Sequence, Received: device.Last,
		Entries: len(opened.entries), Verified: opened.verified, Blob: rand.Text() + ".log",
	}
	if known {
		row.Missing = int(parsed.Sequence - before.Sequence - 1)
		device.Missing += row.Missing
	}
	row.summarize(opened.entries, parsed.Marked)
	return a.storeLog(ctx, up, before, device, row, opened.entries)
}

// again ends an upload of what is kept already.
func (a *Archive) again(ctx context.Context, up uploadRow) error {
	if up.Received == 0 {
		return nil
	}
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		a.forget(tx, up)
		return nil
	})
	if err == nil {
		a.drop(up.fragments()...)
	}
	return storageError(err)
}

// openedLog is a log with the keys that it leaves behind, sealed.
type openedLog struct {
	entries       []entry
	verified      bool
	lock, session []byte
}

// open checks the lock-on key of a log and decrypts its entries (MS-GRVSPCM
// 3.1.4).
//
// Whether _lok has the right padding does not show: a wrong one becomes a
// random key, whose MAC does not fit, and a log that does not verify is
// answered alike whatever the reason.
func (a *Archive) open(up uploadRow, parsed *auditlog.Log, device Device) (openedLog, error) {
	domain, err := a.directory.DomainKeys(up.Domain)
	if err != nil {
		return openedLog{}, err
	}
	lock, err := parsed.LockOnKey(domain.Encryption)
	o := openedLog{verified: err == nil && parsed.Verify(lock)}
	if device.Locked() {
		known, err := a.openKey(lockPurpose(&device), device.SealedLock)
		if err != nil {
			return openedLog{}, err
		}
		if !o.verified || !known.Equal(lock) {
			return openedLog{}, fmt.Errorf("%w: not of the key that the device is locked on to", errUnsound)
		}
	}
	session, err := a.openKey(sessionPurpose(&device), device.SealedSession)
	if err != nil {
		return openedLog{}, err
	}
	opened, session := parsed.Open(domain.Encryption, session)
	o.entries = newEntries(opened, parsed.Marked)
	if !o.verified {
		return o, nil // whoever made it leaves no keys behind
	}
	of := Device{Domain: up.Domain, GUID: up.Device}
	if o.lock, err = a.sealKey(lockPurpose(&of), lock); err == nil {
		o.session, err = a.sealKey(sessionPurpose(&of), session)
	}
	return o, err
}

// memberOf returns the GUID of the member behind a sender, "" if it is none.
func (a *Archive) memberOf(from Sender) string {
	m, err := a.directory.MemberByIdentity(from.Domain, from.Account, from.IdentityURL)
	if err != nil {
		return ""
	}
	return m.GUID
}

// summarize sets the times and counts of a log.
func (l *Log) summarize(entries []entry, marked time.Time) {
	for i, e := range entries {
		if e.Body == nil {
			l.Undecrypted++
		}
		if i == 0 || e.Time.Before(l.From) {
			l.From = e.Time
		}
		if i == 0 || e.Time.After(l.To) {
			l.To = e.Time
		}
	}
	if len(entries) == 0 {
		l.From, l.To = marked, marked
	}
}

// storeLog makes a log durable: its entries, then the rows.
func (a *Archive) storeLog(ctx context.Context, up uploadRow, before, device Device, row Log, entries []entry) error {
	if err := a.putEntries(row.Blob, entries); err != nil {
		return storageError(err)
	}
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		// Another account may have uploaded for the device meanwhile.
		if now, _ := a.t.devices.Get(tx, joinKey(device.Domain, device.GUID)); !reflect.DeepEqual(now, before) {
			return fmt.Errorf("%w: the device has uploaded another log", errUnsound)
		}
		row.Stamp = tx.NextStamp(a.now()).UnixMilli()
		a.forget(tx, up)
		return cmp.Or(a.t.devices.Put(tx, device), a.t.logs.Put(tx, row))
	})
	if err != nil {
		a.drop(row.Blob)
		return storageError(err)
	}
	a.drop(up.fragments()...)
	a.log.Info("audit log stored", "domain", row.Domain, "device", row.Device, "sequence", row.Sequence,
		"entries", row.Entries, "verified", row.Verified, "missing", row.Missing)
	return nil
}

// Logs returns the uploaded logs in the order in which they came.
func (a *Archive) Logs() []Log {
	var logs []Log
	for l := range a.t.logs.All(a.store.Snapshot()) {
		logs = append(logs, l)
	}
	return logs
}
