package sstp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// TestAcceptRefuses covers [MS-GRVSSTP] 3.1.5.1 row by row: every answer that is
// not Ok ends the transport.
func TestAcceptRefuses(t *testing.T) {
	for _, tt := range []struct {
		name      string
		connect   func(*Connect)
		admission Admission
		want      ConnectResponse
		asked     bool // the layer above was
	}{
		{name: "target is another device", connect: func(m *Connect) { m.TargetDeviceURL = "grooveDNS://other" },
			want: ConnectResponse{Response: ResponseWrongDevice}},
		{name: "wrong target comes before wrong version", connect: func(m *Connect) { m.TargetDeviceURL, m.Version = "", 0x0200 },
			want: ConnectResponse{Response: ResponseWrongDevice}},
		{name: "newer major version", connect: func(m *Connect) { m.Version = 0x0200 },
			want: ConnectResponse{Response: ResponseWontUpgrade}},
		{name: "older major version", connect: func(m *Connect) { m.Version = 0x0006 },
			want: ConnectResponse{Response: ResponseNewVersionRequired}},
		{name: "older minor version than any", connect: func(m *Connect) { m.Version = 0x0104 },
			want: ConnectResponse{Response: ResponseNewVersionRequired}},
		{name: "locked out", admission: Admission{Response: ResponseConnectRejected},
			want: ConnectResponse{Response: ResponseConnectRejected}, asked: true},
		{name: "quiescent", admission: Admission{Response: ResponseTryLater, RetryTime: 90},
			want: ConnectResponse{Response: ResponseTryLater, RetryTime: 90}, asked: true},
		{name: "authentication failed", admission: Admission{Gate: &fakeGate{connect: Verdict{Response: ResponseAuthenticationFailed, Token: []byte("no")}}},
			want: ConnectResponse{Response: ResponseAuthenticationFailed, AuthenticationToken: []byte("no")}, asked: true},
		{name: "gate out of order", admission: Admission{RetryTime: 7, Gate: &fakeGate{connect: Verdict{Response: ResponseTryLater}}},
			want: ConnectResponse{Response: ResponseTryLater, RetryTime: 7}, asked: true},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			l := &layer{}
			tt.admission.Handler = l
			p, transport := newPeer(t)
			c := Accept(transport, relayConfig(), func(*Conn, *Connect) Admission { return tt.admission })
			m := connect(Version16)
			if tt.connect != nil {
				tt.connect(m)
			}
			p.send(m)
			tt.want.Version, tt.want.PeerProductVersion = Version16, "Furrow Relay 1.0 1"
			p.expect(&tt.want)
			p.expectHangUp()
			<-c.Done()
			var refused *ConnectRefusedError
			if !errors.As(c.Err(), &refused) || refused.Response.Response != tt.want.Response {
				t.Errorf("ended with %v", c.Err())
			}
			if tt.asked {
				l.expect(t, "closed: "+c.Err().Error())
			} else {
				l.expect(t)
			}
		})
	}
}

// TestAcceptVersions settles versions as in the example of [MS-GRVSSTP] 4.1.1. A
// FanoutOpen shows which one is in force (3.3.5.6.1).
func TestAcceptVersions(t *testing.T) {
	for _, tt := range []struct {
		name        string
		ours, peers Version
		want        Version
	}{
		{"both 1.6", Version16, Version16, Version16},
		{"peer 1.5", Version16, Version15, Version15},
		{"ours 1.5", Version15, Version16, Version15},
		{"peer 1.9", Version16, 0x0109, Version16},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			cfg := relayConfig()
			cfg.Version = tt.ours
			l := &layer{}
			p, transport := newPeer(t)
			l.conn = Accept(transport, cfg, func(*Conn, *Connect) Admission { return Admission{Handler: l} })
			p.send(connect(tt.peers))
			p.expect(&ConnectResponse{Version: tt.ours, PeerProductVersion: cfg.ProductVersion})
			l.expect(t, "established")
			if got := l.conn.Version(); got != tt.want {
				t.Errorf("settled %v, want %v", got, tt.want)
			}
			if got := l.conn.Peer(); got.Version != tt.peers || got.DeviceURLs[0] != deviceURL {
				t.Errorf("peer is %+v", got)
			}
			fanout := &FanoutOpen{SessionID: 1, ResourceURL: resourceURL, Entries: []FanoutDeviceEntry{{IdentityURL: identityURL}}}
			p.setVersion(tt.want)
			p.send(fanout)
			p.expect(&OpenResponse{SessionID: 1})
			// The layout of the other version does not end at CommandLength.
			p.v = Version15 + Version16 - tt.want
			fanout.SessionID = 2
			p.send(fanout)
			p.expectEnd(ReasonProtocolError)
			<-l.conn.Done()
		})
	}
}

func TestTooManyConnectionsOfADevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, gate := &layer{}, &fakeGate{}
		p, transport := newPeer(t)
		l.conn = Accept(transport, relayConfig(), func(*Conn, *Connect) Admission {
			return Admission{TooMany: true, Handler: l, Gate: gate}
		})
		p.send(connect(Version16))
		p.expect(okResponse)
		p.expectEnd(ReasonCrossedConnections)
		<-l.conn.Done()
		l.expect(t, "closed: sstp: connection closed: CrossedConnections: too many connections of the device")
	})
}

// TestBeforeConnect covers the commands that come too early: for sessions,
// [MS-GRVSSTP] 3.1.5.5, .9, .10, .11, 3.3.5.14.
func TestBeforeConnect(t *testing.T) {
	for _, tt := range []struct {
		octets []byte
		want   Reason
	}{
		{encode(t, Version15, &Open{}), ReasonTooManyUnknownSessionCmds},
		{encode(t, Version15, &FanoutOpen{}), ReasonTooManyUnknownSessionCmds},
		{encode(t, Version15, &Close{}), ReasonTooManyUnknownSessionCmds},
		{encode(t, Version15, &Attach{}), ReasonTooManyUnknownSessionCmds},
		{encode(t, Version15, &Register{}), ReasonTooManyUnknownSessionCmds},
		{encode(t, Version15, &Message{}), ReasonTooManyUnknownSessionCmds},
		{encode(t, Version15, &Data{Payload: []byte{1}}), ReasonTooManyUnknownSessionCmds},
		{encode(t, Version15, &EndMessage{}), ReasonTooManyUnknownSessionCmds},
		{encode(t, Version15, &Noop{}), ReasonProtocolError},
		{encode(t, Version15, &OpenResponse{}), ReasonProtocolError},
		{encode(t, Version15, &ConnectResponse{}), ReasonProtocolError},
		{encode(t, Version15, &ConnectAuthenticate{}), ReasonProtocolError},
		{[]byte("G"), ReasonProtocolError},
		{[]byte{0x16}, ReasonProtocolError},
		{[]byte{0x01, 0x02, 0x00}, ReasonProtocolError},
	} {
		bubble(t, CommandID(tt.octets[0]).String(), func(t *testing.T) {
			p, transport := newPeer(t)
			c := Accept(transport, relayConfig(), func(*Conn, *Connect) Admission {
				t.Error("the layer above was asked")
				return Admission{}
			})
			p.sendOctets(tt.octets)
			p.expectEnd(tt.want)
			<-c.Done()
		})
	}
}

func TestSecondConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := accepted(t, relayConfig())
		p.send(connect(Version16))
		p.expect(&ConnectClose{Reason: ReasonProtocolError})
		time.Sleep(linger - 1)
		p.send(&Noop{}) // did not know yet, and is not cut off before it could
		p.expectHangUp()
		<-l.conn.Done()
	})
}

func TestDialIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer Command // nil: hang up
		closes Reason  // what the Conn sends then; ReasonNone: nothing
		want   func(error) bool
	}{
		{"wrong device", &ConnectResponse{Response: ResponseWrongDevice}, 0, refusedWith(ResponseWrongDevice)},
		{"try later", &ConnectResponse{Response: ResponseTryLater, RetryTime: 5}, 0, refusedWith(ResponseTryLater)},
		{"will upgrade", &ConnectResponse{Response: ResponseWillUpgrade}, 0, refusedWith(ResponseWillUpgrade)},
		{"unknown response", &ConnectResponse{Response: 0x77}, 0, refusedWith(0x77)},
		{"other version", &ConnectResponse{Version: 0x0200}, ReasonProtocolError, endedWith(ReasonProtocolError, false)},
		{"closed", &ConnectClose{Reason: ReasonResting, ReturnTime: 9}, 0, endedWith(ReasonResting, true)},
		{"session command", &Open{}, ReasonTooManyUnknownSessionCmds, endedWith(ReasonTooManyUnknownSessionCmds, false)},
		{"Connect in turn", connect(Version16), ReasonProtocolError, endedWith(ReasonProtocolError, false)},
		{"Noop", &Noop{}, ReasonProtocolError, endedWith(ReasonProtocolError, false)},
		{"hung up", nil, 0, func(err error) bool { return errors.Is(err, io.EOF) }},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			l := &layer{}
			p, transport := newPeer(t)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				p.expect(&Connect{Version: Version16, TargetDeviceURL: relayURL, SourceDeviceURLs: []string{deviceURL},
					AuthenticationToken: []byte("token"), PeerProductVersion: "Furrow Client 1.0 1"})
				if tt.answer != nil {
					p.send(tt.answer)
					if tt.closes != 0 {
						p.expect(&ConnectClose{Reason: tt.closes})
					}
					p.expectHangUp()
				}
				if err := p.conn.Close(); err != nil {
					t.Error(err)
				}
			}()
			c, answer, err := Dial(t.Context(), transport, clientConfig(), relayURL, []byte("token"), l)
			if c != nil || answer != nil || !tt.want(err) {
				t.Errorf("%v, %v, %v", c, answer, err)
			}
			<-ended
		})
	}
}

