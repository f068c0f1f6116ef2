package client

import (
	"context"
	"errors"
	"fmt"
	"io"

	"furrow/sstp"
)

// Handlers take what the relay delivers, by resource URL. A handler is called once
// for each message when it begins to arrive, for several messages at a time.
//
// When it returns nil the message is acknowledged: it has been processed, or is
// not wanted. An error ends the link, and the relay delivers again. If the
// connection is lost, the reader of the body says so, and the message comes again.
type Handlers map[string]func(ctx context.Context, d *Delivery) error

// Delivery is a message from the relay.
type Delivery struct {
	ResourceURL string
	// IdentityURL is the identity that the message is for.
	IdentityURL string
	// Header is the Message that begins the sequence.
	Header sstp.Message
	// Body is to be read in the handler only. Its end is that of the message.
	Body io.Reader
}

// Receive returns when ctx ends, a handler fails or the connection is lost; until
// then the handlers of the link do the work. It is called once, after Attach, and
// closes the link. The error is that of the handler, a [*sstp.ConnError] or, if
// the relay has ended the account's session only, a [*sstp.SessionError]; nil if
// ctx has ended.
func (l *Link) Receive(ctx context.Context) error {
	defer l.Close()
	select {
	case <-ctx.Done():
		return nil
	case err := <-l.failed:
		return fmt.Errorf("receiving from %s: %w", l.options.Relay.URL, err)
	case <-l.account.Done():
		return fmt.Errorf("receiving from %s: %w", l.options.Relay.URL, l.account.Err())
	}
}

// inbound is a session that the relay has opened, its receiver.
type inbound struct {
	link   *Link
	open   sstp.Open
	handle func(context.Context, *Delivery) error
}

// Message implements [sstp.Receiver].
func (in *inbound) Message(m *sstp.Incoming) {
	if in.handle == nil { // the relay does not wait as it was told to
		m.Session().Close(sstp.ReasonProtocolError)
		return
	}
	in.link.running.Go(func() { in.take(m) })
}

// take has one message handled.
func (in *inbound) take(m *sstp.Incoming) {
	err := in.handle(in.link.ctx, &Delivery{
		ResourceURL: in.open.ResourceURL,
		IdentityURL: in.open.IdentityURL,
		Header:      m.Header,
		Body:        m,
	})
	var lost *sstp.ConnError
	var closed *sstp.SessionError
	switch {
	case err == nil:
		m.Complete()
	case errors.As(err, &lost), errors.As(err, &closed):
		in.link.log.Debug("relay client: message cut off", "err", err)
	default:
		in.link.fail(err)
	}
}

// Closed implements [sstp.Receiver]; who reads a message is told anyway.
func (*inbound) Closed(error) {}
