package port

import (
	"io"
	"net"
)

// conn is a connection from its accept to its end, in whosever hands it is.
type conn struct {
	net.Conn
	port   *Port
	peer   net.Addr // from the PROXY protocol; nil without
	octet  [1]byte  // holds the first of unread
	unread []byte   // read from the socket and to be read again
	seat   seat     // in the waiting room
}

// RemoteAddr is the peer's, also if a proxy has handed the connection on.
func (c *conn) RemoteAddr() net.Addr {
	if c.peer != nil {
		return c.peer
	}
	return c.Conn.RemoteAddr()
}

// Read reads what was read before, then the socket.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.unread) > 0 {
		n := copy(p, c.unread)
		c.unread = c.unread[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// peek returns the next octet.
func (c *conn) peek() (byte, error) {
	if len(c.unread) == 0 {
		if _, err := io.ReadFull(c.Conn, c.octet[:]); err != nil {
			return 0, err
		}
		c.unread = c.octet[:]
	}
	return c.unread[0], nil
}

// Proven says that the peer is worth its connection.
func (c *conn) Proven() { c.port.waiting.leave(c) }

// Close closes the socket.
func (c *conn) Close() error {
	c.port.waiting.leave(c)
	return c.Conn.Close()
}

// evict closes the socket at once: what was sent and not acknowledged is of no
// interest, and the kernel need not keep it.
func (c *conn) evict() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // it is closed anyway
	}
	_ = c.Conn.Close() // the peer has not been heard, and is not told
}

// The following are what net/http and the relay ask of a TCP connection.

// ReadFrom lets net/http have the kernel send files.
func (c *conn) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

// CloseWrite lets net/http end an answer without losing its tail.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// SetKeepAliveConfig lets the relay find out that a peer has gone.
func (c *conn) SetKeepAliveConfig(k net.KeepAliveConfig) error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		return tcp.SetKeepAliveConfig(k)
	}
	return nil
}
