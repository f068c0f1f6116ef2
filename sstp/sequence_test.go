package sstp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// expectAcknowledged reads a Noop and says how long it took.
func expectAcknowledged(t *testing.T, p *peer, count uint32, after time.Duration) {
	t.Helper()
	start := time.Now()
	p.expect(&Noop{MessageCount: count})
	if took := time.Since(start); took != after {
		t.Errorf("%d were acknowledged after %v, want %v", count, took, after)
	}
}

// TestAcknowledging covers when and how many received sequences are acknowledged
// ([MS-GRVSSTP] 3.1.4.2.1, 3.1.4.7, 3.1.2.1).
func TestAcknowledging(t *testing.T) {
	receive := func(t *testing.T, p *peer, l *layer, flags ...MessageFlags) []*Incoming {
		t.Helper()
		openInbound(t, p, l, 1)
		for _, f := range flags {
			p.send(sequence(1, f, "x")...)
		}
		return l.take()
	}
	bubble(t, "after 5 s, all that are ready then", func(t *testing.T) {
		p, l := accepted(t, relayConfig())
		in := receive(t, p, l, 0, 0, 0)
		p.expectQuiet(time.Hour)
		in[0].Complete()
		in[0].Complete()
		time.Sleep(4 * time.Second)
		in[1].Complete()
		expectAcknowledged(t, p, 2, time.Second)
		in[2].Complete()
		expectAcknowledged(t, p, 1, 5*time.Second)
		p.expectQuiet(time.Hour)
		end(t, p, l)
	})
	bubble(t, "one that is not processed holds back the others", func(t *testing.T) {
		p, l := accepted(t, relayConfig())
		in := receive(t, p, l, 0, FlagAcknowledgeImmediately, 0)
		in[2].Complete()
		in[1].Complete()
		p.expectQuiet(time.Hour)
		in[0].Complete()
		expectAcknowledged(t, p, 3, 0)
		end(t, p, l)
	})
	bubble(t, "at once", func(t *testing.T) {
		p, l := accepted(t, relayConfig())
		in := receive(t, p, l, 0, FlagAcknowledgeImmediately, 0)
		in[0].Complete()
		time.Sleep(time.Second)
		in[1].Complete()
		expectAcknowledged(t, p, 2, 0)
		p.expectQuiet(time.Hour) // the timer was stopped
		end(t, p, l)
	})
	bubble(t, "with a Message", func(t *testing.T) {
		p, l := accepted(t, relayConfig())
		out := openReady(t, p, l)
		in := receive(t, p, l, 0, 0)
		in[0].Complete()
		in[1].Complete()
		go func() {
			o, err := out.Send(t.Context(), Message{}, nil)
			if err == nil {
				_, err = o.Write(make([]byte, MaxDataSize))
			}
			if err != nil {
				t.Error(err)
			}
		}()
		p.expect(&Message{SessionID: out.ID(), MessageCount: 2}, &Data{SessionID: out.ID(), Payload: make([]byte, MaxDataSize)})
		p.expectQuiet(time.Hour)
		end(t, p, l)
	})
	bubble(t, "with ConnectClose", func(t *testing.T) {
		p, l := accepted(t, relayConfig())
		in := receive(t, p, l, 0)
		in[0].Complete()
		l.conn.Close(ReasonResting, 90*time.Second)
		p.expect(&ConnectClose{Reason: ReasonResting, MessageCount: 1, ReturnTime: 90})
		p.expectHangUp()
		<-l.conn.Done()
	})
	bubble(t, "early when there are many", func(t *testing.T) {
		p, l := accepted(t, relayConfig())
		l.message = func(m *Incoming) { m.Complete() }
		p.send(plainOpen)
		p.expect(&OpenResponse{SessionID: 1})
		for range acknowledgeEarly {
			p.send(sequence(1, 0, "x")...)
		}
		expectAcknowledged(t, p, acknowledgeEarly, 0)
		end(t, p, l)
	})
	bubble(t, "not after the end", func(t *testing.T) {
		p, l := accepted(t, relayConfig())
		in := receive(t, p, l, FlagAcknowledgeImmediately)
		end(t, p, l)
		if _, err := in[0].Read(make([]byte, 1)); err != l.conn.Err() {
			t.Error(err)
		}
		in[0].Complete()
	})
}

