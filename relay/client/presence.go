package client

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"furrow/sstp"
	"furrow/sstp/wandpp"
)

// PresenceError says that presence does not work on a link that stands: the relay
// has refused or closed the session, or has said something that cannot be read.
type PresenceError struct {
	RelayURL string
	Err      error
}

// Error names the relay.
func (e *PresenceError) Error() string { return "presence at " + e.RelayURL + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *PresenceError) Unwrap() error { return e.Err }

// Presence is what a device says to a relay of presence, and asks of it ([MS-GRVPROT]
// 2.5.4, wire profile 1). It is safe for concurrent use and ends with its link; what
// the relay tells reaches [Options.Notified].
type Presence struct {
	relayURL string
	session  *sstp.OutboundSession
	ended    chan error // holds why the session has ended
}

// OpenPresence opens the session. The relay's refusal is the error of what is said
// first.
func (l *Link) OpenPresence(ctx context.Context) (*Presence, error) {
	p := &Presence{relayURL: l.options.Relay.URL, ended: make(chan error, 1)}
	var err error
	p.session, err = l.conn.Open(ctx, sstp.Open{ResourceURL: sstp.WANDPPResource}, p)
	if err != nil {
		return nil, p.failed(err)
	}
	return p, nil
}

// Ready implements [sstp.Originator]; Send of the session waits for it by itself.
func (*Presence) Ready(bool) {}

// Status implements [sstp.Originator]; it is for fanout sessions.
func (*Presence) Status(*sstp.SessionStatus) {}

// Closed implements [sstp.Originator].
func (p *Presence) Closed(err error) { p.ended <- p.failed(err) }

// failed tells the end of the connection from that of presence.
func (p *Presence) failed(err error) error {
	var lost *sstp.ConnError
	if errors.As(err, &lost) {
		return fmt.Errorf("presence at %s: %w", p.relayURL, err)
	}
	return &PresenceError{p.relayURL, err}
}

// Publish says that the device is online, or is not any more. The device goes
// offline by itself some seconds after its last connection.
func (p *Presence) Publish(ctx context.Context, status wandpp.Status) error {
	return p.say(ctx, &wandpp.Publish{Status: status})
}

// Subscribe asks for the presence of devices, by URL. The relay tells it at once,
// and tells every change.
func (p *Presence) Subscribe(ctx context.Context, devices []string) error {
	return p.list(ctx, devices, func(part []string) wandpp.Message { return &wandpp.Subscribe{Devices: part} })
}

// Unsubscribe asks not to be told of devices any more.
func (p *Presence) Unsubscribe(ctx context.Context, devices []string) error {
	return p.list(ctx, devices, func(part []string) wandpp.Message { return &wandpp.Unsubscribe{Devices: part} })
}

// list sends as many documents as the devices need.
func (p *Presence) list(ctx context.Context, devices []string, message func([]string) wandpp.Message) error {
	for len(devices) > 0 {
		n := min(len(devices), wandpp.MaxDevices)
		if err := p.say(ctx, message(devices[:n])); err != nil {
			return err
		}
		devices = devices[n:]
	}
	return nil
}

// say sends a message and waits until the relay has processed it.
func (p *Presence) say(ctx context.Context, m wandpp.Message) error {
	document, err := wandpp.Encode(m)
	if err != nil {
		return err
	}
	acknowledged := make(chan error, 1)
	out, err := p.session.Send(ctx, sstp.Message{Flags: sstp.FlagAcknowledgeImmediately}, func(err error) { acknowledged <- err })
	if err == nil {
		_, err = out.Write(document)
	}
	if err == nil {
		err = out.Close()
	}
	if err == nil {
		select {
		case err = <-acknowledged:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	if err != nil && ctx.Err() == nil {
		return p.failed(err)
	}
	return err
}

// notices is a session in which a relay tells of presence, its receiver. The
// documents are read one after the other: the last word counts.
type notices struct {
	link *Link

	mu      sync.Mutex
	waiting []*sstp.Incoming
	reading bool
}

// openNotices decides about such a session.
func (l *Link) openNotices() (sstp.Receiver, sstp.OpenResponseID) {
	if l.options.Notified == nil {
		return nil, sstp.OpenNoResource
	}
	return &notices{link: l}, sstp.OpenOk
}

// Message implements [sstp.Receiver].
func (n *notices) Message(m *sstp.Incoming) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.waiting = append(n.waiting, m)
	if !n.reading {
		n.reading = true
		n.link.running.Go(n.read)
	}
}

// Closed implements [sstp.Receiver]; who reads a document is told anyway.
func (*notices) Closed(error) {}

func (n *notices) read() {
	for {
		n.mu.Lock()
		if len(n.waiting) == 0 {
			n.waiting, n.reading = nil, false
			n.mu.Unlock()
			return
		}
		m := n.waiting[0]
		n.waiting = n.waiting[1:]
		n.mu.Unlock()
		n.take(m)
		m.Complete()
	}
}

// take hands one document on. One that is malformed ends the link, for what is
// known is not true any more.
func (n *notices) take(m *sstp.Incoming) {
	message, err := wandpp.Decode(m)
	switch notify, ok := message.(*wandpp.Notify); {
	case ok:
		n.link.options.Notified(notify.Devices)
		return
	case err == nil:
		err = fmt.Errorf("%w: not a Notify", wandpp.ErrMalformed)
	case !errors.Is(err, wandpp.ErrMalformed) && !errors.Is(err, wandpp.ErrLimit):
		return // the rest of it will not arrive
	}
	n.link.log.Info("relay client: presence that cannot be read", "relay", n.link.options.Relay.URL, "err", err)
	m.Session().Close(sstp.ReasonProtocolError)
	n.link.fail(&PresenceError{n.link.options.Relay.URL, err})
}
