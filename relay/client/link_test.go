package client

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"furrow/sstp"
	"furrow/sstp/auth"
)

func TestRegistration(t *testing.T) {
	r := newTestRelay(t)
	o := r.options("ann")
	login := o
	login.LoginOnly = true
	if _, err := Dial(t.Context(), login); !errors.Is(err, auth.ErrRegistrationNeeded) {
		t.Fatalf("login only: %v", err)
	}

	l := dial(t, o)
	if r.identities[annURL] != o.User.Account.URL || !r.lastNew {
		t.Errorf("registered %v, new account %t", r.identities, r.lastNew)
	}
	delete(r.identities, annURL)
	if err := l.RegisterIdentity(t.Context()); err != nil || r.identities[annURL] != o.User.Account.URL {
		t.Errorf("registering the identity: %v, %v", err, r.identities)
	}

	// The device is known now: one connection is enough.
	before := r.dials
	dial(t, login)
	if r.dials != before+1 {
		t.Errorf("%d connections, want 1", r.dials-before)
	}
}

func TestRegistrationOfKnownAccount(t *testing.T) {
	for _, test := range []struct {
		name  string
		lost  bool // the relay has lost the account
		dials int
	}{
		{"on a new device", false, 2},
		{"that the relay has lost", true, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newTestRelay(t)
			o := r.options("ann")
			o.Known = true
			if !test.lost {
				r.accounts[o.User.Account.URL] = auth.AccountRecord{Key: o.User.Account.Key}
			}
			dial(t, o)
			if r.dials != test.dials || r.lastNew != test.lost {
				t.Errorf("%d connections, new account %t", r.dials, r.lastNew)
			}
		})
	}
}

// TestAccountUnknownOnDevice has a relay that knows the device and not the
// account: it is registered on the connection that stands.
func TestAccountUnknownOnDevice(t *testing.T) {
	for _, known := range []bool{false, true} {
		r := newTestRelay(t)
		o := r.options("ann")
		o.Known = known
		r.devices[o.User.Device.URL] = auth.DeviceRecord{Key: o.User.Device.Key, AccountURLs: []string{auth.AccountScheme + "other"}}
		r.accounts[auth.AccountScheme+"other"] = auth.AccountRecord{Key: o.User.Device.Key}
		dial(t, o)
		if r.dials != 1 || !r.lastNew {
			t.Errorf("known %t: %d connections, new account %t", known, r.dials, r.lastNew)
		}
	}
}

