package directory

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"time"

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

// TemplateHead is what all policy templates have.
type TemplateHead struct {
	GUID   string `json:"guid"`
	Domain string `json:"domain"`
	// Name is unique among the templates of a kind in a domain, whatever its
	// letter case. Clients do not see it.
	Name string `json:"name"`
	// Deleted is when the template was deleted. The row stays to withdraw its
	// objects from clients that have them still.
	Deleted time.Time `json:"deleted,omitzero"`
}

func (h *TemplateHead) deleted() bool { return !h.Deleted.IsZero() }

// IdentityTemplate is an identity policy template of a domain, with the
// managed objects of MS-GRVSPCM 3.2.5.1.3. Its GUID is an IPG GUID.
//
// The certificates that its objects show are the domain's and stand in the
// domain's row.
type IdentityTemplate struct {
	TemplateHead
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

// DefaultIdentitySettings are those of a new template.
func DefaultIdentitySettings() IdentitySettings {
	return IdentitySettings{policy.DefaultIdentityPolicy(), policy.DefaultDataRecovery()}
}

func (s IdentitySettings) check() error {
	return cmp.Or(
		checkSettings("identity", s.Identity),
		checkSettings("dataRecovery", s.DataRecovery),
	)
}

func newIdentityTemplate(domain, name string, s IdentitySettings, stamp int64) IdentityTemplate {
	return IdentityTemplate{
		TemplateHead: TemplateHead{GUID: newGUID(), Domain: domain, Name: name},
		Identity:     newPolicy(s.Identity, stamp),
		OwnTrust:     newGUID(),
		DataRecovery: newPolicy(s.DataRecovery, stamp),
	}
}

func (t *IdentityTemplate) settings() IdentitySettings {
	return IdentitySettings{t.Identity.Settings, t.DataRecovery.Settings}
}

func (t *IdentityTemplate) take(s IdentitySettings, stamp int64) {
	t.Identity = t.Identity.with(s.Identity, stamp)
	t.DataRecovery = t.DataRecovery.with(s.DataRecovery, stamp)
}

// DeviceTemplate is a device policy template of a domain, with the managed
// objects of MS-GRVSPCM 3.2.5.1.3. Its GUID is a DPG GUID.
type DeviceTemplate struct {
	TemplateHead
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

// DefaultDeviceSettings are those of a new template.
func DefaultDeviceSettings() DeviceSettings {
	return DeviceSettings{
		policy.DefaultDevicePolicy(), policy.DefaultAccountServices(), policy.DefaultDataRecovery(),
		policy.DefaultPassphrase(), policy.DefaultComponentUpdate(),
	}
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

func newDeviceTemplate(domain, name string, s DeviceSettings, stamp int64) DeviceTemplate {
	return DeviceTemplate{
		TemplateHead:    TemplateHead{GUID: newGUID(), Domain: domain, Name: name},
		Device:          newPolicy(s.Device, stamp),
		AccountServices: newPolicy(s.AccountServices, stamp),
		DataRecovery:    newPolicy(s.DataRecovery, stamp),
		Passphrase:      newPolicy(s.Passphrase, stamp),
		ComponentUpdate: newPolicy(s.ComponentUpdate, stamp),
	}
}

func (t *DeviceTemplate) settings() DeviceSettings {
	return DeviceSettings{
		t.Device.Settings, t.AccountServices.Settings, t.DataRecovery.Settings, t.Passphrase.Settings,
		t.ComponentUpdate.Settings,
	}
}

func (t *DeviceTemplate) take(s DeviceSettings, stamp int64) {
	t.Device = t.Device.with(s.Device, stamp)
	t.AccountServices = t.AccountServices.with(s.AccountServices, stamp)
	t.DataRecovery = t.DataRecovery.with(s.DataRecovery, stamp)
	t.Passphrase = t.Passphrase.with(s.Passphrase, stamp)
	t.ComponentUpdate = t.ComponentUpdate.with(s.ComponentUpdate, stamp)
}

// objects are the GUIDs of the template's managed objects.
func (t *IdentityTemplate) objects() []string {
	return []string{t.Identity.GUID, t.OwnTrust, t.DataRecovery.GUID}
}

// objects are the GUIDs of the template's managed objects.
func (t *DeviceTemplate) objects() []string {
	return []string{
		t.Device.GUID, t.AccountServices.GUID, t.DataRecovery.GUID, t.Passphrase.GUID, t.ComponentUpdate.GUID,
	}
}

// declareTemplateIndexes adds the indexes by which a template is found from one of
// its objects.
func (t *Tables) declareTemplateIndexes() {
	t.identityTemplatesByObject = state.DefineUnique(t.identityTemplates, "object",
		func(r IdentityTemplate) []string { return r.objects() })
	t.deviceTemplatesByObject = state.DefineUnique(t.deviceTemplates, "object",
		func(r DeviceTemplate) []string { return r.objects() })
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
