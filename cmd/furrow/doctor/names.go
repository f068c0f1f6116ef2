package doctor

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"furrow/sstp"
)

// names resolves what clients are told to connect to.
func names(ctx context.Context, e *examination) (string, error) {
	server, err := url.Parse(e.status.ServerURL)
	if err != nil {
		return "", fmt.Errorf("server URL %q: %w", e.status.ServerURL, err)
	}
	hosts := []string{server.Hostname()}
	if relay, err := e.api.LocalRelay(ctx); err == nil {
		hosts = append(hosts, relayHost(relay.DeviceURL))
	}
	slices.Sort(hosts)
	own, err := ownAddresses()
	if err != nil {
		return "", err
	}
	var found []string
	for _, host := range slices.Compact(hosts) {
		line, err := judgeName(ctx, host, net.DefaultResolver.LookupHost, own)
		if err != nil {
			return "", err
		}
		found = append(found, line)
	}
	return strings.Join(found, "; "), nil
}

// relayHost is the host in a relay URL, without the port that boxes on unusual ports have there.
func relayHost(relayURL string) string {
	authority := strings.TrimPrefix(relayURL, sstp.RelayScheme)
	if host, _, err := net.SplitHostPort(authority); err == nil {
		return host
	}
	return strings.Trim(authority, "[]")
}

func judgeName(ctx context.Context, host string, lookup func(context.Context, string) ([]string, error), own []string) (string, error) {
	if net.ParseIP(host) != nil {
		return host + " is an address and needs no name service", nil
	}
	addresses, err := lookup(ctx, host)
	if err != nil {
		return "", failed("add "+host+" to the name service of the office, or set server_url in furrow.toml to a name that clients can resolve",
			"%s does not resolve: %s", host, oneLine(err))
	}
	if !slices.ContainsFunc(addresses, func(a string) bool { return slices.Contains(own, a) }) {
		return "", warn("that is right behind a router that forwards the ports; otherwise correct the name service",
			"%s resolves to %s, which is no address of this machine", host, strings.Join(addresses, ", "))
	}
	return host + " resolves to " + strings.Join(addresses, ", "), nil
}

// ownAddresses are those of this machine.
func ownAddresses() ([]string, error) {
	networks, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("asking for the addresses of this machine: %w", err)
	}
	var own []string
	for _, n := range networks {
		if ip, _, err := net.ParseCIDR(n.String()); err == nil {
			own = append(own, ip.String())
		}
	}
	return own, nil
}
