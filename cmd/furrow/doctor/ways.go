package doctor

import (
	"context"
	"fmt"
	"net"

	"furrow/sstp/carrier/route"
)

// wayChecks send and receive by each way to the relay.
func wayChecks() []check {
	var list []check
	for _, w := range []struct {
		via     route.Via
		service string // of whose port the way makes use
		words   string
	}{
		{route.SSTP, "sstp", "the relay's own port"},
		{route.Tunnel, "https", "the port of HTTPS"},
		{route.LongLived, "http", "long-lived HTTP"},
		{route.KeepAlive, "http", "HTTP with kept connections"},
		{route.Polling, "http", "polling by HTTP"},
	} {
		list = append(list, check{
			name: "way-" + string(w.via), tried: "send and receive by " + w.words,
			remedy: "see the log of the box; furrow client status --diagnose shows the same way from a client",
			run: func(ctx context.Context, e *examination) (string, error) {
				return by(ctx, e, w.via, w.service)
			},
		})
	}
	return list
}

// by has a message sent to an offline member and received, all by one way.
func by(ctx context.Context, e *examination, via route.Via, service string) (string, error) {
	if !e.registered() {
		return "", notTried("the test members are not known to a relay")
	}
	address, ok := e.status.Listeners[service]
	if !ok {
		return "", notTried("this box does not listen for %s", service)
	}
	router, err := e.router(via)
	if err != nil {
		return "", err
	}
	sent, err := message(noteSize)
	if err != nil {
		return "", err
	}
	ann, bob := e.people.ann, *e.people.bob
	from := ann.relays[0]
	from.Dialer = router
	bob.relays = append(bob.relays[:0:0], bob.relays...)
	bob.relays[0].Dialer = router
	if err := send(ctx, from, sent, bob.profile.IdentityURL); err != nil {
		return "", fmt.Errorf("sending: %w", err)
	}
	if err := receive(ctx, &bob, sent); err != nil {
		return "", fmt.Errorf("receiving: %w", err)
	}
	return "a message was sent and received by " + address, nil
}

// router goes one way to the ports of this box, and past no proxy: that is the clients' affair.
func (e *examination) router(via route.Via) (*route.Router, error) {
	port := func(service string) string {
		_, port, _ := net.SplitHostPort(e.status.Listeners[service]) // "" is the usual one
		return port
	}
	return route.New(route.Config{
		Via: via, Ports: route.Ports{SSTP: port("sstp"), Tunnel: port("https"), HTTP: port("http")},
		Log: e.Log, Now: e.Now,
	})
}
