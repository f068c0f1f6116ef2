package directory

import (
	"fmt"

	"furrow/appliance/state"
	"furrow/gms/policy"
)

// identityDraft begins the identity object of a member. It shows the member,
// the domain and the member's relays (MS-GRVSPCM 3.2.5.1.4).
func (d *Directory) identityDraft(r state.Reader, by issuer, row memberRow) (draft, error) {
	set, err := d.relaySetOf(r, &by.row.Domain, &row.Member)
	if err != nil {
		return draft{}, err
	}
	relays, stamp, err := d.relaysOf(r, set.GUID)
	if err != nil {
		return draft{}, err
	}
	identity := policy.Identity{
		FullName:     row.FullName,
		Disabled:     row.Status != Pending && row.Status != Active,
		MigrateTo:    row.MigrationServer,
		VCard:        row.card().VCard(),
		Relays:       relays,
		PreAuthToken: row.PreAuthToken,
	}
	if row.enrolled() {
		identity.Enrollment = &policy.Enrollment{
			Affiliation: policy.Affiliation(by.row.Name, row.FullName),
			Expires:     by.row.Expires,
		}
	}
	o := by.draft(row.GUID, max(set.stamp, stamp), identity)
	o.Member = row.GUID
	o.Active = row.Status != Deleted
	return o, nil
}

// relaysOf returns the relays of a set in RSG sequence, and the newest stamp of
// the set and its relays.
func (d *Directory) relaysOf(r state.Reader, guid string) ([]policy.Relay, int64, error) {
	set, ok := d.t.relaySets.Get(r, guid)
	if !ok {
		return nil, 0, fmt.Errorf("%w: %q", ErrRelaySetNotFound, guid)
	}
	stamp := set.Stamp
	relays := make([]policy.Relay, 0, len(set.Relays))
	for _, guid := range set.Relays {
		relay, ok := d.t.relays.Get(r, guid)
		if !ok {
			return nil, 0, fmt.Errorf("%w: %q of set %s", ErrRelayNotFound, guid, set.GUID)
		}
		stamp = max(stamp, relay.Stamp)
		relays = append(relays, policy.Relay{URL: relay.DeviceURL, Certificate: relay.SSTPCertificate})
	}
	return relays, stamp, nil
}

func (m *MemberDetails) card() policy.Card {
	return policy.Card{
		FullName:     m.FullName,
		FirstName:    m.FirstName,
		LastName:     m.LastName,
		Email:        m.Email,
		Title:        m.Title,
		Organization: m.Organization,
		Street1:      m.Street1,
		Street2:      m.Street2,
		City:         m.City,
		State:        m.State,
		PostalCode:   m.PostalCode,
		Country:      m.Country,
		Phone:        m.Phone,
		Cell:         m.Cell,
		Fax:          m.Fax,
	}
}
