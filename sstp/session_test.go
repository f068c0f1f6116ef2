package sstp

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

var plainOpen = &Open{SessionID: 1, ResourceURL: resourceURL, IdentityURL: identityURL}

func fanout(entries ...FanoutDeviceEntry) *FanoutOpen {
	return &FanoutOpen{SessionID: 1, ResourceURL: resourceURL, Entries: entries}
}

var (
	local   = FanoutDeviceEntry{IdentityURL: identityURL, DeviceURL: deviceURL}
	named   = FanoutDeviceEntry{IdentityURL: identityURL, RelayURL: relayURL}
	foreign = FanoutDeviceEntry{IdentityURL: identityURL, RelayURL: "grooveDNS://other"}
)

// TestPeerOpens covers the answers to Open ([MS-GRVSSTP] 3.1.5.5) and FanoutOpen
// (3.3.5.6).
func TestPeerOpens(t *testing.T) {
	ask := "open 1 " + identityURL
	for _, tt := range []struct {
		name   string
		config func(*Config)
		answer OpenResponseID // of the layer above
		open   Command
		want   OpenResponseID
		asked  string
	}{
		{name: "ready", open: plainOpen, want: OpenOk, asked: ask},
		{name: "not ready", answer: OpenOkStopSending, open: plainOpen, want: OpenOkStopSending, asked: ask},
		{name: "fault", answer: OpenUnknown, open: plainOpen, want: OpenUnknown, asked: ask},
		{name: "presence", open: &Open{SessionID: 1, ResourceURL: WANDPPResource}, want: OpenOk, asked: "open 1 "},
		{name: "no resource", open: &Open{SessionID: 1, IdentityURL: identityURL}, want: OpenUnknown},
		{name: "strict naming", open: &Open{SessionID: 1, ResourceURL: resourceURL, IdentityURL: "alice"}, want: OpenUnknown},
		{name: "loose naming", config: func(c *Config) { c.LooseNaming = true },
			open: &Open{SessionID: 1, ResourceURL: resourceURL, IdentityURL: "alice"}, want: OpenOk, asked: "open 1 alice"},
		{name: "fanout", open: fanout(local, named, foreign), want: OpenOk, asked: "fanout 1 of 3"},
		{name: "fanout not ready", answer: OpenOkStopSending, open: fanout(local), want: OpenOkStopSending, asked: "fanout 1 of 1"},
		{name: "fanout to nobody", open: fanout(), want: OpenOk},
		{name: "no multi-drop, relay empty", config: func(c *Config) { c.Multidrop = false }, open: fanout(foreign, local), want: OpenNoFanoutEntries},
		{name: "no multi-drop, relay named", config: func(c *Config) { c.Multidrop = false }, open: fanout(foreign, named), want: OpenNoFanoutEntries},
		{name: "no multi-drop, none needed", config: func(c *Config) { c.Multidrop = false }, open: fanout(foreign), want: OpenOk, asked: "fanout 1 of 1"},
		{name: "no single-hop", config: func(c *Config) { c.SingleHop = false }, open: fanout(local, foreign), want: OpenFanoutNotSupported},
		{name: "no single-hop, none needed", config: func(c *Config) { c.SingleHop = false }, open: fanout(local), want: OpenOk, asked: "fanout 1 of 1"},
		{name: "no multi-drop comes first", config: func(c *Config) { c.Multidrop, c.SingleHop = false, false }, open: fanout(local, foreign), want: OpenNoFanoutEntries},
		{name: "fanout of presence", open: &FanoutOpen{SessionID: 1, ResourceURL: "GROOVEwandpp", Entries: []FanoutDeviceEntry{{}}}, want: OpenNoResource},
		{name: "fanout to a bad name", open: fanout(local, FanoutDeviceEntry{IdentityURL: "alice"}), want: OpenUnknown},
		{name: "fanout to a bad name, loose", config: func(c *Config) { c.LooseNaming = true },
			open: fanout(FanoutDeviceEntry{IdentityURL: "alice"}), want: OpenOk, asked: "fanout 1 of 1"},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			cfg := relayConfig()
			if tt.config != nil {
				tt.config(&cfg)
			}
			p, l := accepted(t, cfg)
			l.answer = tt.answer
			p.send(tt.open)
			p.expect(&OpenResponse{SessionID: 1, Response: tt.want})
			if tt.asked == "" {
				l.expect(t)
			} else {
				l.expect(t, tt.asked)
			}
			// A session that was not opened has left a tombstone.
			p.send(&Message{SessionID: 1})
			synctest.Wait()
			end(t, p, l)
		})
	}
}

