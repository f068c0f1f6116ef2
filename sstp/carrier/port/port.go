// Package port shares one listening socket among all that clients of Groove and
// people with browsers bring to it.
//
// The first octet of a connection tells what it is: 0x01 is an SSTP Connect, 0x16
// a TLS hello, a letter an HTTP request. SSTP goes to the relay. TLS goes to an
// http.Server by way of a virtual listener, and is HTTP inside. The head of an
// HTTP request is read before anybody else sees it: a request of an HTTP
// encapsulation ([MS-GRVHENC]) goes to the [carrier.Server], any other to an
// http.Server, unchanged, by way of another virtual listener.
//
// A forward proxy keeps its connections to a server and lets the requests of
// several clients share one. So a connection changes hands between requests as
// often as it takes: [Configure] has the http.Server give up a connection whose
// next request is encapsulated, and [Resume] takes one back from the encapsulation
// whose next request is not.
//
// Whoever connects costs a descriptor and proves nothing by it. Connections wait to
// be proven, by an authenticated SSTP peer or by a complete HTTP request, in a
// waiting room of limited size with limited seats for each address; a newcomer who
// finds it full takes the seat of who has waited longest. Honest peers need it for
// a round trip or two, and pass through however many others hold their seats.
package port

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"furrow/sstp/carrier"
)

const (
	// acceptPause is how long to wait after a failed accept: it fails for want of
	// descriptors, which others give back.
	acceptPause = 50 * time.Millisecond

	// firstOctetTimeout ends connections that say nothing. All protocols here have
	// the client speak first; a slow modem needs some seconds.
	firstOctetTimeout = 15 * time.Second

	// headTimeout bounds the time from the first octet of an HTTP request to the
	// end of its head, which is a few hundred octets and one packet.
	headTimeout = 15 * time.Second

	// maxWaiting bounds the connections that have not been proven. At some 8 KB
	// each they may use up to 16 MB, and 2,048 descriptors.
	maxWaiting = 2048

	// maxWaitingFrom bounds those of one address: an office behind one address may
	// connect as a whole after an outage, a single machine has no use for so many.
	maxWaitingFrom = 256
)

// Config says what may come in by a port. What is not offered is refused.
type Config struct {
	// SSTP takes connections that begin with an SSTP Connect; it returns at once.
	// If the peer authenticates, the Proven method of the connection is to be
	// called.
	SSTP func(io.ReadWriteCloser)
	// Encapsulation takes encapsulated SSTP.
	Encapsulation *carrier.Server
	// HTTP offers the other HTTP requests to the listener of that name, and TLS
	// connections with TLS. A port with TLS and without HTTP sends people who typed
	// http to https.
	HTTP, TLS bool
	// BehindProxies are the networks whose connections begin with a header of the
	// PROXY protocol, version 1 or 2, that names the peer; without it they are
	// refused. Connections from elsewhere must not have one.
	BehindProxies []netip.Prefix
	Log           *slog.Logger // default nobody
}

// Port is one listening socket. Serve and Shutdown it.
type Port struct {
	config   Config
	log      *slog.Logger
	listener net.Listener
	http     *virtualListener
	tls      *virtualListener
	waiting  *waitingRoom
	stopped  chan struct{} // closed by Shutdown
	work     sync.WaitGroup

	mu   sync.Mutex         // held while stopped is closed
	held map[*conn]struct{} // connections in the hands of work
}

// New makes a Port of a listener, which is the port's from then on.
func New(l net.Listener, c Config) *Port {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	stopped := make(chan struct{})
	return &Port{
		config:   c,
		log:      c.Log,
		listener: l,
		http:     newVirtualListener(l.Addr(), stopped),
		tls:      newVirtualListener(l.Addr(), stopped),
		waiting:  newWaitingRoom(maxWaiting, maxWaitingFrom),
		stopped:  stopped,
		held:     make(map[*conn]struct{}),
	}
}

// Addr is the address of the socket.
func (p *Port) Addr() net.Addr { return p.listener.Addr() }

// HTTP accepts the connections that bring plain HTTP, for an http.Server prepared
// by [Configure]. Its Close leaves the port open to the others.
func (p *Port) HTTP() net.Listener { return p.http }

// TLS accepts the connections that bring TLS, which has not been begun, for an
// http.Server prepared by [Configure].
func (p *Port) TLS() net.Listener { return p.tls }

// Serve accepts connections until Shutdown, and returns nil then. It is called once.
func (p *Port) Serve() error {
	for {
		socket, err := p.listener.Accept()
		switch {
		case err == nil:
			p.receive(socket)
		case p.isStopping():
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accepting on %s: %w", p.Addr(), err)
		default:
			p.log.Warn("port: accepting", "listener", p.Addr(), "err", err)
			if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
				p.waiting.evictOldest()
			}
			time.Sleep(acceptPause)
		}
	}
}

func (p *Port) isStopping() bool {
	select {
	case <-p.stopped:
		return true
	default:
		return false
	}
}

// receive begins to find out what a connection is.
func (p *Port) receive(socket net.Conn) {
	c := &conn{Conn: socket, port: p}
	if p.isProxy(socket.RemoteAddr()) {
		p.hold(c, p.meetProxy)
		return
	}
	p.waiting.enter(c)
	p.hold(c, p.meet)
}

// hold runs work, in whose hands c is until it drops it or hands it over.
func (p *Port) hold(c *conn, work func(*conn)) {
	p.mu.Lock()
	stopping := p.isStopping()
	if !stopping {
		p.held[c] = struct{}{}
		p.work.Go(func() { work(c) })
	}
	p.mu.Unlock()
	if stopping {
		p.drop(c, net.ErrClosed)
	}
}

// release takes note that c goes into other hands, or is to be closed.
func (p *Port) release(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.held, c)
}

// drop closes a connection for what was wrong with it.
func (p *Port) drop(c *conn, cause error) {
	p.release(c)
	p.log.Debug("port: connection closed", "listener", p.Addr(), "peer", c.RemoteAddr(), "err", cause)
	p.abandon(c)
}

// Shutdown closes the socket and the connections that have not been handed on yet;
// the virtual listeners get no more. It returns when the encapsulation has done with those that
// it serves, or when ctx ends. What the relay, the encapsulation and the
// http.Servers have got is theirs to end, which they may do meanwhile.
func (p *Port) Shutdown(ctx context.Context) error {
	p.mu.Lock()
	if !p.isStopping() {
		close(p.stopped)
	}
	for c := range p.held {
		p.abandon(c)
	}
	p.mu.Unlock()
	var errs []error
	if err := p.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		errs = append(errs, fmt.Errorf("closing the listener on %s: %w", p.Addr(), err))
	}
	done := make(chan struct{})
	go func() {
		p.work.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		errs = append(errs, fmt.Errorf("ending the connections on %s: %w", p.Addr(), context.Cause(ctx)))
	}
	return errors.Join(errs...)
}

// abandon closes a connection. The work that holds it ends by that.
func (p *Port) abandon(c *conn) {
	if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		p.log.Debug("port: closing a connection", "peer", c.RemoteAddr(), "err", err)
	}
}
