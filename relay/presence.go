package relay

import "furrow/sstp"

// Presence serves the sessions of WAN presence ([MS-GRVWDPP]), which are no
// store-and-forward: their messages are for the relay itself. Its methods must not
// wait for a peer.
type Presence interface {
	// Connected says that a device has authenticated on a connection. It is the
	// first call about that connection, which may be used to open sessions.
	Connected(deviceURL string, conn *sstp.Conn)

	// Open decides about a session that such a device wishes to open, as
	// [sstp.Handler] says.
	Open(session *sstp.InboundSession) (sstp.Receiver, sstp.OpenResponseID)

	// Expelled says that the device may not use the relay any more: its user was
	// locked out, removed or purged. The connection is closed at the same time.
	// It may come at any time after Connected.
	Expelled(conn *sstp.Conn)

	// Ended says that a connection has ended. It is the last of the connection's
	// own calls.
	Ended(conn *sstp.Conn)
}

// nobody is the Presence of a relay without.
type nobody struct{}

func (nobody) Connected(string, *sstp.Conn) {}
func (nobody) Expelled(*sstp.Conn)          {}
func (nobody) Ended(*sstp.Conn)             {}
func (nobody) Open(*sstp.InboundSession) (sstp.Receiver, sstp.OpenResponseID) {
	return nil, sstp.OpenUnknown
}

// openPresence hands a session over. Relays have no presence to publish. Who was
// locked out before the connection was among those that are rechecked is found out
// here.
func (c *connection) openPresence(session *sstp.InboundSession) (sstp.Receiver, sstp.OpenResponseID) {
	if c.isRelay() || !c.mayUse() {
		return nil, sstp.OpenUnknown
	}
	return c.server.config.Presence.Open(session)
}

// mayUse reports whether the device may use the relay.
func (c *connection) mayUse() bool {
	device, known := c.server.registry.LookupDevice(c.deviceURL)
	return known && !device.LockedOut
}
