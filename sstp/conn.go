package sstp

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"furrow/sstp/internal/field"
)

// connState is the ConnectionState of [MS-GRVSSTP] 3.1.1.2.
type connState uint8

const (
	stateTransport   connState = iota // transport layer connected
	stateConnecting                   // Connect sent, or received and not answered
	stateEstablished                  // Ok sent or received
	stateAborting                     // ended, for the reason in Conn.end
)

// Conn is one end of an SSTP connection. [Dial] makes the end that dialled,
// [Accept] the other; apart from the handshake they are alike. It is safe for
// concurrent use.
//
// A Conn owns its transport and at most two goroutines: one reads, one writes
// and exists only while there is something to write. Both have ended, and so has
// every call to the layer above, when Done is closed. Timers are those of package
// time.
type Conn struct {
	cfg       *Config
	log       *slog.Logger
	transport io.ReadWriteCloser
	dialled   bool
	done      chan struct{}
	answered  chan *ConnectResponse // to Dial; nil in an accepted connection
	admit     func(*Conn, *Connect) Admission

	// calls is held while the layer above is called.
	calls sync.Mutex

	// handler and gate are the reading goroutine's, and do not change once the
	// connection is established.
	handler Handler
	gate    Gate

	mu sync.Mutex
	// changed is broadcast when somebody who waits may go on: the connection has
	// ended, there is room, the writing goroutine has ended.
	changed sync.Cond
	state   connState
	peer    Peer
	version Version
	served  bool       // the peer has passed the gate
	end     *ConnError // why the connection ends; nil while it does not
	hungUp  bool       // the transport is closed
	lastIn  time.Time
	lastOut time.Time

	alarm       alarm
	ours        sessions[*OutboundSession]
	theirs      sessions[*InboundSession]
	ourEvents   sessions[*event]
	theirEvents sessions[string] // the account of an attach session, once it has proved itself
	lastID      uint32
	opening     int // of ours, those that wait for an OpenResponse

	// Writing.
	writing bool
	cursor  field.Cursor
	out     []byte      // encoded and not written
	spare   []byte      // memory for out
	ring    []*Outgoing // sequences with something to send, to be served in turn
	sending int         // sequences begun and not ended
	data    Data        // the command of which there are many, used again

	acknowledgments
	receiving
}

// Peer is what the other end has said of itself in the handshake.
type Peer struct {
	// DeviceURLs are the SourceDeviceURLs of an end that dialled, and the
	// TargetDeviceURL of one that accepted.
	DeviceURLs          []string
	Version             Version
	ProductVersion      string
	ProductCapabilities string
}

func newConn(transport io.ReadWriteCloser, cfg Config, dialled bool) *Conn {
	c := &Conn{
		cfg:       cfg.complete(),
		transport: transport,
		dialled:   dialled,
		done:      make(chan struct{}),
		version:   Version15,
		lastID:    firstID(dialled) - 1,
	}
	c.log = c.cfg.Logger
	c.changed.L = &c.mu
	now := time.Now()
	c.lastIn, c.lastOut = now, now
	c.alarm.timer = time.AfterFunc(time.Hour, c.tick)
	c.alarm.timer.Stop()
	return c
}

// start begins to read, and to wait for the handshake.
func (c *Conn) start() {
	c.setPhase(c.cfg.Timers.Establishment)
	c.armNext(time.Now())
	go c.read()
}

// Peer returns what the other end has said of itself so far.
func (c *Conn) Peer() Peer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.peer
}

// Version returns the version of the connection, once it is established.
func (c *Conn) Version() Version {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.version
}

// Done is closed when the connection has ended and nothing of it is left.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err returns nil while the connection stands and then a [*ConnError].
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end == nil {
		return nil
	}
	return c.end
}

// Close sends ConnectClose, with the acknowledgments that are due, and ends the
// connection and all its sessions ([MS-GRVSSTP] 3.1.4.2). returnTime goes with
// ReasonResting. It does not wait; Done is closed when the peer has hung up, or
// 2 s later.
func (c *Conn) Close(reason Reason, returnTime time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shut(&ConnError{Reason: reason, ReturnTime: returnTime})
}