// TestSessionTable covers every rule about a session's commands and its state on
// the receiving end ([MS-GRVSSTP] 3.1.5.5, 3.1.5.9 to 3.1.5.12, 3.3.5.6).
func TestSessionTable(t *testing.T) {
	message, data, last := &Message{SessionID: 1}, &Data{SessionID: 1, Payload: []byte("x")}, &EndMessage{SessionID: 1}
	for _, tt := range []struct {
		name string
		send []Command
		want Reason // 0: the connection stands
	}{
		{"Open in use", []Command{plainOpen, plainOpen}, ReasonTooManyUnknownSessionCmds},
		{"FanoutOpen in use", []Command{plainOpen, fanout(local)}, ReasonTooManyUnknownSessionCmds},
		{"Message without session", []Command{message}, ReasonTooManyUnknownSessionCmds},
		{"Data without session", []Command{data}, ReasonTooManyUnknownSessionCmds},
		{"EndMessage without session", []Command{last}, ReasonTooManyUnknownSessionCmds},
		{"OpenResponse without session", []Command{&OpenResponse{SessionID: 1}}, ReasonTooManyUnknownSessionCmds},
		{"OpenResponse to own session", []Command{plainOpen, &OpenResponse{SessionID: 1}}, ReasonTooManyUnknownSessionCmds},
		{"Close without session", []Command{&Close{SessionID: 1}}, 0},
		{"SessionStatus without session", []Command{&SessionStatus{SessionID: 1}}, 0},
		{"Message while ready", []Command{plainOpen, message, message}, ReasonProtocolError},
		{"Message while buffering", []Command{plainOpen, message, data, message}, ReasonProtocolError},
		{"Data while waiting", []Command{plainOpen, data}, ReasonProtocolError},
		{"EndMessage while waiting", []Command{plainOpen, last}, ReasonProtocolError},
		{"EndMessage without Data", []Command{plainOpen, message, last}, ReasonProtocolError},
		{"Data after the end", []Command{plainOpen, message, data, last, data}, ReasonProtocolError},
		{"two sequences", []Command{plainOpen, message, data, data, last, message, data, last}, 0},
		{"closed by its originator", []Command{plainOpen, &Close{SessionID: 1}, plainOpen}, 0},
		{"ConnectResponse", []Command{&ConnectResponse{}}, ReasonProtocolError},
		{"Noop that acknowledges nothing", []Command{&Noop{}}, 0},
		{"Noop that acknowledges too much", []Command{&Noop{MessageCount: 1}}, ReasonProtocolError},
		{"Message that acknowledges too much", []Command{plainOpen, &Message{SessionID: 1, MessageCount: 1}}, ReasonProtocolError},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			p, l := accepted(t, relayConfig())
			l.message = func(*Incoming) {}
			for _, cmd := range tt.send {
				p.send(cmd)
				synctest.Wait()
				l.mu.Lock()
				opened := len(l.events) > 0 && l.events[len(l.events)-1][:4] == "open"
				l.events = nil
				l.mu.Unlock()
				if opened {
					p.expect(&OpenResponse{SessionID: 1})
				}
			}
			if tt.want != 0 {
				p.expectEnd(tt.want)
				<-l.conn.Done()
				return
			}
			p.expectQuiet(time.Second)
			end(t, p, l)
		})
	}
}

func TestPeerMayNotOpenWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := accepted(t, relayConfig())
		for id := uint32(1); id <= maxSessions; id++ {
			p.send(&Open{SessionID: id, ResourceURL: resourceURL, IdentityURL: identityURL})
			p.expect(&OpenResponse{SessionID: id})
		}
		p.send(&Open{SessionID: 5000, ResourceURL: resourceURL, IdentityURL: identityURL})
		p.expect(&OpenResponse{SessionID: 5000, Response: OpenUnknown})
		p.send(&Close{SessionID: 1}, plainOpen)
		p.expect(&OpenResponse{SessionID: 1})
		end(t, p, l)
	})
}

// TestTombstones closes a session whose originator is in the middle of sending.
func TestTombstones(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := accepted(t, relayConfig())
		s := openInbound(t, p, l, 1)
		p.send(&Message{SessionID: 1}, &Data{SessionID: 1, Payload: []byte("x")})
		in := l.take()[0]
		s.Close(ReasonQuotaWouldBeExceeded)
		s.Close(ReasonIdle)
		p.expect(&Close{SessionID: 1, Reason: ReasonQuotaWouldBeExceeded})
		if _, err := in.Read(make([]byte, 1)); !sessionEndedWith(ReasonQuotaWouldBeExceeded, false)(err) {
			t.Error(err)
		}
		in.Complete()
		if err := s.Suspend(); !sessionEndedWith(ReasonQuotaWouldBeExceeded, false)(err) {
			t.Error(err)
		}
		if err := s.Status(t.Context(), SessionStatus{}); !sessionEndedWith(ReasonQuotaWouldBeExceeded, false)(err) {
			t.Error(err)
		}
		// The originator has not heard of it. What it enters in its list of
		// outstanding sequences is acknowledged, or the count would be of others.
		p.send(&Data{SessionID: 1, Payload: []byte("x")}, &EndMessage{SessionID: 1})
		p.send(sequence(1, FlagAcknowledgeImmediately, "y")...)
		p.send(&Close{SessionID: 1, Reason: ReasonIdle})
		time.Sleep(5 * time.Second)
		p.expect(&Noop{MessageCount: 2})
		time.Sleep(tombstoneTime - 6*time.Second)
		p.send(&Data{SessionID: 1, Payload: []byte("x")})
		p.expectQuiet(time.Second)
		p.send(&Data{SessionID: 1, Payload: []byte("x")})
		p.expectEnd(ReasonTooManyUnknownSessionCmds)
		<-l.conn.Done()
		l.expect(t, "closed: "+l.conn.Err().Error())
	})
}

func TestTombstonesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s sessions[int]
		for id := range uint32(maxTombstones + 10) {
			s.add(id, 0)
			s.bury(id)
		}
		if len(s.closed) != maxTombstones || s.buried(9) || !s.buried(10) || !s.buried(maxTombstones+9) {
			t.Errorf("%d tombstones", len(s.closed))
		}
		time.Sleep(tombstoneTime)
		if s.buried(10) || s.closed != nil {
			t.Errorf("%d tombstones after their time", len(s.closed))
		}
	})
}

