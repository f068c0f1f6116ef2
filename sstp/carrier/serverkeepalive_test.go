package carrier

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// keep makes a KeepAlive virtual connection.
func keep(t *testing.T, b *box) (get, post *raw, relay io.ReadWriteCloser) {
	t.Helper()
	get, post = b.raw(t), b.raw(t)
	get.send(kaGet)
	post.send(kaEcho).expect(200, echo)
	get.expect(200, echo)
	return get, post, b.relay(t)
}

func TestKeepAliveHalvesMeet(t *testing.T) {
	for _, order := range []string{"GET first", "POST first"} {
		bubble(t, order, ServerConfig{}, func(t *testing.T, b *box) {
			get, post := b.raw(t), b.raw(t)
			if order == "GET first" {
				get.send(kaGet).expectSilence(meetTime - time.Second)
				post.send(kaEcho)
			} else {
				post.send(kaEcho).expectSilence(meetTime - time.Second)
				get.send(kaGet)
			}
			post.expect(200, echo)
			get.expect(200, echo)
			relay := b.relay(t)
			post.send("%s", kaPost("to the relay")).expect(200, "")
			expectStream(t, relay, "to the relay")
			write(t, relay, "to the client")
			get.send(kaGet).expect(200, "to the client")
			b.expectStats(t, Stats{KeepAlive: 1, Opened: 1})
		})
	}
}

func TestKeepAliveGetIsHeld(t *testing.T) {
	bubble(t, "until there are octets", ServerConfig{}, func(t *testing.T, b *box) {
		get, _, relay := keep(t, b)
		get.send(kaGet).expectSilence(holdTime - time.Second)
		write(t, relay, "data")
		get.expect(200, "data")
	})
	bubble(t, "no longer than 45 s", ServerConfig{}, func(t *testing.T, b *box) {
		get, _, relay := keep(t, b)
		for range 10 {
			begin := time.Now()
			get.send(kaGet).expect(200, "")
			if held := time.Since(begin); held != holdTime {
				t.Errorf("held for %v", held)
			}
		}
		write(t, relay, "data")
		get.send(kaGet).expect(200, "data")
	})
	bubble(t, "and the newest is answered", ServerConfig{}, func(t *testing.T, b *box) {
		old, _, relay := keep(t, b)
		old.send(kaGet)
		synctest.Wait()
		young := b.raw(t)
		young.send(kaGet)
		old.expectEnd()
		write(t, relay, "data")
		young.expect(200, "data")
	})
	bubble(t, "but not when the client has gone", ServerConfig{}, func(t *testing.T, b *box) {
		get, _, relay := keep(t, b)
		get.send(kaGet)
		synctest.Wait()
		get.hangUp()
		synctest.Wait()
		write(t, relay, "data")
		time.Sleep(returnTime - time.Second)
		get = b.raw(t)
		get.send(kaGet).expect(200, "data")
		get.send(kaGet)
		synctest.Wait()
		get.hangUp()
		time.Sleep(returnTime + time.Second)
		expectClosed(t, relay)
		b.expectStats(t, Stats{Opened: 1})
	})
	bubble(t, "unless another request is there", ServerConfig{}, func(t *testing.T, b *box) {
		get, _, relay := keep(t, b)
		write(t, relay, "data")
		go get.send("%s", kaGet+kaGet+kaPost("more"))
		get.expect(200, "data")
		get.expect(200, "")
		get.expect(200, "")
		expectStream(t, relay, "more")
	})
}

func TestKeepAliveBodiesAreBounded(t *testing.T) {
	bubble(t, "responses", ServerConfig{}, func(t *testing.T, b *box) {
		get, _, relay := keep(t, b)
		data := string(random(1, 2*maxBody))
		write(t, relay, data)
		get.send(kaGet).expect(200, data[:maxBody])
		get.send(kaGet).expect(200, data[maxBody:])
	})
	for name, head := range map[string]string{
		"too long":           "Content-Length: 32769",
		"no length":          "A: b",
		"not a length":       "Content-Length: 0x10",
		"a negative length":  "Content-Length: -1",
		"another kind":       "Transfer-Encoding: chunked",
		"no number known":    "Content-Length: 99999999999999999999",
		"more than a number": "Content-Length: 1, 1",
		"two that differ":    "Content-Length: 1\r\ncontent-length: 2",
	} {
		bubble(t, name, ServerConfig{}, func(t *testing.T, b *box) {
			_, post, relay := keep(t, b)
			post.send("POST %s HTTP/1.0\r\n%s\r\n\r\n", kaURI, head).expect(400, "")
			post.expectEnd()
			b.raw(t).send("%s", kaPost("data")).expect(200, "") // the virtual connection has come to no harm
			expectStream(t, relay, "data")
		})
	}
}

