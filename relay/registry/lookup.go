package registry

import (
	"context"
	"fmt"
	"slices"
	"time"

	"furrow/appliance/state"
)

// Device is a registered client device.
type Device struct {
	URL         string
	AccountURLs []string
	LockedOut   bool
	Added       time.Time
}

// Identity is a registered identity.
type Identity struct {
	URL        string
	AccountURL string
	LockedOut  bool // its user is disabled or no longer known
	Added      time.Time
}

// Identity returns an identity, false if it is not registered here.
func (r *Registry) Identity(url string) (Identity, bool) {
	view := r.store.Snapshot()
	row, ok := r.t.identities.Get(view, url)
	if !ok {
		return Identity{}, false
	}
	return r.identity(view, row), true
}

func (r *Registry) identity(reader state.Reader, row identityRow) Identity {
	return Identity{row.URL, row.Account, !r.userEnabled(reader, row.User), row.Added}
}

// IdentitiesOf returns the identities of an account in order of their URLs.
func (r *Registry) IdentitiesOf(accountURL string) []Identity {
	view := r.store.Snapshot()
	var identities []Identity
	for row := range r.t.identitiesByOwner.Find(view, accountURL) {
		identities = append(identities, r.identity(view, row))
	}
	return identities
}

// DevicesOf returns the URLs of the devices that an account is on, in order.
func (r *Registry) DevicesOf(accountURL string) []string {
	var devices []string
	for row := range r.t.devicesByAccount.Find(r.store.Snapshot(), accountURL) {
		devices = append(devices, row.URL)
	}
	return devices
}

// LookupDevice returns a device without its key, false if it is not registered
// here. It is quick: for what is asked at every message.
func (r *Registry) LookupDevice(url string) (Device, bool) {
	view := r.store.Snapshot()
	row, ok := r.t.devices.Get(view, url)
	if !ok {
		return Device{}, false
	}
	return r.device(view, row), true
}

func (r *Registry) device(reader state.Reader, row deviceRow) Device {
	return Device{row.URL, slices.Clone(row.Accounts), r.deviceLockedOut(reader, row), row.Added}
}

// Devices returns all devices in order of their URLs.
func (r *Registry) Devices() []Device {
	view := r.store.Snapshot()
	var devices []Device
	for row := range r.t.devices.All(view) {
		devices = append(devices, r.device(view, row))
	}
	return devices
}

// AccountLockedOut reports whether no user of an account may use the relay; true
// for an account that is not registered here.
func (r *Registry) AccountLockedOut(accountURL string) bool {
	view := r.store.Snapshot()
	row, ok := r.t.accounts.Get(view, accountURL)
	return !ok || !r.accountEnabled(view, row)
}

// ClearDevice forgets a device and its keys, so that its URL can register with
// others.
func (r *Registry) ClearDevice(ctx context.Context, url string) error {
	err := r.store.Update(ctx, func(tx *state.Tx) error {
		if !r.t.devices.Delete(tx, url) {
			return ErrDeviceNotFound
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("clearing device %s: %w", url, err)
	}
	r.log.Info("device cleared", "device", url)
	r.changed()
	return nil
}

// ClearAccount forgets an account, its keys and its identities, and takes it from
// its devices, so that its URL and theirs can register with others. A device
// without another account is forgotten too: it could not authenticate any more.
func (r *Registry) ClearAccount(ctx context.Context, url string) error {
	err := r.store.Update(ctx, func(tx *state.Tx) error {
		if !r.t.accounts.Delete(tx, url) {
			return ErrAccountUnknown
		}
		for identity := range r.t.identitiesByOwner.Find(tx, url) {
			r.t.identities.Delete(tx, identity.URL)
		}
		for device := range r.t.devicesByAccount.Find(tx, url) {
			device.Accounts = slices.DeleteFunc(slices.Clone(device.Accounts), func(a string) bool { return a == url })
			if len(device.Accounts) == 0 {
				r.t.devices.Delete(tx, device.URL)
				continue
			}
			if err := r.t.devices.Put(tx, device); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("clearing account %s: %w", url, err)
	}
	r.log.Info("account cleared", "account", url)
	r.changed()
	return nil
}
