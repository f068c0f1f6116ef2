package directory

import (
	"context"
	"fmt"

	"furrow/appliance/state"
	"furrow/gms/policy"
)

// TemplateKind says what a policy template is for.
type TemplateKind string

// The kinds of policy templates (MS-GRVSPCM 3.2.1).
const (
	IdentityKind TemplateKind = "identity"
	DeviceKind   TemplateKind = "device"
)

// Sheet lists the settings of templates of a kind, which must be one of the two.
func (k TemplateKind) Sheet() *policy.Sheet {
	if k == DeviceKind {
		return policy.NewSheet(DefaultDeviceSettings())
	}
	return policy.NewSheet(DefaultIdentitySettings())
}

// Template is a policy template of either kind, its settings as text.
type Template struct {
	TemplateHead
	Kind TemplateKind
	// Default says that the domain gives it to all who inherit nothing else.
	Default bool
	Values  []policy.Value
}

// templates returns what can be done with templates of a kind.
func (d *Directory) templates(kind TemplateKind) templateActions {
	if kind == IdentityKind {
		return d.identityKind()
	}
	return d.deviceKind()
}

// kindOf is DeviceKind for what is not there, too.
func (d *Directory) kindOf(r state.Reader, guid string) TemplateKind {
	if _, ok := d.t.identityTemplates.Get(r, guid); ok {
		return IdentityKind
	}
	return DeviceKind
}

// templatesWith returns what can be done with the template with this GUID.
func (d *Directory) templatesWith(guid string) templateActions {
	return d.templates(d.kindOf(d.store.Snapshot(), guid))
}

// Templates returns the policy templates of a domain that are not deleted, those
// for identities first, in order of their names.
func (d *Directory) Templates(domain string) ([]Template, error) {
	r := d.store.Snapshot()
	row, err := d.liveDomainAt(r, domain)
	if err != nil {
		return nil, err
	}
	return append(d.identityKind().list(r, &row.Domain), d.deviceKind().list(r, &row.Domain)...), nil
}

// Template returns the policy template with this GUID, or ErrTemplateNotFound if
// there is none or it is deleted.
func (d *Directory) Template(guid string) (Template, error) {
	return d.templatesWith(guid).show(d.store.Snapshot(), guid)
}

// CreateTemplate adds a policy template with the default settings to a domain. It is
// nobody's until it is assigned. It fails with ErrDomainNotFound, ErrNameTaken or a
// ValidationError.
func (d *Directory) CreateTemplate(ctx context.Context, domain string, kind TemplateKind, name string) (Template, error) {
	if kind != IdentityKind && kind != DeviceKind {
		return Template{}, &ValidationError{"kind", fmt.Sprintf("is neither %s nor %s", IdentityKind, DeviceKind)}
	}
	guid, err := d.templates(kind).create(ctx, domain, name)
	if err != nil {
		return Template{}, err
	}
	return d.Template(guid)
}

// CopyTemplate adds a policy template with the settings of another one to its
// domain.
func (d *Directory) CopyTemplate(ctx context.Context, guid, name string) (Template, error) {
	from, err := d.Template(guid)
	if err != nil {
		return Template{}, fmt.Errorf("copying policy template: %w", err)
	}
	to, err := d.templates(from.Kind).duplicate(ctx, from, name)
	if err != nil {
		return Template{}, err
	}
	return d.Template(to)
}

// ChangeTemplate gives a policy template another name, unless that is empty, and
// changes settings, all or nothing. It returns what changed in the settings. Objects
// whose settings differ get a higher IssuedTime (MS-GRVSPCM 3.2.5.1.3); the name
// clients do not see. It fails with ErrTemplateNotFound, ErrNameTaken or a
// ValidationError that names the setting.
func (d *Directory) ChangeTemplate(
	ctx context.Context, guid, name string, values []policy.Value,
) ([]policy.Change, error) {
	return d.templatesWith(guid).edit(ctx, guid, name, values)
}

// DiffTemplate returns the settings in which a template differs from another one of
// its kind, or from the default settings if that is empty.
func (d *Directory) DiffTemplate(from, guid string) ([]policy.Change, error) {
	return d.templatesWith(guid).diff(d.store.Snapshot(), from, guid)
}

// TemplateName returns the name of the policy template with this GUID, "" if there
// is none.
func (d *Directory) TemplateName(guid string) string {
	r := d.store.Snapshot()
	if t, ok := d.t.identityTemplates.Get(r, guid); ok {
		return t.Name
	}
	t, _ := d.t.deviceTemplates.Get(r, guid)
	return t.Name
}

// DeleteTemplate removes a policy template. One that is assigned to its domain, a
// group, a member or a device is refused with ErrTemplateAssigned; deleted members
// and devices do not count. Clients that have it still are told to give it up.
func (d *Directory) DeleteTemplate(ctx context.Context, guid string) error {
	return d.templatesWith(guid).remove(ctx, guid)
}
