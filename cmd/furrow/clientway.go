package main

import (
	"fmt"
	"log/slog"
	"net"
	"strings"

	"furrow/sstp/carrier/proxy"
	"furrow/sstp/carrier/route"
)

// wayFlags say how to get to a relay.
type wayFlags struct {
	Via       string            `help:"Way to the relay: ${enum}. Auto tries them in this order." enum:"auto,sstp,443,longlived,keepalive,polling" default:"auto"`
	Proxy     string            `help:"HTTP proxy, with http://user:password@ in front if it wants to know; default that of HTTPS_PROXY and HTTP_PROXY. A password is better left to those: everybody on the machine sees command lines." placeholder:"URL"`
	RelayPort map[string]string `help:"The relay listens for PORT (2492, 443 or 80) on OTHER." placeholder:"PORT=OTHER"`
}

// router is what finds the way.
func (f *wayFlags) router(log *slog.Logger) (*route.Router, error) {
	proxies := proxy.Environment()
	if f.Proxy != "" {
		var err error
		if proxies, err = proxy.Fixed(f.Proxy); err != nil {
			return nil, fmt.Errorf("--proxy: %w", err)
		}
	}
	ports, err := relayPorts(f.RelayPort)
	if err != nil {
		return nil, err
	}
	return route.New(route.Config{Via: route.Via(f.Via), Ports: ports, Proxies: proxies, Log: log})
}

// relayPorts reads which ports a relay has instead of the usual ones.
func relayPorts(typed map[string]string) (ports route.Ports, err error) {
	for usual, other := range typed {
		if _, err := net.LookupPort("tcp", other); err != nil || strings.TrimSpace(other) != other || other == "" {
			return ports, fmt.Errorf("--relay-port %s=%s: not a port", usual, other)
		}
		switch usual {
		case "2492":
			ports.SSTP = other
		case "443":
			ports.Tunnel = other
		case "80":
			ports.HTTP = other
		default:
			return ports, fmt.Errorf("--relay-port %s=%s: relays listen on 2492, 443 and 80", usual, other)
		}
	}
	return ports, nil
}
