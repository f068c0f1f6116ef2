package policy

import "github.com/beevik/etree"

// DomainTrust makes a domain's members trust the contacts of one domain
// (MS-GRVSPCM 2.2.2.2.10.5). For several domains there are several objects
// (3.2.5.1.4).
type DomainTrust struct {
	Name           string `json:"name" help:"Name of the trusted domain. Clients do not show it."`
	Certificate    []byte `json:"certificate" help:"Certificate of the trusted domain, in DER."`
	InOrganization bool   `json:"inOrganization" help:"The trusted domain belongs to the same organization. Clients ignore it."`
}

// DefaultDomainTrust makes the members of a domain trust each other: each
// identity policy template has a domain trust policy (MS-GRVSPCM 3.2.5.1.3),
// and before any cross-certification there is no other domain to name.
func DefaultDomainTrust(d Domain) DomainTrust {
	return DomainTrust{Name: d.DisplayName, Certificate: d.Certificate, InOrganization: true}
}

// Type returns [TypeDomainTrust].
func (DomainTrust) Type() Type { return TypeDomainTrust }

// Validate returns nil or a *[FieldError].
func (p DomainTrust) Validate() error {
	var c checker
	c.text("name", p.Name, maxName)
	c.certificate("certificate", p.Certificate)
	return c.result()
}

func (p DomainTrust) encode(*Object) *etree.Element {
	policy := element("Policy")
	add(policy, "Item",
		binary("Certificate", p.Certificate),
		number("InOrganization", bit(p.InOrganization)),
		text("Name", p.Name))
	return policy
}

func (d *decoder) domainTrust(policy *etree.Element) DomainTrust {
	item := d.required(policy, "Item")
	return DomainTrust{
		Name:           d.text(item, "Name"),
		Certificate:    d.bytes(item, "Certificate"),
		InOrganization: d.number(item, "InOrganization") != 0,
	}
}
