package doctor

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// connectTimeout bounds an attempt to connect: what does not answer by then is behind a firewall that says nothing.
const connectTimeout = 5 * time.Second

// ports connects to each port of the box, first as a program on the same machine, then by the name that clients use.
func ports(ctx context.Context, e *examination) (string, error) {
	if len(e.status.Listeners) == 0 {
		return "", failed("", "the box says that it listens nowhere")
	}
	server, err := url.Parse(e.status.ServerURL)
	if err != nil {
		return "", fmt.Errorf("server URL %q: %w", e.status.ServerURL, err)
	}
	var found []string
	for _, service := range slices.Sorted(maps.Keys(e.status.Listeners)) {
		address := e.status.Listeners[service]
		if err := connect(ctx, reachable(address)); err != nil {
			return "", failed("see the log of the box: something else may have taken the port, or a firewall of this machine closes it",
				"%s on %s cannot be reached from this machine: %s", service, address, oneLine(err))
		}
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return "", err
		}
		if err := connect(ctx, net.JoinHostPort(server.Hostname(), port)); err != nil {
			return "", warn("some routers cannot be reached by their outer name from inside; otherwise open the port in the firewall",
				"%s answers on this machine, but not as %s port %s: %s", service, server.Hostname(), port, oneLine(err))
		}
		found = append(found, service+" on "+port)
	}
	return strings.Join(found, ", ") + " answer, also by the name " + server.Hostname(), nil
}

func connect(ctx context.Context, address string) error {
	d := net.Dialer{Timeout: connectTimeout}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}