func refusedWith(response ResponseID) func(error) bool {
	return func(err error) bool {
		var e *ConnectRefusedError
		return errors.As(err, &e) && e.Response.Response == response
	}
}

func endedWith(reason Reason, remote bool) func(error) bool {
	return func(err error) bool {
		var e *ConnError
		return errors.As(err, &e) && e.Reason == reason && e.Remote == remote && !e.Lost
	}
}

func TestDialReturnsTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &layer{}
		p, transport := newPeer(t)
		go func() {
			p.expect(&Connect{Version: Version16, TargetDeviceURL: relayURL, SourceDeviceURLs: []string{deviceURL}, PeerProductVersion: "Furrow Client 1.0 1"})
			p.send(&ConnectResponse{Version: Version15, AuthenticationToken: []byte("challenge"), PeerProductVersion: "P"})
			p.sendOctets(bytes.Repeat(encode(t, p.v, &Noop{}), idleSize/7)) // over the memory of the answer
			p.expect(&ConnectAuthenticate{AuthenticationToken: []byte("answer")})
		}()
		c, answer, err := Dial(t.Context(), transport, clientConfig(), relayURL, nil, l)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if string(answer.AuthenticationToken) != "challenge" {
			t.Errorf("the token is %q", answer.AuthenticationToken)
		}
		l.conn = c
		l.expect(t, "established")
		if got := c.Peer(); got.ProductVersion != "P" || got.Version != Version15 || got.DeviceURLs[0] != relayURL || c.Version() != Version15 {
			t.Errorf("peer is %+v, the version %v", got, c.Version())
		}
		if err := c.Authenticate([]byte("answer")); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		end(t, p, l)
		l.expect(t, "closed: sstp: connection lost: reading: EOF")
	})
}

func TestDialGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		p, transport := newPeer(t)
		if _, _, err := Dial(ctx, transport, clientConfig(), relayURL, nil, &layer{}); err != context.DeadlineExceeded {
			t.Error(err)
		}
		p.expectHangUp()
	})
}

func TestDialWithWhatCannotBeSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, transport := newPeer(t)
		if _, _, err := Dial(t.Context(), transport, clientConfig(), "grooveDNS://\x00", nil, &layer{}); err == nil {
			t.Error("a target with a NUL was sent")
		}
		p.expectHangUp()
	})
}

func TestEstablishmentTimer(t *testing.T) {
	bubble(t, "accepting", func(t *testing.T) {
		p, transport := newPeer(t)
		start := time.Now()
		c := Accept(transport, relayConfig(), nil)
		p.expectEnd(ReasonResponseTimeout)
		<-c.Done()
		if took := time.Since(start); took != time.Minute+linger && took != time.Minute {
			t.Errorf("ended after %v", took)
		}
	})
	bubble(t, "dialling", func(t *testing.T) {
		p, transport := newPeer(t)
		go func() {
			p.expect(&Connect{Version: Version16, TargetDeviceURL: relayURL, SourceDeviceURLs: []string{deviceURL}, PeerProductVersion: "Furrow Client 1.0 1"})
			p.expectEnd(ReasonResponseTimeout)
		}()
		_, _, err := Dial(t.Context(), transport, clientConfig(), relayURL, nil, &layer{})
		if !endedWith(ReasonResponseTimeout, false)(err) {
			t.Error(err)
		}
		synctest.Wait()
	})
	bubble(t, "off", func(t *testing.T) {
		cfg := relayConfig()
		cfg.Timers.Establishment = -1
		p, transport := newPeer(t)
		c := Accept(transport, cfg, nil)
		p.expectQuiet(time.Hour)
		c.Close(ReasonNone, 0)
		p.expectEnd(ReasonNone)
		<-c.Done()
	})
}
