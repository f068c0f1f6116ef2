package carrier

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Both ends close in each mode: what was written before arrives, then the end.
func TestClose(t *testing.T) {
	for _, m := range modes {
		bubble(t, m.String()+", by the client", ServerConfig{}, func(t *testing.T, b *box) {
			client, relay := b.connect(b.config(m))
			go func() {
				write(t, client, "the last")
				if err := client.Close(); err != nil {
					t.Error(err)
				}
			}()
			expectStream(t, relay, "the last")
			expectClosed(t, relay) // at the latest when the virtual connection is idle
			for range 2 {
				if err := client.Close(); err != nil {
					t.Error(err)
				}
			}
			if _, err := client.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
				t.Errorf("write: %v", err)
			}
			if _, err := client.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
				t.Errorf("read: %v", err)
			}
			b.expectStats(t, Stats{Opened: 1})
		})
		bubble(t, m.String()+", by the relay", ServerConfig{}, func(t *testing.T, b *box) {
			client, relay := b.connect(b.config(m))
			go func() {
				write(t, relay, "the last")
				if err := relay.Close(); err != nil {
					t.Error(err)
				}
			}()
			expectStream(t, client, "the last")
			begin := time.Now()
			if n, err := client.Read(make([]byte, 1)); n > 0 || err != io.EOF {
				t.Errorf("read %d, %v, want io.EOF", n, err)
			}
			if took := time.Since(begin); took > lingerTime {
				t.Errorf("the end took %v", took)
			}
			b.expectStats(t, Stats{Opened: 1, Refused: b.server.Stats().Refused})
		})
	}
}

func TestCloseEndsReadAndWrite(t *testing.T) {
	for _, m := range modes {
		bubble(t, m.String(), ServerConfig{}, func(t *testing.T, b *box) {
			for _, side := range []string{"client", "relay"} {
				client, relay := b.connect(b.config(m))
				stream := client
				if side == "relay" {
					stream = relay
				}
				done := make(chan error, 2)
				go func() {
					_, err := stream.Read(make([]byte, 1))
					done <- err
				}()
				go func() {
					_, err := stream.Write(make([]byte, 10*bufferSize))
					done <- err
				}()
				synctest.Wait()
				if err := stream.Close(); err != nil {
					t.Error(err)
				}
				for range 2 {
					if err := <-done; err == nil {
						t.Errorf("%s: nothing wrong with a closed stream", side)
					}
				}
			}
		})
	}
}

// A LongLived stream that has carried all it may ends, and the next one works.
func TestLongLivedIsDialledAgain(t *testing.T) {
	bubble(t, "", ServerConfig{}, func(t *testing.T, b *box) {
		cfg := b.config(LongLived)
		cfg.budget = int64(len(echo)) + 1000
		for range 3 {
			client, relay := b.connect(cfg)
			if err := transfer(client, relay, random(1, 1000)); err != nil {
				t.Fatal(err)
			}
			if _, err := client.Write([]byte("x")); !errors.Is(err, ErrSpent) {
				t.Errorf("write: %v", err)
			}
			expectClosed(t, relay)
		}
		b.expectStats(t, Stats{Opened: 3})
	})
}

func TestDialFails(t *testing.T) {
	for _, m := range modes {
		bubble(t, m.String()+", refused", ServerConfig{Names: func(string) bool { return false }}, func(t *testing.T, b *box) {
			if _, err := Dial(t.Context(), b.config(m)); err == nil {
				t.Error("nothing wrong with another's name")
			}
		})
		bubble(t, m.String()+", full", ServerConfig{MaxConnections: 1}, func(t *testing.T, b *box) {
			keep(t, b)
			var status *StatusError
			if _, err := Dial(t.Context(), b.config(m)); !errors.As(err, &status) || status.Code != 500 {
				t.Error(err)
			}
		})
		bubble(t, m.String()+", no connection", ServerConfig{}, func(t *testing.T, b *box) {
			cfg, want := b.config(m), errors.New("no connection")
			cfg.Dial = func(context.Context) (net.Conn, error) { return nil, want }
			if _, err := Dial(t.Context(), cfg); !errors.Is(err, want) {
				t.Error(err)
			}
		})
		bubble(t, m.String()+", given up", ServerConfig{}, func(t *testing.T, b *box) {
			cfg := b.config(m)
			cfg.Dial = func(context.Context) (net.Conn, error) {
				near, far := net.Pipe()
				b.serving.Go(func() { _, _ = io.Copy(io.Discard, far) }) // until the client has enough
				return near, nil
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := Dial(ctx, cfg); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		})
		bubble(t, m.String()+", never answered", ServerConfig{}, func(t *testing.T, b *box) {
			cfg := b.config(m)
			cfg.Dial = func(context.Context) (net.Conn, error) {
				near, far := net.Pipe()
				b.serving.Go(func() { _, _ = io.Copy(io.Discard, far) }) // until the client has enough
				return near, nil
			}
			begin := time.Now()
			if _, err := Dial(t.Context(), cfg); err == nil || time.Since(begin) > receiveTime {
				t.Errorf("after %v: %v", time.Since(begin), err)
			}
		})
		for name, answer := range map[string]string{
			"no HTTP":      "\x02\x00\x00",
			"no length":    "HTTP/1.0 200 OK\r\n\r\n",
			"other octets": "HTTP/1.0 200 OK\r\nContent-Length: 22\r\n\r\nGroovePing: 1.0,Pong\r\n",
			"too long":     "HTTP/1.0 200 OK\r\nContent-Length: 40000\r\n\r\n" + strings.Repeat("a", 40000),
			"an error":     "HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n",
			"interim":      strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 5),
		} {
			bubble(t, m.String()+", "+name, ServerConfig{}, func(t *testing.T, b *box) {
				cfg := b.config(m)
				cfg.Dial = func(context.Context) (net.Conn, error) {
					near, far := net.Pipe()
					b.serving.Go(func() {
						if _, err := ReadHead(bufio.NewReader(far)); err == nil {
							_, _ = io.WriteString(far, answer) // as far as the client wants it
						}
						_ = far.Close() // the test is over
					})
					return near, nil
				}
				if _, err := Dial(t.Context(), cfg); err == nil {
					t.Error("nothing wrong")
				}
			})
		}
	}
	for _, cfg := range []ClientConfig{{Host: ""}, {Host: "a b"}, {Host: "a", UserAgent: "a\r\nb"}, {Host: "a", Mode: 7}} {
		if _, err := Dial(t.Context(), cfg); err == nil {
			t.Errorf("nothing wrong with %+v", cfg)
		}
	}
}

// [MS-GRVHENC] 3.5.2.3.
func TestPollTimer(t *testing.T) {
	type poll struct {
		sent, received bool
		want           time.Duration
	}
	for _, tt := range []struct {
		name  string
		terms pollTerms
		polls []poll
	}{
		{"our relay's, idle", idleTerms, []poll{{want: 5 * time.Second}, {want: 5 * time.Second}, {sent: true, want: 5 * time.Second}}},
		{"our relay's, with more to come", busyTerms, []poll{{received: true}, {received: true}, {want: emptyInterval}}},
		{"doubling", pollTerms{2, 9, 2}, []poll{
			{want: 2 * time.Second}, {want: 2 * time.Second}, {want: 4 * time.Second}, {want: 4 * time.Second},
			{want: 8 * time.Second}, {want: 8 * time.Second}, {want: 8 * time.Second}, {want: 8 * time.Second},
			{sent: true, want: 2 * time.Second},
		}},
		{"out of all bounds", pollTerms{1 << 31, 1 << 31, 0}, []poll{{want: maxInterval}, {want: maxInterval}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &poller{terms: tt.terms}
			for i, poll := range tt.polls {
				if got := p.pause(poll.sent, poll.received); got != poll.want {
					t.Errorf("poll %d: %v, want %v", i, got, poll.want)
				}
			}
		})
	}
}
