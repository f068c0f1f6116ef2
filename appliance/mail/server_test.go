package mail

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// mailServer is a real SMTP server on loopback.
type mailServer struct {
	address   string
	authority string        // PEM of its certificate
	arrived   chan received // what was accepted

	mu     sync.Mutex
	refuse *smtp.SMTPError // guarded by mu: the answer to the next recipient
}

type received struct{ from, to, login, text string }

const (
	login    = "groove"
	password = "horse staple"
)

// startServer listens; over TLS from the first octet if implicit.
func startServer(t *testing.T, implicit bool) *mailServer {
	t.Helper()
	certificate := makeCertificate(t)
	m := &mailServer{
		arrived:   make(chan received, 100),
		authority: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})),
	}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &conversation{server: m}, nil }))
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.Domain = "localhost"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	m.address = listener.Addr().String()
	if implicit {
		listener = tls.NewListener(listener, server.TLSConfig)
	}
	var done sync.WaitGroup
	done.Go(func() { _ = server.Serve(listener) }) // ends with the listener
	t.Cleanup(func() { _ = server.Close(); done.Wait() })
	return m
}

func makeCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	check(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (m *mailServer) refuseWith(e *smtp.SMTPError) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refuse = e
}

// conversation is one connection.
type conversation struct {
	server *mailServer
	now    received
}

func (c *conversation) AuthMechanisms() []string { return []string{sasl.Plain} }

func (c *conversation) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, name, secret string) error {
		if name != login || secret != password {
			return smtp.ErrAuthFailed
		}
		c.now.login = name
		return nil
	}), nil
}

func (c *conversation) Mail(from string, _ *smtp.MailOptions) error {
	c.now.from = from
	return nil
}

func (c *conversation) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if c.server.refuse != nil {
		return c.server.refuse
	}
	c.now.to = to
	return nil
}

func (c *conversation) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	c.now.text = string(text)
	select {
	case c.server.arrived <- c.now:
		return nil
	default:
		return errors.New("more mail than any test sends")
	}
}

func (c *conversation) Reset()        {}
func (c *conversation) Logout() error { return nil }
