package sstp

import (
	"log/slog"
	"slices"
	"time"
)

// Config is what the connections of one device have in common. It is not changed
// once a connection uses it.
type Config struct {
	// LocalDeviceURLs are the URLs of this device, at least one
	// ([MS-GRVSSTP] 3.1.1.1).
	LocalDeviceURLs []string

	// Version is the highest version to speak; zero means Version16.
	Version Version

	// ProductVersion is "vendor product version build" (note <1>).
	ProductVersion string

	// Multidrop and SingleHop say which kinds of fanout session this device
	// accepts: to targets of its own, and to targets of other relays. Clients
	// accept neither ([MS-GRVSSTP] 3.1.1.1).
	Multidrop, SingleHop bool

	// LooseNaming turns off strict naming, which is on in all products (notes
	// <13>, <14>).
	LooseNaming bool

	// Timers are the durations of the timers; the zero value has the defaults.
	Timers Timers

	// Logger receives what is worth knowing about single connections, which it
	// should tell apart by an attribute; nil means nobody does.
	Logger *slog.Logger

	// Diagnose also logs the first octets of commands and tokens that do not
	// parse. They may hold names of people and devices.
	Diagnose bool
}

// Timers are the durations of a connection's timers. Zero stands for the default,
// a negative duration turns a timer off.
type Timers struct {
	// Acknowledgment is how long processed message sequences may wait for a
	// Message to carry their acknowledgment: 5 s ([MS-GRVSSTP] 3.1.2.1, note
	// <12>). It cannot be turned off.
	Acknowledgment time.Duration

	// Establishment is how long the transport may be up before Connect, and
	// Connect be sent before ConnectResponse: 1 min (note <11> leaves it open).
	Establishment time.Duration

	// Authentication is how long a peer may take for each step of its
	// authentication or registration: 1 min (note <11> leaves it open).
	Authentication time.Duration

	// SessionEstablishment is how long an OpenResponse may take: 3 min, as the
	// 2010 relay has it (note <11>).
	SessionEstablishment time.Duration

	// OutboundIdle and InboundIdle are how long nothing is sent or received
	// before a Noop is sent: 10 min, as clients have it (note <11>).
	OutboundIdle, InboundIdle time.Duration
}

const (
	// maxSessions bounds the sessions, attach sessions included, that a peer has
	// open on a connection. A device has some for each space it shares.
	maxSessions = 1024

	// maxOpening bounds the sessions of this end that wait for an OpenResponse,
	// so that two ends that open sessions to each other never both stop reading.
	maxOpening = 256

	// receiveBuffer is how many octets of message sequences, all sessions
	// together, wait to be read before the connection is not read any more.
	receiveBuffer = 64 << 10

	// maxInbound bounds the message sequences received and not processed, and
	// maxOutbound those sent and not acknowledged. Beyond, the connection is not
	// read, or the sender waits.
	maxInbound  = 1024
	maxOutbound = 1024

	// acknowledgeEarly is how many processed message sequences are acknowledged
	// without waiting for the timer, so that a sender with a bound such as
	// maxOutbound is not held up by it.
	acknowledgeEarly = 64

	// writeSize is how many octets of message sequences go into one write of the
	// transport: eight Data.
	writeSize = 16 << 10

	// maxBacklog is how many octets of commands may wait before those who wish
	// to send more have to wait; there is room for one command more.
	maxBacklog = 64 << 10

	// tombstoneTime is how long commands for a closed session are expected
	// (wire profile 1), and maxTombstones how many sessions are remembered.
	tombstoneTime = time.Minute
	maxTombstones = 1024

	// linger is how long the transport stays up after ConnectClose has been
	// sent, so that the peer can read it.
	linger = 2 * time.Second
)

// complete returns cfg with the defaults filled in.
func (cfg Config) complete() *Config {
	cfg.Version = orDefault(cfg.Version, Version16)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	t := &cfg.Timers
	t.Acknowledgment = orDefault(max(t.Acknowledgment, 0), 5*time.Second)
	t.Establishment = orDefault(t.Establishment, time.Minute)
	t.Authentication = orDefault(t.Authentication, time.Minute)
	t.SessionEstablishment = orDefault(t.SessionEstablishment, 3*time.Minute)
	t.OutboundIdle = orDefault(t.OutboundIdle, 10*time.Minute)
	t.InboundIdle = orDefault(t.InboundIdle, 10*time.Minute)
	return &cfg
}

func orDefault[T comparable](value, standard T) T {
	var zero T
	if value == zero {
		return standard
	}
	return value
}

// isLocal reports whether a URL is one of this device's.
func (cfg *Config) isLocal(deviceURL string) bool {
	return slices.Contains(cfg.LocalDeviceURLs, deviceURL)
}
