package policy

import (
	"time"

	"github.com/beevik/etree"
)

const (
	maxPassphraseHistory = 1000
	maxPassphraseLength  = 1000

	// maxLockoutThreshold is given by MS-GRVSPCM 2.2.2.2.10.8.
	maxLockoutThreshold = 1000
)

// Passphrase holds the rules for the passphrases of accounts on managed
// devices (MS-GRVSPCM 2.2.2.2.10.8).
type Passphrase struct {
	NoMemorizing      bool          `json:"noMemorizing" help:"Groove cannot remember the passphrase for the member."`
	NoHints           bool          `json:"noHints" help:"Members cannot leave themselves a passphrase hint."`
	MaxAge            time.Duration `json:"maxAge" help:"Age at which a passphrase must be changed. 0: none." unit:"days"`
	History           int           `json:"history" help:"How many former passphrases cannot be used again. 0: none." unit:"passphrases" min:"0" max:"1000"`
	MinLength         int           `json:"minLength" help:"Least number of characters. 0: no rule." unit:"characters" min:"0" max:"1000"`
	NeedLetter        bool          `json:"needLetter" help:"At least one letter."`
	NeedDigit         bool          `json:"needDigit" help:"At least one digit."`
	NeedMixedCase     bool          `json:"needMixedCase" help:"Both upper and lower case letters."`
	NeedPunctuation   bool          `json:"needPunctuation" help:"At least one punctuation mark."`
	ResetInstructions string        `json:"resetInstructions" help:"What a member who forgot the passphrase is shown. Empty: nothing." lines:"true"`
	Lockout           *Lockout      `json:"lockout,omitempty" help:"Older form of the rule about wrong passphrases. Clients ignore it."`
	DelayLockout      *DelayLockout `json:"delayLockout,omitempty" help:"What happens after wrong passphrases. Left out: nothing."`
}

// Lockout is a rule that clients ignore.
type Lockout struct {
	Flags int `json:"flags" help:"Clients ignore it." min:"-2147483648" max:"2147483647"`
}

// DelayLockout slows down the guessing of passphrases.
type DelayLockout struct {
	Default   bool          `json:"default" help:"Clients use the lockout that is built in."`
	Duration  time.Duration `json:"duration" help:"How long an account stays locked." unit:"minutes"`
	Threshold int           `json:"threshold" help:"Number of wrong passphrases, 0 to 1000, after which the account is locked." unit:"passphrases" min:"0" max:"1000"`
	Vector    LockoutVector `json:"vector,omitempty" help:"Seconds to wait after the first, second, third wrong passphrase and so on, rising; the last holds for all further ones. -3: from here on the client shows a message about the delay. -1 at the end: lock the account." unit:"seconds"`
}

// DefaultPassphrase demands length rather than variety or regular change, and
// makes guessing slow without ever shutting a member out for good.
func DefaultPassphrase() Passphrase {
	return Passphrase{
		MinLength: 8,
		DelayLockout: &DelayLockout{
			Duration:  15 * time.Minute,
			Threshold: 20,
			Vector:    LockoutVector{1, 2, 4, LockoutMessage, 15, 60, 300},
		},
	}
}

// Type returns [TypePassphrase].
func (Passphrase) Type() Type { return TypePassphrase }

// Validate returns nil or a *[FieldError].
func (p Passphrase) Validate() error {
	var c checker
	c.period("maxAge", p.MaxAge, time.Millisecond, maxPeriod)
	c.between("history", p.History, 0, maxPassphraseHistory)
	c.between("minLength", p.MinLength, 0, maxPassphraseLength)
	c.lines("resetInstructions", p.ResetInstructions, maxText)
	if p.Lockout != nil {
		c.between("lockout.flags", p.Lockout.Flags, minInt, maxInt)
	}
	if l := p.DelayLockout; l != nil {
		c.period("delayLockout.duration", l.Duration, time.Second, secondsLimit)
		c.between("delayLockout.threshold", l.Threshold, 0, maxLockoutThreshold)
		if reason := l.Vector.fault(); reason != "" {
			c.fail("delayLockout.vector", "%s", reason)
		}
	}
	return c.result()
}

func (p *Passphrase) flags() []option {
	return []option{{0x01, &p.NoMemorizing}, {0x02, &p.NoHints}}
}

func (p *Passphrase) strengthFlags() []option {
	return []option{
		{0x01, &p.NeedLetter}, {0x02, &p.NeedDigit}, {0x04, &p.NeedMixedCase}, {0x08, &p.NeedPunctuation},
	}
}

func (p Passphrase) encode(*Object) *etree.Element {
	policy := element("Policy", number("Flags", joinFlags(p.flags())))
	if p.MaxAge != 0 {
		add(policy, "Age", millis("Max", p.MaxAge))
	}
	if p.History != 0 {
		add(policy, "History", number("Count", p.History))
	}
	if flags := joinFlags(p.strengthFlags()); flags != 0 || p.MinLength != 0 {
		add(policy, "Strength", number("Flags", flags), number("MinTotalChars", p.MinLength))
	}
	if p.Lockout != nil {
		add(policy, "Lockout", number("Flags", p.Lockout.Flags))
	}
	if p.ResetInstructions != "" {
		add(policy, "Reset", text("Text", p.ResetInstructions))
	}
	if p.DelayLockout != nil {
		policy.AddChild(p.DelayLockout.encode())
	}
	return policy
}

func (l *DelayLockout) encode() *etree.Element {
	e := element("DelayLockout",
		seconds("Duration", l.Duration),
		number("LockoutFlag", bit(l.Default)),
		number("Threshold", l.Threshold))
	if len(l.Vector) > 0 {
		set(e, text("Vector", l.Vector.String()))
	}
	return e
}

func (d *decoder) passphrase(policy *etree.Element) Passphrase {
	var p Passphrase
	d.flags(policy, p.flags())
	if e := d.child(policy, "Age"); e != nil {
		p.MaxAge = d.period(e, "Max")
	}
	if e := d.child(policy, "History"); e != nil {
		p.History = d.number(e, "Count")
	}
	if e := d.child(policy, "Strength"); e != nil {
		p.MinLength = d.number(e, "MinTotalChars")
		d.flags(e, p.strengthFlags())
	}
	if e := d.child(policy, "Lockout"); e != nil {
		p.Lockout = &Lockout{Flags: d.number(e, "Flags")}
	}
	if e := d.child(policy, "Reset"); e != nil {
		p.ResetInstructions = d.text(e, "Text")
	}
	// The schema and the table differ in one letter.
	if e := d.child(policy, "DelayLockout", "DelayLockOut"); e != nil {
		p.DelayLockout = d.delayLockout(e)
	}
	return p
}

func (d *decoder) delayLockout(e *etree.Element) *DelayLockout {
	l := &DelayLockout{
		Duration:  d.seconds(e, "Duration"),
		Threshold: d.number(e, "Threshold"),
	}
	d.split(e, d.number(e, "LockoutFlag"), []option{{0x01, &l.Default}})
	if s := d.text(e, "Vector"); s != "" {
		vector, err := ParseLockoutVector(s)
		d.check(err)
		l.Vector = vector
	}
	return l
}
