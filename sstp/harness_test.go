package sstp

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	relayURL    = "grooveDNS://relay.example"
	deviceURL   = "dpp:///device"
	identityURL = "grooveIdentity://alice@"
	resourceURL = "grooveDynamics://Dynamics/"
)

// relayConfig is that of a relay whose timers for idle connections are off, and
// that for authentication is not the same as others.
func relayConfig() Config {
	return Config{
		LocalDeviceURLs: []string{relayURL},
		ProductVersion:  "Furrow Relay 1.0 1",
		Multidrop:       true,
		SingleHop:       true,
		Timers:          Timers{OutboundIdle: -1, InboundIdle: -1, Authentication: 2 * time.Minute},
	}
}

func clientConfig() Config {
	return Config{
		LocalDeviceURLs: []string{deviceURL},
		ProductVersion:  "Furrow Client 1.0 1",
		Timers:          Timers{OutboundIdle: -1, InboundIdle: -1},
	}
}

// layer is the layer above a connection. It writes down what it is told, and
// answers as it has been told.
type layer struct {
	conn    *Conn
	answer  OpenResponseID
	message func(*Incoming)       // nil: keep it in incoming
	open    func(*InboundSession) // called while a session is being opened; nil: nothing

	mu       sync.Mutex
	events   []string
	incoming []*Incoming
	inbound  []*InboundSession
}

func (l *layer) note(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, fmt.Sprintf(format, args...))
}

// expect compares what has been written down, and forgets it.
func (l *layer) expect(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Equal(l.events, want) {
		t.Errorf("the layer above was told\n\t%s\nwant\n\t%s", strings.Join(l.events, "\n\t"), strings.Join(want, "\n\t"))
	}
	l.events = nil
}

func (l *layer) Established() { l.note("established") }

func (l *layer) Open(s *InboundSession, cmd *Open) (Receiver, OpenResponseID) {
	l.note("open %d %s", s.ID(), cmd.IdentityURL)
	return l.opened(s)
}

func (l *layer) FanoutOpen(s *InboundSession, cmd *FanoutOpen) (Receiver, OpenResponseID) {
	l.note("fanout %d of %d", s.ID(), len(cmd.Entries))
	return l.opened(s)
}

