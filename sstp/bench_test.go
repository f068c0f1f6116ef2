package sstp

import (
	"io"
	"net"
	"runtime"
	"testing"
)

// BenchmarkIdle reports the memory, stacks included, and the goroutines of one
// established connection that has nothing to do, of 5,000 on loopback. The
// sockets are not counted.
func BenchmarkIdle(b *testing.B) {
	const count = 5000
	for b.Loop() {
		near, far := make([]net.Conn, count), make([]net.Conn, count)
		for i := range near {
			near[i], far[i] = loopback(b)
		}
		conns := make([]*Conn, count)
		before, goroutines := memory(), runtime.NumGoroutine()
		for i, transport := range far {
			conns[i] = Accept(transport, Config{LocalDeviceURLs: []string{relayURL}}, func(*Conn, *Connect) Admission {
				return Admission{Handler: quietLayer{}}
			})
			exercise(b, near[i])
		}
		b.ReportMetric(float64(memory()-before)/count, "B/conn")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/count, "goroutines/conn")
		for i, c := range conns {
			if err := near[i].Close(); err != nil {
				b.Error(err)
			}
			<-c.Done()
		}
	}
}

// quietLayer accepts everything and keeps nothing.
type quietLayer struct{}

func (q quietLayer) Open(*InboundSession, *Open) (Receiver, OpenResponseID) { return q, OpenOk }
func (q quietLayer) FanoutOpen(*InboundSession, *FanoutOpen) (Receiver, OpenResponseID) {
	return q, OpenOk
}
func (quietLayer) Message(m *Incoming)     { m.Complete() }
func (quietLayer) Established()            {}
func (quietLayer) Attached(uint32, string) {}
func (quietLayer) Detached(uint32, string) {}
func (quietLayer) Closed(error)            {}

// exercise establishes a connection and sends a message sequence over it, so that
// buffers have been used.
func exercise(b *testing.B, transport net.Conn) {
	octets := encode(b, Version16, connect(Version16), plainOpen)
	octets = append(octets, encode(b, Version16, sequence(1, FlagAcknowledgeImmediately, string(make([]byte, MaxDataSize)))...)...)
	if _, err := transport.Write(octets); err != nil {
		b.Fatal(err)
	}
	r := NewReader(transport)
	for range 3 { // ConnectResponse, OpenResponse, Noop
		if _, err := r.ReadCommand(); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := transport.Write(encode(b, Version16, &Close{SessionID: 1})); err != nil {
		b.Fatal(err)
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

// BenchmarkSequence sends message sequences of 1 MB from one Conn to another over
// loopback, against copying as much over the same kind of socket.
func BenchmarkSequence(b *testing.B) {
	const size = 1 << 20
	data := make([]byte, size)
	b.Run("conn", func(b *testing.B) {
		near, far := loopback(b)
		client, relay := pair(b, near, far)
		relay.message = func(m *Incoming) {
			go func() {
				if _, err := io.Copy(io.Discard, m); err == nil {
					m.Complete()
				}
			}()
		}
		s, err := client.conn.Open(background, *plainOpen, &sessionLayer{client, 1})
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(size)
		b.ReportAllocs()
		for b.Loop() {
			acknowledged := make(chan error, 1)
			o, err := s.Send(background, Message{Flags: FlagAcknowledgeImmediately}, func(err error) { acknowledged <- err })
			if err == nil {
				_, err = o.Write(data)
			}
			if err == nil {
				err = o.Close()
			}
			if err == nil {
				err = <-acknowledged
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		client.conn.Close(ReasonNone, 0)
		<-client.conn.Done()
		<-relay.conn.Done()
	})
	b.Run("socket", func(b *testing.B) {
		near, far := loopback(b)
		done := make(chan error)
		go func() {
			_, err := io.Copy(io.Discard, far)
			done <- err
		}()
		b.SetBytes(size)
		for b.Loop() {
			if _, err := near.Write(data); err != nil {
				b.Fatal(err)
			}
		}
		if err := near.Close(); err != nil {
			b.Error(err)
		}
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
}
