package carrier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
)

// ClientConfig says how to reach a relay.
type ClientConfig struct {
	Mode Mode

	// Host is the name or address of the relay, with the port if that is not 80.
	Host string

	// Dial makes a new TCP connection to the relay, or to the proxy.
	Dial func(ctx context.Context) (net.Conn, error)

	// Proxy answers the challenges of the proxy that Dial leads to; nil if it
	// leads to the relay. It is not used concurrently.
	Proxy Authorizer

	// UserAgent is the header of that name; "" is "Furrow/1".
	UserAgent string

	// Log receives what is worth knowing about the connection; nil means nobody
	// does.
	Log *slog.Logger

	// budget is ConnectionContentLength of LongLived; 0 is fullBudget.
	budget int64
}

// Authorizer answers a proxy's challenges.
type Authorizer interface {
	// Authorize returns the value of Proxy-Authorization for the next request,
	// "" for none.
	Authorize(method, uri string) (value string, err error)
	// Challenged takes the Proxy-Authenticate values of a 407 response. Nil
	// means to try again, an error to give up.
	Challenged(challenges []string) error
}

// Dial makes a stream to a relay. It returns when the relay has answered. ctx has
// no part in the stream once it stands. The error is a [*StatusError] if the relay
// or a proxy refuses.
//
// Octets that have been written when the stream is closed are still sent, for
// which Close takes up to 2 s; there is no end of one direction.
func Dial(ctx context.Context, cfg ClientConfig) (io.ReadWriteCloser, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { c.cancel() })
	stream, err := c.dial()
	if err == nil && stop() {
		return stream, nil
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if stream != nil {
		err = errors.Join(err, stream.Close())
	}
	c.cancel()
	return nil, fmt.Errorf("dialling %s by %v: %w", cfg.Host, cfg.Mode, err)
}

// client is the client's end of one virtual connection.
type client struct {
	cfg       ClientConfig
	name      string // Relay-Server-Name
	guid      string
	userAgent string
	log       *slog.Logger

	// life ends all TCP connections.
	life   context.Context
	cancel context.CancelFunc

	// negotiation has room for the one session that uses the Authorizer.
	negotiation chan struct{}

	// work counts goroutines.
	work sync.WaitGroup
}

func newClient(cfg ClientConfig) (*client, error) {
	c := &client{
		cfg:         cfg,
		guid:        newGUID(),
		name:        cfg.Host,
		userAgent:   cfg.UserAgent,
		log:         cfg.Log,
		negotiation: make(chan struct{}, 1),
	}
	if name, _, err := net.SplitHostPort(cfg.Host); err == nil {
		c.name = name
	}
	if !isServerName(c.name) || !isServerName(cfg.Host) {
		return nil, fmt.Errorf("carrier: %q is not the name of a relay", cfg.Host)
	}
	if c.userAgent == "" {
		c.userAgent = defaultProduct
	}
	if !isPrintable(c.userAgent) {
		return nil, fmt.Errorf("carrier: user agent %q", c.userAgent)
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.cfg.budget == 0 {
		c.cfg.budget = fullBudget
	}
	c.life, c.cancel = context.WithCancel(context.Background())
	return c, nil
}

func (c *client) dial() (io.ReadWriteCloser, error) {
	switch c.cfg.Mode {
	case LongLived:
		return c.dialLongLived()
	case KeepAlive:
		return c.dialKeepAlive()
	case Polling:
		return c.dialPolling()
	default:
		return nil, fmt.Errorf("carrier: mode %d", c.cfg.Mode)
	}
}

// negotiate makes a session the one that uses the Authorizer, until negotiated:
// while the proxy is being satisfied on one connection, none else may be begun.
func (c *client) negotiate() error {
	select {
	case c.negotiation <- struct{}{}:
		return nil
	case <-c.life.Done():
		return net.ErrClosed
	}
}

func (c *client) negotiated() { <-c.negotiation }

// uri returns the URI of the requests: absolute for a proxy ([MS-GRVHENC]
// 2.2.2.1.1).
func (c *client) uri() string {
	uri := []byte{'/'}
	if c.cfg.Mode != Polling {
		uri = target{server: c.name, guid: c.guid, mode: c.cfg.Mode, budget: c.cfg.budget}.appendTo(nil)
	}
	switch {
	case c.cfg.Proxy == nil:
		return string(uri)
	case c.cfg.Mode == Polling:
		return "http://" + c.cfg.Host // 2.2.4.1.1 shows no path
	default:
		return "http://" + c.cfg.Host + string(uri)
	}
}

func (c *client) get() *request {
	return &request{method: http.MethodGet, mode: c.cfg.Mode, uri: c.uri(), length: -1}
}

func (c *client) post(body []byte) *request {
	return &request{method: http.MethodPost, mode: c.cfg.Mode, uri: c.uri(), length: int64(len(body)), body: body}
}
