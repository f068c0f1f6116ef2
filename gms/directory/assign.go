package directory

import (
	"context"
	"fmt"

	"furrow/appliance/state"
)

// Target is whom a template or relay set is assigned to.
type Target struct {
	Level Level
	// GUID is that of the domain, group, member or device account.
	GUID string
	// Domain is the GUID of a device's domain; for others it is not needed.
	Domain string
}

// AssignTemplate gives a policy template to a domain as the default, to a group, to
// a member or to a device; an empty template lets all but the domain inherit again.
// Identity policy templates are for members. Device policy templates are for
// devices, which belong to the domain and to no group or member
// (MS-GRVSPCM 3.2.1).
func (d *Directory) AssignTemplate(ctx context.Context, to Target, template string) error {
	var err error
	switch to.Level {
	case DomainLevel:
		err = d.setDefaultTemplate(ctx, to.GUID, template)
	case GroupLevel:
		_, err = d.changeGroup(ctx, to.GUID, "assigning policy template to", func(g *Group) { g.IdentityTemplate = template })
	case MemberLevel:
		_, err = d.UpdateMember(ctx, to.GUID, func(m *MemberDetails) { m.IdentityTemplate = template })
	case DeviceLevel:
		err = d.setDeviceTemplate(ctx, to.Domain, to.GUID, template)
	default:
		err = &ValidationError{"level", fmt.Sprintf("%q is none that templates are assigned to", to.Level)}
	}
	if err != nil {
		return fmt.Errorf("assigning policy template: %w", err)
	}
	return nil
}

func (d *Directory) setDefaultTemplate(ctx context.Context, domain, template string) error {
	err := d.store.Update(ctx, func(tx *state.Tx) error {
		row, err := d.liveDomainAt(tx, domain)
		if err != nil {
			return err
		}
		held, stamp := &row.DeviceTemplate, &row.DeviceTemplateStamp
		if d.kindOf(tx, template) == IdentityKind {
			held, stamp = &row.IdentityTemplate, &row.IdentityTemplateStamp
			err = d.checkAssigned(tx, domain, template, "")
		} else {
			err = d.checkDeviceTemplate(tx, domain, template)
		}
		if err != nil || *held == template {
			return err
		}
		*held, *stamp = template, d.stamp(tx)
		return d.t.domains.Put(tx, row)
	})
	if err == nil {
		d.log.Info("default policy template assigned", "domain", domain, "template", template)
	}
	return err
}

// checkDeviceTemplate finds a device policy template in a domain.
func (d *Directory) checkDeviceTemplate(r state.Reader, domain, template string) error {
	t, err := d.deviceTemplateAt(r, template)
	if err == nil && (t.Domain != domain || t.deleted()) {
		err = fmt.Errorf("%w: %q", ErrTemplateNotFound, template)
	}
	return err
}

func (d *Directory) setDeviceTemplate(ctx context.Context, domain, guid, template string) error {
	err := d.store.Update(ctx, func(tx *state.Tx) error {
		row, err := d.liveDomainAt(tx, domain)
		if err != nil {
			return err
		}
		device, err := d.deviceAt(tx, domain, guid)
		if err != nil || device.Template == template {
			return err
		}
		if template != "" {
			if err := d.checkDeviceTemplate(tx, domain, template); err != nil {
				return err
			}
		}
		before := templateOfDevice(&row.Domain, &device)
		device.Template = template
		device.TemplateStamp = d.changed(tx, before, templateOfDevice(&row.Domain, &device))
		return d.t.devices.Put(tx, device)
	})
	if err == nil {
		d.log.Info("policy template assigned to device", "domain", domain, "device", guid, "template", template)
	}
	return err
}

// AssignRelaySet gives a relay set to a domain as the default, to a group or to a
// member; an empty set lets all but the domain inherit again. The identity objects of
// those for whom another set holds then are regenerated (MS-GRVSPCM 3.2.5.1.3).
func (d *Directory) AssignRelaySet(ctx context.Context, to Target, set string) error {
	var err error
	switch to.Level {
	case DomainLevel:
		_, err = d.SetDefaultRelaySet(ctx, to.GUID, set)
	case GroupLevel:
		_, err = d.changeGroup(ctx, to.GUID, "assigning relay set to", func(g *Group) { g.RelaySet = set })
	case MemberLevel:
		_, err = d.UpdateMember(ctx, to.GUID, func(m *MemberDetails) { m.RelaySet = set })
	default:
		err = &ValidationError{"level", fmt.Sprintf("%q is none that relay sets are assigned to", to.Level)}
	}
	if err != nil {
		return fmt.Errorf("assigning relay set: %w", err)
	}
	return nil
}

// MoveMember puts a member into a group, or into none if that is empty.
func (d *Directory) MoveMember(ctx context.Context, guid, group string) (Member, error) {
	return d.UpdateMember(ctx, guid, func(m *MemberDetails) { m.Group = group })
}
