package relay

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"furrow/relay/queue"
	"furrow/sstp"
	"furrow/sstp/auth"
)

// connection is the relay's side of one connection that a device or another relay
// has made. It is the [sstp.Handler] of that connection.
type connection struct {
	server     *Server
	conn       *sstp.Conn
	gate       *auth.Gate
	admittedAs string // URL by which it is counted
	proven     func() // is told that a device has authenticated

	// Set by Established.
	deviceURL string    // of the authenticated device; empty for a relay
	delivery  *delivery // nil for a relay

	attached atomic.Bool // accounts is not empty

	// aiming is held by aim, which may be called at any time: by the connection,
	// and for a change in the registry. It is taken before all other locks.
	aiming sync.Mutex

	mu       sync.Mutex
	ended    bool
	accounts map[uint32]string       // attached accounts, by EventId
	targets  map[string]struct{}     // whose leases the connection may have
	sessions map[recipients]struct{} // that the peer has opened
}

// recipients is a session of the peer's, seen from the management server's side.
type recipients interface {
	// recheck closes the session, or drops the targets, that may not have
	// messages any more.
	recheck()
}

func newConnection(s *Server, conn *sstp.Conn, gate *auth.Gate, admittedAs string, proven func()) *connection {
	return &connection{server: s, conn: conn, gate: gate, admittedAs: admittedAs, proven: proven}
}

// isRelay reports whether the peer is another relay.
func (c *connection) isRelay() bool { return c.delivery == nil }

// Established implements [sstp.Handler]. The gate has been passed: the peer is a
// device that has proved itself, or says that it is a relay.
func (c *connection) Established() {
	if c.gate.State() == auth.StateAuthenticated {
		c.deviceURL = c.gate.DeviceURL()
		c.delivery = newDelivery(c.server, c.conn, c.mayHave)
		c.server.config.Presence.Connected(c.deviceURL, c.conn)
		c.proven()
	}
	c.server.served(c)
	c.server.log.Info("relay: connected", "peer", c.admittedAs, "relay", c.isRelay(),
		"version", c.conn.Version().String(), "product", c.conn.Peer().ProductVersion)
	if !c.isRelay() {
		c.aim()
	}
}

// Attached implements [sstp.Handler]: the account's identities may have their
// messages on this connection (wire profile 1).
func (c *connection) Attached(eventID uint32, accountURL string) {
	c.mu.Lock()
	if c.accounts == nil {
		c.accounts = make(map[uint32]string)
	}
	c.accounts[eventID] = accountURL
	c.attached.Store(true)
	c.mu.Unlock()
	c.aim()
	c.server.leases.promote(c)
	c.delivery.resume(c.deviceURL)
}

// Detached implements [sstp.Handler].
func (c *connection) Detached(eventID uint32, _ string) {
	c.mu.Lock()
	delete(c.accounts, eventID)
	c.attached.Store(len(c.accounts) > 0)
	c.mu.Unlock()
	c.aim()
}

// aim finds out whose messages are to be delivered on the connection: those of the
// device, and of the identities of the accounts that have attached.
func (c *connection) aim() {
	c.aiming.Lock()
	defer c.aiming.Unlock()
	c.mu.Lock()
	accounts := slices.Collect(maps.Values(c.accounts))
	c.mu.Unlock()
	wanted := map[string]struct{}{c.deviceURL: {}}
	for _, account := range accounts {
		for _, identity := range c.server.registry.IdentitiesOf(account) {
			if !identity.LockedOut {
				wanted[identity.URL] = struct{}{}
			}
		}
	}
	c.mu.Lock()
	if c.ended {
		wanted = nil
	}
	old := c.targets
	c.targets = wanted
	c.mu.Unlock()
	for target := range old {
		if _, stays := wanted[target]; !stays {
			c.leave(target)
		}
	}
	for target := range wanted {
		if _, there := old[target]; !there {
			c.server.leases.add(target, c)
			c.delivery.add(target)
		}
	}
}

// leave gives up the lease of a target, to whoever is next. If nobody is, the
// target is offline.
func (c *connection) leave(target string) {
	c.delivery.remove(target)
	if next := c.server.leases.remove(target, c); next != nil {
		next.delivery.resume(target)
	} else {
		c.server.queues.DiscardTransient(target)
	}
}

// mayHave reports whether messages of a queue are to be delivered on this
// connection: it has the lease, and the recipient is not locked out.
func (c *connection) mayHave(a queue.Address) bool {
	if !c.server.leases.holds(a.Target(), c) {
		return false
	}
	identity, known := c.server.registry.Identity(a.Identity)
	return known && !identity.LockedOut
}

// Closed implements [sstp.Handler].
func (c *connection) Closed(err error) {
	c.server.release(c)
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	if c.delivery == nil {
		return
	}
	c.server.log.Info("relay: disconnected", "peer", c.admittedAs, "err", err)
	c.server.config.Presence.Ended(c.conn)
	c.aim()
	c.delivery.stop()
}

// enter remembers a session of the peer's until forget.
func (c *connection) enter(r recipients) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sessions == nil {
		c.sessions = make(map[recipients]struct{})
	}
	c.sessions[r] = struct{}{}
}

func (c *connection) forget(r recipients) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.sessions, r)
}

// recheck applies what the management server has changed: a device that is locked
// out is sent away, and will be answered ConnectRejected; the others lose the
// identities and targets that are.
func (c *connection) recheck() {
	if !c.isRelay() {
		if !c.mayUse() {
			c.server.config.Presence.Expelled(c.conn) // before the end, which does not say why
			c.conn.Close(sstp.ReasonDeviceAuthenticationFailed, 0)
			return
		}
		c.aim()
	}
	c.mu.Lock()
	sessions, targets := slices.Collect(maps.Keys(c.sessions)), slices.Collect(maps.Keys(c.targets))
	c.mu.Unlock()
	for _, target := range targets {
		c.delivery.resume(target) // mayHave may have changed
	}
	for _, r := range sessions {
		r.recheck()
	}
}
