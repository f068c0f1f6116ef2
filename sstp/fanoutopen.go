package sstp

import "furrow/sstp/internal/field"

// FanoutOpen opens a session to many addresses, from a device to a relay or from
// a relay to a relay ([MS-GRVSSTP] 2.2.6.1).
//
//	CommandId              1  0x06
//	CommandLength          2
//	SessionId              4
//	ResourceURL            string
//	flags                  1  the last cell is I, the others are zero
//	NumFanoutDeviceEntries 2
//	FanoutDeviceEntries    that many
//	Reserved               see profile.go
type FanoutOpen struct {
	SessionID uint32
	// ResourceURL names the handler, the same for all entries.
	ResourceURL string
	// IdentityTargeted is the I cell, as in Open (note <6>).
	IdentityTargeted bool
	// Entries are the addresses. Their order matters: SessionStatus refers to
	// them by index, from 0 ([MS-GRVSSTP] 3.1.1.3).
	Entries []FanoutDeviceEntry
}

// FanoutDeviceEntry is one address of a FanoutOpen. Its layout is in profile.go.
type FanoutDeviceEntry struct {
	// IdentityURL is the destination identity.
	IdentityURL string
	// DeviceURL is the destination device; empty for any device of the identity.
	DeviceURL string
	// RelayURL is the destination's relay; empty for the relay spoken to.
	RelayURL string
	// FailoverDeviceURLs is on the wire in version 1.6 only, where everyone
	// sends it empty; with 1.5 it must be empty ([MS-GRVSSTP] 3.1.4.3.3).
	FailoverDeviceURLs string
}

// ID returns IDFanoutOpen.
func (*FanoutOpen) ID() CommandID { return IDFanoutOpen }

func (m *FanoutOpen) layout(c *field.Cursor, v Version) {
	c.Uint32(&m.SessionID)
	c.Text(&m.ResourceURL)
	openFlags(c, &m.IdentityTargeted)
	field.List16(c, &m.Entries, smallestEntry, func(e *FanoutDeviceEntry) { e.layout(c, v) })
	c.Reserved(fanoutReserved)
}
