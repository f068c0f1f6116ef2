package ldapsync

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/go-ldap/ldap/v3"
)

const (
	// connectTimeout bounds the way to a server, its handshakes and the bind.
	connectTimeout = 20 * time.Second
	// requestTimeout bounds the answer to one request: a page of entries, which an unindexed filter makes slow.
	requestTimeout = 2 * time.Minute
	// searchTimeout bounds the reading of a whole directory.
	searchTimeout = 15 * time.Minute
	// maxReceived bounds what a server can make the box read in one search, in octets: 50,000 entries of a kilobyte
	// and some. What it has sent of one page is in memory at once.
	maxReceived = 96 << 20
)

// connect binds to the first server of a source that answers. One that answers and refuses the password is the last: an
// account is locked after few attempts. The connection ends with ctx, or by the returned function.
func connect(ctx context.Context, s *Source) (_ *ldap.Conn, end func(), err error) {
	var unreachable []error
	for _, server := range s.Servers {
		conn, end, err := reach(ctx, s, server)
		if err != nil {
			unreachable = append(unreachable, fmt.Errorf("%s: %w", server, err))
			continue
		}
		if err := bind(conn, s); err != nil {
			end()
			return nil, nil, fmt.Errorf("%s: %w", server, err)
		}
		return conn, end, nil
	}
	return nil, nil, errors.Join(unreachable...)
}

func bind(conn *ldap.Conn, s *Source) error {
	if s.BindDN == "" {
		return nil // RFC 4513 5.1.1: who does not bind is anonymous
	}
	err := conn.Bind(s.BindDN, s.Password)
	if ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
		return fmt.Errorf("the server does not accept the account %q with this password: %w", s.BindDN, err)
	}
	if err != nil {
		return fmt.Errorf("logging in as %q: %w", s.BindDN, err)
	}
	return nil
}

// reach connects to one server, with TLS unless the source is plain.
func reach(ctx context.Context, s *Source, server string) (*ldap.Conn, func(), error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, nil, err
	}
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "ldaps":
		port = ldap.DefaultLdapsPort
	default:
		port = ldap.DefaultLdapPort
	}
	dialer := net.Dialer{Timeout: connectTimeout}
	tcp, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, nil, err
	}
	var wire net.Conn = &bounded{Conn: tcp, left: maxReceived}
	config := s.tlsConfig(u.Hostname())
	if u.Scheme == "ldaps" {
		secure := tls.Client(wire, config)
		handshake, cancel := context.WithTimeout(ctx, connectTimeout)
		defer cancel()
		if err := secure.HandshakeContext(handshake); err != nil {
			return nil, nil, errors.Join(fmt.Errorf("TLS: %w", err), tcp.Close())
		}
		wire = secure
	}
	conn := ldap.NewConn(wire, u.Scheme == "ldaps")
	conn.SetTimeout(connectTimeout)
	conn.Start()
	// The TCP connection is closed, because Close of an ldap.Conn waits for a writer that may be stuck.
	stop := context.AfterFunc(ctx, func() { _ = tcp.Close() })
	end := func() {
		stop()
		_ = tcp.Close()  // nothing is lost: everything was read, or is of no use
		_ = conn.Close() // reports that it was closed
	}
	if u.Scheme == "ldap" && !s.Plain {
		// A handshake inside StartTLS knows no context; the deadline ends it.
		err := tcp.SetDeadline(time.Now().Add(connectTimeout))
		if err == nil {
			err = conn.StartTLS(config)
		}
		if err == nil {
			err = tcp.SetDeadline(time.Time{})
		}
		if err != nil {
			end()
			return nil, nil, fmt.Errorf("StartTLS: %w", err)
		}
	}
	return conn, end, nil
}

func (s *Source) tlsConfig(host string) *tls.Config {
	config := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if s.Authority != "" {
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM([]byte(s.Authority)) // complete has seen that there is one
	}
	return config
}

// errTooMuch ends the reading of a server that sends without end.
var errTooMuch = fmt.Errorf("the server has sent more than %d octets", maxReceived)

// bounded is a connection that delivers a bounded number of octets. One goroutine reads.
type bounded struct {
	net.Conn
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooMuch
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
