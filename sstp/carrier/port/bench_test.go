package port

import (
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"
)

// BenchmarkRequest has a connection bring one HTTP request, by a bare listener and
// by a port.
func BenchmarkRequest(b *testing.B) {
	for _, kind := range []string{"bare", "port"} {
		b.Run(kind, func(b *testing.B) {
			l := listen(b, "127.0.0.1:0")
			server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "hello")
			})}
			served := l
			if kind == "port" {
				p := New(l, Config{HTTP: true})
				Configure(server)
				served = p.HTTP()
				go p.Serve()
				defer p.Shutdown(b.Context())
			}
			go server.Serve(served)
			defer server.Close()
			b.ReportAllocs()
			for b.Loop() {
				c, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.WriteString(c, get); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadAll(c); err != nil {
					b.Fatal(err)
				}
				c.Close()
			}
		})
	}
}

// BenchmarkWaiting tells what a connection costs that says nothing: by a bare
// listener with a goroutine that reads, and by a port. The client's end is in it.
func BenchmarkWaiting(b *testing.B) {
	const conns = 1000
	for _, kind := range []string{"bare", "port"} {
		b.Run(kind, func(b *testing.B) {
			for b.Loop() {
				b.ReportMetric(float64(waitingCost(b, kind, conns)), "B/conn")
			}
		})
	}
}

func waitingCost(b *testing.B, kind string, conns int) uint64 {
	l := listen(b, "127.0.0.1:0")
	defer l.Close()
	accepted := make(chan net.Conn, conns)
	if kind == "port" {
		p := New(l, Config{HTTP: true})
		p.waiting = newWaitingRoom(conns, conns)
		go p.Serve()
		defer p.Shutdown(b.Context())
	} else {
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				accepted <- c
				go func() { _, _ = c.Read(make([]byte, 1)) }()
			}
		}()
	}
	before := inUse()
	var clients []net.Conn
	for range conns {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		clients = append(clients, c)
	}
	cost := (inUse() - before) / uint64(conns)
	for _, c := range clients {
		c.Close()
	}
	for len(accepted) > 0 {
		(<-accepted).Close()
	}
	return cost
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
