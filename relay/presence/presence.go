// Package presence is the relay's side of WAN presence ([MS-GRVWDPP], wire profile
// 1): which devices are online, who wishes to know, and what they are told.
//
// # Online and offline
//
// A device is online from a Publish of one of its connections until a Publish
// says otherwise or the last of its connections has ended, and stays so for a
// short grace time in which it may reconnect and publish again. Whoever is locked
// out goes offline at once. All of this is in memory: after a restart of the relay
// everybody connects, publishes and subscribes anew.
//
// A device is known by the last part of its URL: both spellings of URLs that turn
// up, with and without a relay, mean the same device. Subscribers are told of it
// in the spelling that they have used. That nobody registers the same device under
// another spelling is the registry's business.
//
// # Notifying
//
// A subscriber is told the state, not the history. Each connection has a set of
// devices that it is to be told of, bounded by its subscriptions; a change adds to
// the sets of all who watch, and no more. A set is sent at once, in a document that is
// made while it is sent, of states as they are then. The next begins when the peer
// has acknowledged the former, and some time after that was begun, for which
// changes gather.
// Thus a connection that is slow or stuck costs its set, one goroutine and one
// piece of a document, and nobody waits for it.
//
// # Storms
//
// When a thousand devices come back at once and watch each other, there are a
// million states to be told. That takes its time, which is not to be that of the
// store-and-forward messages of the same relay: the work on documents is done in
// turns, of which there are fewer than processors.
//
// # Locks
//
// Hub.mu guards everything here. It is taken while a connection calls, and nothing
// of a connection is called while it is held.
package presence

import (
	"log/slog"
	"sync"
	"time"

	"furrow/sstp"
)

// Hub knows the presence of the devices of one relay. Its methods are safe for
// concurrent use; those about connections are called by the relay, which see
// [furrow/relay.Presence].
type Hub struct {
	log      *slog.Logger
	diagnose bool
	turns    turns
	work     sync.WaitGroup // goroutines

	mu            sync.Mutex
	closed        bool
	peers         map[*sstp.Conn]*peer
	devices       map[string]*device // by sstp.DeviceGUID
	subscriptions int
	stats         Stats // those that count
}

// Config is what a Hub is made of.
type Config struct {
	Log *slog.Logger
	// Diagnose also logs how documents begin that do not parse. They may hold names
	// of devices.
	Diagnose bool
}

// New returns a hub, which is to be closed after the relay that uses it has been
// shut down.
func New(c Config) *Hub {
	return &Hub{
		log:      c.Log,
		diagnose: c.Diagnose,
		turns:    newTurns(),
		peers:    make(map[*sstp.Conn]*peer),
		devices:  make(map[string]*device),
	}
}

// Close ends what the hub does by itself. All connections must have ended.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closed = true
	for _, d := range h.devices {
		d.stay()
	}
	h.mu.Unlock()
	h.work.Wait()
}

// Stats is the state of a hub at one moment, and what it has done since its start.
type Stats struct {
	Online        int // devices
	Subscriptions int

	Documents uint64 // Notify documents begun
	Notified  uint64 // states in them
}

// Stats returns the present state.
func (h *Hub) Stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	st := h.stats
	st.Subscriptions = h.subscriptions
	return st
}

// Online says whether a device says that it is online.
func (h *Hub) Online(deviceURL string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	d := h.devices[sstp.DeviceGUID(deviceURL)]
	return d != nil && d.online
}

// Connected implements [furrow/relay.Presence].
func (h *Hub) Connected(deviceURL string, conn *sstp.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d := h.device(deviceURL)
	d.connections++
	h.peers[conn] = &peer{hub: h, conn: conn, url: deviceURL, device: d}
}

// Open implements [furrow/relay.Presence].
func (h *Hub) Open(session *sstp.InboundSession) (sstp.Receiver, sstp.OpenResponseID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.peers[session.Conn()]
	if p == nil || h.closed {
		return nil, sstp.OpenUnknown
	}
	return &receiver{peer: p}, sstp.OpenOk
}

// Expelled implements [furrow/relay.Presence].
func (h *Hub) Expelled(conn *sstp.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.peers[conn]; p != nil {
		h.set(p.device, false)
		h.leave(p)
	}
}

// Ended implements [furrow/relay.Presence].
func (h *Hub) Ended(conn *sstp.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.peers[conn]; p != nil {
		h.leave(p)
	}
}

// leave forgets a connection. The caller holds mu.
func (h *Hub) leave(p *peer) {
	delete(h.peers, p.conn)
	p.gone = true
	p.unsubscribeAll()
	d := p.device
	if d.connections--; d.connections == 0 && d.online && d.grace == nil && !h.closed {
		var timer *time.Timer
		timer = time.AfterFunc(graceTime, func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			if d.grace == timer {
				h.set(d, false)
				h.release(d)
			}
		})
		d.grace = timer
	}
	h.release(d)
}
