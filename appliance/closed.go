package appliance

import (
	"net"
	"net/netip"
)

// bind is a listening socket of the box. While the box is closed it serves this machine only.
func (a *Appliance) bind(name, address string) (net.Listener, error) {
	listener, err := a.opts.Sockets.Listen(name, address)
	if err != nil || a.opts.Closed == nil {
		return listener, err
	}
	return closable{listener, a.opts.Closed}, nil
}

// closable turns away who comes from another machine while closed says so.
type closable struct {
	net.Listener
	closed func() bool
}

func (c closable) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil || !c.closed() || local(conn) {
			return conn, err
		}
		_ = conn.Close() // nothing was said on it
	}
}

// local says whether the machine speaks with itself: by a loopback address, or by the one that others reach it at.
func local(conn net.Conn) bool {
	from, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return false
	}
	to, err := netip.ParseAddrPort(conn.LocalAddr().String())
	return from.Addr().Unmap().IsLoopback() || err == nil && from.Addr().Unmap() == to.Addr().Unmap()
}