func TestRefusals(t *testing.T) {
	is := func(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
	for _, test := range []struct {
		name  string
		spoil func(*testRelay, *Options)
		want  func(error) bool
	}{
		{"wrong device key", func(r *testRelay, o *Options) {
			r.devices[o.User.Device.URL] = auth.DeviceRecord{Key: principal(r.t, "", 1).Key}
		}, is(auth.ErrAuthenticationFailed)},
		{"wrong account key", func(r *testRelay, o *Options) {
			r.devices[o.User.Device.URL] = auth.DeviceRecord{Key: o.User.Device.Key, AccountURLs: []string{o.User.Account.URL}}
			r.accounts[o.User.Account.URL] = auth.AccountRecord{Key: principal(r.t, "", 1).Key}
		}, is(auth.ErrAuthenticationFailed)},
		{"user disabled", func(r *testRelay, _ *Options) { r.disabled = true }, func(err error) bool {
			var refused *auth.RefusedError
			return errors.As(err, &refused) && refused.Reason == auth.RefusedUser
		}},
		{"locked out", func(r *testRelay, o *Options) {
			r.devices[o.User.Device.URL] = auth.DeviceRecord{Key: o.User.Device.Key, LockedOut: true}
		}, func(err error) bool {
			var refused *sstp.ConnectRefusedError
			return errors.As(err, &refused) && refused.Response.Response == sstp.ResponseConnectRejected
		}},
		{"another relay", func(_ *testRelay, o *Options) { o.Relay.URL = "grooveDNS://other.example" }, func(err error) bool {
			var refused *sstp.ConnectRefusedError
			return errors.As(err, &refused) && refused.Response.Response == sstp.ResponseWrongDevice
		}},
		{"key of another relay", func(r *testRelay, o *Options) { o.Relay.Key = rsaKey(r.t, 1).Public() }, func(err error) bool {
			var refused *auth.RefusedError
			return errors.As(err, &refused) && refused.Reason == auth.RefusedKey
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newTestRelay(t)
			o := r.options("ann")
			test.spoil(r, &o)
			l, err := Dial(t.Context(), o)
			if err == nil {
				t.Cleanup(l.Close)
				err = l.Attach(t.Context())
			}
			if !test.want(err) {
				t.Errorf("%v", err)
			}
			if _, again := transient(err); again {
				t.Errorf("%v is taken for something that passes", err)
			}
		})
	}
}

// TestUntakenSession has the relay open a session on a link that only sends: it
// is told to wait.
func TestUntakenSession(t *testing.T) {
	r := newTestRelay(t)
	dial(t, r.options("bob"))
	conn := r.conns[len(r.conns)-1]
	ready := make(chan bool, 1)
	if _, err := conn.Open(t.Context(), sstp.Open{ResourceURL: "x", IdentityURL: bobURL}, readiness{ready}); err != nil {
		t.Fatal(err)
	}
	if <-ready {
		t.Error("the session is ready")
	}
}

type readiness struct{ is chan bool }

func (r readiness) Ready(ready bool)         { r.is <- ready }
func (readiness) Status(*sstp.SessionStatus) {}
func (readiness) Closed(error)               {}

// atOnce saves the tests 5 s each.
const atOnce = sstp.FlagAcknowledgeImmediately

func TestSend(t *testing.T) {
	r := newTestRelay(t)
	l := dial(t, r.options("ann"))
	var told []int64
	outcomes, err := l.Send(t.Context(), []Target{{IdentityURL: bobURL}}, Message{
		ResourceURL: "x", Flags: atOnce, Body: strings.NewReader(strings.Repeat("a", 40000)),
		Progress: func(sent int64) { told = append(told, sent) },
	})
	if err != nil || len(outcomes) != 1 || outcomes[0] != (Outcome{Taken: true}) {
		t.Fatalf("%v, %v", outcomes, err)
	}
	if len(told) != 3 || told[2] != 40000 {
		t.Errorf("progress %v", told)
	}
	if len(r.queue) != 1 || len(r.queue[0].body) != 40000 || r.queue[0].resource != "x" {
		t.Errorf("the relay has %d letters", len(r.queue))
	}
}

func TestSendFanout(t *testing.T) {
	const elsewhere = "grooveDNS://b.example"
	targets := []Target{{IdentityURL: annURL}, {IdentityURL: bobURL}, {IdentityURL: "grooveIdentity://eve@", RelayURL: elsewhere}}
	entries := func(cmd *sstp.FanoutOpen, indexes ...int) (list []sstp.FanoutDeviceEntry) {
		for _, i := range indexes {
			list = append(list, cmd.Entries[i])
		}
		return list
	}
	status := func(s *sstp.InboundSession, status sstp.SessionStatus) {
		if err := s.Status(context.Background(), status); err != nil {
			t.Error(err)
		}
	}
	taken, locked := Outcome{Taken: true}, Outcome{Status: sstp.StatusLockedOut}
	for _, test := range []struct {
		name   string
		fanned func(*sstp.InboundSession, *sstp.FanoutOpen) []sstp.FanoutDeviceEntry
		want   []Outcome
		err    error
	}{
		{"all", nil, []Outcome{taken, taken, taken}, nil},
		{"one locked out, by index", func(s *sstp.InboundSession, cmd *sstp.FanoutOpen) []sstp.FanoutDeviceEntry {
			status(s, sstp.SessionStatus{Status: sstp.StatusLockedOut, Indexes: []uint16{1}})
			return entries(cmd, 0, 2)
		}, []Outcome{taken, locked, taken}, nil},
		{"one locked out, by name", func(s *sstp.InboundSession, cmd *sstp.FanoutOpen) []sstp.FanoutDeviceEntry {
			status(s, sstp.SessionStatus{Status: sstp.StatusLockedOut, IdentityURL: annURL})
			return entries(cmd, 1, 2)
		}, []Outcome{locked, taken, taken}, nil},
		{"a relay not reachable", func(s *sstp.InboundSession, cmd *sstp.FanoutOpen) []sstp.FanoutDeviceEntry {
			status(s, sstp.SessionStatus{Status: sstp.StatusHostNotReachable, DeviceURL: elsewhere})
			return entries(cmd, 0, 1)
		}, []Outcome{taken, taken, {Status: sstp.StatusHostNotReachable}}, nil},
		{"nobody left", func(s *sstp.InboundSession, _ *sstp.FanoutOpen) []sstp.FanoutDeviceEntry {
			status(s, sstp.SessionStatus{Status: sstp.StatusLockedOut, Indexes: []uint16{0, 1, 2}})
			return nil
		}, []Outcome{locked, locked, locked}, ErrNoTarget},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // for the time of linger
				r := newTestRelay(t)
				if r.fanned = test.fanned; test.err != nil {
					r.acknowledging = func(_ int, c *sstp.Conn) { synctest.Wait() } // the status is heard first
				}
				l := dial(t, r.options("ann"))
				got, err := l.Send(t.Context(), targets, Message{ResourceURL: "x", Flags: atOnce, Body: strings.NewReader("body")})
				if !errors.Is(err, test.err) {
					t.Fatal(err)
				}
				for i := range test.want {
					if got[i] != test.want[i] {
						t.Errorf("target %d: %+v, want %+v", i, got[i], test.want[i])
					}
				}
			})
		})
	}
}

// TestLateStatus has a relay find out after the acknowledgment that another cannot
// be reached: the message is taken all the same.
func TestLateStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTestRelay(t)
		var session *sstp.InboundSession
		r.fanned = func(s *sstp.InboundSession, cmd *sstp.FanoutOpen) []sstp.FanoutDeviceEntry {
			session = s
			time.AfterFunc(lingerTime/2, func() {
				_ = s.Status(context.Background(), sstp.SessionStatus{Status: sstp.StatusHostNotReachable, Indexes: []uint16{0}})
			})
			return nil
		}
		l := dial(t, r.options("ann"))
		got, err := l.Send(t.Context(), []Target{{IdentityURL: bobURL, RelayURL: "grooveDNS://b.example"}}, Message{ResourceURL: "x", Flags: atOnce, Body: strings.NewReader("body")})
		if want := (Outcome{Taken: true, Status: sstp.StatusHostNotReachable}); err != nil || got[0] != want || session == nil {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestSendFailures(t *testing.T) {
	t.Run("refused", func(t *testing.T) {
		r := newTestRelay(t)
		r.opened = func(*sstp.Open) sstp.OpenResponseID { return sstp.OpenUnknown }
		l := dial(t, r.options("ann"))
		_, err := l.Send(t.Context(), []Target{{IdentityURL: bobURL}}, Message{ResourceURL: "x", Flags: atOnce, Body: strings.NewReader("body")})
		var refused *sstp.OpenRefusedError
		if !errors.As(err, &refused) {
			t.Error(err)
		}
	})
	t.Run("body fails", func(t *testing.T) {
		r := newTestRelay(t)
		l := dial(t, r.options("ann"))
		broken := errors.New("broken")
		_, err := l.Send(t.Context(), []Target{{IdentityURL: bobURL}}, Message{ResourceURL: "x", Flags: atOnce, Body: io.MultiReader(strings.NewReader("half"), failing{broken})})
		if !errors.Is(err, broken) {
			t.Error(err)
		}
		// The link goes on, and the half is nobody's.
		if _, err := l.Send(t.Context(), []Target{{IdentityURL: bobURL}}, Message{ResourceURL: "x", Flags: atOnce, Body: strings.NewReader("whole")}); err != nil {
			t.Error(err)
		}
		if len(r.queue) != 1 || string(r.queue[0].body) != "whole" {
			t.Errorf("the relay has %d letters", len(r.queue))
		}
	})
	t.Run("no target", func(t *testing.T) {
		if _, err := dial(t, newTestRelay(t).options("ann")).Send(t.Context(), nil, Message{ResourceURL: "x"}); err == nil {
			t.Error("sent to nobody")
		}
	})
	t.Run("context ends", func(t *testing.T) {
		r := newTestRelay(t)
		l := dial(t, r.options("ann"))
		ctx, cancel := context.WithCancel(t.Context())
		r.acknowledging = func(int, *sstp.Conn) { cancel(); <-l.Done() }
		_, err := l.Send(ctx, []Target{{IdentityURL: bobURL}}, Message{ResourceURL: "x", Flags: atOnce, Body: strings.NewReader("body")})
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
