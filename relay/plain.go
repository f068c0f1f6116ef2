package relay

import (
	"furrow/relay/queue"
	"furrow/sstp"
)

// plain is an inbound session to one address. It is the [sstp.Receiver] of that
// session.
type plain struct {
	intake
	connection *connection
	session    *sstp.InboundSession
	to         target
}

// Open implements [sstp.Handler] ([MS-GRVSSTP] 3.1.5.5): the resource handler of a
// relay is the recipient's queue. The commands of a device and of another relay
// differ in nothing here, for the address says nothing of a relay.
func (c *connection) Open(session *sstp.InboundSession, m *sstp.Open) (sstp.Receiver, sstp.OpenResponseID) {
	if sstp.IsWANDPP(m.ResourceURL) {
		return c.openPresence(session)
	}
	a := queue.Address{Resource: m.ResourceURL, Identity: m.IdentityURL, Device: m.DeviceURL}
	switch v, err := c.server.queues.Standing(a); {
	case err != nil:
		c.server.log.Error("relay: opening a session", "err", err)
		return nil, sstp.OpenUnknown
	case v == queue.Unknown || v == queue.LockedOut:
		c.server.log.Info("relay: session refused", "identity", m.IdentityURL, "device", m.DeviceURL, "why", v.String())
		return nil, sstp.OpenUnknown
	}
	p := &plain{connection: c, session: session, to: target{Recipient: queue.Recipient{Address: a}}}
	p.intake = intake{server: c.server, resource: m.ResourceURL, settle: p.settle, targets: p.targets}
	c.enter(p)
	return p, sstp.OpenOk
}

func (p *plain) targets() []target { return []target{p.to} }

// settle closes the session if its target may not have a message. Those that
// follow on their way are refused with it.
func (p *plain) settle(_ []target, verdicts []queue.Verdict) {
	switch {
	case verdicts == nil:
		p.close(sstp.ReasonInternalError)
	case verdicts[0] == queue.NoRoom || verdicts[0] == queue.TooLarge:
		p.close(sstp.ReasonQuotaWouldBeExceeded) // [MS-GRVSSTP] 2.2.9.1
	case verdicts[0] == queue.Unknown || verdicts[0] == queue.LockedOut:
		p.close(sstp.ReasonNone) // there is no reason for it; an Open is refused from now on
	}
}

func (p *plain) close(reason sstp.Reason) {
	p.refuse()
	p.session.Close(reason)
	p.connection.forget(p)
}

// Message implements [sstp.Receiver].
func (p *plain) Message(m *sstp.Incoming) { p.take(m) }

// Closed implements [sstp.Receiver].
func (p *plain) Closed(error) { p.connection.forget(p) }

// recheck implements recipients.
func (p *plain) recheck() {
	v, err := p.server.queues.Standing(p.to.Address)
	if err == nil && (v == queue.Unknown || v == queue.LockedOut) {
		p.close(sstp.ReasonNone)
	}
}