// shut ends the connection with a ConnectClose, if it has not ended.
func (c *Conn) shut(why *ConnError) {
	if c.end != nil {
		return
	}
	count := c.takeCount()
	c.abort(why)
	seconds := uint32(min(max(why.ReturnTime, 0)/time.Second, 1<<32-1))
	c.mustPut(&ConnectClose{Reason: why.Reason, MessageCount: count, ReturnTime: seconds})
	c.kick()
}

// refuse ends a connection after a ConnectResponse that is not Ok.
func (c *Conn) refuse(why *ConnError) {
	if c.end == nil {
		c.abort(why)
		c.kick()
	}
}

// lose ends the connection when its transport fails.
func (c *Conn) lose(err error) {
	if c.end == nil {
		c.abort(&ConnError{Lost: true, Err: err})
	}
	c.hangUp()
}

// abort enters the state 'aborting'. Whoever waits for the connection goes on.
// What is encoded is still sent, for which the transport lingers.
func (c *Conn) abort(why *ConnError) {
	c.end, c.state = why, stateAborting
	c.ring = nil
	c.setPhase(linger)
	c.changed.Broadcast()
	for _, s := range c.ours.live {
		s.stop(why)
	}
	for _, s := range c.theirs.live {
		s.stop(why)
	}
	for _, m := range c.inbound {
		if !m.complete {
			m.stop(why)
		}
	}
	for _, e := range c.ourEvents.live {
		e.finish(why)
	}
}

// hangUp closes the transport. It gives up c.mu meanwhile, for what a carrier
// does to close may take time.
func (c *Conn) hangUp() {
	if c.hungUp {
		return
	}
	c.hungUp = true
	c.mu.Unlock()
	if err := c.transport.Close(); err != nil {
		c.log.Debug("sstp: closing the transport", "err", err)
	}
	c.mu.Lock()
}

// finish is the last thing that the reading goroutine does.
func (c *Conn) finish() {
	c.mu.Lock()
	for c.writing {
		c.changed.Wait()
	}
	c.hangUp()
	c.setPhase(0)
	c.alarm.timer.Stop()
	why := c.end
	ours, theirs, unacknowledged := c.ours.live, c.theirs.live, c.outbound
	c.ours.live, c.theirs.live, c.outbound = nil, nil, nil
	c.mu.Unlock()

	c.logEnd(why)
	c.calls.Lock()
	defer c.calls.Unlock()
	for _, sent := range unacknowledged {
		sent.report(why)
	}
	for _, s := range ours {
		s.originator.Closed(why)
	}
	for _, s := range theirs {
		s.receiver.Closed(why)
	}
	if c.handler != nil {
		c.handler.Closed(why)
	}
	close(c.done)
}

func (c *Conn) logEnd(why *ConnError) {
	if why.Err == nil || why.Lost {
		c.log.Debug("sstp: connection ended", "err", why)
		return
	}
	c.log.Info("sstp: connection ended", "err", why)
	c.diagnose(why)
}

// diagnose logs the octets of a command or token that does not parse.
func (c *Conn) diagnose(err error) {
	var parse *ParseError
	if c.cfg.Diagnose && errors.As(err, &parse) {
		c.log.Warn("sstp: octets that do not parse", "parse", parse.Diagnostic())
	}
}

// wait waits until ready says so. It fails when ctx or the connection ends.
func (c *Conn) wait(ctx context.Context, ready func() bool) error {
	if c.end == nil && ready() {
		return nil
	}
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.changed.Broadcast()
	})
	defer stop()
	for {
		switch {
		case c.end != nil:
			return c.end
		case ready():
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
		c.changed.Wait()
	}
}

// call calls the layer above.
func (c *Conn) call(f func()) {
	c.calls.Lock()
	defer c.calls.Unlock()
	f()
}
