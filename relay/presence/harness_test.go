package presence

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"furrow/sstp"
	"furrow/sstp/wandpp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	relayURL = "grooveDNS://relay.example"

	alice = "dpp:///alice"
	bob   = "dpp:///bob"
	carol = "dpp:///carol"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// inBubble runs a test with a hub, in time that passes when nothing else happens.
func inBubble(t *testing.T, f func(t *testing.T, h *Hub)) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Config{Log: slog.New(slog.DiscardHandler)})
		t.Cleanup(h.Close)
		f(t, h)
	})
}

// relaySide is what the relay does for a connection.
type relaySide struct {
	hub  *Hub
	conn *sstp.Conn
	url  string
}

func (r *relaySide) Established()            { r.hub.Connected(r.url, r.conn) }
func (r *relaySide) Attached(uint32, string) {}
func (r *relaySide) Detached(uint32, string) {}
func (r *relaySide) Closed(error)            { r.hub.Ended(r.conn) }
func (r *relaySide) Open(s *sstp.InboundSession, _ *sstp.Open) (sstp.Receiver, sstp.OpenResponseID) {
	return r.hub.Open(s)
}
func (r *relaySide) FanoutOpen(*sstp.InboundSession, *sstp.FanoutOpen) (sstp.Receiver, sstp.OpenResponseID) {
	return nil, sstp.OpenUnknown
}

// client is a device with one connection.
type client struct {
	t         testing.TB
	url       string
	conn      *sstp.Conn // of the client
	transport *pausable
	relay     *relaySide
	session   *sstp.OutboundSession
	closed    chan error // the ends of its sessions
	begun     time.Time

	mu      sync.Mutex
	answer  sstp.OpenResponseID // to the relay's sessions
	stuck   chan struct{}       // nil, or closed when documents are to be completed again
	opens   []sstp.Open
	theirs  *sstp.InboundSession // the relay's session that came last
	notices []notice
	states  map[string]wandpp.Status // as told last
}

// notice is one Notify.
type notice struct {
	after   time.Duration // since the client's begin, or the last expectation
	devices string        // "alice+ bob-"
}

// connect connects a device and opens its session.
func connect(t testing.TB, h *Hub, url string) *client {
	t.Helper()
	c := &client{t: t, url: url, closed: make(chan error, 10), begun: time.Now(), states: map[string]wandpp.Status{}}
	ours, theirs := net.Pipe()
	c.transport = &pausable{Conn: ours}
	c.relay = &relaySide{hub: h, url: url}
	timers := sstp.Timers{OutboundIdle: -1, InboundIdle: -1}
	c.relay.conn = sstp.Accept(theirs, sstp.Config{LocalDeviceURLs: []string{relayURL}, Timers: timers},
		func(*sstp.Conn, *sstp.Connect) sstp.Admission {
			return sstp.Admission{Response: sstp.ResponseOk, Handler: c.relay}
		})
	var err error
	c.conn, _, err = sstp.Dial(t.Context(), c.transport, sstp.Config{LocalDeviceURLs: []string{url}, Timers: timers}, relayURL, nil, c)
	must(t, err)
	t.Cleanup(c.leave)
	c.open()
	synctest.Wait()
	return c
}

// pausable is a transport that the client does not read while it is paused.
type pausable struct {
	net.Conn
	mu     sync.Mutex
	paused chan struct{} // nil, or closed to resume
}

func (p *pausable) Read(b []byte) (int, error) {
	p.mu.Lock()
	paused := p.paused
	p.mu.Unlock()
	if paused != nil {
		<-paused
	}
	return p.Conn.Read(b)
}

func (p *pausable) pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = make(chan struct{})
}

func (p *pausable) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.paused)
	p.paused = nil
}

// open opens a session of presence.
func (c *client) open() {
	c.t.Helper()
	var err error
	c.session, err = c.conn.Open(c.t.Context(), sstp.Open{ResourceURL: "grooveWanDPP"}, &outgoing{c})
	must(c.t, err)
}

// leave ends the connection.
func (c *client) leave() {
	c.conn.Close(sstp.ReasonNone, 0)
	<-c.conn.Done()
	<-c.relay.conn.Done()
}

// outgoing is the session that a client has opened.
type outgoing struct{ c *client }

