package port

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/pires/go-proxyproto"
)

// isProxy reports whether connections from addr begin with a header of the PROXY
// protocol.
func (p *Port) isProxy(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return false
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	for _, network := range p.config.BehindProxies {
		if network.Contains(ip) {
			return true
		}
	}
	return false
}

// meetProxy learns from a proxy whose connection it hands on, and meets that peer.
func (p *Port) meetProxy(c *conn) {
	if err := c.readProxyHeader(time.Now().Add(firstOctetTimeout)); err != nil {
		p.drop(c, fmt.Errorf("PROXY protocol: %w", err))
		return
	}
	p.waiting.enter(c)
	p.meet(c)
}

// readProxyHeader takes the peer's address from the header. A proxy that connects
// for itself, to see whether the port is alive, says so and keeps its own.
func (c *conn) readProxyHeader(deadline time.Time) error {
	if err := c.SetReadDeadline(deadline); err != nil {
		return err
	}
	in := bufio.NewReader(c.Conn)
	header, err := proxyproto.Read(in)
	if err != nil {
		return err
	}
	if peer, ok := header.SourceAddr.(*net.TCPAddr); ok && header.Command.IsProxy() {
		c.peer = peer
	}
	c.unread = buffered(in)
	return nil
}

// buffered copies what r has read ahead.
func buffered(r *bufio.Reader) []byte {
	octets, _ := r.Peek(r.Buffered()) // cannot fail: they are there
	return slices.Clone(octets)
}
