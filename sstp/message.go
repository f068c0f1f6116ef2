package sstp

import (
	"errors"
	"strings"

	"furrow/sstp/internal/field"
)

// Message begins a message sequence: one Message, one or more Data, one
// EndMessage on the same session ([MS-GRVSSTP] 2.2.10.1). The command is at most
// 2055 octets long.
//
//	CommandId     1  0x0d
//	CommandLength 2
//	SessionId     4
//	MessageCount  4
//	flags         1
//	UserRef and the optional field groups: see profile.go
type Message struct {
	SessionID uint32
	// MessageCount acknowledges that many of the oldest message sequences which
	// the sender of this command has received on the connection, whatever their
	// sessions ([MS-GRVSSTP] 3.1.5.19).
	MessageCount uint32
	Flags        MessageFlags
	// UserRef is opaque here.
	UserRef string
	// Ephemeral is a lifetime in seconds; zero unless FlagEphemeral is set.
	Ephemeral uint32
	// StreamSize is opaque; zero unless FlagStreamSize is set.
	StreamSize [streamSizeSize]byte
	// Fragmentation is opaque; empty unless FlagFragmentation is set.
	Fragmentation []byte
}

// ID returns IDMessage.
func (*Message) ID() CommandID { return IDMessage }

func (m *Message) layout(c *field.Cursor, _ Version) {
	c.Uint32(&m.SessionID)
	c.Uint32(&m.MessageCount)
	if !c.Reading() && !m.groupsMatchFlags() {
		c.Fail(errGroupWithoutFlag)
	}
	flags := m.Flags & definedFlags
	field.Octet(c, &flags)
	if c.Reading() {
		m.Flags = flags & definedFlags
	}
	m.groups(c)
}

var errGroupWithoutFlag = errors.New("a field group is set and its flag is not")

// groupsMatchFlags reports whether nothing is set that would not be sent.
func (m *Message) groupsMatchFlags() bool {
	return (m.Ephemeral == 0 || m.Flags&FlagEphemeral != 0) &&
		(m.StreamSize == [streamSizeSize]byte{} || m.Flags&FlagStreamSize != 0) &&
		(len(m.Fragmentation) == 0 || m.Flags&FlagFragmentation != 0)
}

// MessageFlags are the flag cells of a Message. Their masks are in profile.go.
type MessageFlags uint8

// definedFlags leaves out the reserved cells r1 and r2.
const definedFlags = FlagFragmentation | FlagTrack | FlagStreamSize |
	FlagAcknowledgeImmediately | FlagEphemeral | FlagDoNotDeliverIfOffline

// String returns the letters that [MS-GRVSSTP] 2.2.10.1 draws in the cells that
// are set, such as "SA", or "-" for none.
func (f MessageFlags) String() string {
	var b strings.Builder
	for _, cell := range [...]struct {
		flag   MessageFlags
		letter byte
	}{
		{FlagFragmentation, 'F'},
		{FlagTrack, 'G'},
		{FlagStreamSize, 'S'},
		{FlagAcknowledgeImmediately, 'A'},
		{FlagEphemeral, 'E'},
		{FlagDoNotDeliverIfOffline, 'D'},
	} {
		if f&cell.flag != 0 {
			b.WriteByte(cell.letter)
		}
	}
	if b.Len() == 0 {
		return "-"
	}
	return b.String()
}

// EndMessage ends a message sequence ([MS-GRVSSTP] 2.2.12). Its layout is in
// profile.go.
type EndMessage struct {
	SessionID uint32
}

// ID returns IDEndMessage.
func (*EndMessage) ID() CommandID { return IDEndMessage }
