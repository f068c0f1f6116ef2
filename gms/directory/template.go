package directory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"

	"furrow/appliance/state"
	"furrow/gms/policy"
)

// Policy is one policy object of a template.
type Policy[S policy.Body] struct {
	GUID     string `json:"guid"`
	Settings S      `json:"settings"`
	// Stamp is the time of the last change of Settings, in milliseconds since
	// 1970.
	Stamp int64 `json:"stamp"`
}

func newPolicy[S policy.Body](settings S, stamp int64) Policy[S] {
	return Policy[S]{GUID: newGUID(), Settings: settings, Stamp: stamp}
}

// with returns p with other settings, and with the stamp if they differ.
func (p Policy[S]) with(settings S, stamp int64) Policy[S] {
	if !reflect.DeepEqual(p.Settings, settings) {
		p.Settings, p.Stamp = settings, stamp
	}
	return p
}

// IdentityTemplate is an identity policy template of a domain, with the
// managed objects of MS-GRVSPCM 3.2.5.1.3. Its GUID is an IPG GUID.
//
// The certificates that its objects show are the domain's and stand in the
// domain's row.
type IdentityTemplate struct {
	GUID     string                        `json:"guid"`
	Domain   string                        `json:"domain"`
	Name     string                        `json:"name"`
	Identity Policy[policy.IdentityPolicy] `json:"identity"`
	// OwnTrust is the GUID of the trust object by which members of the domain
	// trust each other. It has no settings.
	OwnTrust     string                      `json:"ownTrust"`
	DataRecovery Policy[policy.DataRecovery] `json:"dataRecovery"`
}

// IdentitySettings is what an administrator sets in an IdentityTemplate.
type IdentitySettings struct {
	Identity     policy.IdentityPolicy `json:"identity"`
	DataRecovery policy.DataRecovery   `json:"dataRecovery"`
}

func (s IdentitySettings) check() error {
	return cmp.Or(
		checkSettings("identity", s.Identity),
		checkSettings("dataRecovery", s.DataRecovery),
	)
}

func newIdentityTemplate(domain string, stamp int64) IdentityTemplate {
	return IdentityTemplate{
		GUID:         newGUID(),
		Domain:       domain,
		Name:         defaultName,
		Identity:     newPolicy(policy.DefaultIdentityPolicy(), stamp),
		OwnTrust:     newGUID(),
		DataRecovery: newPolicy(policy.DefaultDataRecovery(), stamp),
	}
}

// DeviceTemplate is a device policy template of a domain, with the managed
// objects of MS-GRVSPCM 3.2.5.1.3. Its GUID is a DPG GUID.
type DeviceTemplate struct {
	GUID            string                         `json:"guid"`
	Domain          string                         `json:"domain"`
	Name            string                         `json:"name"`
	Device          Policy[policy.DevicePolicy]    `json:"device"`
	AccountServices Policy[policy.AccountServices] `json:"accountServices"`
	DataRecovery    Policy[policy.DataRecovery]    `json:"dataRecovery"`
	Passphrase      Policy[policy.Passphrase]      `json:"passphrase"`
	ComponentUpdate Policy[policy.ComponentUpdate] `json:"componentUpdate"`
}

// DeviceSettings is what an administrator sets in a DeviceTemplate.
type DeviceSettings struct {
	Device          policy.DevicePolicy    `json:"device"`
	AccountServices policy.AccountServices `json:"accountServices"`
	DataRecovery    policy.DataRecovery    `json:"dataRecovery"`
	Passphrase      policy.Passphrase      `json:"passphrase"`
	ComponentUpdate policy.ComponentUpdate `json:"componentUpdate"`
}

func (s DeviceSettings) check() error {
	return cmp.Or(
		checkSettings("device", s.Device),
		checkSettings("accountServices", s.AccountServices),
		checkSettings("dataRecovery", s.DataRecovery),
		checkSettings("passphrase", s.Passphrase),
		checkSettings("componentUpdate", s.ComponentUpdate),
	)
}

func newDeviceTemplate(domain string, stamp int64) DeviceTemplate {
	return DeviceTemplate{
		GUID:            newGUID(),
		Domain:          domain,
		Name:            defaultName,
		Device:          newPolicy(policy.DefaultDevicePolicy(), stamp),
		AccountServices: newPolicy(policy.DefaultAccountServices(), stamp),
		DataRecovery:    newPolicy(policy.DefaultDataRecovery(), stamp),
		Passphrase:      newPolicy(policy.DefaultPassphrase(), stamp),
		ComponentUpdate: newPolicy(policy.DefaultComponentUpdate(), stamp),
	}
}

func (t DeviceTemplate) has(object string) bool {
	switch object {
	case t.Device.GUID, t.AccountServices.GUID, t.DataRecovery.GUID, t.Passphrase.GUID, t.ComponentUpdate.GUID:
		return true
	}
	return false
}

// checkSettings turns the refusal of a setting into one of the template.
func checkSettings(field string, settings policy.Body) error {
	err := settings.Validate()
	var refused *policy.FieldError
	if errors.As(err, &refused) {
		return &ValidationError{field + "." + refused.Field, refused.Reason}
	}
	return err
}

// IdentityTemplate returns the identity policy template with this GUID, or
// ErrTemplateNotFound.
func (d *Directory) IdentityTemplate(guid string) (IdentityTemplate, error) {
	return d.identityTemplateAt(d.store.Snapshot(), guid)
}