// TestAcknowledged covers what the sender of sequences is told ([MS-GRVSSTP]
// 3.1.5.19): in order, whatever the sessions, by every command with a count.
func TestAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		s1, s2 := openReady(t, p, l), openReady(t, p, l)
		send := func(s *OutboundSession, name string) {
			t.Helper()
			sendWhole(t, p, s, name, func(err error) { l.note("%s: %v", name, err) })
			synctest.Wait()
		}
		for i, s := range []*OutboundSession{s1, s2, s1, s2, s1, s1} {
			send(s, fmt.Sprint("m", i))
		}
		p.send(&Noop{MessageCount: 2})
		l.expect(t, "m0: <nil>", "m1: <nil>")
		p.send(plainOpen)
		p.expect(&OpenResponse{SessionID: 1})
		p.send(&Message{SessionID: 1, MessageCount: 1})
		l.expect(t, "open 1 "+identityURL, "m2: <nil>")

		// The session ends: what it has outstanding may be lost, and still counts.
		p.send(&Close{SessionID: s1.ID(), Reason: ReasonNone}) // the peer's own session 1
		p.send(&Close{SessionID: s1.ID(), Reason: ReasonQuotaWouldBeExceeded})
		closed := "sstp: session 1 closed by the peer: "
		l.expect(t, "session 1 closed: "+closed+"NoReason",
			"m4: "+closed+"QuotaWouldBeExceeded", "m5: "+closed+"QuotaWouldBeExceeded",
			"session 1 closed: "+closed+"QuotaWouldBeExceeded")
		send(s2, "m6")
		p.send(&Noop{MessageCount: 3})
		l.expect(t, "m3: <nil>")

		// Closing a session of one's own changes nothing.
		send(s2, "m7")
		go s2.Close(ReasonIdle)
		p.expect(&Close{SessionID: s2.ID(), Reason: ReasonIdle})
		p.send(&ConnectClose{Reason: ReasonResting, MessageCount: 1, ReturnTime: 30})
		<-l.conn.Done()
		why := "sstp: connection closed by the peer: Resting"
		l.expect(t, "m6: <nil>", "m7: "+why, "closed: "+why)
		var e *ConnError
		if !errors.As(l.conn.Err(), &e) || e.ReturnTime != 30*time.Second {
			t.Errorf("%+v", e)
		}
	})
}

func TestAcknowledgedTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		s := openReady(t, p, l)
		sendWhole(t, p, s, "x", func(err error) { l.note("%v", err) })
		synctest.Wait()
		p.send(&Noop{MessageCount: 2})
		p.expectEnd(ReasonProtocolError)
		<-l.conn.Done()
		why := "sstp: connection closed: ProtocolError: Noop acknowledges 2 message sequences of 1"
		l.expect(t, why, "session 1 closed: "+why, "closed: "+why)
	})
}

// TestLostConnection reports what has to be sent again.
func TestLostConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		s := openReady(t, p, l)
		for i := range 3 {
			sendWhole(t, p, s, "x", func(err error) { l.note("m%d: %v", i, err) })
			synctest.Wait()
		}
		p.send(&Noop{MessageCount: 1})
		l.expect(t, "m0: <nil>")
		o, err := s.Send(t.Context(), Message{}, func(error) { l.note("never") })
		if err != nil {
			t.Fatal(err)
		}
		writing := make(chan error)
		go func() {
			_, err := o.Write(make([]byte, 1<<20))
			writing <- err
		}()
		p.expect(&Message{SessionID: 1})
		end(t, p, l)
		if err := <-writing; err != l.conn.Err() {
			t.Error(err)
		}
		if err := o.Close(); err != l.conn.Err() {
			t.Error(err)
		}
		if _, err := s.Send(t.Context(), Message{}, nil); err != l.conn.Err() {
			t.Error(err)
		}
		var e *ConnError
		if !errors.As(l.conn.Err(), &e) || !e.Lost {
			t.Errorf("%+v", l.conn.Err())
		}
		why := e.Error()
		l.expect(t, "m1: "+why, "m2: "+why, "session 1 closed: "+why, "closed: "+why)
	})
}

