package sstp

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// fakeGate gives the verdicts it has been given, and lets a peer pass with the
// first token that is accepted.
type fakeGate struct {
	connect, authenticate, attach, attachAuthenticate, register Verdict
	passed                                                      bool
	detached                                                    []uint32
	tokens                                                      []string
}

func (g *fakeGate) judge(token []byte, v Verdict) Verdict {
	g.tokens = append(g.tokens, string(token))
	return v
}

func (g *fakeGate) Connect(_ []string, token []byte) Verdict { return g.judge(token, g.connect) }
func (g *fakeGate) ConnectAuthenticate(token []byte) Verdict {
	g.passed = g.passed || g.authenticate.Action == ActProceed
	return g.judge(token, g.authenticate)
}
func (g *fakeGate) Attach(_ uint32, _ string, token []byte) Verdict { return g.judge(token, g.attach) }
func (g *fakeGate) AttachAuthenticate(_ uint32, token []byte) (string, Verdict) {
	return "grooveAccount://a", g.judge(token, g.attachAuthenticate)
}
func (g *fakeGate) Register(token []byte) Verdict { return g.judge(token, g.register) }
func (g *fakeGate) Detach(id uint32)              { g.detached = append(g.detached, id) }
func (g *fakeGate) Passed() bool                  { return g.passed }

var errFake = errors.New("fake")

// guarded starts a Conn that accepts with a gate, and a peer that has connected.
func guarded(t *testing.T, g *fakeGate) (*peer, *layer) {
	t.Helper()
	l := &layer{}
	p, transport := newPeer(t)
	l.conn = Accept(transport, relayConfig(), func(*Conn, *Connect) Admission {
		return Admission{Handler: l, Gate: g}
	})
	m := connect(Version16)
	m.AuthenticationToken = []byte("c")
	p.send(m)
	answer := *okResponse
	answer.AuthenticationToken = g.connect.Token
	p.expect(&answer)
	p.setVersion(Version16)
	return p, l
}

// passed is guarded, and the peer has passed.
func passed(t *testing.T, g *fakeGate) (*peer, *layer) {
	t.Helper()
	g.authenticate.Action = ActProceed
	p, l := guarded(t, g)
	l.expect(t)
	p.send(&ConnectAuthenticate{AuthenticationToken: []byte("a")})
	l.expect(t, "established")
	return p, l
}

func TestNothingIsServedBeforeTheGate(t *testing.T) {
	for _, cmd := range []Command{
		&Open{SessionID: 1, ResourceURL: resourceURL, IdentityURL: identityURL},
		&FanoutOpen{SessionID: 1, ResourceURL: resourceURL},
		&Message{SessionID: 1}, &Data{SessionID: 1, Payload: []byte{1}}, &EndMessage{SessionID: 1},
		&Close{SessionID: 1}, &OpenResponse{SessionID: 1}, &SessionStatus{SessionID: 1}, &Noop{},
	} {
		bubble(t, cmd.ID().String(), func(t *testing.T) {
			p, l := guarded(t, &fakeGate{connect: Verdict{Token: []byte("challenge")}})
			p.send(cmd)
			p.expectEnd(ReasonProtocolError)
			<-l.conn.Done()
			l.expect(t, "closed: sstp: connection closed: ProtocolError: "+cmd.ID().String()+" before authentication")
		})
	}
}

func TestPeerThatNeedsNoAuthentication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := guarded(t, &fakeGate{passed: true})
		l.expect(t, "established")
		end(t, p, l)
	})
}

func TestAuthenticationRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := guarded(t, &fakeGate{authenticate: Verdict{Action: ActCloseConnection, Reason: ReasonDeviceAuthenticationFailed, Err: errFake}})
		p.send(&ConnectAuthenticate{})
		p.expectEnd(ReasonDeviceAuthenticationFailed)
		<-l.conn.Done()
		l.expect(t, "closed: sstp: connection closed: DeviceAuthenticationFailed: fake")
	})
}

func TestAuthenticationTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := guarded(t, &fakeGate{register: Verdict{Response: ResponseOk, Token: []byte("r")}})
		p.expectQuiet(119 * time.Second)
		p.send(&Register{EventID: 1}) // restarts it
		p.expect(&RegisterResponse{EventID: 1, AuthenticationToken: []byte("r")})
		p.expectQuiet(119 * time.Second)
		start := time.Now()
		p.expectEnd(ReasonResponseTimeout)
		if took := time.Since(start); took < time.Second || took > time.Second+linger {
			t.Errorf("closed after another %v", took)
		}
		<-l.conn.Done()
	})
	bubble(t, "stops when the peer has passed", func(t *testing.T) {
		p, l := passed(t, &fakeGate{})
		p.expectQuiet(time.Hour)
		end(t, p, l)
	})
}

// TestAttach follows an attach session on the accepting side ([MS-GRVSSTP]
// 3.3.5.14).
func TestAttach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &fakeGate{attach: Verdict{Token: []byte("r")}, attachAuthenticate: Verdict{Action: ActProceed}}
		p, l := passed(t, g)
		p.send(&Attach{EventID: 1, AccountURL: "grooveAccount://a", AuthenticationToken: []byte("t")})
		p.expect(&AttachResponse{EventID: 1, AuthenticationToken: []byte("r")})
		l.expect(t)
		p.send(&AttachAuthenticate{EventID: 1, AuthenticationToken: []byte("u")})
		l.expect(t, "attached 1 grooveAccount://a")
		p.send(&Close{SessionID: 1})
		l.expect(t, "detached 1 grooveAccount://a")
		p.send(&AttachAuthenticate{EventID: 1}) // too late
		p.send(&Attach{EventID: 1, AccountURL: "grooveAccount://a"})
		p.expect(&AttachResponse{EventID: 1, AuthenticationToken: []byte("r")})
		end(t, p, l)
		if len(g.detached) != 1 || g.detached[0] != 1 {
			t.Errorf("the gate detached %v", g.detached)
		}
	})
}