func (d *Directory) identityTemplateAt(r state.Reader, guid string) (IdentityTemplate, error) {
	t, ok := d.t.identityTemplates.Get(r, guid)
	if !ok {
		return IdentityTemplate{}, fmt.Errorf("%w: %q", ErrTemplateNotFound, guid)
	}
	return t, nil
}

// DeviceTemplate returns the device policy template with this GUID, or
// ErrTemplateNotFound.
func (d *Directory) DeviceTemplate(guid string) (DeviceTemplate, error) {
	return d.deviceTemplateAt(d.store.Snapshot(), guid)
}

func (d *Directory) deviceTemplateAt(r state.Reader, guid string) (DeviceTemplate, error) {
	t, ok := d.t.deviceTemplates.Get(r, guid)
	if !ok {
		return DeviceTemplate{}, fmt.Errorf("%w: %q", ErrTemplateNotFound, guid)
	}
	return t, nil
}

// UpdateIdentityTemplate replaces the settings of a template; the objects
// whose settings differ get a higher IssuedTime (MS-GRVSPCM 3.2.5.1.3).
func (d *Directory) UpdateIdentityTemplate(ctx context.Context, guid string, s IdentitySettings) (IdentityTemplate, error) {
	if err := s.check(); err != nil {
		return IdentityTemplate{}, fmt.Errorf("updating identity policy template %s: %w", guid, err)
	}
	var t IdentityTemplate
	err := d.store.Update(ctx, func(tx *state.Tx) (err error) {
		if t, err = d.identityTemplateAt(tx, guid); err != nil {
			return err
		}
		stamp := d.stamp(tx)
		t.Identity = t.Identity.with(s.Identity, stamp)
		t.DataRecovery = t.DataRecovery.with(s.DataRecovery, stamp)
		return d.t.identityTemplates.Put(tx, t)
	})
	if err != nil {
		return IdentityTemplate{}, fmt.Errorf("updating identity policy template %s: %w", guid, err)
	}
	d.log.Info("identity policy template updated", "domain", t.Domain, "template", guid)
	return t, nil
}

// UpdateDeviceTemplate replaces the settings of a template; the objects whose
// settings differ get a higher IssuedTime (MS-GRVSPCM 3.2.5.1.3).
func (d *Directory) UpdateDeviceTemplate(ctx context.Context, guid string, s DeviceSettings) (DeviceTemplate, error) {
	if err := s.check(); err != nil {
		return DeviceTemplate{}, fmt.Errorf("updating device policy template %s: %w", guid, err)
	}
	var t DeviceTemplate
	err := d.store.Update(ctx, func(tx *state.Tx) (err error) {
		if t, err = d.deviceTemplateAt(tx, guid); err != nil {
			return err
		}
		stamp := d.stamp(tx)
		t.Device = t.Device.with(s.Device, stamp)
		t.AccountServices = t.AccountServices.with(s.AccountServices, stamp)
		t.DataRecovery = t.DataRecovery.with(s.DataRecovery, stamp)
		t.Passphrase = t.Passphrase.with(s.Passphrase, stamp)
		t.ComponentUpdate = t.ComponentUpdate.with(s.ComponentUpdate, stamp)
		return d.t.deviceTemplates.Put(tx, t)
	})
	if err != nil {
		return DeviceTemplate{}, fmt.Errorf("updating device policy template %s: %w", guid, err)
	}
	d.log.Info("device policy template updated", "domain", t.Domain, "template", guid)
	return t, nil
}

// identityPolicies begins the policy objects of an identity policy template,
// of the domain's default if guid is empty.
func (d *Directory) identityPolicies(r state.Reader, by issuer, guid string) ([]draft, error) {
	t, err := d.identityTemplateAt(r, cmp.Or(guid, by.row.IdentityTemplate))
	if err != nil {
		return nil, err
	}
	return []draft{
		by.draft(t.Identity.GUID, t.Identity.Stamp, t.Identity.Settings).of(t.GUID),
		by.draft(t.OwnTrust, 0, policy.DefaultDomainTrust(by.domain)).of(t.GUID),
		by.dataRecovery(t.DataRecovery).of(t.GUID),
	}, nil
}

// devicePolicies begins the policy objects of a device policy template, of the
// domain's default if guid is empty. The device policy is the first.
func (d *Directory) devicePolicies(r state.Reader, by issuer, guid string) ([]draft, error) {
	t, err := d.deviceTemplateAt(r, cmp.Or(guid, by.row.DeviceTemplate))
	if err != nil {
		return nil, err
	}
	return []draft{
		by.draft(t.Device.GUID, t.Device.Stamp, t.Device.Settings).of(t.GUID),
		by.draft(t.AccountServices.GUID, t.AccountServices.Stamp, t.AccountServices.Settings).of(t.GUID),
		by.dataRecovery(t.DataRecovery).of(t.GUID),
		by.draft(t.Passphrase.GUID, t.Passphrase.Stamp, t.Passphrase.Settings).of(t.GUID),
		by.draft(t.ComponentUpdate.GUID, t.ComponentUpdate.Stamp, t.ComponentUpdate.Settings).of(t.GUID),
	}, nil
}

func (by issuer) dataRecovery(p Policy[policy.DataRecovery]) draft {
	body := p.Settings
	body.Certificate = by.row.RecoveryCertificate
	return by.draft(p.GUID, p.Stamp, body)
}
