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
		if err != nil || !c.closed() || local(conn.RemoteAddr()) {
			return conn, err
		}
		_ = conn.Close() // nothing was said on it
	}
}

func local(address net.Addr) bool {
	from, err := netip.ParseAddrPort(address.String())
	return err == nil && from.Addr().Unmap().IsLoopback()
}
