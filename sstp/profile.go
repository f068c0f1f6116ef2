package sstp

import (
	"errors"
	"fmt"

	"furrow/sstp/internal/field"
)

// Everything in this file is wire profile 1: choices this project makes where
// the text of [MS-GRVSSTP] could not be had. None of it is known to be what the
// original products do. A capture that shows otherwise is obeyed here, and
// nowhere else in the package.

// Wire profile 1: identifiers inferred from the gaps that the published ones
// leave. The set of numbers is well supported, their order is likely.
const (
	IDConnectResponse     CommandID = 0x02
	IDConnectAuthenticate CommandID = 0x03
	IDConnectClose        CommandID = 0x04
	IDOpenResponse        CommandID = 0x07
	IDAttachResponse      CommandID = 0x09
	IDAttachAuthenticate  CommandID = 0x0a
	IDRegister            CommandID = 0x0b
	IDRegisterResponse    CommandID = 0x0c
	IDData                CommandID = 0x0e
	IDEndMessage          CommandID = 0x0f
	IDNoop                CommandID = 0x10
)

// Wire profile 1: the leftmost cell of a flag octet is 0x80.
const (
	FlagFragmentation          MessageFlags = 0x40 // F: Fragmentation is present
	FlagTrack                  MessageFlags = 0x20 // G: report the message's status to the resource handler
	FlagStreamSize             MessageFlags = 0x10 // S: StreamSize is present
	FlagAcknowledgeImmediately MessageFlags = 0x04 // A: acknowledge as soon as processed
	FlagEphemeral              MessageFlags = 0x02 // E: Ephemeral is present
	FlagDoNotDeliverIfOffline  MessageFlags = 0x01 // D: a relay discards the message if the destination is offline

	flagIdentityTargeted = 0x01 // I of Open and FanoutOpen
)

// Wire profile 1: the number of ResponseTimeout, which ends a connection whose
// establishment or authentication takes too long (note <11>).
const ReasonResponseTimeout Reason = 0x0e

// Wire profile 1: sizes, in octets.
const (
	// fanoutReserved is the field after the entries of a FanoutOpen.
	fanoutReserved = 2
	// smallestEntry is the size of a FanoutDeviceEntry of three empty strings.
	smallestEntry = 3 * field.SmallestText
	// dataOverhead is the part of Data that is not payload: header, SessionId.
	dataOverhead = headerSize + 4
	// streamSizeSize is the size of the StreamSize fields. That it is 24 has
	// been read; what is in them has not.
	streamSizeSize = 24
	// indexSize is the size of one index of a SessionStatus.
	indexSize = 2
)

// Settle returns the version that a connection has whose ends announced v and
// peer: of the same major number, the lower minor. It reports false if there is
// none that this package speaks.
//
// Wire profile 1, after the example of [MS-GRVSSTP] 4.1.1.
func (v Version) Settle(peer Version) (Version, bool) {
	settled := min(v, peer)
	return settled, v.Major() == peer.Major() && (settled == Version15 || settled == Version16)
}

// refusal returns how an end that speaks v refuses a Connect of version peer,
// with which it has none in common ([MS-GRVSSTP] 3.1.5.1).
//
// Wire profile 1: a newer major version is always answered WontUpgrade. The text
// chooses between that and WillUpgrade by the minor version, in a way that could
// not be read. An older minor version is treated as an older major one.
func (v Version) refusal(peer Version) ResponseID {
	if peer.Major() > v.Major() {
		return ResponseWontUpgrade
	}
	return ResponseNewVersionRequired
}

// Wire profile 1: MajorVersion 1, MinorVersion 1, ResponseId 1, RetryTime 4,
// AuthenticationToken blob, PeerProductVersion string, PeerProductCapabilities
// string.
func (m *ConnectResponse) layout(c *field.Cursor, _ Version) {
	m.Version.layout(c)
	field.Octet(c, &m.Response)
	c.Uint32(&m.RetryTime)
	c.Blob(&m.AuthenticationToken)
	c.Text(&m.PeerProductVersion)
	c.Text(&m.PeerProductCapabilities)
}

