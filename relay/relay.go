// Package relay is the relay server: it takes message sequences from devices and
// other relays, stores them once for any number of recipients, and delivers or
// forwards them when it can ([MS-GRVSSTP] 3.3).
//
// # In
//
// A [Server] accepts connections, each an [sstp.Conn] behind an [auth.Gate]. What
// a session brings is written to package queue while it arrives, one message
// after the other, and acknowledged when it is durable or refused for every
// target. A plain session has one target and is closed when that may not have a
// message; a fanout session goes on with the targets that are left (plain.go,
// fanout.go).
//
// # Out
//
// What waits for a device or an identity is sent on the connection that has the
// lease of it, in sessions that the relay opens, one for each queue (leases.go,
// delivery.go). What waits for users of another relay is one queue too, emptied
// by the forwarder of that relay (forwarder.go). An acknowledged message is thus
// on disk here, or has been acknowledged in turn by the next hop.
//
// # Presence
//
// Sessions of WAN presence are no store-and-forward. They are handed to a [Presence],
// such as the hub of package relay/presence, together with what there is to know of
// the connections of devices.
//
// # Failures of other relays
//
// The published protocol has a relay tell the originator of a fanout session
// that a relay cannot be reached, and leave the message to it. This one does tell
// ([sstp.SessionStatus]), and takes nothing more for those targets in that
// session; but what it has acknowledged before it keeps and delivers when the
// relay comes back.
//
// # Locks
//
// connection.aiming is taken before all others. What the queues call while they
// are locked takes delivery.mu, or leases.mu, or Server.mu and then forwarder.mu;
// the queues are therefore never called with one of these. connection.mu,
// fanout.mu, intake.mu and link.mu are taken alone, or with the locks of a
// [sstp.Conn] after them. None is held while a peer or the disk is waited for.
package relay

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"furrow/appliance/keys"
	"furrow/relay/queue"
	"furrow/relay/registry"
	"furrow/sstp"
)

// Config is what a Server is made of. Registry, Queues, Key and DeviceURLs are
// required; every other zero value means the default.
type Config struct {
	Registry *registry.Registry
	// Queues must have been made with NewDirectory of the same registry. The
	// caller runs them.
	Queues *queue.Queues
	// Key is the private key that clients encrypt to: the encryption key of the
	// registry's SSTPKeys.
	Key *keys.RSAPrivateKey
	// DeviceURLs are the URLs of the relay, the first of which it goes by.
	DeviceURLs []string
	// ProductVersion is what peers are told; default nothing.
	ProductVersion string
	// Dialer makes connections to other relays; default TCP.
	Dialer Dialer
	// Presence serves the sessions of WAN presence; default nobody.
	Presence Presence

	// MaxConnections bounds all connections; default 20,000, at some 24 KB each.
	MaxConnections int
	// DeviceConnections is NumberOfConcurrentDeviceConnections ([MS-GRVSSTP]
	// 3.1.1.1); default 8.
	DeviceConnections int
	// RetryTime is when a peer should come again that is sent away because the
	// relay is inactive; default 1 min.
	RetryTime time.Duration
	// EmptySessionTime is how long a fanout session without targets waits for
	// its originator to close it; default 60 s, as the 2010 relay has it (note
	// <16>).
	EmptySessionTime time.Duration
	// RestTime is how long a queue rests whose session the recipient has refused
	// or closed; default 1 min.
	RestTime time.Duration
	// FirstRetry and LastRetry bound the wait between attempts to reach another
	// relay, which doubles with each; default 1 s and 5 min.
	FirstRetry, LastRetry time.Duration
	// ForwarderIdle is how long a connection to another relay is kept without
	// use; default 10 min.
	ForwarderIdle time.Duration

	Timers   sstp.Timers
	Diagnose bool // log octets that do not parse
	Log      *slog.Logger
}

func (c *Config) fill() {
	if c.Dialer == nil {
		c.Dialer = new(NetDialer)
	}
	if c.Presence == nil {
		c.Presence = nobody{}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.MaxConnections == 0 {
		c.MaxConnections = 20_000
	}
	if c.DeviceConnections == 0 {
		c.DeviceConnections = 8
	}
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&c.RetryTime, time.Minute},
		{&c.EmptySessionTime, time.Minute},
		{&c.RestTime, time.Minute},
		{&c.FirstRetry, time.Second},
		{&c.LastRetry, 5 * time.Minute},
		{&c.ForwarderIdle, 10 * time.Minute},
	} {
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
}

// Server is a running relay. Its methods are safe for concurrent use.
type Server struct {
	// Fixed by New.
	config   Config
	log      *slog.Logger
	registry *registry.Registry
	queues   *queue.Queues
	sstp     sstp.Config
	outgoing sstp.Config // for connections to other relays
	counters counters
	leases   leases

	// ctx ends with Shutdown, and with it what the goroutines in work wait for.
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu         sync.Mutex
	stopping   bool
	listeners  map[closer]struct{}
	conns      map[*sstp.Conn]struct{}
	peers      map[*connection]struct{} // those that are served
	devices    map[string]int           // admitted connections by the first source URL
	forwarders map[string]*forwarder    // by relay URL
}

// closer is a listener.
type closer interface{ Close() error }

// New starts a relay without listeners. What was stored for other relays is on
// its way from then on. The caller calls Shutdown at the end, before the queues'
// spool is closed.
func New(c Config) *Server {
	c.fill()
	s := &Server{
		config:     c,
		log:        c.Log,
		registry:   c.Registry,
		queues:     c.Queues,
		leases:     leases{candidates: make(map[string][]*connection)},
		listeners:  make(map[closer]struct{}),
		conns:      make(map[*sstp.Conn]struct{}),
		peers:      make(map[*connection]struct{}),
		devices:    make(map[string]int),
		forwarders: make(map[string]*forwarder),
	}
	s.sstp = sstp.Config{
		LocalDeviceURLs: c.DeviceURLs,
		ProductVersion:  c.ProductVersion,
		Multidrop:       true,
		SingleHop:       true,
		Timers:          c.Timers,
		Logger:          c.Log,
		Diagnose:        c.Diagnose,
	}
	s.outgoing = s.sstp
	s.outgoing.Multidrop, s.outgoing.SingleHop = false, false
	s.outgoing.Timers.OutboundIdle = forwardingIdle(c.Timers.OutboundIdle)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.work.Go(s.followRegistry)
	for a := range s.queues.All() {
		if a.Relay != "" {
			s.forward(a.Relay)
		}
	}
	return s
}

// forwardingIdle is the Outbound Idle Timer of connections between relays (note
// <11>), unless another was configured.
func forwardingIdle(configured time.Duration) time.Duration {
	if configured != 0 {
		return configured
	}
	return 4 * time.Minute
}
