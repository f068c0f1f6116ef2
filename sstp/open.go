package sstp

import "furrow/sstp/internal/field"

// Open opens a session to one address ([MS-GRVSSTP] 2.2.5.1). The command is at
// most 2055 octets long.
//
//	CommandId     1  0x05
//	CommandLength 2
//	SessionId     4
//	ResourceURL   string
//	IdentityURL   string
//	DeviceURL     string
//	flags         1  the last cell is I, the others are zero
//	Reserved      2  zero
type Open struct {
	SessionID uint32
	// ResourceURL names the handler of every message of the session.
	ResourceURL string
	// IdentityURL is the destination identity; empty for WAN presence.
	IdentityURL string
	// DeviceURL is the destination device; empty for any device of the identity.
	DeviceURL string
	// IdentityTargeted is the I cell. Relays set it on the sessions they open
	// with an empty DeviceURL; receivers ignore it (note <5>).
	IdentityTargeted bool
}

// ID returns IDOpen.
func (*Open) ID() CommandID { return IDOpen }

func (m *Open) layout(c *field.Cursor, _ Version) {
	c.Uint32(&m.SessionID)
	c.Text(&m.ResourceURL)
	c.Text(&m.IdentityURL)
	c.Text(&m.DeviceURL)
	openFlags(c, &m.IdentityTargeted)
	c.Reserved(2)
}

// openFlags is the flag octet of Open and FanoutOpen.
func openFlags(c *field.Cursor, identityTargeted *bool) {
	var flags uint8
	if *identityTargeted {
		flags = flagIdentityTargeted
	}
	field.Octet(c, &flags)
	if c.Reading() {
		*identityTargeted = flags&flagIdentityTargeted != 0
	}
}

// OpenResponse accepts or refuses a session ([MS-GRVSSTP] 2.2.7, 3.1.5.5). Its
// layout is in profile.go.
type OpenResponse struct {
	SessionID uint32
	Response  OpenResponseID
}

// ID returns IDOpenResponse.
func (*OpenResponse) ID() CommandID { return IDOpenResponse }
