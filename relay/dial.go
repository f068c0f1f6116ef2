package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"furrow/sstp"
)

// Dialer makes transports to other relays. The error is a [*net.DNSError], or
// wraps one, if the name of the relay does not resolve.
type Dialer interface {
	DialRelay(ctx context.Context, relayURL string) (io.ReadWriteCloser, error)
}

// port is where relays listen ([MS-GRVSSTP] 3.1.1.1).
const port = "2492"

// NetDialer dials over TCP. The zero value is ready for use.
type NetDialer struct{ net.Dialer }

// transportTimeout is the Transport Connection Timer of relays (note <11>).
const transportTimeout = 3 * time.Minute

// DialRelay implements [Dialer]. A relay URL is a scheme and a host name (note
// <8>); a port behind it, which no product has, is taken for one.
func (d *NetDialer) DialRelay(ctx context.Context, relayURL string) (io.ReadWriteCloser, error) {
	host, ok := strings.CutPrefix(relayURL, sstp.RelayScheme)
	if !ok || host == "" {
		return nil, fmt.Errorf("dialling %q: %w", relayURL, sstp.ErrScheme)
	}
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(host, port)
	}
	conn, err := d.DialContext(ctx, "tcp", host)
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
