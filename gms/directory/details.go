package directory

import (
	"cmp"
	"fmt"
	"strings"

	"furrow/appliance/state"
)

// MemberDetails is what an administrator says of a member (MS-GRVSPCM 3.2.1).
// FullName and Email are required.
type MemberDetails struct {
	FullName     string `json:"fullName"`
	Email        string `json:"email"`
	FirstName    string `json:"firstName,omitempty"`
	LastName     string `json:"lastName,omitempty"`
	Organization string `json:"organization,omitempty"`
	Title        string `json:"title,omitempty"`
	Street1      string `json:"street1,omitempty"`
	Street2      string `json:"street2,omitempty"`
	City         string `json:"city,omitempty"`
	State        string `json:"state,omitempty"`
	PostalCode   string `json:"postalCode,omitempty"`
	// Country is not in the model of 3.2.1 but in the vCard of 3.2.5.1.4.
	Country string `json:"country,omitempty"`
	Phone   string `json:"phone,omitempty"`
	Cell    string `json:"cell,omitempty"`
	Fax     string `json:"fax,omitempty"`
	// RemoteUser is the login name by which automatic activation knows the
	// member.
	RemoteUser string `json:"remoteUser,omitempty"`
	// Group is the GUID of the group that the member is in, empty for none.
	Group string `json:"group,omitempty"`
	// IdentityTemplate and RelaySet are the IPG and RSG GUIDs; empty to inherit
	// those of the group or domain.
	IdentityTemplate string `json:"identityTemplate,omitempty"`
	RelaySet         string `json:"relaySet,omitempty"`
}

// normalize removes the space around all values and checks them, up to the
// first that is refused.
func (m *MemberDetails) normalize() error {
	for _, f := range []struct {
		name  string
		value *string
	}{
		{"fullName", &m.FullName}, {"email", &m.Email},
		{"firstName", &m.FirstName}, {"lastName", &m.LastName},
		{"organization", &m.Organization}, {"title", &m.Title},
		{"street1", &m.Street1}, {"street2", &m.Street2},
		{"city", &m.City}, {"state", &m.State},
		{"postalCode", &m.PostalCode}, {"country", &m.Country},
		{"phone", &m.Phone}, {"cell", &m.Cell}, {"fax", &m.Fax},
		{"remoteUser", &m.RemoteUser}, {"group", &m.Group},
		{"identityTemplate", &m.IdentityTemplate}, {"relaySet", &m.RelaySet},
	} {
		*f.value = strings.TrimSpace(*f.value)
		if err := checkText(f.name, *f.value, maxText); err != nil {
			return err
		}
	}
	return cmp.Or(checkRequired("fullName", m.FullName, maxText), checkEmail("email", m.Email))
}

// checkReferences finds the group, template and relay set of the details in the
// member's domain.
func (d *Directory) checkReferences(tx *state.Tx, domain string, m MemberDetails) error {
	if m.Group != "" {
		if g, ok := d.t.groups.Get(tx, m.Group); !ok || g.Domain != domain {
			return fmt.Errorf("%w: %q", ErrGroupNotFound, m.Group)
		}
	}
	return d.checkAssigned(tx, domain, m.IdentityTemplate, m.RelaySet)
}

// checkAssigned finds an identity policy template and a relay set, unless they are
// inherited, in a domain.
func (d *Directory) checkAssigned(r state.Reader, domain, template, relaySet string) error {
	if template != "" {
		if t, ok := d.t.identityTemplates.Get(r, template); !ok || t.Domain != domain || t.deleted() {
			return fmt.Errorf("%w: %q", ErrTemplateNotFound, template)
		}
	}
	if relaySet != "" {
		if s, ok := d.t.relaySets.Get(r, relaySet); !ok || s.Domain != domain {
			return fmt.Errorf("%w: %q", ErrRelaySetNotFound, relaySet)
		}
	}
	return nil
}
