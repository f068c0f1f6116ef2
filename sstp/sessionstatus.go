package sstp

import (
	"errors"

	"furrow/sstp/internal/field"
)

// SessionStatus tells the originator of a fanout session that targets have
// dropped out ([MS-GRVSSTP] 2.2.8.1).
//
//	CommandId     1  0x12
//	CommandLength 2
//	SessionId     4
//	StatusId      1
//	Reserved      1  zero
//	DeviceURL     string
//	IdentityURL   string
//	the indexes of version 1.6: see profile.go
type SessionStatus struct {
	SessionID uint32
	Status    StatusID
	// DeviceURL is the device affected; for the first three states, the relay.
	DeviceURL string
	// IdentityURL is the identity affected.
	IdentityURL string
	// Indexes are indexes into the entries of the FanoutOpen, from 0. Nil is the
	// form for a single target, the only one of version 1.5; not nil is the form
	// for many, even when it is empty.
	Indexes []uint16
}

// ID returns IDSessionStatus.
func (*SessionStatus) ID() CommandID { return IDSessionStatus }

func (m *SessionStatus) layout(c *field.Cursor, v Version) {
	c.Uint32(&m.SessionID)
	field.Octet(c, &m.Status)
	c.Reserved(1)
	c.Text(&m.DeviceURL)
	c.Text(&m.IdentityURL)
	if m.Indexes == nil && c.Remaining() == 0 {
		return
	}
	if v >= Version16 {
		m.indexes(c)
	} else if !c.Reading() {
		c.Fail(errIndexesIn15)
	}
}

var errIndexesIn15 = errors.New("version 1.5 has no SessionStatus with indexes")
