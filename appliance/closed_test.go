package appliance

import (
	"net"
	"net/netip"
	"path/filepath"
	"testing"

	"furrow/web/api"
)

// callers is a listener with callers from these addresses.
type callers struct {
	net.Listener
	waiting []*caller
}

type caller struct {
	net.Conn
	from   string
	closed bool
}

// LocalAddr is the box's own, as its socket for all addresses has it.
func (c *caller) LocalAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[::ffff:192.0.2.1]:80"))
}

func (c *caller) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.from))
}

func (c *caller) Close() error {
	c.closed = true
	return nil
}

func (c *callers) Accept() (net.Conn, error) {
	if len(c.waiting) == 0 {
		return nil, net.ErrClosed
	}
	first := c.waiting[0]
	c.waiting = c.waiting[1:]
	return first, nil
}

func TestClosedBox(t *testing.T) {
	all := []*caller{{from: "192.0.2.7:5000"}, {from: "127.0.0.1:5000"}, {from: "[::ffff:127.0.77.1]:5000"}, {from: "[2001:db8::1]:5000"}, {from: "[::1]:5000"}, {from: "192.0.2.1:5000"}, {from: "192.0.2.7:5000"}}
	closed := true
	listener := closable{&callers{waiting: all}, func() bool { return closed }}
	for _, want := range []int{1, 2, 4, 5} {
		if got, err := listener.Accept(); err != nil || got != net.Conn(all[want]) {
			t.Fatalf("%v, %v, want number %d", got, err, want)
		}
	}
	closed = false
	if got, err := listener.Accept(); err != nil || got != net.Conn(all[6]) {
		t.Fatalf("an open box: %v, %v", got, err)
	}
	for i, turnedAway := range []bool{true, false, false, true, false, false, false} {
		if all[i].closed != turnedAway {
			t.Errorf("%s is turned away: %v, want %v", all[i].from, all[i].closed, turnedAway)
		}
	}
}

// TestClosedBoxServesItself has a client of this machine join, as the examination of a version on trial does.
func TestClosedBoxServesItself(t *testing.T) {
	opts := options(filepath.Join(t.TempDir(), "var"))
	opts.Closed = func() bool { return true }
	a, admin, _ := run(t, opts)
	if _, err := admin.CreateDomain(t.Context(), api.NewDomain{Name: "Office"}); err != nil {
		t.Fatal(err)
	}
	join(t, a, admin, t.TempDir())
}
