package client

import (
	"context"
	"io"
	"net"
	"time"

	"furrow/sstp"
)

// transportTimeout is shorter than the 10 min of the products (note <11>): whoever
// waits is told sooner, and the next attempt is made sooner.
const transportTimeout = time.Minute

// NetDialer dials over TCP. The zero value is ready for use.
type NetDialer struct{}

// DialRelay implements [Dialer].
func (NetDialer) DialRelay(ctx context.Context, relayURL string) (io.ReadWriteCloser, error) {
	address, err := sstp.RelayAddress(relayURL)
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
