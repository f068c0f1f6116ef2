package sstp

import "furrow/sstp/internal/field"

// Close ends a session, or an attach or register session; it is not answered
// ([MS-GRVSSTP] 2.2.9.1).
//
//	CommandId     1  0x11
//	CommandLength 2  8
//	SessionId     4
//	ReasonId      1
type Close struct {
	// SessionID may also be an EventId of Attach or Register ([MS-GRVSSTP] 3.1.5.9).
	SessionID uint32
	Reason    Reason
}

// ID returns IDClose.
func (*Close) ID() CommandID { return IDClose }

func (m *Close) layout(c *field.Cursor, _ Version) {
	c.Uint32(&m.SessionID)
	field.Octet(c, &m.Reason)
}
