package client

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"furrow/sstp"
	"furrow/sstp/wandpp"
)

// watching is a running Watcher.
type watching struct {
	t       testing.TB
	changes chan string // "dpp://x online"
	stop    context.CancelFunc
	ended   chan error
}

func watch(t testing.TB, relays ...Watched) *watching {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watching{t: t, changes: make(chan string, 100), stop: cancel, ended: make(chan error, 1)}
	watcher := Watcher{
		Relays: relays,
		Retry:  Retry{First: 10 * time.Millisecond, Last: 50 * time.Millisecond},
		Changed: func(device string, state DeviceState) {
			w.changes <- device + " " + state.String()
		},
	}
	go func() { w.ended <- watcher.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-w.ended })
	return w
}

func (w *watching) expect(want string) {
	w.t.Helper()
	select {
	case got := <-w.changes:
		if got != want {
			w.t.Errorf("%s, want %s", got, want)
		}
	case <-time.After(30 * time.Second):
		w.t.Fatalf("never: %s", want)
	}
}

// leave ends the watcher as an interrupt would.
func (w *watching) leave() {
	w.t.Helper()
	w.stop()
	err := <-w.ended
	w.ended <- err
	if err != nil {
		w.t.Errorf("interrupted: %v", err)
	}
}

// TestWatcher has two people watch each other by Furrow's own relay, over
// connections that break.
func TestWatcher(t *testing.T) {
	s := newServer(t, "ann", "bob")
	ann, bob := s.options(t, "ann"), s.options(t, "bob")
	annDevice, bobDevice := ann.User.Device.URL, bob.User.Device.URL

	a := watch(t, Watched{ann, []string{bobDevice, annDevice}})
	seen := []string{<-a.changes, <-a.changes}
	slices.Sort(seen)
	// Its own publication may be told in the first document or after it.
	if !strings.HasPrefix(seen[0], annDevice) || seen[1] != bobDevice+" offline" {
		t.Errorf("ann sees %q", seen)
	}
	if seen[0] == annDevice+" offline" {
		a.expect(annDevice + " online")
	}

	b := watch(t, Watched{bob, []string{annDevice}})
	a.expect(bobDevice + " online")
	b.expect(annDevice + " online")
	b.leave()
	a.expect(bobDevice + " offline")

	// A connection that breaks, and the next ones before they are of use.
	s.mu.Lock()
	s.cuts = []int64{3000, 100, 900}
	s.mu.Unlock()
	b = watch(t, Watched{bob, []string{annDevice}})
	a.expect(bobDevice + " online")
	a.leave()
	b.stop()
}

// TestWatcherRelayTroubles has a relay that refuses presence, one that tells
// nonsense, and one that tells of what it was not asked about.
func TestWatcherRelayTroubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTestRelay(t)
		var mu sync.Mutex
		opened := 0
		script := []string{
			`<Publish Status="Online" Version="1"/>`, "nonsense",
			`<Notify Version="1"><Device Status="Online" URL="dpp://other"/><Device Status="Online" URL="dpp://bob"/></Notify>`,
		}
		r.presence = func(c *sstp.Conn) (sstp.Receiver, sstp.OpenResponseID) {
			mu.Lock()
			defer mu.Unlock()
			if opened++; opened == 1 {
				return nil, sstp.OpenUnknown
			}
			return &presenceScript{conn: c, answer: script[min(opened, 4)-2]}, sstp.OpenOk
		}
		w := watch(t, Watched{r.options("ann"), []string{"dpp://bob"}})
		w.expect("dpp://bob unknown")
		w.expect("dpp://bob online")
		if opened != 4 {
			t.Errorf("%d sessions", opened)
		}
		// The relay goes, and comes back.
		r.mu.Lock()
		r.conns[len(r.conns)-1].Close(sstp.ReasonResting, 20*time.Second)
		r.mu.Unlock()
		w.expect("dpp://bob unknown")
		begun := time.Now()
		w.expect("dpp://bob online")
		if waited := time.Since(begun); waited < 20*time.Second {
			t.Errorf("came back after %v, was to rest for 20 s", waited)
		}
		// Lockout is no passing trouble.
		r.mu.Lock()
		r.conns[len(r.conns)-1].Close(sstp.ReasonDeviceAuthenticationFailed, 0)
		r.mu.Unlock()
		w.expect("dpp://bob unknown")
		err := <-w.ended
		w.ended <- err
		var lost *sstp.ConnError
		if !errors.As(err, &lost) || lost.Reason != sstp.ReasonDeviceAuthenticationFailed {
			t.Errorf("given up: %v", err)
		}
	})
}

// presenceScript is a relay's end of a session of presence: it answers a Subscribe
// as it is told to.
type presenceScript struct {
	conn   *sstp.Conn
	answer string
}

func (*presenceScript) Closed(error) {}

func (p *presenceScript) Message(m *sstp.Incoming) {
	go func() {
		message, err := wandpp.Decode(m)
		m.Complete()
		if _, ok := message.(*wandpp.Subscribe); err != nil || !ok {
			return
		}
		ctx := context.Background()
		session, err := p.conn.Open(ctx, sstp.Open{ResourceURL: "GrooveWanDPP"}, silent{})
		if err != nil {
			return
		}
		out, err := session.Send(ctx, sstp.Message{}, func(error) {})
		if err != nil {
			return
		}
		if _, err := out.Write([]byte(p.answer)); err == nil {
			_ = out.Close() // the client may have hung up
		}
	}()
}

// TestBoard has several relays speak of the same devices.
func TestBoard(t *testing.T) {
	var got []string
	b := newBoard([]Watched{{Devices: []string{"x", "y"}}, {Devices: []string{"x"}}}, func(device string, state DeviceState) {
		got = append(got, device+" "+state.String())
	})
	expect := func(want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		got = nil
	}
	b.lose(1)
	expect("x unknown")
	b.tell(0, []wandpp.DeviceStatus{{URL: "x", Status: wandpp.Offline}, {URL: "y", Status: wandpp.Online}, {URL: "z"}})
	expect("x offline", "y online")
	b.tell(1, []wandpp.DeviceStatus{{URL: "x", Status: wandpp.Online}, {URL: "y", Status: wandpp.Online}})
	expect("x online")
	b.tell(0, []wandpp.DeviceStatus{{URL: "x", Status: wandpp.Online}})
	expect()
	b.lose(1)
	expect()
	b.tell(0, []wandpp.DeviceStatus{{URL: "x", Status: wandpp.Offline}})
	b.lose(0)
	expect("x offline", "x unknown", "y unknown")
}

// TestPresenceOfLongList asks about more devices than a document holds.
func TestPresenceOfLongList(t *testing.T) {
	s := newServer(t, "ann")
	o := s.options(t, "ann")
	told := make(chan int, 10)
	o.Notified = func(list []wandpp.DeviceStatus) { told <- len(list) }
	l := dial(t, o)
	p, err := l.OpenPresence(t.Context())
	must(t, err)
	devices := make([]string, wandpp.MaxDevices+1)
	for i := range devices {
		devices[i] = "dpp://device" + strings.Repeat("x", i%100) + string(rune('a'+i%26)) + strings.Repeat("y", i/100)
	}
	slices.Sort(devices)
	devices = slices.Compact(devices)
	must(t, p.Subscribe(t.Context(), devices))
	for n := 0; n < len(devices); {
		n += <-told
	}
	must(t, p.Unsubscribe(t.Context(), devices))
	must(t, p.Publish(t.Context(), wandpp.Online))
	if err := p.Publish(t.Context(), wandpp.Status(9)); err == nil {
		t.Error("a status that is none was acknowledged")
	}
}