// TestPieces checks how what is written becomes Data ([MS-GRVSSTP] 3.1.4.6).
func TestPieces(t *testing.T) {
	for _, tt := range []struct {
		name   string
		writes []int
		want   []int
	}{
		{"one octet", []int{1}, []int{1}},
		{"small ones together", []int{1, 0, 2, 3}, []int{6}},
		{"exactly one", []int{MaxDataSize}, []int{MaxDataSize}},
		{"one and a bit", []int{MaxDataSize + 1}, []int{MaxDataSize, 1}},
		{"filled up", []int{1, MaxDataSize}, []int{MaxDataSize, 1}},
		{"filled up exactly", []int{5, MaxDataSize - 5, 1}, []int{MaxDataSize, 1}},
		{"large", []int{100, 5 * MaxDataSize, 3000}, []int{MaxDataSize, MaxDataSize, MaxDataSize, MaxDataSize, MaxDataSize, MaxDataSize, 3100 - MaxDataSize}},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			p, l := dialled(t, clientConfig())
			s := openReady(t, p, l)
			var want []byte
			go func() {
				fragmentation := []byte("f")
				o, err := s.Send(t.Context(), Message{Flags: FlagFragmentation, Fragmentation: fragmentation}, nil)
				if err != nil {
					t.Error(err)
					return
				}
				clear(fragmentation)
				if err := o.Close(); err != ErrNoData {
					t.Errorf("end without data: %v", err)
				}
				at := byte(0)
				for _, n := range tt.writes {
					chunk := make([]byte, n)
					for i := range chunk {
						chunk[i] = at
						at++
					}
					if got, err := o.Write(chunk); got != n || err != nil {
						t.Error(got, err)
					}
					clear(chunk)
				}
				if err := o.Close(); err != nil {
					t.Error(err)
				}
				if _, err := o.Write([]byte{1}); err != errEnded {
					t.Error(err)
				}
				if err := o.Close(); err != errEnded {
					t.Error(err)
				}
			}()
			p.expect(&Message{SessionID: 1, Flags: FlagFragmentation, Fragmentation: []byte("f")})
			at := byte(0)
			for _, n := range tt.want {
				want = make([]byte, n)
				for i := range want {
					want[i] = at
					at++
				}
				p.expect(&Data{SessionID: 1, Payload: want})
			}
			p.expect(&EndMessage{SessionID: 1})
			synctest.Wait()
			end(t, p, l)
		})
	}
}

func TestHeaderThatCannotBeSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		s := openReady(t, p, l)
		for _, header := range []Message{
			{UserRef: "\x00"}, {UserRef: strings.Repeat("u", maxPlainSize)}, {Ephemeral: 1},
		} {
			if _, err := s.Send(t.Context(), header, nil); err == nil {
				t.Errorf("%+v was sent", header)
			}
		}
		sendWhole(t, p, s, "x", nil)
		synctest.Wait()
		end(t, p, l)
	})
}

// TestOneSequenceAfterTheOther begins two on a session.
func TestOneSequenceAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		s := openReady(t, p, l)
		first, err := s.Send(t.Context(), Message{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Send(ctx, Message{}, nil); err != context.DeadlineExceeded {
			t.Fatal(err)
		}
		second := make(chan error)
		go func() {
			_, err := s.Send(t.Context(), Message{}, nil)
			second <- err
		}()
		if _, err := first.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		go func() { second <- first.Close() }()
		p.expect(sequence(1, 0, "x")...)
		if err := errors.Join(<-second, <-second); err != nil {
			t.Error(err)
		}
		end(t, p, l)
	})
}

// TestFairness sends two long sequences at once: neither waits for the other.
func TestFairness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		for _, s := range []*OutboundSession{openReady(t, p, l), openReady(t, p, l)} {
			go func() {
				o, err := s.Send(t.Context(), Message{}, nil)
				if err == nil {
					_, err = o.Write(make([]byte, 100*MaxDataSize))
				}
				if err == nil {
					err = o.Close()
				}
				if err != nil {
					t.Error(err)
				}
			}()
		}
		synctest.Wait() // both have begun
		counts := map[uint32]int{}
		for ended := 0; ended < 2; {
			cmd, err := p.r.ReadCommand()
			if err != nil {
				t.Fatal(err)
			}
			switch m := cmd.(type) {
			case *Data:
				counts[m.SessionID]++
				if ahead := counts[1] - counts[2]; ended == 0 && (ahead > 10 || ahead < -10) {
					t.Fatalf("one session is ahead of the other: %v", counts)
				}
			case *EndMessage:
				ended++
			}
		}
		if counts[1] != 100 || counts[2] != 100 {
			t.Errorf("received %v", counts)
		}
		end(t, p, l)
	})
}

