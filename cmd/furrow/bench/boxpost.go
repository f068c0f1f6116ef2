package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"

	relayclient "furrow/relay/client"
	"furrow/sstp"
)

// loadResource names the handler of the messages of a load.
const loadResource = "urn:furrow:load"

// Enrol implements [Post].
func (b *Box) Enrol(ctx context.Context, routes []Route) error {
	b.routes = routes
	return b.enrol(ctx, people(routes))
}

// Sender implements [Post].
func (b *Box) Sender(ctx context.Context, route int) (Sender, error) {
	r := b.routes[route]
	targets := make([]relayclient.Target, len(r.To))
	for i, to := range r.To {
		targets[i].IdentityURL = b.crowd[to].IdentityURL
	}
	link, err := b.attach(ctx, r.From, nil)
	if err != nil {
		return nil, err
	}
	session, err := link.OpenSession(ctx, loadResource, targets)
	if err != nil {
		link.Close()
		return nil, err
	}
	return &boxSender{link, session}, nil
}

type boxSender struct {
	link    *relayclient.Link
	session *relayclient.Session
}

// Send implements [Sender].
func (s *boxSender) Send(ctx context.Context, body []byte) error {
	outcomes, err := s.session.Send(ctx, relayclient.Message{
		Flags: sstp.FlagAcknowledgeImmediately,
		Body:  bytes.NewReader(body),
	})
	if err != nil {
		return err
	}
	for i, o := range outcomes {
		if !o.Taken {
			return fmt.Errorf("the relay has not taken a message over for target %d: %v", i, o.Status)
		}
	}
	return nil
}

// Close implements [Sender].
func (s *boxSender) Close() error {
	s.session.Close()
	s.link.Close()
	return nil
}

// Drain implements [Post].
func (b *Box) Drain(ctx context.Context, person int, took func(body []byte) error) error {
	var bodies sync.Pool
	link, err := b.attach(ctx, person, relayclient.Handlers{
		loadResource: func(_ context.Context, d *relayclient.Delivery) error {
			body, ok := bodies.Get().(*bytes.Buffer)
			if !ok {
				body = new(bytes.Buffer)
			}
			defer bodies.Put(body)
			body.Reset()
			if _, err := io.Copy(body, io.LimitReader(d.Body, maxLetter+1)); err != nil {
				return err
			}
			return took(body.Bytes())
		},
	})
	if err != nil {
		return err
	}
	return link.Receive(ctx)
}

// Admit implements [Host].
func (b *Box) Admit(ctx context.Context, count int) error {
	if err := b.enrol(ctx, count); err != nil {
		return err
	}
	return b.restart(ctx)
}

// Connect implements [Host].
func (b *Box) Connect(ctx context.Context, person int) (Connection, error) {
	link, err := b.attach(ctx, person, relayclient.Handlers{})
	if err != nil {
		return nil, err
	}
	return boxConnection{link}, nil
}

type boxConnection struct{ *relayclient.Link }

// Close implements [Connection].
func (c boxConnection) Close() error {
	c.Link.Close()
	return nil
}
