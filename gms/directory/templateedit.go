package directory

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"furrow/appliance/state"
	"furrow/gms/policy"
)

// UpdateIdentityTemplate replaces the settings of a template; the objects
// whose settings differ get a higher IssuedTime (MS-GRVSPCM 3.2.5.1.3).
func (d *Directory) UpdateIdentityTemplate(ctx context.Context, guid string, s IdentitySettings) (IdentityTemplate, error) {
	return d.identityKind().update(ctx, guid, s)
}

// UpdateDeviceTemplate replaces the settings of a template; the objects whose
// settings differ get a higher IssuedTime (MS-GRVSPCM 3.2.5.1.3).
func (d *Directory) UpdateDeviceTemplate(ctx context.Context, guid string, s DeviceSettings) (DeviceTemplate, error) {
	return d.deviceKind().update(ctx, guid, s)
}

// templateActions is what can be done with templates, whatever their kind.
type templateActions interface {
	list(r state.Reader, domain *Domain) []Template
	show(r state.Reader, guid string) (Template, error)
	create(ctx context.Context, domain, name string) (guid string, err error)
	duplicate(ctx context.Context, from Template, name string) (guid string, err error)
	edit(ctx context.Context, guid, name string, values []policy.Value) ([]policy.Change, error)
	preview(r state.Reader, guid, name string, values []policy.Value) ([]policy.Change, error)
	diff(r state.Reader, from, to string) ([]policy.Change, error)
	remove(ctx context.Context, guid string) error
}

// templateKind is what the two kinds of templates, rows R with settings S, differ
// in.
type templateKind[R, S any] struct {
	*Directory
	name     TemplateKind
	table    *state.Table[R]
	sheet    *policy.Sheet
	defaults func() S
	head     func(*R) *TemplateHead
	make     func(domain, name string, s S, stamp int64) R
	settings func(*R) S
	take     func(*R, S, int64)
	check    func(S) error
	// assigned reports whether someone has a template, and the GUID of the
	// domain's default.
	assigned func(r state.Reader, guid string) bool
	standard func(*Domain) string
}

func (d *Directory) identityKind() *templateKind[IdentityTemplate, IdentitySettings] {
	return &templateKind[IdentityTemplate, IdentitySettings]{
		Directory: d, name: IdentityKind, table: d.t.identityTemplates, sheet: IdentityKind.Sheet(), defaults: DefaultIdentitySettings,
		head:     func(t *IdentityTemplate) *TemplateHead { return &t.TemplateHead },
		make:     newIdentityTemplate,
		settings: (*IdentityTemplate).settings,
		take:     (*IdentityTemplate).take,
		check:    IdentitySettings.check,
		assigned: d.identityTemplateAssigned,
		standard: func(domain *Domain) string { return domain.IdentityTemplate },
	}
}

func (d *Directory) deviceKind() *templateKind[DeviceTemplate, DeviceSettings] {
	return &templateKind[DeviceTemplate, DeviceSettings]{
		Directory: d, name: DeviceKind, table: d.t.deviceTemplates, sheet: DeviceKind.Sheet(), defaults: DefaultDeviceSettings,
		head:     func(t *DeviceTemplate) *TemplateHead { return &t.TemplateHead },
		make:     newDeviceTemplate,
		settings: (*DeviceTemplate).settings,
		take:     (*DeviceTemplate).take,
		check:    DeviceSettings.check,
		assigned: d.deviceTemplateAssigned,
		standard: func(domain *Domain) string { return domain.DeviceTemplate },
	}
}

func (d *Directory) identityTemplateAssigned(r state.Reader, guid string) bool {
	for g := range d.t.groups.All(r) {
		if g.IdentityTemplate == guid {
			return true
		}
	}
	for m := range d.t.members.All(r) {
		if m.IdentityTemplate == guid {
			return true
		}
	}
	return false
}

func (d *Directory) deviceTemplateAssigned(r state.Reader, guid string) bool {
	for device := range d.t.devices.All(r) {
		if device.Template == guid && device.Status != DeviceDeleted {
			return true
		}
	}
	return false
}

// at returns a template that is not deleted, in a domain that is not.
func (k *templateKind[R, S]) at(r state.Reader, guid string) (t R, domain domainRow, err error) {
	t, ok := k.table.Get(r, guid)
	if !ok || k.head(&t).deleted() {
		return t, domainRow{}, fmt.Errorf("%w: %q", ErrTemplateNotFound, guid)
	}
	domain, err = k.liveDomainAt(r, k.head(&t).Domain)
	return t, domain, err
}

func (k *templateKind[R, S]) view(t *R, domain *Domain) Template {
	h := k.head(t)
	return Template{*h, k.name, k.standard(domain) == h.GUID, k.sheet.Values(k.settings(t))}
}

func (k *templateKind[R, S]) show(r state.Reader, guid string) (Template, error) {
	t, domain, err := k.at(r, guid)
	if err != nil {
		return Template{}, err
	}
	return k.view(&t, &domain.Domain), nil
}

func (k *templateKind[R, S]) list(r state.Reader, domain *Domain) []Template {
	var all []Template
	for t := range k.table.All(r) {
		if h := k.head(&t); h.Domain == domain.GUID && !h.deleted() {
			all = append(all, k.view(&t, domain))
		}
	}
	slices.SortFunc(all, func(a, b Template) int { return cmp.Compare(foldName(a.Name), foldName(b.Name)) })
	return all
}

