package policy

import "github.com/beevik/etree"

// AccountServices says which accounts a device may hold (MS-GRVSPCM
// 2.2.2.2.10.1).
type AccountServices struct {
	NoNewAccount         bool `json:"noNewAccount" help:"The device cannot create another account."`
	NoImport             bool `json:"noImport" help:"The device cannot import an account from a file."`
	OnlyDomainIdentities bool `json:"onlyDomainIdentities" help:"The device can only use identities that this domain manages. Groove 2007 only."`
}

// DefaultAccountServices restricts nothing.
func DefaultAccountServices() AccountServices { return AccountServices{} }

// Type returns [TypeAccountServices].
func (AccountServices) Type() Type { return TypeAccountServices }

// Validate accepts all values.
func (AccountServices) Validate() error { return nil }

func (p *AccountServices) flags() []option {
	return []option{{0x01, &p.NoNewAccount}, {0x02, &p.NoImport}, {0x04, &p.OnlyDomainIdentities}}
}

func (p AccountServices) encode(*Object) *etree.Element {
	return element("Policy", number("Flags", joinFlags(p.flags())))
}

func (d *decoder) accountServices(policy *etree.Element) AccountServices {
	var p AccountServices
	d.flags(policy, p.flags())
	return p
}