// TestOpening follows sessions of this end ([MS-GRVSSTP] 3.1.4.3, 3.1.5.5).
func TestOpening(t *testing.T) {
	bubble(t, "accepted, parked and resumed", func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		s := open(t, p, l)
		if s.ID() != 1 || s.Conn() != l.conn {
			t.Errorf("session %d of %p", s.ID(), s.Conn())
		}
		p.send(&OpenResponse{SessionID: 1, Response: OpenOkStopSending})
		l.expect(t, "session 1 ready: false")
		sending := make(chan error)
		go func() {
			o, err := s.Send(t.Context(), Message{UserRef: "u"}, nil)
			if err == nil {
				_, err = o.Write([]byte("x"))
			}
			if err == nil {
				err = o.Close()
			}
			sending <- err
		}()
		p.expectQuiet(time.Hour)
		p.send(&OpenResponse{SessionID: 1, Response: OpenOk}, &OpenResponse{SessionID: 1, Response: OpenOk})
		p.expect(&Message{SessionID: 1, UserRef: "u"}, &Data{SessionID: 1, Payload: []byte("x")}, &EndMessage{SessionID: 1})
		if err := <-sending; err != nil {
			t.Error(err)
		}
		l.expect(t, "session 1 ready: true")
		p.send(&OpenResponse{SessionID: 1, Response: OpenUnknown})
		l.expect(t, "session 1 closed: sstp: session refused: Unknown")
		end(t, p, l)
	})
	bubble(t, "refused", func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		s := open(t, p, l)
		p.send(&OpenResponse{SessionID: 1, Response: OpenNoFanoutEntries})
		l.expect(t, "session 1 closed: sstp: session refused: NoFanoutEntries")
		var refused *OpenRefusedError
		if _, err := s.Send(t.Context(), Message{}, nil); !errors.As(err, &refused) {
			t.Error(err)
		}
		s.Close(ReasonNone) // nothing
		p.expectQuiet(time.Second)
		end(t, p, l)
	})
	bubble(t, "closed while it waits", func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		s := open(t, p, l)
		go s.Close(ReasonIdle)
		p.expect(&Close{SessionID: 1, Reason: ReasonIdle})
		p.send(&OpenResponse{SessionID: 1}, &SessionStatus{SessionID: 1})
		if _, err := s.Send(t.Context(), Message{}, nil); !sessionEndedWith(ReasonIdle, false)(err) {
			t.Error(err)
		}
		l.expect(t)
		end(t, p, l)
		l.expect(t, "closed: sstp: connection lost: reading: EOF")
	})
	bubble(t, "no answer", func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		start := time.Now()
		open(t, p, l)
		p.expect(&Close{SessionID: 1})
		if took := time.Since(start); took != 3*time.Minute {
			t.Errorf("closed after %v", took)
		}
		l.expect(t, "session 1 closed: sstp: no OpenResponse in time")
		end(t, p, l)
	})
	bubble(t, "connection lost", func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		open(t, p, l)
		end(t, p, l)
		l.expect(t, "session 1 closed: sstp: connection lost: reading: EOF", "closed: sstp: connection lost: reading: EOF")
		if _, err := l.conn.Open(t.Context(), *plainOpen, &sessionLayer{layer: l}); err != l.conn.Err() {
			t.Error(err)
		}
	})
	bubble(t, "names", func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		if _, err := l.conn.Open(t.Context(), Open{ResourceURL: resourceURL, IdentityURL: "alice"}, nil); !errors.Is(err, ErrScheme) {
			t.Error(err)
		}
		if _, err := l.conn.FanoutOpen(t.Context(), *fanout(FanoutDeviceEntry{RelayURL: relayURL}), nil); !errors.Is(err, ErrEmptyName) {
			t.Error(err)
		}
		end(t, p, l)
	})
}

// TestIdentifiers checks the ranges of wire profile 1.
func TestIdentifiers(t *testing.T) {
	bubble(t, "dialled", func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		for want := uint32(1); want <= 3; want++ {
			if s := open(t, p, l); s.ID() != want {
				t.Errorf("session %d, want %d", s.ID(), want)
			}
		}
		l.conn.lastID = 0x7fffffff
		if s := open(t, p, l); s.ID() != 4 {
			t.Errorf("session %d after the last identifier, want the first free one", s.ID())
		}
		end(t, p, l)
	})
	bubble(t, "accepted", func(t *testing.T) {
		p, l := accepted(t, relayConfig())
		if s := open(t, p, l); s.ID() != 0x80000000 {
			t.Errorf("session %#x", s.ID())
		}
		l.conn.lastID = 0xffffffff
		if s := open(t, p, l); s.ID() != 0x80000001 {
			t.Errorf("session %#x after the last identifier", s.ID())
		}
		end(t, p, l)
	})
	// A peer that ignores the ranges: Close means its own session first.
	bubble(t, "the same at both ends", func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		openReady(t, p, l)
		openInbound(t, p, l, 1)
		p.send(&Close{SessionID: 1, Reason: ReasonIdle})
		l.expect(t, "session 1 closed: sstp: session 1 closed by the peer: Idle")
		if err := l.inbound[0].Suspend(); !sessionEndedWith(ReasonIdle, true)(err) {
			t.Errorf("the peer's own session: %v", err)
		}
		p.send(&SessionStatus{SessionID: 2}, &Close{SessionID: 1, Reason: ReasonInternalError})
		l.expect(t, "session 1 closed: sstp: session 1 closed by the peer: InternalError")
		end(t, p, l)
	})
}

