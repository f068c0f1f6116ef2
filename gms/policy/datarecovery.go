package policy

import "github.com/beevik/etree"

// Recovery says whether the domain can recover members' data.
type Recovery string

// The values of MS-GRVSPCM 2.2.2.2.10.3.
const (
	RecoveryFull Recovery = "Full"
	RecoveryNone Recovery = "None"
)

// DataRecovery says whether and how a forgotten passphrase can be replaced
// (MS-GRVSPCM 2.2.2.2.10.3). Identity and device templates both have one.
type DataRecovery struct {
	Recovery          Recovery `json:"recovery" help:"Full: the domain's recovery key can open members' accounts, so a forgotten passphrase can be replaced. None: it cannot, and the account is lost." choices:"Full,None"`
	AutomaticReset    bool     `json:"automaticReset" help:"Members can have a temporary passphrase mailed to them without an administrator."`
	ResetInstructions string   `json:"resetInstructions" help:"What a member who forgot the passphrase is shown. Empty: nothing." lines:"true"`

	// Certificate is the domain's data recovery certificate in DER. It is no
	// setting: who builds the object takes it from the domain. [Build] does
	// not go without it.
	Certificate []byte `json:"-"`
}

// DefaultDataRecovery lets an administrator replace a forgotten passphrase:
// in a small office that happens more often than anything it protects against.
func DefaultDataRecovery() DataRecovery {
	return DataRecovery{
		Recovery:          RecoveryFull,
		ResetInstructions: "Ask the person who looks after Groove in your office to approve a new passphrase.",
	}
}

// Type returns [TypeDataRecovery].
func (DataRecovery) Type() Type { return TypeDataRecovery }

// Validate returns nil or a *[FieldError]. The certificate may be missing.
func (p DataRecovery) Validate() error {
	var c checker
	oneOf(&c, "recovery", p.Recovery, RecoveryFull, RecoveryNone)
	c.lines("resetInstructions", p.ResetInstructions, maxText)
	return c.result()
}

func (p *DataRecovery) flags() []option { return []option{{0x01, &p.AutomaticReset}} }

func (p DataRecovery) encode(*Object) *etree.Element {
	policy := element("Policy",
		binary("Certificate", p.Certificate),
		number("Flags", joinFlags(p.flags())),
		text("RecoveryType", string(p.Recovery)))
	if p.ResetInstructions != "" {
		add(policy, "Reset", text("Text", p.ResetInstructions))
	}
	return policy
}

func (d *decoder) dataRecovery(policy *etree.Element) DataRecovery {
	p := DataRecovery{
		Recovery:    Recovery(d.text(policy, "RecoveryType")),
		Certificate: d.bytes(policy, "Certificate"),
	}
	d.flags(policy, p.flags())
	if e := d.child(policy, "Reset"); e != nil {
		p.ResetInstructions = d.text(e, "Text")
	}
	return p
}
