package carrier

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestLongLivedHalvesMeet(t *testing.T) {
	for _, order := range []string{"GET first", "POST first"} {
		bubble(t, order, ServerConfig{}, func(t *testing.T, b *box) {
			get, post := b.raw(t), b.raw(t)
			if order == "GET first" {
				get.send(llGet).expectSilence(meetTime - time.Second)
				post.send(llPost + echo)
			} else {
				post.send(llPost + echo).expectSilence(meetTime - time.Second)
				get.send(llGet)
			}
			get.expectStart(fullBudget)
			relay := b.relay(t)
			b.expectStats(t, Stats{LongLived: 1, Opened: 1})
			go post.send("to the relay")
			expectStream(t, relay, "to the relay")
			go write(t, relay, "to the client")
			get.expectData("to the client")
			post.hangUp()
			expectClosed(t, relay)
			get.expectEnd()
			b.expectStats(t, Stats{Opened: 1})
		})
	}
}

func TestLongLivedDataBehindTheEcho(t *testing.T) {
	bubble(t, "at once", ServerConfig{}, func(t *testing.T, b *box) {
		get, post := b.raw(t), b.raw(t)
		post.send(llPost + echo + "early")
		get.send(llGet).expectStart(fullBudget)
		relay := b.relay(t)
		expectStream(t, relay, "early")
		go post.send("late")
		expectStream(t, relay, "late")
	})
}

func TestLongLivedRefusals(t *testing.T) {
	names := func(host string) bool { return strings.EqualFold(host, "relay.example") }
	for _, tt := range []struct {
		name, request string
		code          int // 0: closed without an answer
	}{
		{"a version", strings.Replace(llGet, "2.0", "2.1", 1), 400},
		{"a POST's version", strings.Replace(llPost, "2.0", "2.1", 1), 400},
		{"a name", strings.Replace(llGet, "relay.example", "other.example", 1), 0},
		{"no length", strings.Replace(llGet, ",ContentLength=2147479552", "", 1), 0},
		{"a length of nothing", strings.Replace(llGet, "2147479552", "22", 1), 0},
		{"no echo", llPost + "GroovePing: 1.0,Pong\r\n", 0},
		{"a type", strings.Replace(llGet, "LongLived", "Longing", 1), 0},
	} {
		bubble(t, tt.name, ServerConfig{Names: names}, func(t *testing.T, b *box) {
			c := b.raw(t)
			c.send("%s", tt.request)
			if tt.code != 0 {
				c.expect(tt.code, "")
			}
			c.expectEnd()
			b.expectStats(t, Stats{Refused: 1})
		})
	}
	bubble(t, "a name in capitals is not refused", ServerConfig{Names: names}, func(t *testing.T, b *box) {
		b.raw(t).send("%s", strings.Replace(llGet, "relay.example", "RELAY.example", 1))
		b.expectStats(t, Stats{Waiting: 1})
	})
}

// Who comes second with a GUID in use does not harm who was first.
func TestLongLivedIntruders(t *testing.T) {
	bubble(t, "a second half of a kind", ServerConfig{}, func(t *testing.T, b *box) {
		get, post := b.raw(t), b.raw(t)
		get.send(llGet)
		b.expectStats(t, Stats{Waiting: 1})
		intruder := b.raw(t)
		intruder.send(llGet).expect(400, "")
		post.send(llPost + echo)
		get.expectStart(fullBudget)
		for _, request := range []string{llGet, llPost + echo, kaGet, kaEcho} {
			intruder := b.raw(t)
			intruder.send("%s", request).expect(400, "")
		}
		intruder = b.raw(t)
		sum := message{server: "relay.example", guid: testGUID, checksum: "0"}
		intruder.send("%s", pollRequest(sum, "")).expectEnd()
		go post.send("data")
		expectStream(t, b.relay(t), "data")
	})
}

func TestLongLivedBudget(t *testing.T) {
	const budget = len(echo) + 10
	for _, direction := range []string{"to the relay", "to the client"} {
		bubble(t, direction, ServerConfig{}, func(t *testing.T, b *box) {
			get, post := b.raw(t), b.raw(t)
			uri := "/2.0/relay.example/" + testGUID + ",ConnType=LongLived,ContentLength=32"
			get.send("GET %s HTTP/1.0\r\n\r\n", uri)
			post.send("POST %s HTTP/1.0\r\n\r\n%s", uri, echo)
			get.expectStart(int64(budget))
			relay := b.relay(t)
			if direction == "to the relay" {
				go func() { _, _ = post.conn.Write([]byte("12345678901")) }() // is cut short
				expectStream(t, relay, "1234567890")
				if _, err := relay.Read(make([]byte, 1)); !errors.Is(err, ErrSpent) {
					t.Errorf("read: %v", err)
				}
			} else {
				go write(t, relay, "1234567890")
				get.expectData("1234567890")
				if _, err := relay.Write([]byte("1")); !errors.Is(err, ErrSpent) {
					t.Errorf("write: %v", err)
				}
			}
			get.expectEnd()
			b.expectStats(t, Stats{Opened: 1})
		})
	}
}

func TestLongLivedIdle(t *testing.T) {
	bubble(t, "", ServerConfig{}, func(t *testing.T, b *box) {
		get, post := b.raw(t), b.raw(t)
		get.send(llGet)
		post.send(llPost + echo)
		get.expectStart(fullBudget)
		relay := b.relay(t)
		for range 3 { // either direction will do
			time.Sleep(idleTime - time.Second)
			go post.send("noop")
			expectStream(t, relay, "noop")
			time.Sleep(idleTime - time.Second)
			go write(t, relay, "noop")
			get.expectData("noop")
		}
		begin := time.Now()
		if _, err := relay.Read(make([]byte, 1)); !errors.Is(err, errIdle) {
			t.Errorf("read: %v", err)
		}
		if idle := time.Since(begin); idle != idleTime {
			t.Errorf("dropped after %v", idle)
		}
		get.expectEnd()
		post.expectEnd()
	})
}
