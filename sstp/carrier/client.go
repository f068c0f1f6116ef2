package carrier

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
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
// no part in the stream once it stands.
func Dial(ctx context.Context, c ClientConfig) (io.ReadWriteCloser, error) {
	return nil, errors.ErrUnsupported
}
