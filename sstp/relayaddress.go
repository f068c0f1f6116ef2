package sstp

import (
	"net"
	"strings"
)

// Port is the TCP port where relays listen ([MS-GRVSSTP] 3.1.1.1).
const Port = "2492"

// RelayAddress returns host and port of a relay. Relay URLs have no port (note
// <8>); one that stands there all the same is obeyed, for relays that cannot have
// the usual one.
func RelayAddress(relayURL string) (string, error) {
	if err := CheckRelayURL(relayURL); err != nil {
		return "", err
	}
	host := strings.TrimPrefix(relayURL, RelayScheme)
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host, nil
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), Port), nil
}
