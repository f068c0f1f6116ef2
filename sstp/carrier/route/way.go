package route

import (
	"cmp"
	"context"
	"io"
	"net"
	"time"

	"furrow/sstp"
	"furrow/sstp/carrier"
	"furrow/sstp/carrier/proxy"
)

// Usual ports besides [sstp.Port].
const (
	tunnelPort = "443"
	httpPort   = "80"
)

// way is one way to a relay.
type way struct {
	name   string // in words
	direct bool   // the client resolves the relay's name
	dial   func(context.Context) (io.ReadWriteCloser, error)
}

// ways lists the ways to a relay that are to be tried, best first.
func (r *Router) ways(relayURL string) ([]way, error) {
	address, err := sstp.RelayAddress(relayURL)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if port == sstp.Port {
		port = cmp.Or(r.config.Ports.SSTP, port)
	}
	var ways []way
	wanted := func(via Via) bool { return r.config.Via == Auto || r.config.Via == via }
	if wanted(SSTP) {
		ways = append(ways, directWay(host, port))
	}
	if wanted(Tunnel) {
		port := cmp.Or(r.config.Ports.Tunnel, tunnelPort)
		ways = append(ways, directWay(host, port))
		ways = append(ways, r.proxyWays("https", net.JoinHostPort(host, port), tunnelWay)...)
	}
	authority := host
	if port := cmp.Or(r.config.Ports.HTTP, httpPort); port != httpPort {
		authority = net.JoinHostPort(host, port)
	} else if net.ParseIP(host).To4() == nil && net.ParseIP(host) != nil {
		authority = "[" + host + "]"
	}
	for _, m := range []struct {
		via  Via
		mode carrier.Mode
	}{{LongLived, carrier.LongLived}, {KeepAlive, carrier.KeepAlive}, {Polling, carrier.Polling}} {
		if !wanted(m.via) {
			continue
		}
		ways = append(ways, r.proxyWays("http", authority, func(p *proxy.Proxy, authority string) way {
			return r.forwardWay(m.mode, p, authority)
		})...)
		ways = append(ways, r.carrierWay(m.mode, authority, net.JoinHostPort(host, cmp.Or(r.config.Ports.HTTP, httpPort))))
	}
	return ways, nil
}

// dialTCP dials, and misses a relay that has gone without a word within a minute.
func dialTCP(ctx context.Context, address string) (net.Conn, error) {
	d := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3},
	}
	return d.DialContext(ctx, "tcp", address)
}

// directWay is SSTP without anything around it.
func directWay(host, port string) way {
	return way{name: "SSTP on port " + port, direct: true, dial: func(ctx context.Context) (io.ReadWriteCloser, error) {
		conn, err := dialTCP(ctx, net.JoinHostPort(host, port))
		if err != nil {
			return nil, err // not conn, which would be an interface that is not nil
		}
		return conn, nil
	}}
}

// proxyWays is the way through the proxy that leads to authority; none if none does.
func (r *Router) proxyWays(scheme, authority string, through func(p *proxy.Proxy, authority string) way) []way {
	p, err := r.config.Proxies.For(scheme, authority)
	switch {
	case err != nil:
		return []way{{name: "a proxy", dial: func(context.Context) (io.ReadWriteCloser, error) { return nil, err }}}
	case p == nil:
		return nil
	}
	return []way{through(p, authority)}
}

// tunnelWay is the Secure Tunnel ([MS-GRVHENC] 3.7).
func tunnelWay(p *proxy.Proxy, address string) way {
	return way{name: "SSTP to " + address + " through the proxy " + p.String(), dial: func(ctx context.Context) (io.ReadWriteCloser, error) {
		conn, err := p.Connect(ctx, address)
		if err != nil {
			return nil, err
		}
		return conn, nil
	}}
}

// forwardWay is an encapsulation through a proxy.
func (r *Router) forwardWay(mode carrier.Mode, p *proxy.Proxy, authority string) way {
	return way{name: mode.String() + " through the proxy " + p.String(), dial: func(ctx context.Context) (io.ReadWriteCloser, error) {
		f := p.Forward(authority)
		return carrier.Dial(ctx, carrier.ClientConfig{Mode: mode, Host: authority, Dial: f.Dial, Proxy: f, Log: r.config.Log})
	}}
}

// carrierWay is an encapsulation without a proxy.
func (r *Router) carrierWay(mode carrier.Mode, authority, address string) way {
	_, port, _ := net.SplitHostPort(address) // was joined
	return way{name: mode.String() + " on port " + port, direct: true, dial: func(ctx context.Context) (io.ReadWriteCloser, error) {
		return carrier.Dial(ctx, carrier.ClientConfig{Mode: mode, Host: authority, Log: r.config.Log,
			Dial: func(ctx context.Context) (net.Conn, error) { return dialTCP(ctx, address) }})
	}}
}