// TestReading covers the ways to read a sequence.
func TestReading(t *testing.T) {
	begin := func(t *testing.T) (*peer, *layer, *InboundSession, *Incoming) {
		p, l := accepted(t, relayConfig())
		s := openInbound(t, p, l, 1)
		p.send(&Message{SessionID: 1, UserRef: "u", Flags: FlagFragmentation | FlagDoNotDeliverIfOffline, Fragmentation: []byte("f")})
		in := l.take()[0]
		if h := in.Header; h.UserRef != "u" || string(h.Fragmentation) != "f" || h.Flags != FlagFragmentation|FlagDoNotDeliverIfOffline || in.Session() != s {
			t.Errorf("header %+v", h)
		}
		return p, l, s, in
	}
	bubble(t, "as it arrives", func(t *testing.T) {
		p, l, _, in := begin(t)
		p.send(&Data{SessionID: 1, Payload: []byte("hello")})
		b := make([]byte, 3)
		for _, want := range []string{"hel", "lo"} {
			if n, err := in.Read(b); err != nil || string(b[:n]) != want {
				t.Errorf("%q, %v, want %q", b[:n], err, want)
			}
		}
		if in.session.c.recycled == nil {
			t.Error("the memory is not used again")
		}
		p.send(&EndMessage{SessionID: 1})
		if n, err := in.Read(b); n != 0 || err != io.EOF {
			t.Errorf("%q, %v, want the end", b[:n], err)
		}
		if in.session.c.recycled != nil {
			t.Error("memory is kept for sequences that do not arrive")
		}
		end(t, p, l)
	})
	bubble(t, "into a writer", func(t *testing.T) {
		p, l, _, in := begin(t)
		go func() {
			p.send(&Data{SessionID: 1, Payload: []byte("hello ")}, &Data{SessionID: 1, Payload: []byte("world")})
			p.send(&EndMessage{SessionID: 1})
		}()
		if got := readAll(t, in); got != "hello world" {
			t.Errorf("%q", got)
		}
		end(t, p, l)
	})
	bubble(t, "into a writer that fails", func(t *testing.T) {
		p, l, _, in := begin(t)
		p.send(&Data{SessionID: 1, Payload: []byte("hello")})
		full := errors.New("disk full")
		if _, err := in.WriteTo(failingWriter{full}); err != full {
			t.Error(err)
		}
		in.Complete()
		p.send(&Data{SessionID: 1, Payload: []byte("hello")}, &EndMessage{SessionID: 1})
		p.expect(&Noop{MessageCount: 1})
		if _, err := in.Read(make([]byte, 1)); err != errCompleted {
			t.Error(err)
		}
		end(t, p, l)
	})
	bubble(t, "a session that ends", func(t *testing.T) {
		p, l, _, in := begin(t)
		p.send(&Data{SessionID: 1, Payload: []byte("hello")})
		go p.send(&Close{SessionID: 1, Reason: ReasonIdle})
		var b bytes.Buffer
		if _, err := in.WriteTo(&b); !sessionEndedWith(ReasonIdle, true)(err) {
			t.Error(err)
		}
		end(t, p, l)
	})
	bubble(t, "whole, of a session that has ended", func(t *testing.T) {
		p, l, s, in := begin(t)
		p.send(&Data{SessionID: 1, Payload: []byte("hello")}, &EndMessage{SessionID: 1})
		synctest.Wait()
		go s.Close(ReasonIdle)
		p.expect(&Close{SessionID: 1, Reason: ReasonIdle})
		if got := readAll(t, in); got != "hello" {
			t.Errorf("%q", got)
		}
		in.Complete()
		p.expect(&Noop{MessageCount: 1})
		end(t, p, l)
	})
	bubble(t, "after its memory has been used again", func(t *testing.T) {
		p, l, _, in := begin(t)
		p.send(&Data{SessionID: 1, Payload: make([]byte, idleSize/2)})
		synctest.Wait()
		if string(in.Header.Fragmentation) != "f" {
			t.Errorf("the header has become %+v", in.Header)
		}
		end(t, p, l)
	})
	bubble(t, "a connection that is lost", func(t *testing.T) {
		p, l, _, in := begin(t)
		go func() {
			if err := p.conn.Close(); err != nil {
				t.Error(err)
			}
		}()
		if _, err := in.Read(make([]byte, 1)); err != l.conn.Err() || err == nil {
			t.Error(err)
		}
		<-l.conn.Done()
		why := l.conn.Err().Error()
		l.expect(t, "session 1 closed: "+why, "closed: "+why)
	})
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }
