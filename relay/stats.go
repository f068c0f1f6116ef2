package relay

import (
	"cmp"
	"context"
	"slices"
	"sync/atomic"

	"furrow/relay/queue"
)

// counters count since the start.
type counters struct {
	messagesIn, bytesIn           atomic.Uint64
	messagesOut, bytesOut         atomic.Uint64
	messagesForward, bytesForward atomic.Uint64
	fanouts, faults, failed       atomic.Uint64
	turnedAway, dialFailures      atomic.Uint64
	givenUp                       atomic.Uint64
}

func (c *counters) received(n int64) {
	c.messagesIn.Add(1)
	c.bytesIn.Add(uint64(n))
}

func (c *counters) sent(n int64) {
	c.messagesOut.Add(1)
	c.bytesOut.Add(uint64(n))
}

func (c *counters) forwarded(n int64) {
	c.messagesForward.Add(1)
	c.bytesForward.Add(uint64(n))
}

// Stats is the state of a relay at one moment, and what it has done since its
// start.
type Stats struct {
	Connections int     // all, also those that have proved nothing yet
	Devices     int     // authenticated connections of devices
	Relays      int     // connections that other relays have made
	Forwarders  []Route // to other relays, in order of their URLs

	MessagesReceived, BytesReceived   uint64 // from devices and relays
	MessagesSent, BytesSent           uint64 // to devices, with repetitions
	MessagesForwarded, BytesForwarded uint64 // to relays, with repetitions
	NotStored                         uint64 // for trouble of this relay
	FanoutSessions                    uint64
	Faults                            uint64 // targets of fanout sessions that dropped out
	TurnedAway                        uint64 // connections beyond the limit
	DialFailures                      uint64 // of attempts to reach another relay
	GivenUp                           uint64 // messages that another relay kept refusing

	Queues queue.Stats
}

// Route is the way to another relay.
type Route struct {
	RelayURL string
	Down     string // why it could not be reached the last time; empty if it could
	Messages int    // that wait
	Bytes    int64  // in their bodies
}

// Stats returns the present state.
func (s *Server) Stats() Stats {
	c := &s.counters
	st := Stats{
		MessagesReceived: c.messagesIn.Load(), BytesReceived: c.bytesIn.Load(),
		MessagesSent: c.messagesOut.Load(), BytesSent: c.bytesOut.Load(),
		MessagesForwarded: c.messagesForward.Load(), BytesForwarded: c.bytesForward.Load(),
		NotStored: c.failed.Load(), FanoutSessions: c.fanouts.Load(), Faults: c.faults.Load(),
		TurnedAway: c.turnedAway.Load(), DialFailures: c.dialFailures.Load(), GivenUp: c.givenUp.Load(),
		Queues: s.queues.Stats(),
	}
	s.mu.Lock()
	st.Connections = len(s.conns)
	for c := range s.peers {
		if c.isRelay() {
			st.Relays++
		} else {
			st.Devices++
		}
	}
	forwarders := make([]*forwarder, 0, len(s.forwarders))
	for _, f := range s.forwarders {
		forwarders = append(forwarders, f)
	}
	s.mu.Unlock()
	for _, f := range forwarders {
		st.Forwarders = append(st.Forwarders, f.stats())
	}
	slices.SortFunc(st.Forwarders, func(a, b Route) int { return cmp.Compare(a.RelayURL, b.RelayURL) })
	return st
}

func (f *forwarder) stats() Route {
	u := f.server.queues.Usage(f.relayURL)
	r := Route{RelayURL: f.relayURL, Messages: u.Messages, Bytes: u.Bytes}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != 0 {
		r.Down = f.down.String()
	}
	return r
}

// Online lists the devices and identities whose messages are being delivered, in
// order.
func (s *Server) Online() []string { return s.leases.targets() }

// Consistency is what a check has found.
type Consistency struct {
	queue.Report
	// Orphaned are the queues whose recipient is not registered here any more.
	// Nobody can fetch what is in them; it goes with age, or by a purge.
	Orphaned []queue.Address
}

// ConsistencyCheck reads everything that waits, and compares the queues with the
// registry. It takes as long as reading all messages does; ctx ends it.
func (s *Server) ConsistencyCheck(ctx context.Context) (Consistency, error) {
	var c Consistency
	known := directory{s.registry}
	for a := range s.queues.All() {
		if a.Relay != "" {
			continue
		}
		switch v, err := known.Recipient(a.Identity, a.Device); {
		case err != nil:
			return c, err
		case v == queue.Unknown:
			c.Orphaned = append(c.Orphaned, a)
		}
	}
	var err error
	c.Report, err = s.queues.Check(ctx)
	return c, err
}
