package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
)

// Forward is a proxy in the way of HTTP requests to one host. It makes the
// connections to the proxy, and authorizes the requests on them: see
// carrier.ClientConfig, where it is both Dial and Proxy.
type Forward struct {
	proxy *Proxy
	host  string
	login login // of all requests; used by one at a time
}

// Forward returns the proxy for requests to host, which may have a port.
func (p *Proxy) Forward(host string) *Forward {
	return &Forward{proxy: p, host: host, login: login{proxy: p}}
}

// Dial connects to the proxy. What the proxy wants to know is found out by a
// request of its own, once, as is whom it is from, for NTLM on each connection.
func (f *Forward) Dial(ctx context.Context) (net.Conn, error) {
	switch f.proxy.wants() {
	case unknownScheme, ntlmScheme:
	default:
		return f.proxy.dial(ctx)
	}
	if err := checkAuthority(f.host); err != nil {
		return nil, fmt.Errorf("proxy %s: %w", f.proxy, err)
	}
	// A relay need not know HEAD. Only the proxy's answer is of interest.
	s, _, reusable, err := f.proxy.converse(ctx, http.MethodHead, "http://"+f.host+"/", f.host)
	switch {
	case err != nil:
		return nil, err
	case reusable:
		return s.conn(), nil
	case f.proxy.wants() == ntlmScheme:
		return nil, errors.Join(fmt.Errorf("proxy %s: it closes the connection that NTLM has proven", f.proxy), s.Close())
	}
	if err := s.Close(); err != nil {
		return nil, fmt.Errorf("proxy %s: %w", f.proxy, err)
	}
	return f.proxy.dial(ctx)
}

func (p *Proxy) wants() scheme {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.scheme
}

// Authorize returns the value of Proxy-Authorization for the next request, empty
// for none. It implements carrier.Authorizer.
func (f *Forward) Authorize(method, uri string) (string, error) {
	if f.proxy.wants() == ntlmScheme { // the connection is proven
		f.login.sent = openScheme
		return "", nil
	}
	return f.login.authorize(method, uri)
}

// Challenged takes the Proxy-Authenticate values of a 407 answer. Nil means to try
// again. It implements carrier.Authorizer.
func (f *Forward) Challenged(challenges []string) error {
	if err := f.login.challenged(challenges); err != nil {
		return err
	}
	if f.proxy.wants() == ntlmScheme {
		return fmt.Errorf("proxy %s: 407: it wants NTLM on a connection that has begun without", f.proxy)
	}
	return nil
}
