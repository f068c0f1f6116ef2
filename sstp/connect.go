package sstp

import "furrow/sstp/internal/field"

// Connect is the first command on a transport, sent by the end that dialled
// ([MS-GRVSSTP] 2.2.1.1). Its layout is the same whatever the connection's
// version, which it is there to settle.
//
//	CommandId               1  0x01
//	CommandLength           2
//	MajorVersionNumber      1
//	MinorVersionNumber      1
//	Reserved                1  zero
//	TargetDeviceURL         string
//	NumSourceDeviceURLs     1
//	SourceDeviceURLs        that many strings
//	AuthenticationToken     length 2, octets
//	PeerProductVersion      string
//	PeerProductCapabilities string
type Connect struct {
	// Version is the highest version that the sender speaks.
	Version Version
	// TargetDeviceURL is the device URL that the sender expects of the receiver.
	TargetDeviceURL string
	// SourceDeviceURLs are the sender's own, at most 255.
	SourceDeviceURLs []string
	// AuthenticationToken is a SecConnect; empty between clients and between relays.
	AuthenticationToken []byte
	// PeerProductVersion is "vendor product version build" (note <1>).
	PeerProductVersion string
	// PeerProductCapabilities is empty in all products (note <2>).
	PeerProductCapabilities string
}

// ID returns IDConnect.
func (*Connect) ID() CommandID { return IDConnect }

func (m *Connect) layout(c *field.Cursor, _ Version) {
	m.Version.layout(c)
	c.Reserved(1)
	c.Text(&m.TargetDeviceURL)
	field.List8(c, &m.SourceDeviceURLs, field.SmallestText, c.Text)
	c.Blob(&m.AuthenticationToken)
	c.Text(&m.PeerProductVersion)
	c.Text(&m.PeerProductCapabilities)
}

// ConnectResponse answers Connect ([MS-GRVSSTP] 2.2.2). Its layout, and that of
// the next two, is in profile.go.
type ConnectResponse struct {
	// Version is the highest version that the sender speaks.
	Version Version
	// Response accepts or refuses the connection.
	Response ResponseID
	// RetryTime, in seconds, is a suggestion that goes with ResponseTryLater.
	RetryTime uint32
	// AuthenticationToken is the relay's answer to a SecConnect.
	AuthenticationToken []byte
	// PeerProductVersion and PeerProductCapabilities are as in Connect.
	PeerProductVersion      string
	PeerProductCapabilities string
}

// ID returns IDConnectResponse.
func (*ConnectResponse) ID() CommandID { return IDConnectResponse }

// ConnectAuthenticate is the client's answer to the challenge in a
// ConnectResponse ([MS-GRVSSTP] 2.2.3). It has no response; a wrong answer closes
// the connection.
type ConnectAuthenticate struct {
	AuthenticationToken []byte // a SecConnectAuthenticate
}

// ID returns IDConnectAuthenticate.
func (*ConnectAuthenticate) ID() CommandID { return IDConnectAuthenticate }

// ConnectClose ends a connection and all its sessions ([MS-GRVSSTP] 2.2.4,
// 3.1.5.4).
type ConnectClose struct {
	Reason Reason
	// MessageCount acknowledges that many message sequences, as in Message.
	MessageCount uint32
	// ReturnTime is the time in seconds that the receiver should wait before it
	// dials again; it means something with ReasonResting.
	ReturnTime uint32
}

// ID returns IDConnectClose.
func (*ConnectClose) ID() CommandID { return IDConnectClose }