// TestSessionStatus covers both forms, on either end ([MS-GRVSSTP] 2.2.8.1).
func TestSessionStatus(t *testing.T) {
	bubble(t, "received", func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		s, err := l.conn.FanoutOpen(t.Context(), *fanout(local, foreign), &sessionLayer{l, 1})
		if err != nil {
			t.Fatal(err)
		}
		p.expect(fanout(local, foreign))
		p.send(&SessionStatus{SessionID: s.ID(), Status: StatusLockedOut},
			&OpenResponse{SessionID: s.ID()},
			&SessionStatus{SessionID: s.ID(), Status: StatusHostNotReachable, Indexes: []uint16{0, 1}})
		l.expect(t, "session 1 LockedOut []", "session 1 ready: true", "session 1 HostNotReachable [0 1]")
		p.send(&SessionStatus{SessionID: s.ID(), Indexes: []uint16{2}})
		p.expectEnd(ReasonProtocolError)
		<-l.conn.Done()
	})
	bubble(t, "received for a plain session", func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		openReady(t, p, l)
		p.send(&SessionStatus{SessionID: 1})
		p.expectEnd(ReasonProtocolError)
		<-l.conn.Done()
	})
	bubble(t, "sent", func(t *testing.T) {
		p, l := accepted(t, relayConfig())
		p.send(fanout(local))
		p.expect(&OpenResponse{SessionID: 1})
		synctest.Wait()
		s := l.inbound[0]
		status := SessionStatus{Status: StatusLockedOut, Indexes: []uint16{0}}
		if err := s.Status(t.Context(), status); err != nil {
			t.Error(err)
		}
		p.expect(&SessionStatus{SessionID: 1, Status: StatusLockedOut, Indexes: []uint16{0}})
		s.Close(ReasonEmptySession)
		p.expect(&Close{SessionID: 1, Reason: ReasonEmptySession})
		end(t, p, l)
	})
	bubble(t, "sent by who did not wait for the answer", func(t *testing.T) {
		p, l := accepted(t, relayConfig())
		told := make(chan error, 1)
		l.open = func(s *InboundSession) {
			go func() { told <- s.Status(t.Context(), SessionStatus{Status: StatusLockedOut, Indexes: []uint16{0}}) }()
			time.Sleep(time.Second) // it had its chance to come first
		}
		p.send(fanout(local))
		p.expect(&OpenResponse{SessionID: 1})
		p.expect(&SessionStatus{SessionID: 1, Status: StatusLockedOut, Indexes: []uint16{0}})
		if err := <-told; err != nil {
			t.Error(err)
		}
		end(t, p, l)
	})
}

func TestSuspendAndResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := accepted(t, relayConfig())
		l.answer = OpenOkStopSending
		s := openInbound(t, p, l, 1)
		for _, step := range []struct {
			do   func() error
			want OpenResponseID
		}{{s.Resume, OpenOk}, {s.Suspend, OpenOkStopSending}} {
			if err := errors.Join(step.do(), step.do()); err != nil {
				t.Error(err)
			}
			p.expect(&OpenResponse{SessionID: 1, Response: step.want})
		}
		p.expectQuiet(time.Second)
		end(t, p, l)
		if err := s.Resume(); err != l.conn.Err() {
			t.Error(err)
		}
	})
}
