package doctor

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	relayclient "furrow/relay/client"
	"furrow/sstp"
)

const (
	// testResource is the application that test messages are for.
	testResource = "urn:x-furrow:self-test:1"
	// noteSize and wholeSize are those of test messages, in octets: one of a few packets, and one of many.
	noteSize  = 4 << 10
	wholeSize = 2 << 20
)

// offline sends to a member who is not there, who takes the message later.
func offline(ctx context.Context, e *examination) (string, error) {
	if !e.registered() {
		return "", notTried("the test members are not known to a relay")
	}
	sent, err := message(wholeSize)
	if err != nil {
		return "", err
	}
	ann, bob := e.people.ann, e.people.bob
	began := e.Now()
	if err := send(ctx, ann.relays[0], sent, bob.profile.IdentityURL); err != nil {
		return "", fmt.Errorf("sending: %w", err)
	}
	stored := e.Now().Sub(began)
	began = e.Now()
	if err := receive(ctx, bob, sent); err != nil {
		return "", fmt.Errorf("receiving: %w", err)
	}
	return fmt.Sprintf("%d MiB were stored in %v and received whole in %v",
		wholeSize>>20, stored.Round(time.Millisecond), e.Now().Sub(began).Round(time.Millisecond)), nil
}

// fanOut sends one message to both.
func fanOut(ctx context.Context, e *examination) (string, error) {
	if !e.registered() {
		return "", notTried("the test members are not known to a relay")
	}
	sent, err := message(noteSize)
	if err != nil {
		return "", err
	}
	ann, bob := e.people.ann, e.people.bob
	if err := send(ctx, ann.relays[0], sent, ann.profile.IdentityURL, bob.profile.IdentityURL); err != nil {
		return "", fmt.Errorf("sending: %w", err)
	}
	for _, p := range []*person{ann, bob} {
		if err := receive(ctx, p, sent); err != nil {
			return "", fmt.Errorf("receiving as %s: %w", p.member.FullName, err)
		}
	}
	return "one message to two members arrived at both", nil
}

// message is one of random octets, which no way can have kept from before.
func message(size int) ([]byte, error) {
	octets := make([]byte, size)
	_, err := rand.Read(octets)
	return octets, err
}

// send gives a message to a relay, which must take it over for every recipient.
func send(ctx context.Context, o relayclient.Options, octets []byte, to ...string) error {
	link, err := relayclient.Dial(ctx, o)
	if err != nil {
		return err
	}
	defer link.Close()
	targets := make([]relayclient.Target, len(to))
	for i, identity := range to {
		targets[i].IdentityURL = identity
	}
	outcomes, err := link.Send(ctx, targets, relayclient.Message{
		ResourceURL: testResource, Flags: sstp.FlagAcknowledgeImmediately, Body: bytes.NewReader(octets),
	})
	if err != nil {
		return err
	}
	for i, outcome := range outcomes {
		if !outcome.Taken {
			return fmt.Errorf("the relay did not take it over for %s: %v", to[i], outcome.Status)
		}
	}
	return nil
}

// receive connects as p until the message has come that was sent. One of an earlier check may come before it: it comes again
// if the link was closed before the relay was told that it had arrived.
func receive(ctx context.Context, p *person, want []byte) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o := p.relays[0]
	var once sync.Once
	var others atomic.Int32
	arrived := make(chan struct{})
	o.Handlers = relayclient.Handlers{testResource: func(_ context.Context, d *relayclient.Delivery) error {
		got, err := io.ReadAll(io.LimitReader(d.Body, wholeSize+1))
		switch {
		case err != nil:
			return err
		case bytes.Equal(got, want):
			once.Do(func() { close(arrived) })
		default:
			others.Add(1)
		}
		return nil
	}}
	link, err := relayclient.Dial(ctx, o)
	if err != nil {
		return err
	}
	if err := link.Attach(ctx); err != nil {
		link.Close()
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- link.Receive(ctx) }() // closes the link
	select {
	case <-arrived:
		cancel()
		<-ended
		return nil
	case err = <-ended:
		return errors.Join(fmt.Errorf("it did not arrive, %d others did", others.Load()), err, context.Cause(ctx))
	}
}
