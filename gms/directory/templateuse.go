package directory

import (
	"furrow/appliance/state"
	"furrow/gms/policy"
)

// TemplateHolders counts by the GUID of each policy template of a domain for how many
// it holds, by whatever way they come to it: an identity policy template for members,
// a device policy template for devices. Who was deleted or has moved away does not
// count. It fails with ErrDomainNotFound.
func (d *Directory) TemplateHolders(domain string) (map[string]int, error) {
	view := d.store.Snapshot()
	row, err := d.liveDomainAt(view, domain)
	if err != nil {
		return nil, err
	}
	holders, ofGroup := map[string]int{}, map[string]string{}
	for m, n := range d.census(view) {
		if m.domain != domain || m.status == Deleted || m.status == Migrated {
			continue
		}
		held := m.template
		if held == "" {
			inherited, known := ofGroup[m.group]
			if !known {
				from, err := d.groupsTemplate(view, &row.Domain, m.group)
				if err != nil {
					return nil, err
				}
				inherited = from.GUID
				ofGroup[m.group] = inherited
			}
			held = inherited
		}
		holders[held] += n
	}
	for device := range d.t.devices.Range(view, joinKey(domain, ""), domain+"\x01") {
		if device.Status != DeviceDeleted {
			holders[templateOfDevice(&row.Domain, &device).GUID]++
		}
	}
	return holders, nil
}

// PreviewTemplate returns what ChangeTemplate would change, and fails as that would.
func (d *Directory) PreviewTemplate(guid, name string, values []policy.Value) ([]policy.Change, error) {
	return d.templatesWith(guid).preview(d.store.Snapshot(), guid, name, values)
}

func (k *templateKind[R, S]) preview(
	r state.Reader, guid, name string, values []policy.Value,
) ([]policy.Change, error) {
	t, _, err := k.at(r, guid)
	if err != nil {
		return nil, err
	}
	_, changes, err := k.altered(r, &t, name, values)
	return changes, err
}
