package carrier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestClaims(t *testing.T) {
	s := NewServer(ServerConfig{})
	for request, want := range map[string]bool{
		"POST /":                              true,
		"POST http://relay.example":           true,
		"POST http://relay.example/":          true,
		"GET " + llURI:                        true,
		"POST " + kaURI:                       true,
		"GET http://relay.example" + kaURI:    true,
		"GET /2.0/r/g,ConnType=Other":         true,
		"GET /":                               false,
		"POST /gms.dll":                       false,
		"GET /2.0/relay.example/" + testGUID:  false,
		"CONNECT relay.example:443":           false,
		"PUT " + kaURI:                        false,
		"POST https://relay.example/":         false,
		"POST http://relay.example/x?y":       false,
		"HEAD http://relay.example" + llURI:   false,
		"POST /?target=http://relay.example/": false,
	} {
		method, target, _ := strings.Cut(request, " ")
		if got := s.Claims(Head{Method: method, Target: target, Proto: "HTTP/1.0"}); got != want {
			t.Errorf("%s: %v", request, got)
		}
	}
}

func uriOf(i int, m Mode) string {
	return string(target{server: "relay.example", guid: fmt.Sprint("guid", i), mode: m, budget: fullBudget}.appendTo(nil))
}

func TestHalvesDoNotWaitForEver(t *testing.T) {
	for name, request := range map[string]string{
		"GET of LongLived":  llGet,
		"POST of LongLived": llPost + echo,
		"GET of KeepAlive":  kaGet,
		"POST of KeepAlive": kaEcho,
	} {
		bubble(t, name, ServerConfig{}, func(t *testing.T, b *box) {
			c := b.raw(t)
			begin := time.Now()
			c.send("%s", request).expect(408, "")
			if waited := time.Since(begin); waited != meetTime {
				t.Errorf("waited for %v", waited)
			}
			c.expectEnd()
			b.expectStats(t, Stats{Forsaken: 1, Refused: 1})
		})
	}
	bubble(t, "a POST without its echo", ServerConfig{}, func(t *testing.T, b *box) {
		c := b.raw(t)
		c.send("%s", llPost+echo[:10])
		begin := time.Now()
		c.expectEnd()
		if waited := time.Since(begin); waited != receiveTime {
			t.Errorf("waited for %v", waited)
		}
	})
}

// Of too many halves that wait the oldest makes room; a pair that comes at once
// is served.
func TestWaitingHalvesAreBounded(t *testing.T) {
	const limit = 8
	bubble(t, "", ServerConfig{MaxWaiting: limit}, func(t *testing.T, b *box) {
		var halves []*raw
		for i := range 3 * limit {
			c := b.raw(t)
			if i%2 == 0 {
				c.send("GET %s HTTP/1.0\r\n\r\n", uriOf(i, LongLived))
			} else {
				c.send("GET %s HTTP/1.0\r\n\r\n", uriOf(i, KeepAlive))
			}
			synctest.Wait()
			halves = append(halves, c)
			if i >= limit {
				halves[i-limit].expect(408, "")
			}
		}
		b.expectStats(t, Stats{Waiting: limit, Forsaken: 2 * limit, Refused: 2 * limit})
		get, post := b.raw(t), b.raw(t)
		get.send(llGet)
		post.send(llPost + echo)
		get.expectStart(fullBudget)
		b.relay(t)
	})
	bubble(t, "of Polling, too", ServerConfig{MaxWaiting: limit}, func(t *testing.T, b *box) {
		for i := range 3 * limit {
			c := b.raw(t)
			c.send("%s", pollRequest(message{server: "relay.example", guid: fmt.Sprint("guid", i), checksum: "0"}, ""))
			if p, err := readReply(c.r); err != nil || p.code != 200 {
				t.Fatalf("got %+v, %v", p, err)
			}
			c.hangUp()
		}
		b.expectStats(t, Stats{Waiting: limit, Forsaken: 2 * limit})
	})
}

func TestVirtualConnectionsAreBounded(t *testing.T) {
	bubble(t, "", ServerConfig{MaxConnections: 1}, func(t *testing.T, b *box) {
		_, _, relay := keep(t, b)
		for _, request := range []string{
			"GET " + uriOf(1, LongLived) + " HTTP/1.0\r\n\r\n",
			"GET " + uriOf(2, KeepAlive) + " HTTP/1.0\r\n\r\n",
			pollRequest(message{server: "relay.example", guid: "guid3", checksum: "0"}, ""),
		} {
			b.raw(t).send("%s", request).expect(500, "")
		}
		if err := relay.Close(); err != nil {
			t.Error(err)
		}
		time.Sleep(lingerTime + time.Second)
		b.raw(t).send("GET %s HTTP/1.0\r\n\r\n", uriOf(1, LongLived))
		b.expectStats(t, Stats{Opened: 1, Waiting: 1, Refused: 3})
	})
}

// A head that is begun is to be ended in time; the pause before it may be longer.
func TestSlowHeads(t *testing.T) {
	bubble(t, "", ServerConfig{}, func(t *testing.T, b *box) {
		_, post, _ := keep(t, b)
		time.Sleep(idleTime - time.Second)
		post.send("PO")
		begin := time.Now()
		post.expectEnd()
		if took := time.Since(begin); took != receiveTime {
			t.Errorf("given up after %v", took)
		}
	})
}

func TestShutdown(t *testing.T) {
	bubble(t, "ends everything", ServerConfig{}, func(t *testing.T, b *box) {
		get, post := b.raw(t), b.raw(t)
		get.send(llGet)
		post.send(llPost + echo)
		get.expectStart(fullBudget)
		longLived := b.relay(t)
		b.raw(t).send("GET %s HTTP/1.0\r\n\r\n", uriOf(1, KeepAlive))
		b.raw(t).send("GET %s HTTP/1.0\r\nA: b\r\n", uriOf(2, KeepAlive)) // not yet the Server's
		synctest.Wait()
		if err := b.server.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		expectClosed(t, longLived)
		if _, err := longLived.Write([]byte("x")); err == nil {
			t.Error("written to a stream that has ended")
		}
		b.expectStats(t, Stats{Opened: 1, Forsaken: 1, Refused: 1})
		late := b.raw(t)
		late.send(llGet).expectEnd()
	})
	bubble(t, "delivers what is left", ServerConfig{}, func(t *testing.T, b *box) {
		get, _, relay := keep(t, b)
		write(t, relay, "the last")
		if err := relay.Close(); err != nil {
			t.Error(err)
		}
		done := make(chan error)
		go func() { done <- b.server.Shutdown(context.Background()) }()
		time.Sleep(time.Second)
		get.send(kaGet).expect(200, "the last")
		get.send(kaGet).expectEnd()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	bubble(t, "but not for ever", ServerConfig{}, func(t *testing.T, b *box) {
		_, _, relay := keep(t, b)
		write(t, relay, "the last")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if _, err := io.WriteString(relay, "x"); err == nil {
			t.Error("written to a stream that has ended")
		}
		b.expectStats(t, Stats{Opened: 1})
	})
}
