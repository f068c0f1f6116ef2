package sstp

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// pair connects two Conns over a transport and its other end.
func pair(t testing.TB, dialling, accepting net.Conn) (client, relay *layer) {
	t.Helper()
	client, relay = &layer{}, &layer{}
	relayCfg, clientCfg := relayConfig(), clientConfig()
	// Short, for tests in real time.
	relayCfg.Timers.Acknowledgment, clientCfg.Timers.Acknowledgment = 10*time.Millisecond, 10*time.Millisecond
	relay.conn = Accept(accepting, relayCfg, func(*Conn, *Connect) Admission { return Admission{Handler: relay} })
	var err error
	if client.conn, _, err = Dial(background, dialling, clientCfg, relayURL, nil, client); err != nil {
		t.Fatal(err)
	}
	return client, relay
}

// unsent is how many octets wait for the transport, and unread how many for the
// layer above.
func unsent(c *Conn) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.out)
}

func unread(c *Conn) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buffered
}

// TestSlowReader does not read a sequence: its sender is held up after a bounded
// number of octets, the other connection and the rest of this one are not.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		client, relay := pair(t, near, far)
		s, err := client.conn.Open(t.Context(), *plainOpen, &sessionLayer{client, 1})
		if err != nil {
			t.Fatal(err)
		}
		const size = 10 << 20
		var written atomic.Int64
		sending := make(chan error)
		go func() {
			o, err := s.Send(t.Context(), Message{}, nil)
			for i := 0; err == nil && i < size/4096; i++ {
				_, err = o.Write(make([]byte, 4096))
				written.Add(4096)
			}
			if err == nil {
				err = o.Close()
			}
			sending <- err
		}()
		synctest.Wait() // everybody waits for somebody
		// What is unread, in writing, encoded, and in the Reader.
		if n := written.Load(); n < receiveBuffer || n > receiveBuffer+3*writeSize {
			t.Errorf("the sender got rid of %d octets before it was held up", n)
		}
		if n := unread(relay.conn); n < receiveBuffer || n > receiveBuffer+MaxDataSize {
			t.Errorf("the receiver holds %d octets", n)
		}
		// The other direction goes on.
		if _, err := relay.conn.Open(t.Context(), *plainOpen, &sessionLayer{relay, 0x80000000}); err != nil {
			t.Fatal(err)
		}
		client.expect(t, "established", "session 1 ready: true", fmt.Sprintf("open %d %s", uint32(0x80000000), identityURL))
		in := relay.take()[0]
		n, err := io.Copy(io.Discard, in)
		if n != size || err != nil {
			t.Errorf("%d octets arrived, %v", n, err)
		}
		if err := <-sending; err != nil {
			t.Error(err)
		}
		client.conn.Close(ReasonNone, 0)
		<-client.conn.Done()
		<-relay.conn.Done()
	})
}

// TestReaderThatGivesUp completes a sequence whose rest is still coming.
func TestReaderThatGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		client, relay := pair(t, near, far)
		s, err := client.conn.Open(t.Context(), *plainOpen, &sessionLayer{client, 1})
		if err != nil {
			t.Fatal(err)
		}
		acknowledged := make(chan error)
		go func() {
			o, err := s.Send(t.Context(), Message{}, func(err error) { acknowledged <- err })
			if err == nil {
				_, err = o.Write(make([]byte, 1<<20))
			}
			if err == nil {
				err = o.Close()
			}
			if err != nil {
				t.Error(err)
			}
		}()
		relay.take()[0].Complete()
		if err := <-acknowledged; err != nil {
			t.Error(err)
		}
		if n := unread(relay.conn); n != 0 {
			t.Errorf("the receiver holds %d octets", n)
		}
		relay.conn.Close(ReasonNone, 0)
		<-client.conn.Done()
		<-relay.conn.Done()
	})
}

// TestProcessingThatDoesNotKeepUp fills the inbound list.
func TestProcessingThatDoesNotKeepUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := accepted(t, relayConfig())
		openInbound(t, p, l, 1)
		octets := encode(t, Version16, sequence(1, 0, "x")...)
		var sent atomic.Int64
		go func() {
			for range maxInbound + 100 {
				if _, err := p.conn.Write(octets); err != nil {
					return
				}
				sent.Add(1)
			}
		}()
		in := l.take()
		if len(in) != maxInbound+1 { // the last one has not ended
			t.Errorf("%d sequences have begun, want %d", len(in), maxInbound+1)
		}
		if n := sent.Load(); n > maxInbound+readerSize/int64(len(octets))+2 {
			t.Errorf("%d sequences were read", n)
		}
		go func() { // the peer
			for {
				if _, err := p.r.ReadCommand(); err != nil {
					return
				}
			}
		}()
		for _, m := range in[:100] {
			m.Complete()
		}
		if more := l.take(); len(more) != 99 || sent.Load() != maxInbound+100 {
			t.Errorf("%d sequences came after 100 were processed", len(more))
		}
		end(t, p, l)
	})
}