// A body that has not come as a whole is as none.
func TestKeepAlivePartsOfBodies(t *testing.T) {
	whole := kaPost("data")
	half := whole[:len(whole)-2]
	bubble(t, "cut", ServerConfig{}, func(t *testing.T, b *box) {
		_, post, relay := keep(t, b)
		post.send("%s", half).hangUp()
		b.raw(t).send("%s", whole).expect(200, "")
		expectStream(t, relay, "data")
	})
	bubble(t, "slow", ServerConfig{}, func(t *testing.T, b *box) {
		_, post, relay := keep(t, b)
		post.send("%s", half)
		begin := time.Now()
		post.expectEnd()
		if took := time.Since(begin); took != receiveTime {
			t.Errorf("given up after %v", took)
		}
		b.raw(t).send("%s", whole).expect(200, "")
		expectStream(t, relay, "data")
	})
	bubble(t, "replaced by a newer one", ServerConfig{}, func(t *testing.T, b *box) {
		_, post, relay := keep(t, b)
		post.send("%s", half)
		synctest.Wait()
		b.raw(t).send("%s", whole).expect(200, "")
		post.expectEnd()
		expectStream(t, relay, "data")
	})
}

// The POST is answered when the relay has room for it.
func TestKeepAliveHoldsBackTheClient(t *testing.T) {
	bubble(t, "", ServerConfig{}, func(t *testing.T, b *box) {
		_, post, relay := keep(t, b)
		data := string(random(1, maxBody))
		post.send("%s", kaPost(data)).expect(200, "")
		post.send("%s", kaPost(data)).expect(200, "")
		post.send("%s", kaPost(data)).expectSilence(time.Minute)
		expectStream(t, relay, data)
		post.expect(200, "")
		expectStream(t, relay, data+data)
	})
}

func TestKeepAliveClosedByTheRelay(t *testing.T) {
	bubble(t, "with a GET held", ServerConfig{}, func(t *testing.T, b *box) {
		get, _, relay := keep(t, b)
		get.send(kaGet)
		synctest.Wait()
		if err := relay.Close(); err != nil {
			t.Error(err)
		}
		get.expectEnd()
		b.expectStats(t, Stats{Opened: 1})
	})
	bubble(t, "with octets left", ServerConfig{}, func(t *testing.T, b *box) {
		get, post, relay := keep(t, b)
		write(t, relay, "the last")
		if err := relay.Close(); err != nil {
			t.Error(err)
		}
		post.send("%s", kaPost("in vain")).expect(200, "")
		get.send(kaGet).expect(200, "the last")
		get.send(kaGet).expectEnd()
		b.expectStats(t, Stats{Opened: 1})
	})
	bubble(t, "and never asked for", ServerConfig{}, func(t *testing.T, b *box) {
		_, _, relay := keep(t, b)
		write(t, relay, "the last")
		if err := relay.Close(); err != nil {
			t.Error(err)
		}
		if err := relay.Close(); err != nil {
			t.Error(err)
		}
		time.Sleep(lingerTime + time.Second)
		b.expectStats(t, Stats{Opened: 1})
	})
}

func TestKeepAliveIdle(t *testing.T) {
	bubble(t, "", ServerConfig{}, func(t *testing.T, b *box) {
		_, post, relay := keep(t, b)
		time.Sleep(idleTime - time.Second)
		post.send("%s", kaPost("data")).expect(200, "")
		expectStream(t, relay, "data")
		begin := time.Now()
		expectClosed(t, relay)
		if idle := time.Since(begin); idle != idleTime {
			t.Errorf("dropped after %v", idle)
		}
	})
}

func TestKeepAliveRefusals(t *testing.T) {
	for _, tt := range []struct{ name, request string }{
		{"a version", strings.Replace(kaGet, "2.0", "1.2", 1)},
		{"a name", strings.Replace(kaGet, "relay.example", "other.example", 1)},
		{"a POST without a handshake", kaPost("data")},
		{"an echo with more", kaPost(echo + "x")},
	} {
		bubble(t, tt.name, ServerConfig{Names: func(host string) bool { return host == "relay.example" }}, func(t *testing.T, b *box) {
			c := b.raw(t)
			c.send("%s", tt.request).expect(400, "")
			c.expectEnd()
			b.expectStats(t, Stats{Refused: 1})
		})
	}
}

// A connection that a proxy uses for others, too.
func TestOtherRequests(t *testing.T) {
	const other = "GET /gms.dll HTTP/1.1\r\n\r\n"
	bubble(t, "are passed on", ServerConfig{Other: func(conn net.Conn, _ *bufio.Reader, h Head) {
		_, _ = io.WriteString(conn, h.Target) // the test compares it
		_ = conn.Close()
	}}, func(t *testing.T, b *box) {
		get, _, _ := keep(t, b)
		get.send(other).expectData("/gms.dll")
		get.expectEnd()
	})
	bubble(t, "or refused", ServerConfig{}, func(t *testing.T, b *box) {
		get, _, _ := keep(t, b)
		get.send(other).expect(400, "")
	})
}
