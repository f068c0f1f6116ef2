package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// soonEnds is how long before its end somebody should look at a certificate.
const soonEnds = 21 * 24 * time.Hour

// tlsCertificate connects to the box's TLS port as a browser would and looks at what it is shown.
func tlsCertificate(ctx context.Context, e *examination) (found string, err error) {
	server, err := url.Parse(e.status.ServerURL)
	if err != nil {
		return "", fmt.Errorf("server URL %q: %w", e.status.ServerURL, err)
	}
	address, ok := e.status.Listeners["https"]
	if !ok {
		return "", notTried("this box serves no TLS")
	}
	dialer := tls.Dialer{Config: &tls.Config{
		ServerName:         server.Hostname(),
		InsecureSkipVerify: true, // judged below, so that a self-signed certificate is told from a wrong one
	}}
	conn, err := dialer.DialContext(ctx, "tcp", reachable(address))
	if err != nil {
		return "", err
	}
	chain := conn.(*tls.Conn).ConnectionState().PeerCertificates
	if err := conn.Close(); err != nil {
		return "", err
	}
	return judgeCertificate(chain, server.Hostname(), e.Now())
}

func judgeCertificate(chain []*x509.Certificate, host string, now time.Time) (string, error) {
	leaf := chain[0]
	const remedy = "install a certificate for the box's name from an authority that browsers know"
	until := leaf.NotAfter.Format(time.DateOnly)
	if err := leaf.VerifyHostname(host); err != nil {
		return "", failed(remedy, "the certificate is for %s, not for %s", strings.Join(leaf.DNSNames, ", "), host)
	}
	switch {
	case now.Before(leaf.NotBefore):
		return "", failed("set the clock of the box", "the certificate begins on %s only", leaf.NotBefore.Format(time.DateOnly))
	case !now.Before(leaf.NotAfter):
		return "", failed(remedy, "the certificate ended on %s", until)
	case leaf.NotAfter.Sub(now) < soonEnds:
		return "", warn(remedy, "the certificate ends on %s", until)
	}
	others := x509.NewCertPool()
	for _, c := range chain[1:] {
		others.AddCert(c)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Intermediates: others, CurrentTime: now}); err != nil {
		return "for " + host + ", made by the box itself, until " + until + "; browsers warn of it until it is trusted", nil
	}
	return "for " + host + ", trusted by this machine, until " + until, nil
}

// reachable is an address to connect to for one that is listened on, on the same machine.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
