package port

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"furrow/sstp/carrier"
)

// First octets that are not those of HTTP.
const (
	sstpConnect  = 0x01 // [MS-GRVSSTP] 2.2.1.1: Connect comes first
	tlsHandshake = 0x16 // RFC 8446 5.1
)

var errNotOffered = errors.New("the port does not offer this")

// meet finds out what a connection brings, and hands it to those who know.
func (p *Port) meet(c *conn) {
	if err := c.SetReadDeadline(time.Now().Add(firstOctetTimeout)); err != nil {
		p.drop(c, err)
		return
	}
	first, err := c.peek()
	if err != nil {
		p.drop(c, fmt.Errorf("waiting for the first octet: %w", err))
		return
	}
	switch {
	case first == sstpConnect && p.config.SSTP != nil:
		if err := p.handOver(c); err != nil {
			p.drop(c, err)
			return
		}
		p.config.SSTP(c)
	case first == tlsHandshake && p.config.TLS:
		p.give(c, p.tls)
	case isLetter(first):
		p.meetHTTP(c)
	default:
		p.drop(c, fmt.Errorf("first octet %#02x: %w", first, errNotOffered))
	}
}

func isLetter(b byte) bool { return 'A' <= b&^0x20 && b&^0x20 <= 'Z' }

// handOver prepares a connection for other hands, which have timeouts of their own.
func (p *Port) handOver(c *conn) error {
	p.release(c)
	return c.SetDeadline(time.Time{})
}

// give offers a connection to an http.Server.
func (p *Port) give(c *conn, to *virtualListener) {
	err := p.handOver(c)
	if err == nil {
		err = to.offer(c)
	}
	if err != nil {
		p.drop(c, err)
	}
}

// meetHTTP reads the head of a connection's first request.
func (p *Port) meetHTTP(c *conn) {
	if err := c.SetReadDeadline(time.Now().Add(headTimeout)); err != nil {
		p.drop(c, err)
		return
	}
	in := bufio.NewReader(c)
	head, err := carrier.ReadHead(in)
	if err != nil {
		p.drop(c, fmt.Errorf("reading the head of a request: %w", err))
		return
	}
	p.serveHTTP(c, in, head)
}

// serveHTTP has a request served whose head has been read from in, and what follows
// it.
func (p *Port) serveHTTP(c *conn, in *bufio.Reader, head carrier.Head) {
	switch {
	case p.claims(head):
		if err := p.handOver(c); err != nil {
			p.drop(c, err)
			return
		}
		c.Proven() // the encapsulation judges its peers by itself
		p.config.Encapsulation.Serve(c, in, head)
	case p.config.HTTP:
		c.unread = slices.Concat(head.Raw, buffered(in), c.unread)
		p.give(c, p.http)
	default:
		p.refuse(c, head)
	}
}

// claims reports whether a request is of an encapsulation that the port offers.
func (p *Port) claims(h carrier.Head) bool {
	return p.config.Encapsulation != nil && p.config.Encapsulation.Claims(h)
}

// Resume takes back a connection on which the encapsulation has found a request
// that is not one of its own. It is for [carrier.ServerConfig].
func Resume(socket net.Conn, in *bufio.Reader, head carrier.Head) {
	if c := ownOf(socket); c != nil {
		c.port.serveHTTP(c, in, head)
		return
	}
	_ = socket.Close() // it has not come by a port, and nobody else wants it
}
