package presence

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"furrow/sstp"
	"furrow/sstp/wandpp"
)

const ms = time.Millisecond

func TestWatch(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		a := connect(t, h, alice)
		a.subscribe(bob, carol)
		a.expect(time.Second, notice{0, "bob- carol-"}) // never seen
		b := connect(t, h, bob)
		a.expect(time.Second) // a connection is not yet presence
		b.online()
		a.expect(time.Second, notice{0, "bob+"})
		b.online()
		a.expect(time.Second) // no change
		b.offline()
		a.expect(time.Second, notice{0, "bob-"})
		b.online()
		a.expect(time.Second, notice{0, "bob+"})
		b.leave()
		a.expect(5*time.Second, notice{3000 * ms, "bob-"})

		if len(a.opens) != 1 || a.opens[0].ResourceURL != "grooveWANDPP" || a.opens[0].IdentityURL != "" || a.opens[0].DeviceURL != alice {
			t.Errorf("the relay has opened %+v", a.opens)
		}
		if len(b.opens) != 0 {
			t.Errorf("the relay has opened %+v towards who watches nobody", b.opens)
		}
		if st := h.Stats(); st != (Stats{Subscriptions: 2, Documents: 5, Notified: 6}) {
			t.Errorf("%+v", st)
		}
		a.leave()
		empty(t, h)
	})
}

func TestGrace(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		a, b := connect(t, h, alice), connect(t, h, bob)
		b.online()
		a.subscribe(bob)
		a.expect(time.Second, notice{0, "bob+"})

		b.leave()
		a.expect(2900 * ms)
		b = connect(t, h, bob)
		b.online()
		a.expect(10 * time.Second)

		// To connect is not enough.
		b.leave()
		a.expect(2900 * ms)
		b = connect(t, h, bob)
		a.expect(time.Second, notice{100 * ms, "bob-"})
		b.online()
		a.expect(time.Second, notice{0, "bob+"})

		// With several connections the end of the last one counts, and the word that
		// came last.
		other := connect(t, h, bob)
		b.leave()
		a.expect(10 * time.Second)
		b = connect(t, h, bob)
		other.leave()
		a.expect(10 * time.Second)
		other = connect(t, h, bob)
		other.offline()
		a.expect(time.Second, notice{0, "bob-"})
		b.online()
		b.leave()
		other.leave()
		a.expect(10*time.Second, notice{0, "bob+"}, notice{3000 * ms, "bob-"})
	})
}

// TestGather has changes come in quick succession.
func TestGather(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		a, b, c := connect(t, h, alice), connect(t, h, bob), connect(t, h, carol)
		a.subscribe(bob, carol)
		a.expect(time.Second, notice{0, "bob- carol-"})
		for range 10 {
			b.online()
			b.offline()
			time.Sleep(5 * ms)
		}
		c.online()
		b.online()
		a.expect(time.Second, notice{0, "bob+"}, notice{100 * ms, "bob+ carol+"})

		// What is gathered goes with the answer to a subscription.
		b.offline()
		b.online()
		time.Sleep(50 * ms)
		a.subscribe(carol)
		a.expect(time.Second, notice{0, "bob-"}, notice{50 * ms, "bob+ carol+"})
		b.offline()
		a.expect(time.Second, notice{0, "bob-"})

		// One change in each 10 ms for a second makes eleven documents, not a hundred.
		before := h.Stats().Documents
		for i := range 100 {
			if i%2 == 0 {
				b.online()
			} else {
				b.offline()
			}
			time.Sleep(10 * ms)
		}
		time.Sleep(time.Second)
		if n := h.Stats().Documents - before; n < 10 || n > 11 {
			t.Errorf("%d documents in a second of changes", n)
		}
		if a.states[bob] != wandpp.Offline {
			t.Error("the last state is missing")
		}
	})
}

