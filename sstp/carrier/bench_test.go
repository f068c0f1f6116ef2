package carrier

import (
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// transferSize is how many octets BenchmarkTransfer sends at a time: 4 MB, or as
// many as FURROW_CARRIER_MB says.
func transferSize(b *testing.B) int {
	text := os.Getenv("FURROW_CARRIER_MB")
	if text == "" {
		return 4 << 20
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return n << 20
}

// BenchmarkTransfer sends octets through each encapsulation and over the bare
// connection, in turn, and reports how the rates compare to the bare one's.
func BenchmarkTransfer(b *testing.B) {
	data := random(1, transferSize(b))
	x := newBox(b, ServerConfig{}).listen()
	type pair struct {
		name        string
		near, far   io.ReadWriteCloser
		down, up    time.Duration
		transferred int
	}
	near, far := loopback(b)
	pairs := []*pair{{name: "raw", near: near, far: far}}
	for _, m := range modes {
		near, far := x.connect(x.config(m))
		pairs = append(pairs, &pair{name: m.String(), near: near, far: far})
	}
	for b.Loop() {
		for _, p := range pairs {
			p.up += timeTransfer(b, p.near, p.far, data)
			p.down += timeTransfer(b, p.far, p.near, data)
			p.transferred += len(data)
		}
	}
	for _, p := range pairs {
		b.ReportMetric(float64(p.transferred)/1e6/p.up.Seconds(), p.name+"-up-MB/s")
		b.ReportMetric(float64(p.transferred)/1e6/p.down.Seconds(), p.name+"-down-MB/s")
		if p != pairs[0] {
			b.ReportMetric(pairs[0].up.Seconds()/p.up.Seconds(), p.name+"-up/raw")
			b.ReportMetric(pairs[0].down.Seconds()/p.down.Seconds(), p.name+"-down/raw")
		}
	}
}

// timeTransfer returns how long it takes to send data, from the first octet that
// arrives: a poll may be seconds away.
func timeTransfer(b *testing.B, w io.Writer, r io.Reader, data []byte) time.Duration {
	b.Helper()
	first := &firstRead{Reader: r}
	if err := transfer(w, first, data); err != nil {
		b.Fatal(err)
	}
	return time.Since(first.at)
}

// firstRead notes when something has been read for the first time.
type firstRead struct {
	io.Reader
	at time.Time
}

func (r *firstRead) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if r.at.IsZero() {
		r.at = time.Now()
	}
	return n, err
}

// loopback returns both ends of a TCP connection.
func loopback(b *testing.B) (near, far net.Conn) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	near, err = net.Dial("tcp", l.Addr().String())
	if err == nil {
		far, err = l.Accept()
	}
	if err == nil {
		err = l.Close()
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		for _, conn := range []net.Conn{near, far} {
			if err := conn.Close(); err != nil {
				b.Error(err)
			}
		}
	})
	return near, far
}

// BenchmarkIdle reports the memory, stacks included, and the goroutines that the
// relay's end of an idle virtual connection takes, each with a reader as SSTP has
// one. The clients are as small as they can be. Sockets are not counted.
func BenchmarkIdle(b *testing.B) {
	for _, m := range modes {
		b.Run(m.String(), func(b *testing.B) {
			for b.Loop() {
				benchmarkIdle(b, m)
			}
		})
	}
}

func benchmarkIdle(b *testing.B, m Mode) {
	const count = 500
	readers := make(chan error, count)
	x := newBox(b, ServerConfig{Adopt: func(stream io.ReadWriteCloser) {
		go func() {
			var err error
			for octet := make([]byte, 1); err == nil; {
				_, err = stream.Read(octet)
			}
			readers <- err
		}()
	}}).listen()
	conns := make([]io.Closer, 0, 2*count)
	before, goroutines := memory(), runtime.NumGoroutine()
	for range count {
		conns = append(conns, idleClient(b, x, m)...)
	}
	for x.server.Stats().Waiting > 0 {
		runtime.Gosched()
	}
	b.ReportMetric(float64(memory()-before)/count, "B/conn")
	b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/count, "goroutines/conn")
	for _, conn := range conns {
		if err := conn.Close(); err != nil {
			b.Error(err)
		}
	}
	x.server.endAll()
	for range count {
		<-readers
	}
}

// idleClient makes a virtual connection without a client that stays.
func idleClient(b *testing.B, x *box, m Mode) []io.Closer {
	guid := newGUID()
	open := func(requests ...string) net.Conn {
		conn, err := x.dial(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		for _, request := range requests {
			if _, err := conn.Write([]byte(request)); err != nil {
				b.Fatal(err)
			}
		}
		return conn
	}
	read := func(conn net.Conn, n int) {
		if _, err := io.ReadAtLeast(conn, make([]byte, 1024), n); err != nil {
			b.Fatal(err)
		}
	}
	uri := string(target{server: "relay.example", guid: guid, mode: m, budget: fullBudget}.appendTo(nil))
	switch m {
	case LongLived:
		get := open("GET " + uri + " HTTP/1.0\r\n\r\n")
		post := open("POST " + uri + " HTTP/1.0\r\n\r\n" + echo)
		read(get, 1)
		return []io.Closer{get, post}
	case KeepAlive:
		get := open("GET " + uri + " HTTP/1.0\r\n\r\n")
		post := open("POST " + uri + " HTTP/1.0\r\nContent-Length: 22\r\n\r\n" + echo)
		read(get, 1)
		read(post, 1)
		if _, err := get.Write([]byte("GET " + uri + " HTTP/1.0\r\n\r\n")); err != nil {
			b.Fatal(err)
		}
		return []io.Closer{get, post}
	default:
		sum := anyChecksum()
		for _, data := range []string{"", string(make([]byte, rowSize))} {
			body := string(message{server: "relay.example", guid: guid, checksum: sum.of([]byte(data))}.appendTo(nil)) + data
			conn := open(fmt.Sprintf("POST / HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
			read(conn, 1)
			if err := conn.Close(); err != nil {
				b.Fatal(err)
			}
		}
		return nil
	}
}

// memory is what the heap and the stacks take.
func memory() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