// TestSecurityEvents covers what can go wrong with attach and register sessions.
func TestSecurityEvents(t *testing.T) {
	closing := Verdict{Action: ActCloseSession, Reason: ReasonStaleAttachAuthenticate, Err: errFake}
	for _, tt := range []struct {
		name   string
		gate   fakeGate
		send   []Command
		expect []Command
		end    Reason // 0: none
	}{
		{
			name: "Attach refused", gate: fakeGate{attach: Verdict{Response: ResponseAuthenticationFailed, Token: []byte("no"), Err: errFake}},
			send:   []Command{&Attach{EventID: 1}},
			expect: []Command{&AttachResponse{EventID: 1, Response: ResponseAuthenticationFailed, AuthenticationToken: []byte("no")}},
		},
		{
			name: "Attach closed", gate: fakeGate{attach: closing},
			send:   []Command{&Attach{EventID: 1}},
			expect: []Command{&Close{SessionID: 1, Reason: ReasonStaleAttachAuthenticate}},
		},
		{
			name: "AttachAuthenticate closed", gate: fakeGate{attachAuthenticate: closing},
			send:   []Command{&Attach{EventID: 1}, &AttachAuthenticate{EventID: 1}},
			expect: []Command{&AttachResponse{EventID: 1}, &Close{SessionID: 1, Reason: ReasonStaleAttachAuthenticate}},
		},
		{
			name: "Attach under the EventId of another",
			send: []Command{&Attach{EventID: 1}, &Attach{EventID: 1}}, expect: []Command{&AttachResponse{EventID: 1}},
			end: ReasonTooManyUnknownSessionCmds,
		},
		{
			name: "Attach under the EventId of a session",
			send: []Command{&Open{SessionID: 1, ResourceURL: resourceURL, IdentityURL: identityURL}, &Attach{EventID: 1}}, expect: []Command{&OpenResponse{SessionID: 1}},
			end: ReasonTooManyUnknownSessionCmds,
		},
		{
			name: "session under the EventId of an Attach",
			send: []Command{&Attach{EventID: 1}, &Open{SessionID: 1}}, expect: []Command{&AttachResponse{EventID: 1}},
			end: ReasonTooManyUnknownSessionCmds,
		},
		{
			name: "Message on an EventId",
			send: []Command{&Attach{EventID: 1}, &Message{SessionID: 1}}, expect: []Command{&AttachResponse{EventID: 1}},
			end: ReasonTooManyUnknownSessionCmds,
		},
		{
			name: "AttachAuthenticate without Attach", send: []Command{&AttachAuthenticate{EventID: 1}},
			end: ReasonTooManyUnknownSessionCmds,
		},
		{
			name: "Attach is a violation", gate: fakeGate{attach: Verdict{Action: ActCloseConnection, Reason: ReasonProtocolError, Err: errFake}},
			send: []Command{&Attach{EventID: 1}}, end: ReasonProtocolError,
		},
		{
			name: "EventId of a registration is free again",
			send: []Command{&Register{EventID: 1}, &Register{EventID: 1}}, expect: []Command{&RegisterResponse{EventID: 1}, &RegisterResponse{EventID: 1}},
		},
		{
			name: "Register closed", gate: fakeGate{register: closing},
			send: []Command{&Register{EventID: 1}}, expect: []Command{&Close{SessionID: 1, Reason: ReasonStaleAttachAuthenticate}},
		},
		{
			name: "Register is a violation", gate: fakeGate{register: Verdict{Action: ActCloseConnection, Reason: ReasonProtocolError, Err: errFake}},
			send: []Command{&Register{EventID: 1}}, end: ReasonProtocolError,
		},
		{name: "AttachResponse to nothing", send: []Command{&AttachResponse{EventID: 1}}, end: ReasonTooManyUnknownSessionCmds},
		{name: "RegisterResponse to nothing", send: []Command{&RegisterResponse{EventID: 1}}, end: ReasonTooManyUnknownSessionCmds},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			p, l := passed(t, &tt.gate)
			answered := 0
			for _, cmd := range tt.send {
				p.send(cmd)
				if answered < len(tt.expect) {
					p.expect(tt.expect[answered])
					answered++
				}
			}
			if tt.end != 0 {
				p.expectEnd(tt.end)
			} else if err := p.conn.Close(); err != nil {
				t.Error(err)
			}
			<-l.conn.Done()
		})
	}
}

// TestSecurityWithoutGate covers the end that has none, a client's.
func TestSecurityWithoutGate(t *testing.T) {
	for _, cmd := range []Command{&ConnectAuthenticate{}, &Attach{EventID: 1}, &AttachAuthenticate{EventID: 1}, &Register{EventID: 1}} {
		bubble(t, cmd.ID().String(), func(t *testing.T) {
			p, l := dialled(t, clientConfig())
			p.send(cmd)
			p.expectEnd(ReasonProtocolError)
			<-l.conn.Done()
		})
	}
}