func (l *layer) opened(s *InboundSession) (Receiver, OpenResponseID) {
	if l.open != nil {
		l.open(s)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inbound = append(l.inbound, s)
	return &sessionLayer{l, s.ID()}, l.answer
}

func (l *layer) Attached(id uint32, account string) { l.note("attached %d %s", id, account) }
func (l *layer) Detached(id uint32, account string) { l.note("detached %d %s", id, account) }
func (l *layer) Closed(err error)                   { l.note("closed: %v", err) }

// take returns the sequences that have begun to arrive, and forgets them.
func (l *layer) take() []*Incoming {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := l.incoming
	l.incoming = nil
	return taken
}

// sessionLayer is the layer above one session of either kind.
type sessionLayer struct {
	*layer
	id uint32
}

func (s *sessionLayer) Message(m *Incoming) {
	if s.message != nil {
		s.message(m)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.incoming = append(s.incoming, m)
}

func (s *sessionLayer) Ready(ready bool) { s.note("session %d ready: %v", s.id, ready) }
func (s *sessionLayer) Status(status *SessionStatus) {
	s.note("session %d %v %v", s.id, status.Status, status.Indexes)
}
func (s *sessionLayer) Closed(err error) { s.note("session %d closed: %v", s.id, err) }

// peer is the other end of a connection, which does what a test says.
type peer struct {
	t    *testing.T
	conn net.Conn
	r    *Reader
	v    Version
}

func newPeer(t *testing.T) (*peer, net.Conn) {
	ours, theirs := net.Pipe()
	t.Cleanup(func() { _ = theirs.Close() }) // no error worth knowing
	return &peer{t: t, conn: theirs, r: NewReader(theirs), v: Version15}, ours
}

// fail ends the connection too: what is going on comes to its end, in whatever
// goroutine.
func (p *peer) fail(format string, args ...any) {
	p.t.Helper()
	p.t.Errorf(format, args...)
	_ = p.conn.Close() // one failure is enough
}

func (p *peer) setVersion(v Version) {
	p.v = v
	p.r.SetVersion(v)
}

func (p *peer) send(cmds ...Command) {
	p.t.Helper()
	p.sendOctets(encode(p.t, p.v, cmds...))
}

func (p *peer) sendOctets(octets []byte) {
	p.t.Helper()
	if _, err := p.conn.Write(octets); err != nil {
		p.fail("sending %x: %v", octets[:min(len(octets), 20)], err)
	}
}

// expect reads commands and compares them.
func (p *peer) expect(want ...Command) {
	p.t.Helper()
	for _, w := range want {
		got, err := p.r.ReadCommand()
		if err != nil {
			p.fail("%v, want %v %+v", err, w.ID(), w)
			return
		}
		if !reflect.DeepEqual(got, w) {
			p.fail("received %v %+v, want %v %+v", got.ID(), got, w.ID(), w)
			return
		}
	}
}

// expectEnd reads a ConnectClose and then the end of the transport.
func (p *peer) expectEnd(reason Reason) {
	p.t.Helper()
	p.expect(&ConnectClose{Reason: reason})
	p.expectHangUp()
}

func (p *peer) expectHangUp() {
	p.t.Helper()
	if cmd, err := p.r.ReadCommand(); err != io.EOF {
		p.fail("received %+v, %v, want the end", cmd, err)
	}
}

// expectQuiet makes sure that nothing arrives for some time.
func (p *peer) expectQuiet(d time.Duration) {
	p.t.Helper()
	if err := p.conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		p.t.Fatal(err)
	}
	if n, err := p.conn.Read(make([]byte, 1)); n > 0 || err == nil {
		p.t.Fatal("something arrived within ", d)
	}
	if err := p.conn.SetReadDeadline(time.Time{}); err != nil {
		p.t.Fatal(err)
	}
}

var okResponse = &ConnectResponse{Version: Version16, PeerProductVersion: "Furrow Relay 1.0 1"}

func connect(v Version) *Connect {
	return &Connect{Version: v, TargetDeviceURL: relayURL, SourceDeviceURLs: []string{deviceURL}}
}

// accepted starts a Conn that accepts, without security, and a peer that has
// connected to it with version 1.6.
func accepted(t *testing.T, cfg Config) (*peer, *layer) {
	t.Helper()
	l := &layer{}
	p, transport := newPeer(t)
	l.conn = Accept(transport, cfg, func(*Conn, *Connect) Admission { return Admission{Handler: l} })
	p.send(connect(Version16))
	p.expect(okResponse)
	p.setVersion(Version16)
	l.expect(t, "established")
	return p, l
}

// dialled starts a Conn that has dialled, and a peer that has accepted with
// version 1.6.
func dialled(t *testing.T, cfg Config) (*peer, *layer) {
	t.Helper()
	l := &layer{}
	p, transport := newPeer(t)
	go func() {
		if _, err := p.r.ReadCommand(); err != nil {
			t.Error(err)
		}
		p.send(okResponse)
	}()
	var err error
	if l.conn, _, err = Dial(t.Context(), transport, cfg, relayURL, nil, l); err != nil {
		t.Fatal(err)
	}
	p.setVersion(Version16)
	l.expect(t, "established")
	return p, l
}

// end hangs up and waits for the end of the Conn.
func end(t *testing.T, p *peer, l *layer) {
	t.Helper()
	if err := p.conn.Close(); err != nil {
		t.Error(err)
	}
	<-l.conn.Done()
}

// open opens an outbound session and reads the Open.
func open(t *testing.T, p *peer, l *layer) *OutboundSession {
	t.Helper()
	up := &sessionLayer{layer: l}
	s, err := l.conn.Open(t.Context(), Open{ResourceURL: resourceURL, IdentityURL: identityURL}, up)
	if err != nil {
		t.Fatal(err)
	}
	up.id = s.ID()
	p.expect(&Open{SessionID: s.ID(), ResourceURL: resourceURL, IdentityURL: identityURL})
	return s
}

// openReady opens an outbound session and has it accepted.
func openReady(t *testing.T, p *peer, l *layer) *OutboundSession {
	t.Helper()
	s := open(t, p, l)
	p.send(&OpenResponse{SessionID: s.ID()})
	l.expect(t, fmt.Sprintf("session %d ready: true", s.ID()))
	return s
}

// sequence is a whole message sequence.
func sequence(id uint32, flags MessageFlags, data string) []Command {
	return []Command{
		&Message{SessionID: id, Flags: flags},
		&Data{SessionID: id, Payload: []byte(data)},
		&EndMessage{SessionID: id},
	}
}

// sendWhole sends a sequence of one Data and reads it.
func sendWhole(t *testing.T, p *peer, s *OutboundSession, data string, done func(error)) {
	t.Helper()
	o, err := s.Send(t.Context(), Message{}, done)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Write([]byte(data)); err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	p.expect(sequence(s.ID(), 0, data)...)
}

// openInbound has the peer open a session, which is answered.
func openInbound(t *testing.T, p *peer, l *layer, id uint32) *InboundSession {
	t.Helper()
	p.send(&Open{SessionID: id, ResourceURL: resourceURL, IdentityURL: identityURL})
	p.expect(&OpenResponse{SessionID: id, Response: l.answer})
	l.expect(t, fmt.Sprintf("open %d %s", id, identityURL))
	return l.inbound[len(l.inbound)-1]
}

func readAll(t *testing.T, m *Incoming) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := io.Copy(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// bubble runs a subtest in a bubble of time.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

var background = context.Background()
