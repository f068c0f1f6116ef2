package presence

import (
	"errors"
	"io"

	"furrow/sstp"
	"furrow/sstp/wandpp"
)

// receiver is a session of presence that a device has opened.
type receiver struct {
	peer    *peer
	refused bool // the session has been closed for a document; of who reads
}

// document is a message sequence with its session.
type document struct {
	session *receiver
	body    *sstp.Incoming
}

// Message implements [sstp.Receiver]. The documents of a connection, which bounds
// their number, are read one after the other: so the memory that they take is
// bounded too.
func (r *receiver) Message(m *sstp.Incoming) {
	p, h := r.peer, r.peer.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.gone || h.closed {
		return // with the connection
	}
	p.documents = append(p.documents, document{r, m})
	if !p.reading {
		p.reading = true
		h.work.Go(p.read)
	}
}

// Closed implements [sstp.Receiver]. Subscriptions are those of the connection and
// stay.
func (*receiver) Closed(error) {}

// read takes documents until there is none.
func (p *peer) read() {
	for {
		p.hub.mu.Lock()
		if len(p.documents) == 0 {
			p.documents, p.reading = nil, false
			p.hub.mu.Unlock()
			return
		}
		d := p.documents[0]
		p.documents[0] = document{}
		p.documents = p.documents[1:]
		p.hub.mu.Unlock()
		if !d.session.refused {
			p.take(d)
		}
		d.body.Complete()
	}
}

// take does what a document asks for, or closes its session.
func (p *peer) take(d document) {
	message, err := p.decode(d.body)
	if err == nil {
		err = p.obey(message)
	}
	var reason sstp.Reason
	switch {
	case err == nil:
		return
	case errors.Is(err, wandpp.ErrMalformed):
		reason = sstp.ReasonProtocolError
	case errors.Is(err, wandpp.ErrLimit), errors.Is(err, errTooMany):
		reason = sstp.ReasonInternalError
	default: // the rest of it will not arrive
		return
	}
	p.hub.log.Info("presence: document refused", "device", p.url, "err", err)
	d.session.refused = true
	d.body.Session().Close(reason)
}

// decode reads in turns, which it gives up while it waits for the peer.
func (p *peer) decode(body *sstp.Incoming) (wandpp.Message, error) {
	p.hub.turns.take()
	defer p.hub.turns.give()
	reader := patientReader{body, p.hub.turns}
	if !p.hub.diagnose {
		return wandpp.Decode(reader)
	}
	var begin beginning
	message, err := wandpp.Decode(io.TeeReader(reader, &begin))
	if errors.Is(err, wandpp.ErrMalformed) {
		p.hub.log.Warn("presence: document that does not parse", "device", p.url, "begins", string(begin), "err", err)
	}
	return message, err
}

// beginning keeps the first octets of what is written to it.
type beginning []byte

// maxBeginning is as much of a document as shows its form.
const maxBeginning = 512

func (b *beginning) Write(octets []byte) (int, error) {
	*b = append(*b, octets[:min(len(octets), maxBeginning-len(*b))]...)
	return len(octets), nil
}

type patientReader struct {
	body  *sstp.Incoming
	turns turns
}

func (r patientReader) Read(b []byte) (int, error) {
	r.turns.give()
	defer r.turns.take()
	return r.body.Read(b)
}

var (
	errTooMany  = errors.New("too many subscriptions of one connection")
	errFromPeer = errors.New("a Notify from a device")
)

// obey does what a message asks for.
func (p *peer) obey(message wandpp.Message) error {
	h := p.hub
	h.turns.take()
	defer h.turns.give()
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.gone {
		return nil // nobody is to be answered
	}
	switch m := message.(type) {
	case *wandpp.Publish:
		h.set(p.device, m.Status == wandpp.Online)
	case *wandpp.Subscribe:
		if !p.subscribe(m.Devices) {
			return errTooMany
		}
	case *wandpp.Unsubscribe:
		p.unsubscribe(m.Devices)
	default:
		return errors.Join(wandpp.ErrMalformed, errFromPeer)
	}
	return nil
}