// TestSlowPeer covers what waits for a peer that does not read, or does not
// acknowledge.
func TestSlowPeer(t *testing.T) {
	bubble(t, "Write", func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		s := openReady(t, p, l)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		o, err := s.Send(ctx, Message{}, func(error) { t.Error("it has not been sent") })
		if err != nil {
			t.Fatal(err)
		}
		n, err := o.Write(make([]byte, 1<<20))
		if err != context.DeadlineExceeded || n > 3*writeSize {
			t.Errorf("%d octets, %v", n, err)
		}
		if err := o.Close(); err != context.DeadlineExceeded {
			t.Error(err)
		}
		end(t, p, l)
	})
	bubble(t, "Close", func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		s := openReady(t, p, l)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		blocked, err := s.Send(ctx, Message{}, func(error) { t.Error("it has not been ended") })
		if err != nil {
			t.Fatal(err)
		}
		want := []Command{&Message{SessionID: 1}}
		for range 2 { // what the peer does not read, and what waits for it
			if _, err := blocked.Write(make([]byte, writeSize)); err != nil {
				t.Fatal(err)
			}
			for range writeSize / MaxDataSize {
				want = append(want, &Data{SessionID: 1, Payload: make([]byte, MaxDataSize)})
			}
			synctest.Wait()
		}
		if err := blocked.Close(); err != context.DeadlineExceeded {
			t.Error(err)
		}
		p.expect(want...)
		end(t, p, l)
	})
	bubble(t, "Send", func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		s := openReady(t, p, l)
		read := make(chan struct{})
		go func() {
			defer close(read)
			for range maxOutbound {
				p.expect(sequence(1, 0, "x")...)
			}
		}()
		send := func(ctx context.Context) error {
			o, err := s.Send(ctx, Message{}, nil)
			if err == nil {
				_, err = o.Write([]byte("x"))
			}
			if err == nil {
				err = o.Close()
			}
			return err
		}
		for range maxOutbound {
			if err := send(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := send(ctx); err != context.DeadlineExceeded {
			t.Fatal(err)
		}
		<-read
		p.send(&Noop{MessageCount: 1})
		go func() {
			if err := send(t.Context()); err != nil {
				t.Error(err)
			}
		}()
		p.expect(sequence(1, 0, "x")...)
		end(t, p, l)
	})
	bubble(t, "Open", func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		go func() {
			for {
				if _, err := p.r.ReadCommand(); err != nil {
					return
				}
			}
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for i := 0; ; i++ {
			_, err := l.conn.Open(ctx, *plainOpen, &sessionLayer{layer: l})
			if err == context.DeadlineExceeded && i == maxOpening {
				break
			}
			if err != nil || i > maxOpening {
				t.Fatalf("session %d: %v", i, err)
			}
		}
		end(t, p, l)
	})
	bubble(t, "commands", func(t *testing.T) {
		p, l := accepted(t, relayConfig())
		p.send(fanout(local))
		p.expect(&OpenResponse{SessionID: 1})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for err := error(nil); err == nil; {
			err = l.inbound[0].Status(ctx, SessionStatus{DeviceURL: strings.Repeat("d", 1000)})
			if n := unsent(l.conn); n > maxBacklog+maxPlainSize {
				t.Fatalf("%d octets wait to be written", n)
			}
			if err != nil && err != context.DeadlineExceeded {
				t.Error(err)
			}
		}
		// The peer still may not make the Conn hold more.
		go func() {
			for id := uint32(2); ; id++ {
				if _, err := p.conn.Write(encode(t, Version16, &FanoutOpen{SessionID: id, ResourceURL: resourceURL})); err != nil {
					return
				}
			}
		}()
		synctest.Wait()
		if n := unsent(l.conn); n > maxBacklog+maxPlainSize {
			t.Errorf("%d octets wait to be written", n)
		}
		end(t, p, l)
	})
}

