package audit

import (
	"fmt"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/soap/spcm"
)

// Device is a device whose audit log is kept (MS-GRVSPCM 3.2.1).
type Device struct {
	Domain string `json:"domain"`
	GUID   string `json:"guid"`
	Name   string `json:"name"` // host name, as last heard
	// Sequence is the last purge sequence: that of the last upload.
	Sequence int32 `json:"sequence"`
	// Digest identifies the entries of the last upload.
	Digest []byte `json:"digest"`
	// Missing counts the uploads that are missing between those that came.
	Missing int       `json:"missing,omitempty"`
	Last    time.Time `json:"last"` // upload
	// SealedLock is the lock-on key, nil for a device that is not locked on.
	SealedLock []byte `json:"sealedLock,omitempty"`
	// SealedSession is the key of the session that the last upload has left
	// open, nil if it has left none.
	SealedSession []byte `json:"sealedSession,omitempty"`
}

// Locked reports whether the device is locked on to its key.
func (d *Device) Locked() bool { return d.SealedLock != nil }

func lockPurpose(d *Device) string    { return "audit lock-on key/" + d.Domain + "/" + d.GUID }
func sessionPurpose(d *Device) string { return "audit session key/" + d.Domain + "/" + d.GUID }

// Devices returns the devices of a domain, or of all domains if it is empty, in
// order of domains and GUIDs.
func (a *Archive) Devices(domain string) []Device {
	var devices []Device
	for d := range inDomain(a.t.devices, a.store.Snapshot(), domain) {
		devices = append(devices, d)
	}
	return devices
}

// LastSequence returns up to where the log of a device is kept,
// [spcm.NoLogRange] if it has uploaded none (MS-GRVSPCM 3.2.5.7.1).
func (a *Archive) LastSequence(domain, device string) int32 {
	return a.sequenceIn(a.store.Snapshot(), domain, device)
}

func (a *Archive) sequenceIn(r state.Reader, domain, device string) int32 {
	if d, ok := a.t.devices.Get(r, joinKey(domain, device)); ok {
		return d.Sequence
	}
	return spcm.NoLogRange
}

// sealKey seals a key of a device; the zero key is nil.
func (a *Archive) sealKey(purpose string, key keys.SharedKey) ([]byte, error) {
	if key.IsZero() {
		return nil, nil
	}
	return a.vault.Seal(purpose, key.Bytes())
}

// openKey opens what sealKey has sealed.
func (a *Archive) openKey(purpose string, sealed []byte) (keys.SharedKey, error) {
	if sealed == nil {
		return keys.SharedKey{}, nil
	}
	plain, err := a.vault.Open(purpose, sealed)
	if err != nil {
		return keys.SharedKey{}, fmt.Errorf("opening a device's key: %w", err)
	}
	return keys.NewSharedKey(plain)
}
