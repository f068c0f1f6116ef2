package presence

import (
	"context"
	"time"

	"furrow/sstp"
	"furrow/sstp/wandpp"
)

const (
	// pieceSize is how many octets of a document are made at a time: what one
	// connection costs that does not read, and how long a turn takes at most.
	pieceSize = 8 << 10

	// maxNotify ends a document: far below what readers accept, and more than
	// MaxDevices of usual length.
	maxNotify = wandpp.MaxDocument / 4
)

// send sends until nothing is to be sent now.
func (p *peer) send() {
	for p.begin() {
		channel := p.channelOut()
		if err := channel.notify(); err != nil {
			p.hub.log.Debug("presence: notifying", "device", p.url, "err", err)
			channel.Closed(err)
		}
	}
}

// channelOut returns the session towards the device, which is made, but not opened,
// for the first document.
func (p *peer) channelOut() *channel {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	if p.channel == nil {
		p.channel = &channel{peer: p}
	}
	return p.channel
}

// begin reports whether there is a document to be sent now. Otherwise send is over,
// and gather or hurry begin it again.
func (p *peer) begin() bool {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	if len(p.due) > 0 {
		return true
	}
	p.due = nil
	if p.gone || len(p.pending) == 0 {
		p.sending, p.hurried = false, false
		return false
	}
	if !p.hurried && time.Since(p.told) < gatherTime {
		p.sending = false
		p.gather()
		return false
	}
	p.due, p.pending, p.hurried, p.told = p.pending, nil, false, time.Now()
	return true
}

// channel is the session towards the device, its [sstp.Originator].
type channel struct {
	peer    *peer
	session *sstp.OutboundSession // of who sends
}

// Ready implements [sstp.Originator]; Send of the session waits for it by itself.
func (*channel) Ready(bool) {}

// Status implements [sstp.Originator]; it is for fanout sessions.
func (*channel) Status(*sstp.SessionStatus) {}

// Closed implements [sstp.Originator]. A device that refuses the session, closes
// it or is gone does not wish to know any more; if it subscribes again there will be
// another session.
func (c *channel) Closed(error) {
	p := c.peer
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	if p.channel == c {
		p.channel = nil
		p.unsubscribeAll()
	}
}

// notify sends one document and waits for its acknowledgment.
func (c *channel) notify() (err error) {
	ctx := context.Background() // the end of the connection ends all waiting
	if c.session == nil {
		open := sstp.Open{ResourceURL: sstp.WANDPPResource, DeviceURL: c.peer.url}
		if c.session, err = c.peer.conn.Open(ctx, open, c); err != nil {
			return err
		}
	}
	acknowledged := make(chan error, 1)
	out, err := c.session.Send(ctx, sstp.Message{Flags: sstp.FlagAcknowledgeImmediately}, func(err error) { acknowledged <- err })
	if err != nil {
		return err
	}
	if err := c.peer.write(out); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return <-acknowledged
}

// write writes a document piece by piece, each made in a turn.
func (p *peer) write(out *sstp.Outgoing) error {
	piece := wandpp.AppendNotifyStart(make([]byte, 0, pieceSize))
	p.hub.mu.Lock()
	p.hub.stats.Documents++
	p.hub.mu.Unlock()
	for devices, octets := 0, 0; ; {
		var n int
		n, piece = p.nextPiece(piece, wandpp.MaxDevices-devices)
		devices += n
		octets += len(piece)
		last := n == 0 || devices == wandpp.MaxDevices || octets >= maxNotify
		if last {
			piece = wandpp.AppendNotifyEnd(piece)
		}
		if _, err := out.Write(piece); err != nil || last {
			return err
		}
		piece = piece[:0]
	}
}

// nextPiece appends up to most of the devices that are due, as they are now, while
// there is room.
func (p *peer) nextPiece(piece []byte, most int) (n int, _ []byte) {
	const longest = wandpp.MaxURL + 64
	p.hub.turns.take()
	defer p.hub.turns.give()
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	for d := range p.due {
		if n == most || len(piece)+longest > cap(piece) {
			break
		}
		delete(p.due, d)
		piece = wandpp.AppendNotifyDevice(piece, p.status(d))
		n++
	}
	p.hub.stats.Notified += uint64(n)
	return n, piece
}
