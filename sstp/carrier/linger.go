package carrier

import (
	"net"
	"time"
)

// lingerTime is how long a virtual connection that the relay has closed waits for
// the client to fetch the rest and be told: longer than the pause between polls.
const lingerTime = 10 * time.Second

// piecemeal is what KeepAlive and Polling have in common at the relay's end: a
// stream that the client comes for.
type piecemeal struct {
	stream
	virtual *virtual
	idle    *idleWatch // nil until it stands
	// late ends a virtual connection that the relay has closed, or whose client
	// seems to be gone; nil while neither is so. It is protected by mu.
	late *time.Timer
}

func (p *piecemeal) init(v *virtual, wake func()) {
	p.stream.init(wake)
	p.virtual = v
}

// start begins to watch for traffic, now that the virtual connection stands.
func (p *piecemeal) start() {
	p.idle = newIdleWatch(idleTime, func() { p.end(errIdle) })
}

// Close ends the virtual connection when the client has fetched what is left.
func (p *piecemeal) Close() error {
	p.resign(net.ErrClosed)
	return nil
}

func (p *piecemeal) resign(why error) {
	if p.shut() {
		p.endIn(lingerTime, why)
	}
}

// endIn ends the virtual connection after a time.
func (p *piecemeal) endIn(d time.Duration, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.late != nil {
		p.late.Stop()
	}
	if p.err == nil {
		p.late = time.AfterFunc(d, func() { p.end(why) })
	}
}

// end ends the virtual connection.
func (p *piecemeal) end(why error) {
	if !p.finish(why) {
		return
	}
	if p.idle != nil {
		p.idle.stop()
	}
	p.mu.Lock()
	if p.late != nil {
		p.late.Stop()
	}
	p.mu.Unlock()
	p.virtual.server.remove(p.virtual, why)
}

// over reports whether the relay has closed the stream and nothing is left. It is
// called with mu held.
func (p *piecemeal) over() bool { return p.closed && len(p.out) == 0 }
