package carrier

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// raw is a TCP connection to a Server of which a test writes every octet.
type raw struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

func (b *box) raw(t *testing.T) *raw {
	t.Helper()
	conn, err := b.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // perhaps closed already
	return &raw{t, conn, bufio.NewReader(conn)}
}

func (c *raw) send(format string, args ...any) *raw {
	c.t.Helper()
	if _, err := fmt.Fprintf(c.conn, format, args...); err != nil {
		c.t.Errorf("sending: %v", err)
	}
	return c
}

// expect reads a response and compares code and body.
func (c *raw) expect(code int, body string) {
	c.t.Helper()
	p, err := readReply(c.r)
	if err != nil {
		c.t.Fatalf("reading a response: %v", err)
	}
	got, err := p.body(c.r)
	if err != nil || p.code != code || string(got) != body {
		c.t.Fatalf("got %d %.60q, %v, want %d %.60q", p.code, got, err, code, body)
	}
}

// expectStart reads the response to a GET of LongLived, up to the data.
func (c *raw) expectStart(budget int64) {
	c.t.Helper()
	p, err := readReply(c.r)
	if err != nil || p.code != 200 || p.length != budget {
		c.t.Fatalf("got %+v, %v", p, err)
	}
	if err := readEcho(c.r); err != nil {
		c.t.Fatal(err)
	}
}

func (c *raw) expectData(want string) {
	c.t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c.r, got); err != nil || string(got) != want {
		c.t.Fatalf("got %q, %v, want %q", got, err, want)
	}
}

// expectEnd makes sure that nothing but the end comes.
func (c *raw) expectEnd() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
		c.t.Fatalf("got %.60q, %v, want the end", rest, err)
	}
}

// expectSilence makes sure that nothing comes for some time.
func (c *raw) expectSilence(d time.Duration) {
	c.t.Helper()
	if err := c.conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		c.t.Fatal(err)
	}
	if octet, err := c.r.Peek(1); !os.IsTimeout(err) {
		c.t.Fatalf("got %q, %v within %v", octet, err, d)
	}
	if err := c.conn.SetReadDeadline(time.Time{}); err != nil {
		c.t.Fatal(err)
	}
}

func (c *raw) hangUp() {
	c.t.Helper()
	if err := c.conn.Close(); err != nil {
		c.t.Fatal(err)
	}
}

const (
	llURI = "/2.0/relay.example/" + testGUID + ",ConnType=LongLived,ContentLength=2147479552"
	kaURI = "/2.0/relay.example/" + testGUID + ",ConnType=KeepAlive"

	llGet  = "GET " + llURI + " HTTP/1.0\r\n\r\n"
	llPost = "POST " + llURI + " HTTP/1.0\r\nContent-Length: 1\r\n\r\n" // which is not to be believed
	kaGet  = "GET " + kaURI + " HTTP/1.0\r\n\r\n"
	kaEcho = "POST " + kaURI + " HTTP/1.0\r\nContent-Length: 22\r\n\r\n" + echo
)

func kaPost(data string) string {
	return fmt.Sprintf("POST %s HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s", kaURI, len(data), data)
}

// bubble runs a subtest in a bubble of time, with a Server behind pipes.
func bubble(t *testing.T, name string, cfg ServerConfig, f func(t *testing.T, b *box)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { f(t, newBox(t, cfg)) })
	})
}

// relay returns the stream that the Server has handed over, with nothing in it.
func (b *box) relay(t *testing.T) io.ReadWriteCloser {
	t.Helper()
	synctest.Wait()
	select {
	case stream := <-b.adopted:
		t.Cleanup(func() { _ = stream.Close() }) // perhaps closed already
		return stream
	default:
		t.Fatal("no stream has been handed over")
		return nil
	}
}

func (b *box) expectStats(t *testing.T, want Stats) {
	t.Helper()
	synctest.Wait()
	if got := b.server.Stats(); got != want {
		t.Errorf("stats are %+v, want %+v", got, want)
	}
}

func expectStream(t *testing.T, r io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
		t.Fatalf("read %.60q, %v, want %.60q", got, err, want)
	}
}

func write(t *testing.T, w io.Writer, data string) {
	t.Helper()
	if _, err := io.WriteString(w, data); err != nil {
		t.Error(err)
	}
}

// expectClosed makes sure that a stream has come to its end.
func expectClosed(t *testing.T, r io.Reader) {
	t.Helper()
	if n, err := r.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Fatalf("read %d octets, %v, want the end", n, err)
	}
}
