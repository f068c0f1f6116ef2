package route

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const relayURL = "grooveDNS://relay.example"

// peer is what waits at the end of a way: it gets what was written in one piece.
type peer func(conn net.Conn, connect string)

func answers(text string) peer {
	return func(conn net.Conn, _ string) {
		_, _ = io.WriteString(conn, text)
		_, _ = io.Copy(conn, conn)
	}
}

var (
	relay  = answers("\x02yes ")
	closes = func(net.Conn, string) {}
	silent = func(conn net.Conn, _ string) { _, _ = io.Copy(io.Discard, conn) }
	web    = answers("HTTP/1.1 400 Bad Request")
)

// wayTo is a way to a peer; it takes some time, and is dialled with a refusal if the
// peer is nil.
func wayTo(name string, p peer, takes time.Duration) way {
	return way{name: name, dial: func(ctx context.Context) (io.ReadWriteCloser, error) {
		select {
		case <-time.After(takes):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if p == nil {
			return nil, errors.New("refused")
		}
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			connect := make([]byte, 1000)
			n, err := theirs.Read(connect)
			if err == nil {
				p(theirs, string(connect[:n]))
			}
		}()
		return buffered{ours}, nil
	}}
}

// buffered is a pipe whose Write does not wait, as that of a socket.
type buffered struct{ net.Conn }

func (b buffered) Write(p []byte) (int, error) {
	octets := slices.Clone(p)
	go func() { _, _ = b.Conn.Write(octets) }()
	return len(p), nil
}

func TestTrial(t *testing.T) {
	for name, test := range map[string]struct {
		ways  []way
		used  string
		takes time.Duration
		err   string // of all that have failed
	}{
		"first":           {[]way{wayTo("a", relay, 0), wayTo("b", relay, 0)}, "a", 0, ""},
		"refused":         {[]way{wayTo("a", nil, 0), wayTo("b", relay, 0)}, "b", 0, ""},
		"closed":          {[]way{wayTo("a", closes, 0), wayTo("b", relay, 0)}, "b", 0, ""},
		"a web server":    {[]way{wayTo("a", web, 0), wayTo("b", relay, 0)}, "b", 0, ""},
		"drops packets":   {[]way{wayTo("a", relay, time.Hour), wayTo("b", relay, 0)}, "b", attemptTimeout, ""},
		"swallows":        {[]way{wayTo("a", silent, 0), wayTo("b", relay, 0)}, "b", answerTimeout, ""},
		"all of it":       {[]way{wayTo("a", nil, 0), wayTo("b", silent, 0), wayTo("c", web, 0), wayTo("d", relay, time.Second)}, "d", answerTimeout + time.Second, ""},
		"slow but last":   {[]way{wayTo("a", nil, 0), wayTo("b", relay, lastTimeout-1)}, "b", lastTimeout - 1, ""},
		"refuses Connect": {[]way{wayTo("a", answers("\x04"), 0), wayTo("b", relay, 0)}, "a", 0, ""},
		"none":            {[]way{wayTo("a", nil, 0), wayTo("b", closes, 0), wayTo("c", web, 0)}, "", 0, "a: refused\nb: EOF\nc: the answer is not that of a relay: its first octet is 0x48"},
		"no answer":       {[]way{wayTo("a", silent, 0), wayTo("b", nil, time.Hour)}, "", answerTimeout + lastTimeout, "a: no answer within 10s\nb: no answer within 1m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRouter(t, Config{})
				begun := time.Now()
				conn := newTrial(r, relayURL, test.ways)
				defer conn.Close()
				err := conn.next(t.Context())
				if err == nil {
					_, err = io.WriteString(conn, "\x01connect")
				}
				answer := make([]byte, 100)
				n := 0
				if err == nil {
					n, err = conn.Read(answer)
				}
				if test.err != "" {
					if err == nil || err.Error() != test.err {
						t.Errorf("%q, want %q", err, test.err)
					}
				} else if err != nil || !isAnswer(answer[:n][0]) {
					t.Errorf("%q, %v", answer[:n], err)
				}
				if used := r.Used(relayURL); used != test.used || time.Since(begun) != test.takes {
					t.Errorf("used %q after %v, want %q after %v", used, time.Since(begun), test.used, test.takes)
				}
			})
		})
	}
}

