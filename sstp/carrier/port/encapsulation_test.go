package port

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"furrow/sstp/carrier"
)

// encapsulation echoes what is carried, and is over when the test is.
func encapsulation(t *testing.T) *carrier.Server {
	s := carrier.NewServer(carrier.ServerConfig{Adopt: echo, Other: Resume})
	t.Cleanup(func() {
		// The clients are gone without a word, and will not fetch what is left.
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ending the encapsulation: %v", err)
		}
	})
	return s
}

// TestEncapsulations has each carrier reach the relay by a port that also offers
// everything else.
func TestEncapsulations(t *testing.T) {
	h := newHarness(t, listen(t, "127.0.0.1:0"), Config{SSTP: echo, HTTP: true, Encapsulation: encapsulation(t)})
	for _, mode := range []carrier.Mode{carrier.LongLived, carrier.KeepAlive, carrier.Polling} {
		t.Run(mode.String(), func(t *testing.T) {
			stream, err := carrier.Dial(t.Context(), carrier.ClientConfig{
				Mode: mode, Host: h.Addr().String(),
				Dial: func(ctx context.Context) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, "tcp", h.Addr().String())
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Close()
			sent := bytes.Repeat([]byte("octets "), 10_000)
			go func() { _, _ = stream.Write(sent) }()
			got := make([]byte, len(sent))
			if _, err := io.ReadFull(stream, got); err != nil || !bytes.Equal(got, sent) {
				t.Errorf("%d octets, %v", len(got), err)
			}
		})
	}
}

// kept is a connection as a forward proxy keeps it.
type kept struct {
	t  *testing.T
	c  net.Conn
	in *bufio.Reader
}

func keep(t *testing.T, addr net.Addr) *kept {
	t.Helper()
	c, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return &kept{t, c, bufio.NewReader(c)}
}

func (k *kept) ask(method, target, body string) {
	k.t.Helper()
	_, err := fmt.Fprintf(k.c, "%s %s HTTP/1.1\r\nHost: relay.example\r\nVia: 1.0 proxy\r\nConnection: Keep-Alive\r\nContent-Length: %d\r\n\r\n%s",
		method, target, len(body), body)
	if err != nil {
		k.t.Fatal(err)
	}
}

func (k *kept) answered(want string) {
	k.t.Helper()
	answer, err := http.ReadResponse(k.in, nil)
	if err != nil {
		k.t.Fatalf("waiting for %q: %v", want, err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || !strings.HasPrefix(string(body), want) {
		k.t.Errorf("%s, %q, %v, want %q", answer.Status, body, err, want)
	}
}

// TestSharedConnections has a forward proxy send the requests of a KeepAlive client
// and those of a browser by the same two connections.
func TestSharedConnections(t *testing.T) {
	h := newHarness(t, listen(t, "127.0.0.1:0"), Config{HTTP: true, Encapsulation: encapsulation(t)})
	const (
		carried = "/2.0/relay.example/abcdefghijkmnpqrstuvwxyz23456789abcdefi,ConnType=KeepAlive"
		ping    = "GroovePing: 1.0,Ping\r\n"
	)
	a, b := keep(t, h.Addr()), keep(t, h.Addr())
	for _, k := range []*kept{a, b} {
		k.ask("GET", "/first", "")
		k.answered("GET /first tls=false")
	}
	a.ask("GET", carried, "")
	b.ask("POST", carried, ping)
	a.answered(ping)
	b.answered("")
	for round := range 3 {
		for _, k := range []*kept{a, b} {
			k.ask("POST", "/between", "hello")
			k.answered("POST /between tls=false from 127.0.0.1: hello")
		}
		a.ask("GET", carried, "")
		b.ask("POST", carried, fmt.Sprint("\x01 round ", round))
		b.answered("")
		a.answered(fmt.Sprint("\x01 round ", round))
		a, b = b, a
	}
}