func TestSubscriptions(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		a, b := connect(t, h, alice), connect(t, h, bob)
		b.online()
		a.subscribe(bob)
		a.subscribe(bob, bob)
		a.expect(time.Second, notice{0, "bob+"}, notice{0, "bob+"})
		if n := h.Stats().Subscriptions; n != 1 {
			t.Errorf("%d subscriptions", n)
		}
		a.unsubscribe(carol, bob)
		a.unsubscribe(bob)
		b.offline()
		a.expect(time.Second)

		// An unsubscription overtakes a change.
		a.subscribe(bob)
		b.online()
		a.unsubscribe(bob)
		a.expect(time.Second, notice{0, "bob-"})

		a.subscribe()
		a.subscribe(alice)
		a.online()
		a.expect(time.Second, notice{0, "alice-"}, notice{100 * ms, "alice+"})

		// Subscriptions are the connection's, not the session's.
		a.session.Close(sstp.ReasonNone)
		a.open()
		a.offline()
		a.expect(time.Second, notice{0, "alice-"})
	})
}

// TestSpellings has one device under three names.
func TestSpellings(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		b := connect(t, h, "dpp://relay.example/bob")
		b.online()
		a, c := connect(t, h, alice), connect(t, h, carol)
		a.subscribe(bob)
		c.subscribe("dpp://bob", "dpp://relay.example/bob")
		a.expect(time.Second, notice{0, "bob+"})
		c.expect(0, notice{0, "dpp://relay.example/bob+"}) // as it has spelled it last
		c.subscribe("dpp://bob")
		b.offline()
		a.expect(time.Second, notice{0, "bob-"})
		c.expect(0, notice{0, "dpp://bob+"}, notice{100 * ms, "dpp://bob-"})
		c.unsubscribe(bob)
		a.leave()
		b.leave()
		c.leave()
		empty(t, h)
	})
}

func TestRefusedDocuments(t *testing.T) {
	const malformed = "sstp: session 1 closed by the peer: ProtocolError"
	const tooMany = "sstp: session 1 closed by the peer: InternalError"
	device := `<Device URL="dpp:///bob"/>`
	for name, test := range map[string]struct{ text, want string }{
		"malformed":        {"hello", malformed},
		"of a relay":       {`<Notify Version="1"><Device Status="Online" URL="dpp:///bob"/></Notify>`, malformed},
		"too many devices": {`<Subscribe Version="1">` + strings.Repeat(device, 4097) + `</Subscribe>`, tooMany},
		"too long":         {`<Subscribe Version="1">` + strings.Repeat("<!--"+strings.Repeat("a", 2000)+"-->", wandpp.MaxDocument/2000) + device + `</Subscribe>`, tooMany},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, h *Hub) {
				a, b := connect(t, h, alice), connect(t, h, bob)
				b.subscribe(alice)
				// What follows in the same session, and is on its way, is not obeyed.
				go func() { _ = a.send([]byte(test.text)) }() // its fate may be known or not
				synctest.Wait()
				go func() { _ = a.send([]byte(`<Publish Status="Online" Version="1"/>`)) }()
				if got := a.sessionEnd(); got != test.want {
					t.Errorf("the session was closed: %s, want %s", got, test.want)
				}
				b.expect(time.Second, notice{0, "alice-"})
				// The connection stands.
				a.open()
				a.online()
				b.expect(time.Second, notice{0, "alice+"})
				if n := h.Stats().Subscriptions; n != 1 {
					t.Errorf("%d subscriptions", n)
				}
			})
		})
	}
}

// TestDiagnose shows how a document begins that does not parse, and no other.
func TestDiagnose(t *testing.T) {
	for _, diagnose := range []bool{false, true} {
		inBubble(t, func(t *testing.T, h *Hub) {
			var log strings.Builder
			h.log, h.diagnose = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})), diagnose
			a := connect(t, h, alice)
			a.online()
			_ = a.send([]byte(`<Present Who="alice"/>` + strings.Repeat(" ", maxBeginning) + "END")) // its fate may be known or not
			synctest.Wait()
			shown := strings.Contains(log.String(), `<Present Who=\"alice\"/>`)
			if shown != diagnose || strings.Contains(log.String(), "END") || strings.Contains(log.String(), "Online") {
				t.Errorf("diagnose %t: %s", diagnose, log.String())
			}
		})
	}
}