func (*outgoing) Ready(bool)                 {}
func (*outgoing) Status(*sstp.SessionStatus) {}
func (o *outgoing) Closed(err error)         { o.c.closed <- err }

// say sends a message and waits until it has been obeyed and, as far as that takes no
// time, answered.
func (c *client) say(m wandpp.Message) {
	c.t.Helper()
	text, err := wandpp.Encode(m)
	must(c.t, err)
	must(c.t, c.send(text))
	synctest.Wait()
}

// send sends a document and returns its fate.
func (c *client) send(text []byte) error {
	c.t.Helper()
	fate := make(chan error, 1)
	out, err := c.session.Send(context.Background(), sstp.Message{Flags: sstp.FlagAcknowledgeImmediately}, func(err error) { fate <- err })
	if err != nil {
		return err
	}
	if _, err := out.Write(text); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return <-fate
}

func (c *client) online()                    { c.t.Helper(); c.say(&wandpp.Publish{Status: wandpp.Online}) }
func (c *client) offline()                   { c.t.Helper(); c.say(&wandpp.Publish{Status: wandpp.Offline}) }
func (c *client) subscribe(urls ...string)   { c.t.Helper(); c.say(&wandpp.Subscribe{Devices: urls}) }
func (c *client) unsubscribe(urls ...string) { c.t.Helper(); c.say(&wandpp.Unsubscribe{Devices: urls}) }
func (*client) Established()                 {}
func (*client) Attached(uint32, string)      {}
func (*client) Detached(uint32, string)      {}
func (*client) Closed(error)                 {}
func (*client) FanoutOpen(*sstp.InboundSession, *sstp.FanoutOpen) (sstp.Receiver, sstp.OpenResponseID) {
	return nil, sstp.OpenNoFanoutEntries
}

func (c *client) Open(s *sstp.InboundSession, m *sstp.Open) (sstp.Receiver, sstp.OpenResponseID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opens, c.theirs = append(c.opens, *m), s
	return &incoming{c: c}, c.answer
}

// incoming is the session that the relay has opened.
type incoming struct{ c *client }

func (*incoming) Closed(error) {}

func (in *incoming) Message(m *sstp.Incoming) { go in.c.take(m) }

func (c *client) take(m *sstp.Incoming) {
	message, err := wandpp.Decode(m)
	if err != nil {
		return // the connection has ended
	}
	notify := message.(*wandpp.Notify)
	c.mu.Lock()
	var list []string
	for _, d := range notify.Devices {
		c.states[d.URL] = d.Status
		list = append(list, strings.TrimPrefix(d.URL, "dpp:///")+map[wandpp.Status]string{wandpp.Online: "+", wandpp.Offline: "-"}[d.Status])
	}
	slices.Sort(list)
	text := strings.Join(list, " ")
	if len(list) > 10 {
		text = fmt.Sprint(len(list))
	}
	c.notices = append(c.notices, notice{time.Since(c.begun), text})
	stuck := c.stuck
	c.mu.Unlock()
	if stuck != nil {
		select {
		case <-stuck:
		case <-c.conn.Done():
		}
	}
	m.Complete()
}

// expect lets time pass and compares what the client has been told meanwhile, and
// when.
func (c *client) expect(within time.Duration, want ...notice) {
	c.t.Helper()
	time.Sleep(within)
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Equal(c.notices, want) {
		c.t.Errorf("%s was told %v, want %v", c.url, c.notices, want)
	}
	c.notices, c.begun = nil, time.Now()
}

// sessionEnd is why the relay has closed the client's session.
func (c *client) sessionEnd() string {
	synctest.Wait()
	select {
	case err := <-c.closed:
		return err.Error()
	default:
		return "not at all"
	}
}

// empty fails unless the hub has forgotten everything.
func empty(t *testing.T, h *Hub) {
	t.Helper()
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.devices) != 0 || len(h.peers) != 0 || h.subscriptions != 0 || h.stats.Online != 0 {
		t.Errorf("the hub still has devices %v, %d connections, %d subscriptions, %d online",
			slices.Collect(maps.Keys(h.devices)), len(h.peers), h.subscriptions, h.stats.Online)
	}
}

// manyDevices are the URLs of n devices.
func manyDevices(n, from int) []string {
	urls := make([]string, n)
	for i := range urls {
		urls[i] = fmt.Sprintf("dpp:///device%d", from+i)
	}
	return urls
}
