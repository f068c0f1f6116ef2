package directory

import (
	"maps"
	"slices"

	"furrow/appliance/state"
	"furrow/gms/policy"
)

// identityPolicies begins the policy objects of a member: those of its identity
// policy template, and those by which it trusts other domains. What the member is
// given anew is issued then: clients replace an object by a later one
// (MS-GRVSPCM 3.3.5.3.3), and the template may be an old one.
func (d *Directory) identityPolicies(r state.Reader, by issuer, row memberRow) ([]draft, error) {
	given, err := d.templateOf(r, &by.row.Domain, &row.Member)
	if err != nil {
		return nil, err
	}
	t, err := d.identityTemplateAt(r, given.GUID)
	if err != nil {
		return nil, err
	}
	drafts := by.identityDrafts(&t, given.stamp)
	for trust := range d.t.trustsByDomain.Find(r, by.row.GUID) {
		if !trust.removed() {
			drafts = append(drafts, by.trustDraft(&trust))
		}
	}
	return drafts, nil
}

func (by issuer) identityDrafts(t *IdentityTemplate, given int64) []draft {
	return []draft{
		by.draft(t.Identity.GUID, max(given, t.Identity.Stamp), t.Identity.Settings).of(t.GUID),
		by.draft(t.OwnTrust, given, policy.DefaultDomainTrust(by.domain)).of(t.GUID),
		by.dataRecovery(t.DataRecovery, given).of(t.GUID),
	}
}

// devicePolicies begins the policy objects of a device. The device policy is the
// first.
func (d *Directory) devicePolicies(r state.Reader, by issuer, given Inherited) ([]draft, error) {
	t, err := d.deviceTemplateAt(r, given.GUID)
	if err != nil {
		return nil, err
	}
	return by.deviceDrafts(&t, given.stamp), nil
}

func (by issuer) deviceDrafts(t *DeviceTemplate, given int64) []draft {
	return []draft{
		by.draft(t.Device.GUID, max(given, t.Device.Stamp), t.Device.Settings).of(t.GUID),
		by.draft(t.AccountServices.GUID, max(given, t.AccountServices.Stamp), t.AccountServices.Settings).of(t.GUID),
		by.dataRecovery(t.DataRecovery, given).of(t.GUID),
		by.draft(t.Passphrase.GUID, max(given, t.Passphrase.Stamp), t.Passphrase.Settings).of(t.GUID),
		by.draft(t.ComponentUpdate.GUID, max(given, t.ComponentUpdate.Stamp), t.ComponentUpdate.Settings).of(t.GUID),
	}
}

func (by issuer) dataRecovery(p Policy[policy.DataRecovery], given int64) draft {
	body := p.Settings
	body.Certificate = by.row.RecoveryCertificate
	return by.draft(p.GUID, max(given, p.Stamp), body)
}

func (by issuer) trustDraft(trust *Trust) draft {
	return by.draft(trust.GUID, trust.Stamp, policy.DomainTrust{
		Name: trust.Name, Certificate: trust.Certificate, InOrganization: trust.InOrganization,
	})
}

// withdrawnFromMember begins the policy objects of the domain that a member's client
// holds beside those it should have: of a template that it had before, or of a trust
// that was removed. They are not active, so that the client gives them up
// (MS-GRVSPCM 3.3.5.3.3). The published text has a server say this of deleted members
// and devices only; but a trust that stays where it was installed is none that an
// administrator can remove.
func (d *Directory) withdrawnFromMember(r state.Reader, by issuer, due []draft, held map[string]int64) []draft {
	return withdrawn(due, held, func(guid string) []draft {
		if trust, ok := d.t.trusts.Get(r, guid); ok && trust.Domain == by.row.GUID {
			return []draft{by.trustDraft(&trust)}
		}
		if t, ok := d.t.identityTemplatesByObject.First(r, guid); ok && t.Domain == by.row.GUID {
			return by.identityDrafts(&t, 0)
		}
		return nil
	})
}

// withdrawnFromDevice is withdrawnFromMember for a device.
func (d *Directory) withdrawnFromDevice(r state.Reader, by issuer, due []draft, held map[string]int64) []draft {
	return withdrawn(due, held, func(guid string) []draft {
		if t, ok := d.t.deviceTemplatesByObject.First(r, guid); ok && t.Domain == by.row.GUID {
			return by.deviceDrafts(&t, 0)
		}
		return nil
	})
}

// withdrawn returns the drafts of what is held and not due, as far as find knows it
// or an object beside it, in order of their GUIDs.
func withdrawn(due []draft, held map[string]int64, find func(guid string) []draft) []draft {
	var gone []draft
	for _, guid := range slices.Sorted(maps.Keys(held)) {
		if slices.ContainsFunc(due, func(o draft) bool { return o.GUID == guid }) {
			continue
		}
		for _, o := range find(guid) {
			if o.GUID == guid {
				o.Active = false
				gone = append(gone, o)
			}
		}
	}
	return gone
}
