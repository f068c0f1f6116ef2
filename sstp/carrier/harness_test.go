package carrier

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var modes = []Mode{LongLived, KeepAlive, Polling}

// box is a Server behind a listener, or behind pipes.
type box struct {
	t        testing.TB
	server   *Server
	address  string
	listener net.Listener
	adopted  chan io.ReadWriteCloser
	serving  sync.WaitGroup
}

// newBox returns a Server whose streams come out of adopted, or are given to
// adopt.
func newBox(t testing.TB, cfg ServerConfig) *box {
	t.Helper()
	b := &box{t: t, address: "relay.example", adopted: make(chan io.ReadWriteCloser, 64)}
	if cfg.Adopt == nil {
		cfg.Adopt = func(stream io.ReadWriteCloser) { b.adopted <- stream }
	}
	b.server = NewServer(cfg)
	t.Cleanup(b.stop)
	return b
}

// listen lets the Server be reached on loopback.
func (b *box) listen() *box {
	b.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.t.Fatal(err)
	}
	b.listener, b.address = l, l.Addr().String()
	b.serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			b.serving.Go(func() { b.serve(conn) })
		}
	})
	return b
}

// serve does what a listener does with a new connection.
func (b *box) serve(conn net.Conn) {
	r := bufio.NewReader(conn)
	h, err := ReadHead(r)
	if err != nil || !b.server.Claims(h) {
		_ = conn.Close() // the test that wanted more will tell
		return
	}
	b.server.Serve(conn, r, h)
}

func (b *box) stop() {
	if b.listener != nil {
		if err := b.listener.Close(); err != nil {
			b.t.Error(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = b.server.Shutdown(ctx) // it is in a hurry
	b.serving.Wait()
}

// dial connects to the Server.
func (b *box) dial(ctx context.Context) (net.Conn, error) {
	if b.listener == nil {
		near, far := net.Pipe()
		b.serving.Go(func() { b.serve(far) })
		return near, nil
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", b.address)
}

func (b *box) config(m Mode) ClientConfig {
	return ClientConfig{Mode: m, Host: b.address, Dial: b.dial}
}

// connect returns both ends of a stream. Both are closed at the end of the test.
func (b *box) connect(cfg ClientConfig) (client, relay io.ReadWriteCloser) {
	b.t.Helper()
	client, err := Dial(b.t.Context(), cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = client.Close() }) // perhaps closed already
	if cfg.Mode == Polling {
		// The relay hears of the client with its first octets.
		if _, err := client.Write([]byte{hello}); err != nil {
			b.t.Fatal(err)
		}
	}
	relay = <-b.adopted
	b.t.Cleanup(func() { _ = relay.Close() }) // perhaps closed already
	if cfg.Mode == Polling {
		b.expect(relay, []byte{hello})
	}
	return client, relay
}

const hello = 1

// expect reads octets and compares them.
func (b *box) expect(r io.Reader, want []byte) {
	b.t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(r, got); err != nil {
		b.t.Fatalf("after %d of %d octets: %v", n, len(want), err)
	}
	if !bytes.Equal(got, want) {
		b.t.Fatalf("%d octets arrived, but not those sent", len(want))
	}
}

// random returns octets that tell if any are out of place.
func random(seed uint64, n int) []byte {
	var key [32]byte
	binary.NativeEndian.PutUint64(key[:], seed)
	octets := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(octets) // never fails
	return octets
}

// transfer sends data over a stream while the other end reads it.
func transfer(w io.Writer, r io.Reader, data []byte) error {
	var sending sync.WaitGroup
	var sent error
	sending.Go(func() { _, sent = w.Write(data) })
	got := make([]byte, len(data))
	_, err := io.ReadFull(r, got)
	sending.Wait()
	if err == nil && !bytes.Equal(got, data) {
		err = errors.New("what arrived is not what was sent")
	}
	return errors.Join(err, sent)
}
