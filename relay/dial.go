package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"furrow/sstp"
)

// Dialer makes transports to other relays. The error is a [*net.DNSError], or
// wraps one, if the name of the relay does not resolve.
type Dialer interface {
	DialRelay(ctx context.Context, relayURL string) (io.ReadWriteCloser, error)
}

// NetDialer dials over TCP. The zero value is ready for use.
type NetDialer struct{ net.Dialer }

// transportTimeout is the Transport Connection Timer of relays (note <11>).
const transportTimeout = 3 * time.Minute

// DialRelay implements [Dialer].
func (d *NetDialer) DialRelay(ctx context.Context, relayURL string) (io.ReadWriteCloser, error) {
	address, err := sstp.RelayAddress(relayURL)
	if err != nil {
		return nil, fmt.Errorf("dialling %.100q: %w", relayURL, err)
	}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("dialling %s: %w", relayURL, err)
	}
	return conn, nil
}

// unreachable is the status of the targets on a relay that could not be dialled
// ([MS-GRVSSTP] 2.2.8.1).
func unreachable(err error) sstp.StatusID {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return sstp.StatusDNSLookupFailed
	}
	return sstp.StatusHostNotReachable
}