// checkName refuses the name of another template of the kind in the domain.
func (k *templateKind[R, S]) checkName(r state.Reader, h *TemplateHead) error {
	if err := checkRequired("name", h.Name, maxDomainName); err != nil {
		return err
	}
	for other := range k.table.All(r) {
		o := k.head(&other)
		if o.Domain == h.Domain && o.GUID != h.GUID && !o.deleted() && foldName(o.Name) == foldName(h.Name) {
			return ErrNameTaken
		}
	}
	return nil
}

func (k *templateKind[R, S]) create(ctx context.Context, domain, name string) (string, error) {
	return k.add(ctx, domain, name, func(state.Reader) (S, error) { return k.defaults(), nil })
}

func (k *templateKind[R, S]) duplicate(ctx context.Context, from Template, name string) (string, error) {
	return k.add(ctx, from.Domain, name, func(r state.Reader) (S, error) {
		t, _, err := k.at(r, from.GUID)
		return k.settings(&t), err
	})
}

// add makes a template with the settings that begin returns.
func (k *templateKind[R, S]) add(
	ctx context.Context, domain, name string, begin func(state.Reader) (S, error),
) (guid string, err error) {
	err = k.store.Update(ctx, func(tx *state.Tx) error {
		if _, err := k.liveDomainAt(tx, domain); err != nil {
			return err
		}
		settings, err := begin(tx)
		if err != nil {
			return err
		}
		t := k.make(domain, name, settings, k.stamp(tx))
		guid = k.head(&t).GUID
		if err := k.checkName(tx, k.head(&t)); err != nil {
			return err
		}
		return k.table.Put(tx, t)
	})
	if err != nil {
		return "", fmt.Errorf("creating %s policy template %q: %w", k.name, name, err)
	}
	k.log.Info("policy template created", "kind", string(k.name), "domain", domain, "template", guid, "name", name)
	return guid, nil
}

// change applies edit to a template in one transaction.
func (k *templateKind[R, S]) change(ctx context.Context, guid, action string, edit func(*state.Tx, *R) error) (R, error) {
	var t R
	err := k.store.Update(ctx, func(tx *state.Tx) (err error) {
		if t, _, err = k.at(tx, guid); err != nil {
			return err
		}
		if err := edit(tx, &t); err != nil {
			return err
		}
		return k.table.Put(tx, t)
	})
	if err != nil {
		var none R
		return none, fmt.Errorf("%s %s policy template %s: %w", action, k.name, guid, err)
	}
	k.log.Info("policy template changed", "action", action, "kind", string(k.name), "domain", k.head(&t).Domain, "template", guid)
	return t, nil
}

func (k *templateKind[R, S]) update(ctx context.Context, guid string, s S) (R, error) {
	return k.change(ctx, guid, "updating", func(tx *state.Tx, t *R) error {
		if err := k.check(s); err != nil {
			return err
		}
		k.take(t, s, k.stamp(tx))
		return nil
	})
}

// diff compares with the default settings if from is empty.
func (k *templateKind[R, S]) diff(r state.Reader, from, to string) ([]policy.Change, error) {
	t, _, err := k.at(r, to)
	if err != nil {
		return nil, err
	}
	before := k.defaults()
	if from != "" {
		other, _, err := k.at(r, from)
		if err != nil {
			return nil, fmt.Errorf("comparing %s policy templates: %w", k.name, err)
		}
		before = k.settings(&other)
	}
	return k.sheet.Diff(before, k.settings(&t)), nil
}

func (k *templateKind[R, S]) edit(
	ctx context.Context, guid, name string, values []policy.Value,
) (changes []policy.Change, err error) {
	_, err = k.change(ctx, guid, "changing", func(tx *state.Tx, t *R) (err error) {
		var after S
		if after, changes, err = k.altered(tx, t, name, values); err == nil {
			k.take(t, after, k.stamp(tx))
		}
		return err
	})
	return changes, err
}

// altered gives a template another name, unless that is empty, and returns its settings
// with other values, checked, and how they differ.
func (k *templateKind[R, S]) altered(
	r state.Reader, t *R, name string, values []policy.Value,
) (after S, changes []policy.Change, err error) {
	if name != "" {
		k.head(t).Name = name
		if err := k.checkName(r, k.head(t)); err != nil {
			return after, nil, err
		}
	}
	before := k.settings(t)
	if after, err = k.edited(before, values); err != nil {
		return after, nil, err
	}
	if err := k.check(after); err != nil {
		return after, nil, err
	}
	return after, k.sheet.Diff(before, after), nil
}

// edited returns settings with other values. The settings it is given share their
// parts with the store and stay as they are.
func (k *templateKind[R, S]) edited(settings S, values []policy.Value) (after S, err error) {
	data, err := json.Marshal(settings)
	if err == nil {
		err = json.Unmarshal(data, &after)
	}
	if err != nil {
		return after, err
	}
	for _, v := range values {
		err := k.sheet.Set(&after, v.Key, v.Value)
		var refused *policy.FieldError
		if errors.As(err, &refused) {
			return after, &ValidationError{refused.Field, refused.Reason}
		}
		if err != nil {
			return after, err
		}
	}
	return after, nil
}

// remove deletes a template that nobody has.
func (k *templateKind[R, S]) remove(ctx context.Context, guid string) error {
	_, err := k.change(ctx, guid, "deleting", func(tx *state.Tx, t *R) error {
		h := k.head(t)
		domain, err := k.domainAt(tx, h.Domain)
		if err != nil {
			return err
		}
		if k.standard(&domain.Domain) == guid || k.assigned(tx, guid) {
			return ErrTemplateAssigned
		}
		h.Deleted = k.now().UTC()
		return nil
	})
	return err
}
