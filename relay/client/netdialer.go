package client

import (
	"context"
	"io"
	"net"
	"strings"
	"time"

	"furrow/sstp"
)

const (
	// relayPort is where relays listen ([MS-GRVSSTP] 3.1.1.1).
	relayPort = "2492"

	// transportTimeout is shorter than the 10 min of the products (note <11>):
	// whoever waits is told sooner, and the next attempt is made sooner.
	transportTimeout = time.Minute
)

// NetDialer dials over TCP. The zero value is ready for use.
type NetDialer struct{}

// DialRelay implements [Dialer].
func (NetDialer) DialRelay(ctx context.Context, relayURL string) (io.ReadWriteCloser, error) {
	address, err := Address(relayURL)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{
		Timeout: transportTimeout,
		// A relay that has gone without a word is missed within a minute.
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3},
	}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err // not conn, which would be an interface that is not nil
	}
	return conn, nil
}

// Address returns host and port of a relay. Relay URLs have no port (note <8>);
// one that stands there all the same is obeyed, for relays that cannot have the
// usual one.
func Address(relayURL string) (string, error) {
	if err := sstp.CheckRelayURL(relayURL); err != nil {
		return "", err
	}
	host := strings.TrimPrefix(relayURL, sstp.RelayScheme)
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host, nil
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), relayPort), nil
}
