package relay

import (
	"context"
	"sync"
	"time"

	"furrow/relay/queue"
	"furrow/sstp"
)

const (
	// maxWorkers bounds the messages that are on their way to one connection at
	// once, so that a short one need not wait for a long one before it. Each
	// takes up to 40 KiB.
	maxWorkers = 4
	// keepSessions is how many sessions are kept open for queues in which nothing
	// waits any more.
	keepSessions = 32
	// copyBytes is a block of the spool.
	copyBytes = 16 << 10
)

// delivery empties the queues of some targets to one connection. While nothing
// waits it costs no goroutine.
type delivery struct {
	server *Server
	conn   *sstp.Conn
	// may says whether messages of a queue are this connection's to deliver.
	may func(queue.Address) bool

	ctx    context.Context // ends with the connection
	cancel context.CancelFunc
	watch  *queue.Watch

	mu      sync.Mutex
	ended   bool
	lanes   map[queue.Address]*lane
	due     []*lane // that have something to do, to be served in turn
	workers int
	resting map[queue.Address]*time.Timer
}

func newDelivery(s *Server, conn *sstp.Conn, may func(queue.Address) bool) *delivery {
	d := &delivery{server: s, conn: conn, may: may}
	d.ctx, d.cancel = context.WithCancel(s.ctx)
	d.watch = s.queues.Watch(d.wake)
	return d
}

// add begins to deliver what waits for a target, and what comes.
func (d *delivery) add(target string) {
	d.watch.Add(target)
	d.resume(target)
}

// remove ends to deliver to a target.
func (d *delivery) remove(target string) { d.watch.Remove(target) }

// resume looks at all queues of a target.
func (d *delivery) resume(target string) {
	for _, a := range d.server.queues.Waiting(target) {
		d.wake(a)
	}
}

// stop ends it all, without waiting for the workers: they end with the
// connection.
func (d *delivery) stop() {
	d.cancel()
	d.watch.Stop()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	d.due = nil
	for _, timer := range d.resting {
		timer.Stop()
	}
}

// wake looks at a queue.
func (d *delivery) wake(a queue.Address) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended || d.resting[a] != nil {
		return
	}
	l := d.lanes[a]
	if l == nil {
		if d.lanes == nil {
			d.lanes = make(map[queue.Address]*lane)
		}
		l = &lane{delivery: d, address: a}
		d.lanes[a] = l
	}
	d.list(l)
}

// list gives a lane its turn, and a worker if there are few. The caller holds mu.
func (d *delivery) list(l *lane) {
	if l.listed {
		l.again = true
		return
	}
	if d.enqueue(l); d.workers < min(maxWorkers, len(d.due)) {
		d.workers++
		d.server.work.Go(d.run)
	}
}

func (d *delivery) enqueue(l *lane) {
	if !d.ended && !l.gone {
		l.listed = true
		d.due = append(d.due, l)
	}
}

// run is a worker. It ends when nothing is due.
func (d *delivery) run() {
	buf := make([]byte, copyBytes)
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.due) > 0 {
		l := d.due[0]
		d.due = d.due[1:]
		l.again = false
		d.mu.Unlock()
		more := l.step(buf)
		d.mu.Lock()
		if l.listed = false; more || l.again {
			d.enqueue(l)
		}
	}
	d.due = nil
	d.workers--
}
