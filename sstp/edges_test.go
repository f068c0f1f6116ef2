package sstp

import (
	"errors"
	"testing"
	"testing/synctest"
)

// TestLayerThatClosesAtOnce closes a session before it has been answered.
func TestLayerThatClosesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, transport := newPeer(t)
		c := Accept(transport, relayConfig(), func(*Conn, *Connect) Admission { return Admission{Handler: hastyLayer{}} })
		p.send(connect(Version15))
		p.expect(okResponse)
		p.send(plainOpen)
		p.expect(&Close{SessionID: 1, Reason: ReasonInternalError})
		p.send(&Message{SessionID: 1})
		p.send(plainOpen) // the identifier is free
		p.expect(&Close{SessionID: 1, Reason: ReasonInternalError})
		if err := c.Err(); err != nil {
			t.Error(err)
		}
		c.Close(ReasonNone, 0)
		p.expectEnd(ReasonNone)
		<-c.Done()
	})
}

type hastyLayer struct{ quietLayer }

func (h hastyLayer) Open(s *InboundSession, _ *Open) (Receiver, OpenResponseID) {
	s.Close(ReasonInternalError)
	return h, OpenOk
}

// TestCallbacksMayClose ends the connection from within a call to the layer above.
func TestCallbacksMayClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, transport := newPeer(t)
		c := Accept(transport, relayConfig(), func(c *Conn, _ *Connect) Admission {
			return Admission{Handler: closingLayer{conn: c}}
		})
		p.send(connect(Version15))
		p.expect(okResponse)
		p.send(plainOpen)
		p.expectEnd(ReasonResting)
		<-c.Done()
	})
}

type closingLayer struct {
	quietLayer
	conn *Conn
}

func (l closingLayer) Open(s *InboundSession, _ *Open) (Receiver, OpenResponseID) {
	if s.Conn() != l.conn {
		return nil, OpenUnknown
	}
	l.conn.Close(ReasonResting, 0)
	return l.quietLayer, OpenOk
}

// TestAnswersThatCannotBeSent covers what the layers above or beside may get
// wrong: it costs the connection, and no more.
func TestAnswersThatCannotBeSent(t *testing.T) {
	bubble(t, "product version", func(t *testing.T) {
		for _, admission := range []Admission{{Handler: &layer{}}, {Response: ResponseTryLater}} {
			cfg := relayConfig()
			cfg.ProductVersion = "\x80"
			p, transport := newPeer(t)
			c := Accept(transport, cfg, func(*Conn, *Connect) Admission { return admission })
			p.send(connect(Version16))
			p.expectEnd(ReasonInternalError)
			<-c.Done()
		}
	})
	bubble(t, "token", func(t *testing.T) {
		p, l := passed(t, &fakeGate{attach: Verdict{Token: make([]byte, maxCommandSize)}})
		p.send(&Attach{EventID: 1})
		p.expectEnd(ReasonInternalError)
		<-l.conn.Done()
	})
	bubble(t, "gate that does not answer Connect", func(t *testing.T) {
		p, transport := newPeer(t)
		c := Accept(transport, relayConfig(), func(*Conn, *Connect) Admission {
			return Admission{Handler: &layer{}, Gate: &fakeGate{connect: Verdict{Action: ActCloseConnection, Reason: ReasonProtocolError, Err: errFake}}}
		})
		p.send(connect(Version16))
		p.expectEnd(ReasonProtocolError)
		<-c.Done()
	})
	bubble(t, "fanout for version 1.5", func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		entry := local
		entry.FailoverDeviceURLs = "x"
		l.conn.mu.Lock()
		l.conn.version = Version15
		l.conn.mu.Unlock()
		if _, err := l.conn.FanoutOpen(t.Context(), *fanout(entry), nil); !errors.Is(err, errFailoverIn15) {
			t.Error(err)
		}
		end(t, p, l)
	})
}

func TestConnectCloseThatAcknowledgesTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		p.send(&ConnectClose{Reason: ReasonNone, MessageCount: 1})
		<-l.conn.Done()
		l.expect(t, "closed: sstp: connection closed by the peer: NoReason: ConnectClose acknowledges 1 message sequences of 0")
	})
}

func TestAttachmentsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := passed(t, &fakeGate{})
		for id := uint32(1); id <= maxSessions; id++ {
			p.send(&Attach{EventID: id})
			p.expect(&AttachResponse{EventID: id})
		}
		p.send(&Attach{EventID: maxSessions + 1})
		p.expectEnd(ReasonInternalError)
		<-l.conn.Done()
	})
}

// FuzzConn sends anything to an accepting end that stands, and to one that has
// just been reached. It must neither panic nor hang.
func FuzzConn(f *testing.F) {
	for _, cmds := range [][]Command{
		sequence(1, FlagAcknowledgeImmediately, "x"),
		append([]Command{plainOpen}, sequence(1, FlagAcknowledgeImmediately, "x")...),
		{fanout(local, foreign), &Close{SessionID: 1}, &Message{SessionID: 1}, &EndMessage{SessionID: 1}},
		{&Attach{EventID: 1}, &AttachAuthenticate{EventID: 1}, &Close{SessionID: 1}},
		{&Register{EventID: 1}, &ConnectAuthenticate{}, &OpenResponse{}, &SessionStatus{}, &Noop{MessageCount: 1}},
		{&OpenResponse{SessionID: 0x80000000}, &SessionStatus{SessionID: 0x80000000, Indexes: []uint16{1}}, &Noop{MessageCount: 1}},
		{&ConnectClose{MessageCount: 1}},
	} {
		f.Add(true, encode(f, Version16, cmds...))
	}
	f.Add(false, encode(f, Version15, connect(Version16), plainOpen))
	f.Fuzz(func(t *testing.T, connected bool, octets []byte) {
		synctest.Test(t, func(t *testing.T) {
			p, transport := newPeer(t)
			c := Accept(transport, relayConfig(), func(*Conn, *Connect) Admission {
				return Admission{Handler: quietLayer{}, Gate: &fakeGate{passed: true}}
			})
			if connected {
				p.send(connect(Version16))
				p.expect(okResponse)
				go func() {
					for {
						if _, err := p.r.ReadCommand(); err != nil {
							return
						}
					}
				}()
				if s, err := c.FanoutOpen(t.Context(), *fanout(local), fuzzOriginator{}); err == nil {
					go func() {
						o, err := s.Send(t.Context(), Message{}, nil)
						if err == nil {
							_, err = o.Write([]byte("x"))
						}
						if err == nil {
							err = o.Close()
						}
						_ = err // whatever the peer makes of it
					}()
				}
				synctest.Wait()
			}
			_, _ = p.conn.Write(octets) // the Conn may have hung up
			synctest.Wait()
			_ = p.conn.Close() // or the peer has
			<-c.Done()
		})
	})
}

type fuzzOriginator struct{}

func (fuzzOriginator) Ready(bool)            {}
func (fuzzOriginator) Status(*SessionStatus) {}
func (fuzzOriginator) Closed(error)          {}
