package carrier

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func pollRequest(m message, data string) string {
	body := string(m.appendTo(nil)) + data
	return fmt.Sprintf("POST / HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// poll sends one request, with the likely checksum, on a connection of its own.
func (b *box) poll(t *testing.T, sequence uint64, data string) *raw {
	t.Helper()
	m := message{server: "relay.example", guid: testGUID, sequence: sequence, checksum: anyChecksum().of([]byte(data))}
	return b.raw(t).send("%s", pollRequest(m, data))
}

// expectPoll reads a response of Polling and the end.
func (c *raw) expectPoll(sequence uint64, terms pollTerms, data string) {
	c.t.Helper()
	m := message{server: "relay.example", guid: testGUID, sequence: sequence, checksum: anyChecksum().of([]byte(data))}
	c.expect(200, string(terms.appendTo(m.appendTo(nil)))+data)
	c.expectEnd()
}

// probe makes a virtual connection of Polling, with "hello" from the client.
func probe(t *testing.T, b *box) io.ReadWriteCloser {
	t.Helper()
	b.poll(t, 0, "").expectPoll(0, idleTerms, "")
	b.poll(t, 0, "hello").expectPoll(0, idleTerms, "")
	relay := b.relay(t)
	expectStream(t, relay, "hello")
	return relay
}

func TestPollingSequence(t *testing.T) {
	bubble(t, "", ServerConfig{}, func(t *testing.T, b *box) {
		b.poll(t, 0, "").expectPoll(0, idleTerms, "")
		b.expectStats(t, Stats{Waiting: 1})
		b.poll(t, 0, "hello").expectPoll(0, idleTerms, "")
		b.expectStats(t, Stats{Polling: 1, Opened: 1})
		relay := b.relay(t)
		expectStream(t, relay, "hello")
		b.poll(t, 1, "").expectPoll(1, idleTerms, "")
		write(t, relay, "kept from one connection to the next")
		b.poll(t, 2, "data").expectPoll(2, idleTerms, "kept from one connection to the next")
		expectStream(t, relay, "data")
		b.poll(t, 3, "").expectPoll(3, idleTerms, "")
	})
}

// What the last request of the handshake leads to is in its response, if it comes
// soon (3.5.5.1.1.1).
func TestPollingWaitsForAnAnswer(t *testing.T) {
	bubble(t, "", ServerConfig{}, func(t *testing.T, b *box) {
		b.poll(t, 0, "").expectPoll(0, idleTerms, "")
		c := b.poll(t, 0, "hello")
		relay := b.relay(t)
		time.Sleep(answerTime - time.Millisecond)
		write(t, relay, "answer")
		c.expectPoll(0, idleTerms, "answer")
	})
}

func TestPollingResponsesAreBounded(t *testing.T) {
	bubble(t, "", ServerConfig{}, func(t *testing.T, b *box) {
		relay := probe(t, b)
		data := string(random(1, maxBody+1000))
		write(t, relay, data)
		c := b.poll(t, 1, "")
		p, err := readReply(c.r)
		if err != nil || p.length > maxBody || p.length < maxBody-50 {
			t.Fatalf("got %+v, %v", p, err)
		}
		body, err := p.body(c.r)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, err := parseMessage(body)
		if err != nil {
			t.Fatal(err)
		}
		terms, got, err := parsePollTerms(rest)
		if err != nil || terms != busyTerms || !strings.HasPrefix(data, string(got)) {
			t.Fatalf("got %+v and %d octets, %v", terms, len(got), err)
		}
		b.poll(t, 2, "").expectPoll(2, busyTerms, data[len(got):]) // it may be one of a row
		b.poll(t, 3, "").expectPoll(3, idleTerms, "")
	})
}

func TestPollingRefusals(t *testing.T) {
	good := message{server: "relay.example", guid: testGUID, checksum: "0"}
	one := good
	one.sequence = 1
	sum := good
	sum.checksum = "1"
	name := good
	name.server = "other.example"
	names := func(host string) bool { return host == "relay.example" }
	for _, tt := range []struct{ name, request string }{
		{"a version", strings.Replace(pollRequest(good, ""), "1.2", "2.0", 1)},
		{"a name", pollRequest(name, "")},
		{"a first number", pollRequest(one, "")},
		{"first data", pollRequest(sum, "x")},
		{"no message", "POST / HTTP/1.0\r\nContent-Length: 4\r\n\r\na=bc"},
		{"no length", "POST / HTTP/1.0\r\n\r\n"},
		{"too long", "POST / HTTP/1.0\r\nContent-Length: 32769\r\n\r\n"},
	} {
		bubble(t, tt.name, ServerConfig{Names: names}, func(t *testing.T, b *box) {
			b.raw(t).send("%s", tt.request).expectEnd()
			b.expectStats(t, Stats{Refused: 1})
		})
	}
	bubble(t, "a first checksum", ServerConfig{}, func(t *testing.T, b *box) {
		b.raw(t).send("%s", pollRequest(sum, "")).expect(400, "")
		b.expectStats(t, Stats{Refused: 1, Forsaken: 1})
	})
	bubble(t, "a handshake without data", ServerConfig{}, func(t *testing.T, b *box) {
		b.poll(t, 0, "").expectPoll(0, idleTerms, "")
		b.poll(t, 0, "").expectEnd()
		b.expectStats(t, Stats{Refused: 1, Forsaken: 1})
	})
}

// A number out of order shows that octets are missing.
func TestPollingEnds(t *testing.T) {
	for _, sequence := range []uint64{0, 2} {
		bubble(t, fmt.Sprint("by the number ", sequence), ServerConfig{}, func(t *testing.T, b *box) {
			relay := probe(t, b)
			b.poll(t, sequence, "data").expectEnd()
			expectClosed(t, relay)
			b.expectStats(t, Stats{Opened: 1, Refused: 1})
		})
	}
	bubble(t, "by a checksum", ServerConfig{}, func(t *testing.T, b *box) {
		relay := probe(t, b)
		m := message{server: "relay.example", guid: testGUID, sequence: 1, checksum: "1"}
		b.raw(t).send("%s", pollRequest(m, "data")).expect(400, "")
		expectClosed(t, relay)
	})
	bubble(t, "by a lost response", ServerConfig{}, func(t *testing.T, b *box) {
		relay := probe(t, b)
		write(t, relay, "data")
		b.poll(t, 1, "").hangUp()
		expectClosed(t, relay)
	})
	bubble(t, "idle", ServerConfig{}, func(t *testing.T, b *box) {
		relay := probe(t, b)
		time.Sleep(idleTime - time.Second)
		b.poll(t, 1, "").expectPoll(1, idleTerms, "")
		begin := time.Now()
		expectClosed(t, relay)
		if idle := time.Since(begin); idle != idleTime {
			t.Errorf("dropped after %v", idle)
		}
	})
	bubble(t, "before the handshake does", ServerConfig{}, func(t *testing.T, b *box) {
		b.poll(t, 0, "").expectPoll(0, idleTerms, "")
		time.Sleep(meetTime + time.Second)
		b.expectStats(t, Stats{Forsaken: 1})
		b.poll(t, 0, "late").expectEnd()
	})
}

func TestPollingClosedByTheRelay(t *testing.T) {
	bubble(t, "", ServerConfig{}, func(t *testing.T, b *box) {
		relay := probe(t, b)
		write(t, relay, "the last")
		if err := relay.Close(); err != nil {
			t.Error(err)
		}
		time.Sleep(lingerTime - time.Second)
		b.poll(t, 1, "").expectPoll(1, busyTerms, "the last")
		b.poll(t, 2, "").expectEnd()
		b.expectStats(t, Stats{Opened: 1, Refused: 1})
	})
}

// A request while another is being answered does no harm.
func TestPollingOneRequestAtATime(t *testing.T) {
	bubble(t, "", ServerConfig{}, func(t *testing.T, b *box) {
		relay := probe(t, b)
		first := b.poll(t, 1, "data") // waits for an answer
		synctest.Wait()
		b.poll(t, 2, "").expectEnd()
		first.expectPoll(1, idleTerms, "")
		b.poll(t, 2, "").expectPoll(2, idleTerms, "")
		expectStream(t, relay, "data")
	})
}
