package directory

import (
	"fmt"

	"furrow/appliance/state"
)

// Level is where an assignment is made.
type Level string

// The levels of assignments. A member inherits from its group, a group from the
// group above it, the groups at the top and devices from the domain.
const (
	DomainLevel Level = "domain"
	GroupLevel  Level = "group"
	MemberLevel Level = "member"
	DeviceLevel Level = "device"
)

// Inherited is the template or relay set that holds for someone, and where it
// comes from.
type Inherited struct {
	GUID string
	From Level
	// Source is the GUID of the domain, group, member or device that it is
	// assigned to.
	Source string

	// stamp is the newest of those of the references that lead there. It rises
	// whenever the GUID changes, and never falls. It may also rise for who comes to
	// the same GUID by another way.
	stamp int64
}

// reference is an assignment at one level, empty to inherit, with the stamp of the
// last change of what holds there.
type reference struct {
	guid  string
	stamp int64
}

// changed returns the stamp of a reference through which now holds what before
// held: a higher one than all before it if it is another thing, one that keeps the
// stamps from falling else.
func (d *Directory) changed(tx *state.Tx, before, now Inherited) int64 {
	if before.GUID != now.GUID {
		return d.stamp(tx)
	}
	return max(before.stamp, now.stamp)
}

// inherit follows the groups from the one given, "" for none, up to the domain, to
// the first assignment. own picks a group's.
func (d *Directory) inherit(
	r state.Reader, domain *Domain, group string, own func(*Group) reference, fallback reference,
) (Inherited, error) {
	var stamp int64
	for depth := 0; group != ""; depth++ {
		g, ok := d.t.groups.Get(r, group)
		if !ok || depth > maxGroupDepth {
			return Inherited{}, fmt.Errorf("%w: %q", ErrGroupNotFound, group)
		}
		at := own(&g)
		stamp = max(stamp, at.stamp)
		if at.guid != "" {
			return Inherited{at.guid, GroupLevel, g.GUID, stamp}, nil
		}
		group = g.Parent
	}
	return Inherited{fallback.guid, DomainLevel, domain.GUID, max(stamp, fallback.stamp)}, nil
}

func groupRelaySet(g *Group) reference { return reference{g.RelaySet, g.RelaySetStamp} }

func groupTemplate(g *Group) reference { return reference{g.IdentityTemplate, g.IdentityTemplateStamp} }

// groupsRelaySet is the relay set of a group's members.
func (d *Directory) groupsRelaySet(r state.Reader, domain *Domain, group string) (Inherited, error) {
	return d.inherit(r, domain, group, groupRelaySet, reference{domain.RelaySet, domain.RelaySetStamp})
}

// groupsTemplate is the identity policy template of a group's members.
func (d *Directory) groupsTemplate(r state.Reader, domain *Domain, group string) (Inherited, error) {
	return d.inherit(r, domain, group, groupTemplate, reference{domain.IdentityTemplate, domain.IdentityTemplateStamp})
}

// relaySetOf returns the relay set of a member.
func (d *Directory) relaySetOf(r state.Reader, domain *Domain, m *Member) (Inherited, error) {
	if m.RelaySet != "" {
		return Inherited{m.RelaySet, MemberLevel, m.GUID, m.Stamp}, nil
	}
	set, err := d.groupsRelaySet(r, domain, m.Group)
	set.stamp = max(set.stamp, m.Stamp)
	return set, err
}

// templateOf returns the identity policy template of a member.
func (d *Directory) templateOf(r state.Reader, domain *Domain, m *Member) (Inherited, error) {
	if m.IdentityTemplate != "" {
		return Inherited{m.IdentityTemplate, MemberLevel, m.GUID, m.IdentityTemplateStamp}, nil
	}
	template, err := d.groupsTemplate(r, domain, m.Group)
	template.stamp = max(template.stamp, m.IdentityTemplateStamp)
	return template, err
}

// membersTemplate returns the identity policy template itself.
func (d *Directory) membersTemplate(r state.Reader, domain *Domain, m *Member) (IdentityTemplate, error) {
	given, err := d.templateOf(r, domain, m)
	if err != nil {
		return IdentityTemplate{}, err
	}
	return d.identityTemplateAt(r, given.GUID)
}

// templateOfDevice returns the device policy template of a device.
func templateOfDevice(domain *Domain, device *DeviceAccount) Inherited {
	if device.Template != "" {
		return Inherited{device.Template, DeviceLevel, device.GUID, device.TemplateStamp}
	}
	return Inherited{
		domain.DeviceTemplate, DomainLevel, domain.GUID, max(device.TemplateStamp, domain.DeviceTemplateStamp),
	}
}

// MemberInheritance returns the identity policy template and the relay set that
// hold for a member.
func (d *Directory) MemberInheritance(guid string) (template, relaySet Inherited, err error) {
	view := d.store.Snapshot()
	m, err := d.memberAt(view, guid)
	if err != nil {
		return Inherited{}, Inherited{}, err
	}
	domain, err := d.domainAt(view, m.Domain)
	if err != nil {
		return Inherited{}, Inherited{}, err
	}
	if template, err = d.templateOf(view, &domain.Domain, &m.Member); err != nil {
		return Inherited{}, Inherited{}, err
	}
	relaySet, err = d.relaySetOf(view, &domain.Domain, &m.Member)
	return template, relaySet, err
}

// GroupInheritance returns the identity policy template and the relay set that
// hold for the members of a group that have none of their own.
func (d *Directory) GroupInheritance(guid string) (template, relaySet Inherited, err error) {
	view := d.store.Snapshot()
	g, err := d.groupAt(view, guid)
	if err != nil {
		return Inherited{}, Inherited{}, err
	}
	domain, err := d.domainAt(view, g.Domain)
	if err != nil {
		return Inherited{}, Inherited{}, err
	}
	if template, err = d.groupsTemplate(view, &domain.Domain, guid); err != nil {
		return Inherited{}, Inherited{}, err
	}
	relaySet, err = d.groupsRelaySet(view, &domain.Domain, guid)
	return template, relaySet, err
}

// DeviceInheritance returns the device policy template that holds for a device.
func (d *Directory) DeviceInheritance(domain, guid string) (Inherited, error) {
	view := d.store.Snapshot()
	device, err := d.deviceAt(view, domain, guid)
	if err != nil {
		return Inherited{}, err
	}
	row, err := d.domainAt(view, domain)
	return templateOfDevice(&row.Domain, &device), err
}