// TestMostSubscriptions goes to the limit of a connection, and not beyond.
func TestMostSubscriptions(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		a := connect(t, h, alice)
		for i := range 4 {
			a.subscribe(manyDevices(4096, i*4096)...)
			a.expect(time.Second, notice{0, "4096"})
		}
		a.subscribe(manyDevices(4096, 2048)...) // known
		a.expect(time.Second, notice{0, "4096"})
		a.unsubscribe("dpp:///device0")
		text, err := wandpp.Encode(&wandpp.Subscribe{Devices: []string{bob, carol}})
		must(t, err)
		_ = a.send(text) // its fate may be known or not
		if got, want := a.sessionEnd(), "sstp: session 1 closed by the peer: InternalError"; got != want {
			t.Errorf("the session was closed: %s, want %s", got, want)
		}
		if n := h.Stats().Subscriptions; n != 16383 {
			t.Errorf("%d subscriptions", n)
		}
		a.open()
		a.subscribe(bob, bob, "dpp://bob")
		a.expect(time.Second, notice{0, "dpp://bob-"})
		a.leave()
		empty(t, h)
	})
}

// TestStuck has a subscriber that acknowledges nothing, and one that does not even
// read. Others are told in time, and the two the last state when they wake up.
func TestStuck(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		a, b, c := connect(t, h, alice), connect(t, h, bob), connect(t, h, carol)
		devices := manyDevices(4096, 0)
		a.stuck = make(chan struct{})
		a.subscribe(append(devices[1:], bob)...)
		c.subscribe(bob)
		a.expect(time.Second, notice{0, "4096"})
		c.expect(0, notice{0, "bob-"})
		for i := range 100 {
			b.online()
			c.expect(time.Second, notice{0, "bob+"})
			b.offline()
			c.expect(time.Second, notice{0, "bob-"})
			a.unsubscribe(devices[1+i])
			a.subscribe(devices[1+i])
		}
		p := h.peerOf(a)
		if len(p.pending) != 101 || len(p.due) != 0 || len(p.documents) != 0 {
			t.Errorf("%d pending, %d due, %d documents", len(p.pending), len(p.due), len(p.documents))
		}
		b.online()
		close(a.stuck)
		a.expect(time.Second, notice{200 * time.Second, "101"})
		if a.states[bob] != wandpp.Online || a.states[devices[1]] != wandpp.Offline {
			t.Errorf("told last: %v, %v", a.states[bob], a.states[devices[1]])
		}
	})
}

func (h *Hub) peerOf(c *client) *peer {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.peers[c.relay.conn]
}

// TestChangeWhileSending has a device change while the document that is to name it
// waits for a peer that does not read.
func TestChangeWhileSending(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		a, b, c := connect(t, h, alice), connect(t, h, bob), connect(t, h, carol)
		a.subscribe(carol)
		a.transport.pause()
		text, err := wandpp.Encode(&wandpp.Subscribe{Devices: append(manyDevices(4000, 0), bob)})
		must(t, err)
		fate := make(chan error, 1)
		go func() { fate <- a.send(text) }()
		synctest.Wait()
		p := h.peerOf(a)
		if len(p.due) < 2000 {
			t.Fatalf("%d devices wait to be told of, of 4001", len(p.due))
		}
		b.online()
		c.online()
		b.offline()
		b.online()
		time.Sleep(time.Minute)
		if len(p.pending) > 2 {
			t.Errorf("%d devices wait for the next document", len(p.pending))
		}
		a.transport.resume()
		must(t, <-fate)
		time.Sleep(time.Second)
		synctest.Wait()
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.states[bob] != wandpp.Online || a.states[carol] != wandpp.Online || len(a.states) != 4002 {
			t.Errorf("knows of %d devices, %v and %v", len(a.states), a.states[bob], a.states[carol])
		}
	})
}

func TestExpelled(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		a, b := connect(t, h, alice), connect(t, h, bob)
		b.online()
		b.subscribe(alice)
		a.subscribe(bob)
		a.expect(time.Second, notice{0, "bob+"})
		b.expect(0, notice{0, "alice-"})
		h.Expelled(b.relay.conn)
		// What is on its way when the connection is about to be closed.
		go func() { _ = b.send([]byte(`<Publish Status="Online" Version="1"/>`)) }()
		a.online()
		a.expect(time.Second, notice{0, "bob-"})
		b.expect(0)
		b.open()
		if got := b.sessionEnd(); got != "sstp: session refused: Unknown" {
			t.Errorf("another session: %s", got)
		}
		h.Expelled(b.relay.conn)
		b.leave()
		a.expect(10 * time.Second)
		a.leave()
		time.Sleep(graceTime)
		empty(t, h)
	})
}

