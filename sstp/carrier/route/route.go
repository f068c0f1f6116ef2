// Package route finds a client's way to a relay, past firewalls and proxies.
//
// The ways, best first, are those of [MS-GRVHENC] 1.3: SSTP on its own port; SSTP on
// the port of HTTPS, which more firewalls let out, directly and by a tunnel that a
// proxy makes; and on the port of HTTP the encapsulations LongLived, KeepAlive and
// Polling, through the proxy and directly.
//
// That a connection stands says little: firewalls and proxies accept what they do
// not pass on. A way has worked when the relay has answered the Connect of SSTP. So
// the transport that [Router.DialRelay] returns is on trial until the first octet of
// an answer comes: it remembers what was written, which is the Connect and nothing
// else, and if no answer comes it takes the next way and writes that again. The
// layer above sees one transport, and a relay that has seen the Connect before has
// one connection more that says nothing and ends.
//
// A way that has failed is tried after all others for some time, for each relay by
// itself. Then it comes into its place again: the better way may be open by now.
package route

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"furrow/sstp/carrier/proxy"
)

// Via says which ways are to be tried.
type Via string

// All ways, or those of one carrier, each directly and through a proxy if there is
// one.
const (
	Auto      Via = "auto"
	SSTP      Via = "sstp"
	Tunnel    Via = "443" // SSTP on the port of HTTPS
	LongLived Via = "longlived"
	KeepAlive Via = "keepalive"
	Polling   Via = "polling"
)

const (
	// attemptTimeout bounds the time until a way stands, if there is another one: a
	// firewall that drops packets costs this much. Three packets lost in a row fit.
	attemptTimeout = 10 * time.Second

	// answerTimeout bounds the time from the Connect to its answer, likewise.
	answerTimeout = 10 * time.Second

	// lastTimeout bounds the time until the last way stands. As to its answer, SSTP
	// has a timer.
	lastTimeout = time.Minute

	// avoidance is how long a way that has failed is tried after the others.
	avoidance = 10 * time.Minute
)

// Ports are where relays listen, for relays that cannot have the usual ports. Those
// that are empty are usual.
type Ports struct {
	SSTP   string // 2492, unless the relay's URL names one
	Tunnel string // 443
	HTTP   string // 80
}

// Config says how to find a way. The zero value tries all, directly.
type Config struct {
	Via     Via // default Auto
	Ports   Ports
	Proxies *proxy.Settings
	Log     *slog.Logger     // default nobody
	Now     func() time.Time // default time.Now
}

// Router dials relays. It is safe for concurrent use.
type Router struct {
	config Config

	mu     sync.Mutex
	relays map[string]*memory // by URL
}

// memory is what has come of the ways to one relay, by their names.
type memory struct {
	used   string
	failed map[string]time.Time
}

// New returns a Router that knows of no relay.
func New(c Config) (*Router, error) {
	switch c.Via {
	case "":
		c.Via = Auto
	case Auto, SSTP, Tunnel, LongLived, KeepAlive, Polling:
	default:
		return nil, fmt.Errorf("route: there is no way %q (known: %s, %s, %s, %s, %s, %s)",
			c.Via, Auto, SSTP, Tunnel, LongLived, KeepAlive, Polling)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Router{config: c, relays: make(map[string]*memory)}, nil
}

// DialRelay makes a transport to the relay of an URL (grooveDNS://host), on which the
// first thing written is a Connect. If the transport finds its way closed before the
// answer, it takes others, and only when none is left its Read fails.
func (r *Router) DialRelay(ctx context.Context, relayURL string) (io.ReadWriteCloser, error) {
	ways, err := r.ways(relayURL)
	if err != nil {
		return nil, err
	}
	t := newTrial(r, relayURL, r.order(relayURL, ways))
	if err := t.next(ctx); err != nil {
		t.cancel()
		return nil, err
	}
	return t, nil
}

// Used is the way on which a relay has last answered, in words; empty if none.
func (r *Router) Used(relayURL string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.memory(relayURL).used
}

// memory returns that of a relay. mu is held.
func (r *Router) memory(relayURL string) *memory {
	m := r.relays[relayURL]
	if m == nil {
		m = &memory{failed: make(map[string]time.Time)}
		r.relays[relayURL] = m
	}
	return m
}

// order puts the ways that have failed lately behind the others.
func (r *Router) order(relayURL string, ways []way) []way {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, now := r.memory(relayURL), r.config.Now()
	avoided := func(w way) int {
		if at, ok := m.failed[w.name]; ok && now.Sub(at) < avoidance {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(ways, func(a, b way) int { return avoided(a) - avoided(b) })
	return ways
}

// failed takes note that a way to a relay is closed.
func (r *Router) failed(relayURL string, w way, err error) {
	r.config.Log.Debug("route: no way", "relay", relayURL, "way", w.name, "err", err)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.memory(relayURL).failed[w.name] = r.config.Now()
}

// worked takes note that a relay has answered.
func (r *Router) worked(relayURL string, w way) {
	r.config.Log.Debug("route: a way", "relay", relayURL, "way", w.name)
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.memory(relayURL)
	m.used = w.name
	delete(m.failed, w.name)
}
