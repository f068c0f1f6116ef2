package presence

import (
	"time"

	"furrow/sstp"
	"furrow/sstp/wandpp"
)

// peer is one connection of a device. The lock of the hub guards it, but for what
// does not change.
type peer struct {
	hub    *Hub
	conn   *sstp.Conn
	url    string // as the device has authenticated
	device *device

	gone bool // the connection has ended, or may do nothing any more

	// Intake: documents that have arrived, or are arriving, in order.
	documents []document
	reading   bool // somebody reads them

	// subscriptions are the devices that are watched, with the place of this peer
	// among their watchers.
	subscriptions map[*device]int32
	// spellings are the URLs of subscriptions that differ from those of the devices.
	spellings map[*device]string

	notifying
}

// subscribe begins to watch devices and has their states told at once. It reports
// false, having done nothing, if these would be too many. The caller holds mu.
func (p *peer) subscribe(urls []string) bool {
	if len(p.subscriptions)+len(urls) > maxSubscriptions && p.countNew(urls) > maxSubscriptions-len(p.subscriptions) {
		return false
	}
	if p.subscriptions == nil {
		p.subscriptions = make(map[*device]int32, len(urls))
	}
	for _, url := range urls {
		d := p.hub.device(url)
		if _, there := p.subscriptions[d]; !there {
			p.subscriptions[d] = int32(len(d.watchers))
			d.watchers = append(d.watchers, p)
			p.hub.subscriptions++
		}
		p.spell(d, url)
		p.mark(d)
	}
	if len(urls) > 0 {
		p.hurry()
	}
	return true
}

// countNew counts the devices that are not watched yet.
func (p *peer) countNew(urls []string) int {
	fresh := make(map[string]struct{})
	for _, url := range urls {
		guid := sstp.DeviceGUID(url)
		if d := p.hub.devices[guid]; d != nil {
			if _, there := p.subscriptions[d]; there {
				continue
			}
		}
		fresh[guid] = struct{}{}
	}
	return len(fresh)
}

// spell remembers how the subscriber spells a device: as it did last.
func (p *peer) spell(d *device, url string) {
	switch {
	case url == d.url:
		delete(p.spellings, d)
	case p.spellings == nil:
		p.spellings = map[*device]string{d: url}
	default:
		p.spellings[d] = url
	}
}

// status is what the subscriber is to be told of a device.
func (p *peer) status(d *device) wandpp.DeviceStatus {
	s := wandpp.DeviceStatus{URL: d.url}
	if url, other := p.spellings[d]; other {
		s.URL = url
	}
	if d.online {
		s.Status = wandpp.Online
	}
	return s
}

// unsubscribe ends to watch devices. The caller holds mu.
func (p *peer) unsubscribe(urls []string) {
	for _, url := range urls {
		if d := p.hub.devices[sstp.DeviceGUID(url)]; d != nil {
			p.unwatch(d)
		}
	}
}

// unwatch takes the last watcher to this one's place.
func (p *peer) unwatch(d *device) {
	at, there := p.subscriptions[d]
	if !there {
		return
	}
	last := len(d.watchers) - 1
	d.watchers[at] = d.watchers[last]
	d.watchers[at].subscriptions[d] = at
	d.watchers[last] = nil
	d.watchers = d.watchers[:last]
	delete(p.subscriptions, d)
	delete(p.spellings, d)
	p.unmark(d)
	p.hub.subscriptions--
	p.hub.release(d)
}

// unsubscribeAll ends to watch. The caller holds mu.
func (p *peer) unsubscribeAll() {
	for d := range p.subscriptions {
		p.unwatch(d)
	}
	p.subscriptions, p.spellings = nil, nil
	p.reset()
}

// notifying is what a peer is to be told, and how far that has come.
type notifying struct {
	// pending are the devices to be told of in a document to come, and due those
	// of the present one. Both are among the subscriptions.
	pending, due map[*device]struct{}
	told         time.Time   // when the last document was begun
	hurried      bool        // pending is not to wait
	window       *time.Timer // runs until pending is to be sent
	sending      bool        // somebody sends, and looks at pending afterwards
	channel      *channel    // nil before the first document
}

// mark has the peer be told of a device. What is due and not sent is told as it
// will be then.
func (p *peer) mark(d *device) {
	if _, there := p.due[d]; there {
		return
	}
	if len(p.pending) == 0 {
		p.pending = make(map[*device]struct{})
	}
	p.pending[d] = struct{}{}
}

// unmark has the peer not be told of a device.
func (p *peer) unmark(d *device) {
	delete(p.pending, d)
	delete(p.due, d)
}

// gather sees to it that what is pending is sent: at once, or some time after the
// last document, so that a storm of changes is few of them. The caller holds the
// lock of the hub.
func (p *peer) gather() {
	if p.sending || p.window != nil || p.hub.closed {
		return
	}
	wait := gatherTime - time.Since(p.told)
	if wait <= 0 {
		p.start()
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(wait, func() {
		p.hub.mu.Lock()
		defer p.hub.mu.Unlock()
		if p.window == timer {
			p.start()
		}
	})
	p.window = timer
}

// hurry has what is pending be sent at once. The caller holds the lock of the hub.
func (p *peer) hurry() {
	p.hurried = true
	if !p.sending {
		p.start()
	}
}

// start begins to send what is pending.
func (p *peer) start() {
	p.stopWindow()
	if !p.gone && !p.hub.closed {
		p.sending = true
		p.hub.work.Go(p.send)
	}
}

func (p *peer) stopWindow() {
	if p.window != nil {
		p.window.Stop()
		p.window = nil
	}
}

// reset has the peer be told nothing any more.
func (p *peer) reset() {
	p.stopWindow()
	p.pending, p.due, p.hurried = nil, nil, false
}