// TestClosingToADeafPeer ends a connection whose peer does not read.
func TestClosingToADeafPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, l := dialled(t, clientConfig())
		start := time.Now()
		l.conn.Close(ReasonNone, 0)
		l.conn.Close(ReasonIdle, 0)
		<-l.conn.Done()
		if took := time.Since(start); took != linger {
			t.Errorf("ended after %v, want %v", took, linger)
		}
		l.expect(t, "closed: sstp: connection closed: NoReason")
	})
}

// TestIdleConnIsSmall looks for memory that is left over from sequences in both
// directions.
func TestIdleConnIsSmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		client, relay := pair(t, near, far)
		s, err := client.conn.Open(t.Context(), *plainOpen, &sessionLayer{client, 1})
		if err != nil {
			t.Fatal(err)
		}
		acknowledged := make(chan error)
		go func() {
			o, err := s.Send(t.Context(), Message{}, func(err error) { acknowledged <- err })
			if err == nil {
				_, err = o.Write(make([]byte, 1<<20))
			}
			if err == nil {
				err = o.Close()
			}
			if err != nil {
				t.Error(err)
			}
		}()
		in := relay.take()[0]
		if _, err := io.Copy(io.Discard, in); err != nil {
			t.Fatal(err)
		}
		in.Complete()
		if err := <-acknowledged; err != nil {
			t.Error(err)
		}
		s.Close(ReasonNone)
		time.Sleep(tombstoneTime)
		for _, c := range []*Conn{client.conn, relay.conn} {
			c.mu.Lock()
			if cap(c.out)+cap(c.spare)+cap(c.recycled)+cap(c.ring)+cap(c.inbound)+cap(c.outbound) != 0 || c.ours.live != nil || c.theirs.live != nil {
				t.Errorf("an idle connection holds out %d, spare %d, recycled %d, ring %d, inbound %d, outbound %d, sessions %v, %v",
					cap(c.out), cap(c.spare), cap(c.recycled), cap(c.ring), cap(c.inbound), cap(c.outbound), c.ours.live, c.theirs.live)
			}
			c.mu.Unlock()
			c.Close(ReasonNone, 0)
		}
		<-client.conn.Done()
		<-relay.conn.Done()
	})
}

// TestIdle covers both idle timers (note <11>).
func TestIdle(t *testing.T) {
	bubble(t, "outbound", func(t *testing.T) {
		cfg := relayConfig()
		cfg.Timers.OutboundIdle = 4 * time.Minute
		p, l := accepted(t, cfg)
		expectAcknowledged(t, p, 0, 4*time.Minute)
		time.Sleep(3 * time.Minute)
		openInbound(t, p, l, 1) // is answered
		expectAcknowledged(t, p, 0, 4*time.Minute)
		expectAcknowledged(t, p, 0, 4*time.Minute)
		end(t, p, l)
	})
	bubble(t, "inbound", func(t *testing.T) {
		cfg := relayConfig()
		cfg.Timers.InboundIdle = 0 // the default
		p, l := accepted(t, cfg)
		time.Sleep(9 * time.Minute)
		p.send(&Noop{})
		expectAcknowledged(t, p, 0, 10*time.Minute)
		expectAcknowledged(t, p, 0, 10*time.Minute)
		time.Sleep(2 * time.Minute)
		open(t, p, l)
		p.expect(&Close{SessionID: 0x80000000}) // another timer, and no Noop with it
		end(t, p, l)
	})
	bubble(t, "both make one Noop", func(t *testing.T) {
		cfg := relayConfig()
		cfg.Timers = Timers{}
		p, l := accepted(t, cfg)
		expectAcknowledged(t, p, 0, 10*time.Minute)
		p.expectQuiet(9 * time.Minute)
		end(t, p, l)
	})
	bubble(t, "a peer that does not read", func(t *testing.T) {
		cfg := relayConfig()
		cfg.Timers = Timers{}
		p, l := accepted(t, cfg)
		time.Sleep(time.Hour) // the first Noop is still being written
		if n := unsent(l.conn); n != 0 {
			t.Errorf("%d octets wait behind a Noop", n)
		}
		end(t, p, l)
	})
}

// TestDiagnose logs the octets that do not parse only when asked to.
func TestDiagnose(t *testing.T) {
	for _, on := range []bool{false, true} {
		bubble(t, fmt.Sprint(on), func(t *testing.T) {
			var log strings.Builder
			cfg := relayConfig()
			cfg.Diagnose = on
			cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
			p, l := accepted(t, cfg)
			p.sendOctets([]byte{byte(IDNoop), 8, 0, 1, 2, 3, 4, 5})
			p.expectEnd(ReasonProtocolError)
			<-l.conn.Done()
			if got := strings.Contains(log.String(), "parse.head=1008000102030405"); got != on {
				t.Errorf("logged %s", log.String())
			}
			if !strings.Contains(log.String(), "parsing Noop of 8 octets at offset 7") {
				t.Errorf("logged %s", log.String())
			}
		})
	}
}

