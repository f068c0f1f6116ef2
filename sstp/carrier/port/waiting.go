package port

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
)

// waitingRoom holds the connections that are not proven, oldest first.
type waitingRoom struct {
	most, mostFrom int // seats, and seats for one source

	mu   sync.Mutex
	all  list.List // of *conn
	from map[netip.Prefix]*list.List
}

// seat is the place of a connection in the waiting room, whose mutex guards it.
type seat struct {
	source   netip.Prefix
	inAll    *list.Element // nil for who does not wait
	inSource *list.Element
}

func newWaitingRoom(most, mostFrom int) *waitingRoom {
	return &waitingRoom{most: most, mostFrom: mostFrom, from: make(map[netip.Prefix]*list.List)}
}

// enter lets c wait, as the newest. If that is one too many, the oldest is closed:
// of the same source if there are too many of that, else of all.
func (w *waitingRoom) enter(c *conn) {
	source := sourceOf(c.RemoteAddr())
	w.mu.Lock()
	w.remove(c)
	mates := w.from[source]
	if mates == nil {
		mates = list.New()
		w.from[source] = mates
	}
	var oldest *conn
	switch {
	case mates.Len() >= w.mostFrom:
		oldest = mates.Front().Value.(*conn)
	case w.all.Len() >= w.most:
		oldest = w.all.Front().Value.(*conn)
	}
	c.seat = seat{source: source, inAll: w.all.PushBack(c), inSource: mates.PushBack(c)}
	if oldest != nil {
		w.remove(oldest)
	}
	w.mu.Unlock()
	if oldest != nil {
		oldest.evict()
	}
}

// evictOldest closes the connection that has waited longest.
func (w *waitingRoom) evictOldest() {
	w.mu.Lock()
	var oldest *conn
	if front := w.all.Front(); front != nil {
		oldest = front.Value.(*conn)
		w.remove(oldest)
	}
	w.mu.Unlock()
	if oldest != nil {
		oldest.evict()
	}
}

// leave has c wait no more.
func (w *waitingRoom) leave(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.remove(c)
}

// remove takes c out, if it is in. mu is held.
func (w *waitingRoom) remove(c *conn) {
	s := &c.seat
	if s.inAll == nil {
		return
	}
	w.all.Remove(s.inAll)
	mates := w.from[s.source]
	mates.Remove(s.inSource)
	if mates.Len() == 0 {
		delete(w.from, s.source)
	}
	*s = seat{}
}

// sourceOf is what connections are counted by: the IPv4 address, or the network of
// 64 bits, which is the least that a customer gets, of the IPv6 address.
func sourceOf(addr net.Addr) netip.Prefix {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	source, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return source
}
