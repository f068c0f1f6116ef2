package relay

import "furrow/sstp"

// Presence serves the sessions of WAN presence ([MS-GRVWDPP]), which are no
// store-and-forward: their messages are for the relay itself.
type Presence interface {
	// Open decides about a session that an authenticated device wishes to open,
	// as [sstp.Handler] says. The connection may be used to open sessions in turn.
	Open(deviceURL string, session *sstp.InboundSession) (sstp.Receiver, sstp.OpenResponseID)
}

// openPresence hands a session over. Relays have no presence to publish.
func (c *connection) openPresence(session *sstp.InboundSession) (sstp.Receiver, sstp.OpenResponseID) {
	if c.server.config.Presence == nil || c.isRelay() {
		return nil, sstp.OpenUnknown
	}
	return c.server.config.Presence.Open(c.deviceURL, session)
}