// TestManySessions interleaves sequences of all sizes in both directions over
// TCP, read by as many goroutines.
func TestManySessions(t *testing.T) {
	const sessionsEach, sequencesEach = 20, 8
	near, far := loopback(t)
	client, relay := pair(t, near, far)
	var all sync.WaitGroup
	for _, end := range []struct{ from, to *layer }{{client, relay}, {relay, client}} {
		end.to.message = func(m *Incoming) {
			all.Go(func() {
				sum := sha256.New()
				n, err := io.Copy(onlyWriter{sum}, m)
				if got := fmt.Sprintf("%d %x", n, sum.Sum(nil)); got != m.Header.UserRef || err != nil {
					t.Errorf("%s arrived, %v, want %s", got, err, m.Header.UserRef)
				}
				m.Complete()
			})
		}
		for i := range sessionsEach {
			all.Go(func() {
				s, err := end.from.conn.Open(t.Context(), *plainOpen, &sessionLayer{layer: &layer{}})
				if err != nil {
					t.Error(err)
					return
				}
				for j := range sequencesEach {
					data := make([]byte, 1+(i*j*j*1000)%100_000)
					data[len(data)/2] = byte(i ^ j)
					header := Message{UserRef: fmt.Sprintf("%d %x", len(data), sha256.Sum256(data))}
					all.Add(1)
					o, err := s.Send(t.Context(), header, func(err error) {
						defer all.Done()
						if err != nil {
							t.Error(err)
						}
					})
					if err == nil {
						_, err = o.Write(data)
					}
					if err == nil {
						err = o.Close()
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	all.Wait()
	client.conn.Close(ReasonNone, 0)
	<-client.conn.Done()
	<-relay.conn.Done()
	if !endedWith(ReasonNone, true)(relay.conn.Err()) {
		t.Error(relay.conn.Err())
	}
}

// onlyWriter hides everything else that a hash can do.
type onlyWriter struct{ hash.Hash }

func loopback(t testing.TB) (near, far net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	}()
	if near, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	return near, far
}

// TestBrokenTransports covers what a transport can do besides ending.
func TestBrokenTransports(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		name      string
		transport io.ReadWriteCloser
		want      error
	}{
		{"short write", &brokenTransport{ended: make(chan struct{}), short: true}, io.ErrShortWrite},
		{"failing write", &brokenTransport{ended: make(chan struct{}), err: broken}, broken},
		{"failing close", &brokenTransport{ended: make(chan struct{}), err: broken, closeErr: io.ErrClosedPipe}, broken},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			if _, _, err := Dial(t.Context(), tt.transport, clientConfig(), relayURL, nil, &layer{}); !errors.Is(err, tt.want) {
				t.Error(err)
			}
		})
	}
}

type brokenTransport struct {
	ended         chan struct{}
	err, closeErr error
	short         bool
}

func (b *brokenTransport) Read([]byte) (int, error) {
	<-b.ended
	return 0, io.ErrClosedPipe
}

func (b *brokenTransport) Write(p []byte) (int, error) {
	if b.short {
		return len(p) - 1, nil
	}
	return 0, b.err
}

func (b *brokenTransport) Close() error {
	close(b.ended)
	return b.closeErr
}

// TestStraysAreBounded floods the inbound list with what belongs to a closed
// session while another sequence is not processed.
func TestStraysAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := accepted(t, relayConfig())
		s := openInbound(t, p, l, 1)
		p.send(sequence(1, 0, "x")...)
		synctest.Wait()
		go s.Close(ReasonIdle)
		p.expect(&Close{SessionID: 1, Reason: ReasonIdle})
		go func() {
			for {
				if _, err := p.conn.Write(encode(t, Version16, &EndMessage{SessionID: 1})); err != nil {
					return
				}
			}
		}()
		synctest.Wait()
		l.conn.mu.Lock()
		n := len(l.conn.inbound)
		l.conn.mu.Unlock()
		if n != maxInbound {
			t.Errorf("%d sequences wait, want %d", n, maxInbound)
		}
		l.conn.Close(ReasonNone, 0) // it does not notice by itself that the peer hangs up
		end(t, p, l)
	})
}