// TestReplay has what is written while there is no way, or a closed one, come out of
// the one that is open, once.
func TestReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heard := make(chan string, 1)
		conn := newTrial(newRouter(t, Config{}), relayURL, []way{
			wayTo("a", closes, 0),
			wayTo("b", func(conn net.Conn, connect string) {
				heard <- connect
				relay(conn, connect)
			}, time.Second),
		})
		defer conn.Close()
		if err := conn.next(t.Context()); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			answer := make([]byte, 100)
			if n, err := conn.Read(answer); err != nil || string(answer[:n]) != "\x02yes " {
				t.Errorf("%q, %v", answer[:n], err)
			}
			if n, err := conn.Read(answer); err != nil || string(answer[:n]) != "more" {
				t.Errorf("%q, %v", answer[:n], err)
			}
		}()
		for _, piece := range []string{"\x01con", "nect"} {
			if _, err := io.WriteString(conn, piece); err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // until the first way is closed, and then again
		}
		if got := <-heard; got != "\x01connect" {
			t.Errorf("heard %q", got)
		}
		synctest.Wait()
		if _, err := io.WriteString(conn, "more"); err != nil {
			t.Error(err)
		}
		<-done
		time.Sleep(answerTimeout) // nothing of the trial is left to close it
		if _, err := io.WriteString(conn, "still"); err != nil {
			t.Error(err)
		}
	})
}

// TestClose ends a transport in each of its states.
func TestClose(t *testing.T) {
	for name, test := range map[string]struct {
		ways  []way
		after time.Duration
	}{
		"waiting for an answer": {[]way{wayTo("a", silent, 0), wayTo("b", relay, 0)}, time.Second},
		"between two ways":      {[]way{wayTo("a", closes, 0), wayTo("b", relay, 5*time.Second)}, time.Second},
		"when answered":         {[]way{wayTo("a", relay, 0)}, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := newTrial(newRouter(t, Config{}), relayURL, test.ways)
				if err := conn.next(t.Context()); err != nil {
					t.Fatal(err)
				}
				if _, err := io.WriteString(conn, "\x01"); err != nil {
					t.Fatal(err)
				}
				ended := make(chan error)
				go func() {
					_, err := io.Copy(io.Discard, conn)
					ended <- err
				}()
				time.Sleep(test.after)
				begun := time.Now()
				if err := conn.Close(); err != nil {
					t.Error(err)
				}
				if err := <-ended; err == nil || time.Since(begun) > 0 {
					t.Errorf("%v after %v", err, time.Since(begun))
				}
				if _, err := io.WriteString(conn, "x"); !errors.Is(err, net.ErrClosed) {
					t.Errorf("writing: %v", err)
				}
				if err := conn.Close(); !errors.Is(err, net.ErrClosed) {
					t.Errorf("again: %v", err)
				}
			})
		})
	}
}

func TestTooMuchBeforeTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := newTrial(newRouter(t, Config{}), relayURL, []way{wayTo("a", silent, 0)})
		defer conn.Close()
		if err := conn.next(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err := io.WriteString(conn, strings.Repeat("a", maxConnect))
		if _, after := io.WriteString(conn, "a"); err != nil || after == nil {
			t.Errorf("%v, %v", err, after)
		}
	})
}

// TestNameless does not ask for a name again that does not resolve.
func TestNameless(t *testing.T) {
	missing := &net.DNSError{Err: "no such host", Name: "relay.example", IsNotFound: true}
	dialled := 0
	direct := way{name: "direct", direct: true, dial: func(context.Context) (io.ReadWriteCloser, error) {
		dialled++
		return nil, missing
	}}
	conn := newTrial(newRouter(t, Config{}), relayURL, []way{direct, direct, wayTo("proxy", nil, 0), direct})
	err := conn.next(t.Context())
	conn.cancel()
	if !errors.Is(err, missing) || dialled != 1 || !strings.Contains(err.Error(), "proxy: refused") {
		t.Errorf("%d times: %v", dialled, err)
	}
}
