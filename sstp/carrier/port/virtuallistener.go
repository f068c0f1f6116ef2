package port

import (
	"net"
	"sync"
)

// virtualListener accepts connections that were accepted elsewhere. It is closed by
// who accepts, as http.Server does: for that, a listener that closes by itself has
// failed.
type virtualListener struct {
	addr  net.Addr
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
	dry   <-chan struct{} // closed when no more will come
}

func newVirtualListener(addr net.Addr, dry <-chan struct{}) *virtualListener {
	return &virtualListener{addr: addr, conns: make(chan net.Conn), done: make(chan struct{}), dry: dry}
}

// Accept implements [net.Listener].
func (l *virtualListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (l *virtualListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr implements [net.Listener].
func (l *virtualListener) Addr() net.Addr { return l.addr }

// offer waits until somebody accepts c, or nobody will.
func (l *virtualListener) offer(c net.Conn) error {
	select {
	case l.conns <- c:
		return nil
	case <-l.done:
	case <-l.dry:
	}
	return net.ErrClosed
}
