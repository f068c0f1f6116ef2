// Package proxy gets SSTP through HTTP proxies, which offices have in their way.
//
// [Settings] say which proxy leads to a host: that of the environment, as other
// programs have it, or one that was named. A [Proxy] makes a tunnel with CONNECT
// (the Secure Tunnel of [MS-GRVHENC] 3.7), or by [Proxy.Forward] takes part in the
// requests of an encapsulation that go through it.
//
// A proxy that wants to know who asks answers 407 with what it accepts. Of that the
// strongest is taken, NTLM before Digest before Basic, and nothing weaker is tried
// when it fails: a name and password are never told to whom has not asked, nor in
// the clear to whom takes more. What was learned is used for the next request at
// once ([MS-GRVHENC] 3.3.1.2).
//
// NTLM proves a TCP connection instead of a request, in three messages on that
// connection. A forward connection is therefore proven before anybody gets it.
package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"

	"github.com/icholy/digest"
)

// Proxy is an HTTP proxy. It is safe for concurrent use.
type Proxy struct {
	address  string      // host:port
	secure   *tls.Config // nil for one that is spoken to in the clear
	user     string
	password string
	named    bool // there are user and password

	mu        sync.Mutex
	scheme    scheme            // that the proxy wants
	challenge *digest.Challenge // the last, with scheme digestScheme
	count     int               // uses of challenge
}

// parse reads the address of a proxy, which may have a user and password. The error
// does not tell them.
func parse(raw string) (*Proxy, error) {
	if !strings.Contains(raw, "://") {
		raw = "http://" + raw
	}
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("not the address of a proxy, such as http://proxy.example:3128")
	}
	return newProxy(u)
}

func newProxy(u *url.URL) (*Proxy, error) {
	p := &Proxy{}
	port := u.Port()
	switch u.Scheme {
	case "http":
		if port == "" {
			port = "80"
		}
	case "https":
		if port == "" {
			port = "443"
		}
		p.secure = &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
	default:
		return nil, fmt.Errorf("proxy %s: %q is not the scheme of an HTTP proxy", u.Host, u.Scheme)
	}
	p.address = net.JoinHostPort(u.Hostname(), port)
	if u.User != nil {
		p.named, p.user = true, u.User.Username()
		p.password, _ = u.User.Password()
	}
	if strings.ContainsFunc(p.user+p.password, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, fmt.Errorf("proxy %s: control characters in the user or password", p.address)
	}
	return p, nil
}

// String is host and port.
func (p *Proxy) String() string { return p.address }

// dial connects to the proxy.
func (p *Proxy) dial(ctx context.Context) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.address)
	if err != nil {
		return nil, fmt.Errorf("proxy %s: %w", p, err)
	}
	if p.secure == nil {
		return conn, nil
	}
	secure := tls.Client(conn, p.secure)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("proxy %s: %w", p, err), conn.Close())
	}
	return secure, nil
}