// Wire profile 1: AuthenticationToken blob.
func (m *ConnectAuthenticate) layout(c *field.Cursor, _ Version) {
	c.Blob(&m.AuthenticationToken)
}

// Wire profile 1: ReasonId 1, MessageCount 4, ReturnTime 4.
func (m *ConnectClose) layout(c *field.Cursor, _ Version) {
	field.Octet(c, &m.Reason)
	c.Uint32(&m.MessageCount)
	c.Uint32(&m.ReturnTime)
}

// Wire profile 1: IdentityURL string, DeviceURL string, RelayURL string, and in
// version 1.6 FailoverDeviceURLs string.
func (e *FanoutDeviceEntry) layout(c *field.Cursor, v Version) {
	c.Text(&e.IdentityURL)
	c.Text(&e.DeviceURL)
	c.Text(&e.RelayURL)
	if v >= Version16 {
		c.Text(&e.FailoverDeviceURLs)
	} else if e.FailoverDeviceURLs != "" {
		c.Fail(errFailoverIn15)
	}
}

var errFailoverIn15 = errors.New("version 1.5 has no FailoverDeviceURLs")

// Wire profile 1: SessionId 4, ResponseId 1.
func (m *OpenResponse) layout(c *field.Cursor, _ Version) {
	c.Uint32(&m.SessionID)
	field.Octet(c, &m.Response)
}

// Wire profile 1: EventId 4, ResponseId 1, AuthenticationToken blob.
func (m *AttachResponse) layout(c *field.Cursor, _ Version) {
	c.Uint32(&m.EventID)
	field.Octet(c, &m.Response)
	c.Blob(&m.AuthenticationToken)
}

// Wire profile 1: EventId 4, AuthenticationToken blob.
func (m *AttachAuthenticate) layout(c *field.Cursor, _ Version) {
	c.Uint32(&m.EventID)
	c.Blob(&m.AuthenticationToken)
}

// Wire profile 1: the shape of Attach, EventId 4, ResourceURL string, AccountURL
// string, AuthenticationToken blob.
func (m *Register) layout(c *field.Cursor, _ Version) {
	c.Uint32(&m.EventID)
	c.Text(&m.ResourceURL)
	c.Text(&m.AccountURL)
	c.Blob(&m.AuthenticationToken)
}

// Wire profile 1: EventId 4, ResponseId 1, AuthenticationToken blob.
func (m *RegisterResponse) layout(c *field.Cursor, _ Version) {
	c.Uint32(&m.EventID)
	field.Octet(c, &m.Response)
	c.Blob(&m.AuthenticationToken)
}

// Wire profile 1: UserRef string, always there; then, each with its flag,
// Ephemeral 4, StreamSize 24, Fragmentation up to the end.
func (m *Message) groups(c *field.Cursor) {
	c.Text(&m.UserRef)
	if m.Flags&FlagEphemeral != 0 {
		c.Uint32(&m.Ephemeral)
	}
	if m.Flags&FlagStreamSize != 0 {
		c.Block(m.StreamSize[:])
	}
	if m.Flags&FlagFragmentation != 0 {
		c.Tail(&m.Fragmentation)
	}
}

// Wire profile 1: SessionId 4, then 1 to 2048 octets up to the end.
func (m *Data) layout(c *field.Cursor, _ Version) {
	c.Uint32(&m.SessionID)
	c.Tail(&m.Payload)
	if n := len(m.Payload); !c.Failed() && (n == 0 || n > MaxDataSize) {
		c.Fail(fmt.Errorf("payload of %d octets, want 1 to %d", n, MaxDataSize))
	}
}

// Wire profile 1: SessionId 4.
func (m *EndMessage) layout(c *field.Cursor, _ Version) {
	c.Uint32(&m.SessionID)
}

// Wire profile 1: MessageCount 4.
func (m *Noop) layout(c *field.Cursor, _ Version) {
	c.Uint32(&m.MessageCount)
}

// Wire profile 1: NumFanoutDeviceIndexes 2, then that many of 2.
func (m *SessionStatus) indexes(c *field.Cursor) {
	field.List16(c, &m.Indexes, indexSize, c.Uint16)
	if m.Indexes == nil {
		m.Indexes = []uint16{}
	}
}
