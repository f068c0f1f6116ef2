package directory

import (
	"context"
	"fmt"
	"slices"
	"time"

	"furrow/appliance/state"
)

// DeviceAccount is a client device in one domain (MS-GRVSPCM 3.2.1).
type DeviceAccount struct {
	Domain string `json:"domain"`
	// GUID is that of the device's account.
	GUID string `json:"guid"`
	// Template is the DPG GUID; empty for the domain's default.
	Template string `json:"template,omitempty"`
	// TemplateStamp is that of the last change of which template holds.
	TemplateStamp int64        `json:"templateStamp,omitempty"`
	Status        DeviceStatus `json:"status"`
	Created       time.Time    `json:"created"`
}

// Device returns a device account of a domain, or ErrDeviceNotFound.
func (d *Directory) Device(domain, guid string) (DeviceAccount, error) {
	return d.deviceAt(d.store.Snapshot(), domain, guid)
}

// Devices returns the device accounts of a domain in order of their GUIDs.
func (d *Directory) Devices(domain string) []DeviceAccount {
	var devices []DeviceAccount
	for device := range d.t.devices.Range(d.store.Snapshot(), joinKey(domain, ""), domain+"\x01") {
		devices = append(devices, device)
	}
	return devices
}

func (d *Directory) deviceAt(r state.Reader, domain, guid string) (DeviceAccount, error) {
	device, ok := d.t.devices.Get(r, joinKey(domain, guid))
	if !ok {
		return DeviceAccount{}, fmt.Errorf("%w: %q", ErrDeviceNotFound, guid)
	}
	return device, nil
}

// addDevice records the device behind a new account. It begins as not managed
// (MS-GRVSPCM 3.2.1) with the domain's template (3.2.5.1.3). One that exists
// stays as it is: its client must not undo that it was deleted.
func (d *Directory) addDevice(tx *state.Tx, domain, guid string, now time.Time) error {
	if _, exists := d.t.devices.Get(tx, joinKey(domain, guid)); exists {
		return nil
	}
	return d.t.devices.Put(tx, DeviceAccount{
		Domain: domain, GUID: guid, Status: DeviceNotManaged, Created: now,
	})
}

// DeleteDevice ends the management of a device; its client is told so when it
// next asks (MS-GRVSPCM 3.2.5.3.3). This is final.
func (d *Directory) DeleteDevice(ctx context.Context, domain, guid string) (DeviceAccount, error) {
	var device DeviceAccount
	err := d.store.Update(ctx, func(tx *state.Tx) (err error) {
		if device, err = d.deviceAt(tx, domain, guid); err != nil || device.Status == DeviceDeleted {
			return err
		}
		device.Status = DeviceDeleted
		return d.t.devices.Put(tx, device)
	})
	if err != nil {
		return DeviceAccount{}, fmt.Errorf("deleting device: %w", err)
	}
	d.log.Info("device deleted", "domain", domain, "device", guid)
	return device, nil
}

// InstalledOnDevice records that a device has installed a managed object of
// its template, by which it is managed. Objects that are not its own, and
// reports of accounts that are no devices or were deleted, record nothing.
func (d *Directory) InstalledOnDevice(ctx context.Context, domain, guid, object string) error {
	err := d.store.Update(ctx, func(tx *state.Tx) error {
		device, ok := d.t.devices.Get(tx, joinKey(domain, guid))
		if !ok || device.Status != DeviceNotManaged {
			return nil
		}
		in, err := d.domainAt(tx, domain)
		if err != nil {
			return err
		}
		template, err := d.deviceTemplateAt(tx, templateOfDevice(&in.Domain, &device).GUID)
		if err != nil || !slices.Contains(template.objects(), object) {
			return err
		}
		device.Status = DeviceManaged
		return d.t.devices.Put(tx, device)
	})
	if err != nil {
		return fmt.Errorf("recording managed object on device %q: %w", guid, err)
	}
	return nil
}
