package port

import (
	"net"
	"slices"
	"testing"
)

// len is how many wait.
func (w *waitingRoom) len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all.Len()
}

func TestSourceOf(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.7:1":                 "192.0.2.7/32",
		"[::ffff:192.0.2.7]:1":        "192.0.2.7/32",
		"[2001:db8:1:2:3:4:5:6]:1":    "2001:db8:1:2::/64",
		"[fe80::1%lo]:1":              "fe80::/64",
		"[2001:db8:1:2::99]:65535":    "2001:db8:1:2::/64",
		"[2001:db8:1:3:3:4:5:6]:2492": "2001:db8:1:3::/64",
	} {
		tcp, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := sourceOf(tcp); got.String() != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
	if got := sourceOf(&net.UnixAddr{}); got.IsValid() {
		t.Errorf("no address: %s", got)
	}
}

// peer is a socket that knows who it is and whether it has been closed.
type peer struct {
	net.Conn
	addr   net.TCPAddr
	closed bool
}

func (p *peer) RemoteAddr() net.Addr { return &p.addr }

func (p *peer) Close() error {
	p.closed = true
	return nil
}

// TestWaitingRoom has newcomers, written as the last octets of their addresses, find
// it full.
func TestWaitingRoom(t *testing.T) {
	for name, test := range map[string]struct {
		come []byte
		left []int // those that leave before the last comes
		want []int // those that are closed
	}{
		"room for all":                        {[]byte{1, 2, 1, 2}, nil, nil},
		"a third of an address":               {[]byte{1, 2, 1, 1}, nil, []int{0}},
		"a fifth":                             {[]byte{1, 2, 3, 4, 5}, nil, []int{0}},
		"a fifth that is a third":             {[]byte{2, 1, 1, 3, 1}, nil, []int{1}},
		"proven ones are not counted":         {[]byte{1, 1, 1}, []int{0}, nil},
		"proven ones are not the oldest":      {[]byte{1, 2, 3, 4, 5}, []int{0}, nil},
		"a flood takes seats from itself":     {[]byte{1, 2, 2, 2, 2, 2}, nil, []int{1, 2, 3}},
		"many floods take from the oldest":    {[]byte{1, 2, 2, 3, 3, 4, 4}, nil, []int{0, 1, 2}},
		"who leaves twice is not there twice": {[]byte{1, 2, 1, 1}, []int{0, 0}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWaitingRoom(4, 2)
			var conns []*conn
			for i, last := range test.come {
				if i == len(test.come)-1 {
					for _, j := range test.left {
						w.leave(conns[j])
					}
				}
				c := &conn{Conn: &peer{addr: net.TCPAddr{IP: net.IPv4(192, 0, 2, last)}}}
				conns = append(conns, c)
				w.enter(c)
			}
			var closed []int
			for i, c := range conns {
				if c.Conn.(*peer).closed {
					closed = append(closed, i)
				}
			}
			if !slices.Equal(closed, test.want) {
				t.Errorf("closed %v, want %v", closed, test.want)
			}
			for _, c := range conns {
				w.leave(c)
			}
			if len(w.from) != 0 || w.len() != 0 {
				t.Errorf("%d sources and %d connections are left", len(w.from), w.len())
			}
		})
	}
}
