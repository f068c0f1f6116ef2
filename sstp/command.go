package sstp

import (
	"encoding/binary"
	"fmt"
	"math"

	"furrow/sstp/internal/field"
)

// CommandID is the first octet of a command and says which one it is.
type CommandID uint8

// The commands whose identifiers are published; the others are in profile.go.
const (
	IDConnect       CommandID = 0x01 // [MS-GRVSSTP] 2.2.1.1
	IDOpen          CommandID = 0x05 // [MS-GRVSSTP] 2.2.5.1
	IDFanoutOpen    CommandID = 0x06 // [MS-GRVSSTP] 2.2.6.1
	IDAttach        CommandID = 0x08 // [MS-GRVSSTP] 2.2.14.1
	IDMessage       CommandID = 0x0d // [MS-GRVSSTP] 2.2.10.1
	IDClose         CommandID = 0x11 // [MS-GRVSSTP] 2.2.9.1
	IDSessionStatus CommandID = 0x12 // [MS-GRVSSTP] 2.2.8.1
)

const (
	// headerSize is CommandId, 1 octet, and CommandLength, 2 octets, which
	// counts the whole command ([MS-GRVSSTP] 2.2.x.1).
	headerSize = 3

	// maxCommandSize bounds every command: what CommandLength can say.
	maxCommandSize = math.MaxUint16

	// maxPlainSize bounds Open, Message and ConnectAuthenticate, in octets
	// ([MS-GRVSSTP] 2.2.3, 2.2.5, 2.2.10).
	maxPlainSize = 2055

	// closeSize is the exact size of Close ([MS-GRVSSTP] 2.2.9).
	closeSize = 8
)

// Command is one SSTP command: a pointer to one of the structs of this package.
type Command interface {
	// ID returns the command's identifier.
	ID() CommandID

	// layout hands the fields after the header to c, in order.
	layout(c *field.Cursor, v Version)
}

// kind is what is known of a command before its fields are.
type kind struct {
	name        string
	empty       func() Command
	least, most int // CommandLength
}

// kinds is indexed by CommandID. It is never written to.
var kinds = [...]kind{
	IDConnect:             {"Connect", func() Command { return new(Connect) }, headerSize, maxCommandSize},
	IDConnectResponse:     {"ConnectResponse", func() Command { return new(ConnectResponse) }, headerSize, maxCommandSize},
	IDConnectAuthenticate: {"ConnectAuthenticate", func() Command { return new(ConnectAuthenticate) }, headerSize, maxPlainSize},
	IDConnectClose:        {"ConnectClose", func() Command { return new(ConnectClose) }, headerSize, maxCommandSize},
	IDOpen:                {"Open", func() Command { return new(Open) }, headerSize, maxPlainSize},
	IDFanoutOpen:          {"FanoutOpen", func() Command { return new(FanoutOpen) }, headerSize, maxCommandSize},
	IDOpenResponse:        {"OpenResponse", func() Command { return new(OpenResponse) }, headerSize, maxCommandSize},
	IDAttach:              {"Attach", func() Command { return new(Attach) }, headerSize, maxCommandSize},
	IDAttachResponse:      {"AttachResponse", func() Command { return new(AttachResponse) }, headerSize, maxCommandSize},
	IDAttachAuthenticate:  {"AttachAuthenticate", func() Command { return new(AttachAuthenticate) }, headerSize, maxCommandSize},
	IDRegister:            {"Register", func() Command { return new(Register) }, headerSize, maxCommandSize},
	IDRegisterResponse:    {"RegisterResponse", func() Command { return new(RegisterResponse) }, headerSize, maxCommandSize},
	IDMessage:             {"Message", func() Command { return new(Message) }, headerSize, maxPlainSize},
	IDData:                {"Data", func() Command { return new(Data) }, dataOverhead + 1, dataOverhead + MaxDataSize},
	IDEndMessage:          {"EndMessage", func() Command { return new(EndMessage) }, headerSize, maxCommandSize},
	IDNoop:                {"Noop", func() Command { return new(Noop) }, headerSize, maxCommandSize},
	IDClose:               {"Close", func() Command { return new(Close) }, closeSize, closeSize},
	IDSessionStatus:       {"SessionStatus", func() Command { return new(SessionStatus) }, headerSize, maxCommandSize},
}

// kind returns what is known of a command, and nil for an unknown identifier.
func (id CommandID) kind() *kind {
	if int(id) >= len(kinds) || kinds[id].empty == nil {
		return nil
	}
	return &kinds[id]
}

// String returns the name that [MS-GRVSSTP] gives the command.
func (id CommandID) String() string {
	if k := id.kind(); k != nil {
		return k.name
	}
	return fmt.Sprintf("Command(%#02x)", uint8(id))
}

// Append appends a command, as version v lays it out, to dst. It fails if a
// field cannot be written: a string that is not ASCII, a list or a command that
// is too long, something that version v has no place for. dst is then unchanged.
func Append(dst []byte, cmd Command, v Version) ([]byte, error) {
	var c field.Cursor
	return appendCommand(&c, dst, cmd, v)
}

func appendCommand(c *field.Cursor, dst []byte, cmd Command, v Version) ([]byte, error) {
	id, start := cmd.ID(), len(dst)
	c.Append(append(dst, byte(id), 0, 0))
	cmd.layout(c, v)
	out, err := c.Finish()
	if err != nil {
		return dst, fmt.Errorf("sstp: encoding %v: %w", id, err)
	}
	size := len(out) - start
	if most := id.kind().most; size > most {
		return dst, fmt.Errorf("sstp: encoding %v: %d octets, at most %d are allowed", id, size, most)
	}
	binary.LittleEndian.PutUint16(out[start+1:], uint16(size))
	return out, nil
}

// Decode reads the one command that octets hold, as version v lays it out. The
// byte slices of the command share their memory with octets. The error is a
// [*ParseError].
func Decode(octets []byte, v Version) (Command, error) {
	size, err := commandSize(octets)
	if err != nil {
		return nil, err
	}
	if size != len(octets) {
		return nil, newCommandError(octets, 1, errWrongLength)
	}
	cmd := CommandID(octets[0]).kind().empty()
	var c field.Cursor
	if err := decodeCommand(&c, cmd, octets, v); err != nil {
		return nil, err
	}
	return cmd, nil
}

// commandSize checks the header at the start of octets and returns the size of
// its command.
func commandSize(octets []byte) (int, error) {
	if len(octets) < headerSize {
		return 0, newCommandError(octets, 0, field.ErrTruncated)
	}
	k := CommandID(octets[0]).kind()
	if k == nil {
		return 0, newCommandError(octets, 0, errUnknownCommand)
	}
	size := int(binary.LittleEndian.Uint16(octets[1:]))
	if size < k.least || size > k.most {
		return 0, newCommandError(octets, 1, errWrongLength)
	}
	return size, nil
}

// decodeCommand fills cmd, which must be empty, from a whole command whose
// header has been checked.
func decodeCommand(c *field.Cursor, cmd Command, octets []byte, v Version) error {
	c.Read(octets)
	c.Reserved(headerSize)
	cmd.layout(c, v)
	if _, err := c.Finish(); err != nil {
		return newCommandError(octets, c.Offset(), err)
	}
	return nil
}
