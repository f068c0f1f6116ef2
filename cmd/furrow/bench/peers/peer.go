package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"regexp"
	"time"

	"furrow/cmd/furrow/bench"
)

// peer is a kind of server, Furrow included.
type peer struct {
	name   string
	offers []string // scenarios
	// durability says for a scenario what an acknowledgment is worth, and whether
	// that is as much as with Furrow.
	durability map[string]string
	start      func(ctx context.Context, dir string, gone context.CancelCauseFunc) (server, error)
}

// server is one that runs.
type server interface {
	bench.Server
	io.Closer
}

// the scenarios that a peer may offer
const (
	fanOut   = "fan-out"
	oneToOne = "one-to-one"
	idle     = "idle"
	presence = "presence"
)

const volatile = "(nothing is stored)"

// installed lists the peers. A program that is missing is an error: the table
// would not be the one that was asked for.
func installed(ctx context.Context, furrow, newerNATS string) ([]peer, error) {
	list := []peer{furrowPeer(furrow)}
	for _, program := range []string{"nats-server", newerNATS} {
		if program == "" {
			continue
		}
		p, err := natsPeer(ctx, program)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	for _, find := range []func(context.Context) ([]peer, error){mosquittoPeers, prosodyPeers} {
		found, err := find(ctx)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	return list, nil
}

func furrowPeer(program string) peer {
	const durable = "each message flushed before its acknowledgment"
	return peer{
		name:       "furrow",
		offers:     bench.Scenarios(),
		durability: map[string]string{fanOut: durable, oneToOne: durable, idle: volatile, presence: volatile},
		start: func(ctx context.Context, dir string, gone context.CancelCauseFunc) (server, error) {
			return bench.StartBox(ctx, bench.BoxOptions{Program: program, Address: loopback, Dir: dir, Gone: gone})
		},
	}
}

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

var versionPattern = regexp.MustCompile(`\d+\.\d+(\.\d+)?`)

// versionOf asks a program for its version.
func versionOf(ctx context.Context, program string, args ...string) (string, error) {
	// Some programs tell it with a failure.
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if v := versionPattern.Find(out); v != nil {
		return string(v), nil
	}
	return "", fmt.Errorf("asking %s for its version: %w: %q", program, err, out)
}

// freePort is one on which nothing listened a moment ago.
func freePort() (int, error) {
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

const (
	startPatience = 30 * time.Second
	askInterval   = 20 * time.Millisecond
)

// awaitPort returns when a server accepts connections.
func awaitPort(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startPatience, fmt.Errorf("nobody listens on %s", address))
	defer cancel()
	var d net.Dialer
	for {
		conn, err := d.DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-time.After(askInterval):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// local is an address on this machine.
func local(port int) string { return netip.AddrPortFrom(loopback, uint16(port)).String() }