// TestRefusedSession has a subscriber who does not take what it is told, in each of
// the ways that it can.
func TestRefusedSession(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		a, b := connect(t, h, alice), connect(t, h, bob)
		a.answer = sstp.OpenNoResource
		a.subscribe(bob)
		a.expect(time.Second)
		if n := h.Stats().Subscriptions; n != 0 {
			t.Errorf("%d subscriptions after a refusal", n)
		}
		a.answer = sstp.OpenOk
		a.subscribe(bob)
		a.expect(time.Second, notice{0, "bob-"})
		a.theirs.Close(sstp.ReasonNone)
		b.online()
		a.expect(time.Second)
		if n := h.Stats().Subscriptions; n != 0 {
			t.Errorf("%d subscriptions after the end of the session", n)
		}

		// One that is closed while a document waits for its acknowledgment does not
		// take the next subscription with it.
		a.stuck = make(chan struct{})
		a.subscribe(bob)
		synctest.Wait()
		a.theirs.Close(sstp.ReasonNone)
		a.subscribe(carol)
		close(a.stuck)
		a.expect(time.Second, notice{0, "bob+"}, notice{0, "carol-"})
		if len(a.opens) != 4 {
			t.Errorf("%d sessions", len(a.opens))
		}

		// One that is told to wait waits.
		b.answer = sstp.OpenOkStopSending
		b.subscribe(carol)
		b.expect(time.Second)
		must(t, b.theirs.Resume())
		b.expect(time.Second, notice{0, "carol-"})
	})
}

// TestCloseWhileWaiting closes the hub in the grace time, and in that of a window.
func TestCloseWhileWaiting(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		a, b := connect(t, h, alice), connect(t, h, bob)
		a.subscribe(bob)
		b.online()
		b.leave()
		a.leave()
		h.Close()
	})
}

// TestRandom does whatever can be done, in no order, and compares what the
// subscribers know in the end with a model.
func TestRandom(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inBubble(t, func(t *testing.T, h *Hub) { random(t, h, rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

func random(t *testing.T, h *Hub, r *rand.Rand) {
	const people = 6
	var clients [people]*client
	online := map[string]bool{} // published, and not left since then
	var watched [people]map[string]bool
	for range 300 {
		i := r.IntN(people)
		url, other := fmt.Sprintf("dpp:///p%d", i), fmt.Sprintf("dpp:///p%d", r.IntN(people+1))
		c := clients[i]
		if c == nil {
			clients[i], watched[i] = connect(t, h, url), map[string]bool{}
			continue
		}
		switch r.IntN(8) {
		case 0:
			c.leave()
			clients[i], online[url] = nil, false
		case 1, 2:
			c.online()
			online[url] = true
		case 3:
			c.offline()
			online[url] = false
		case 4, 5:
			c.subscribe(other)
			watched[i][other] = true
		case 6:
			c.unsubscribe(other)
			delete(watched[i], other)
		default:
			time.Sleep(time.Duration(r.Int64N(int64(2 * graceTime))))
		}
	}
	time.Sleep(2 * graceTime)
	synctest.Wait()
	total := 0
	for i, c := range clients {
		if c == nil {
			continue
		}
		total += len(watched[i])
		for url := range watched[i] {
			c.mu.Lock()
			if got, told := c.states[url]; !told || (got == wandpp.Online) != online[url] {
				t.Errorf("p%d knows of %s %v (%v), want online %v", i, url, got, told, online[url])
			}
			c.mu.Unlock()
		}
	}
	if n := h.Stats().Subscriptions; n != total {
		t.Errorf("%d subscriptions, want %d", n, total)
	}
	for _, c := range clients {
		if c != nil {
			c.leave()
		}
	}
	time.Sleep(2 * graceTime)
	empty(t, h)
}
