package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"furrow/sstp"
)

// cut is a transport that breaks after so many octets, either way.
type cut struct {
	net.Conn
	left atomic.Int64
}

func cutAfter(c net.Conn, octets int64) *cut {
	t := &cut{Conn: c}
	t.left.Store(octets)
	return t
}

func (c *cut) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p[:min(len(p), 512)])
	return n, errors.Join(err, c.count(n))
}

func (c *cut) Write(p []byte) (int, error) {
	if err := c.count(len(p)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

func (c *cut) count(n int) error {
	if c.left.Add(-int64(n)) < 0 {
		return errors.Join(errors.New("cut"), c.Conn.Close())
	}
	return nil
}

func shipmentOf(t testing.TB, path string) *Shipment {
	t.Helper()
	s, err := NewShipment(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (r *testRelay) receiver(name string, inbox *mailbox) *Receiver {
	return &Receiver{Relays: []Options{r.options(name)}, Handlers: inbox.Handlers(), Quiet: 10 * time.Second}
}

// register has a relay know a person, so that something can be sent to them.
func (r *testRelay) register(t testing.TB, o Options) {
	t.Helper()
	l, err := Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

// TestCuts breaks the first connections of a transfer after ever more octets, on
// the way to the relay and on the way from it.
func TestCuts(t *testing.T) {
	path, content := writeFile(t, "a.bin", 100_000)
	for octets := int64(0); octets < 120_000; octets = octets*2 + 700 {
		t.Run(fmt.Sprint(octets), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newTestRelay(t)
				inbox := newMailbox(t)
				receiver := r.receiver("bob", inbox)
				r.register(t, receiver.Relays[0])
				failures := 0
				retry := Retry{Notify: func(error, time.Duration) { failures++ }}
				receiver.Retry = retry
				cutFor := r.dials + 3
				r.transport = func(n int, c net.Conn) io.ReadWriteCloser {
					if n <= cutFor {
						return cutAfter(c, octets)
					}
					return c
				}
				sender := Sender{Relays: []Options{r.options("ann")}, Retry: retry}
				outcomes, err := sender.Send(t.Context(), []Target{{IdentityURL: bobURL}}, shipmentOf(t, path), func(int64) {})
				if err != nil || !outcomes[0].Taken {
					t.Fatalf("%v, %v", outcomes, err)
				}
				cutFor = r.dials + 2
				if err := receiver.Run(t.Context()); err != nil {
					t.Fatal(err)
				}
				inbox.expectFiles(t, "a.bin")
				if got, err := os.ReadFile(filepath.Join(inbox.folder, "a.bin")); err != nil || !slices.Equal(got, content) {
					t.Errorf("%d octets, %v", len(got), err)
				}
				if r.waiting() != 0 {
					t.Errorf("%d letters wait", r.waiting())
				}
				if octets < 100_000 && failures < 4 {
					t.Errorf("%d failures: the cuts do not cut", failures)
				}
			})
		})
	}
}

// TestLostAcknowledgments loses the acknowledgment to the sender: the relay has
// the parcel twice, and the recipient stores it once.
func TestLostAcknowledgments(t *testing.T) {
	path, _ := writeFile(t, "a.bin", 10_000)
	synctest.Test(t, func(t *testing.T) {
		r := newTestRelay(t)
		r.acknowledging = func(n int, c *sstp.Conn) {
			if n == 1 {
				c.Close(sstp.ReasonIdle, 0)
			}
		}
		inbox := newMailbox(t)
		receiver := r.receiver("bob", inbox)
		r.register(t, receiver.Relays[0])
		sender := Sender{Relays: []Options{r.options("ann")}}
		if _, err := sender.Send(t.Context(), []Target{{IdentityURL: bobURL}}, shipmentOf(t, path), func(int64) {}); err != nil {
			t.Fatal(err)
		}
		if r.waiting() != 2 {
			t.Fatalf("%d letters wait", r.waiting())
		}
		if err := receiver.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		inbox.expectFiles(t, "a.bin")
		if len(inbox.receipts) != 2 || inbox.receipts[0].Duplicate == inbox.receipts[1].Duplicate || r.waiting() != 0 {
			t.Errorf("receipts %+v, %d letters wait", inbox.receipts, r.waiting())
		}
	})
}

// TestFailingDisk has an inbox that cannot store: nothing is acknowledged, and
// trying again is left to a person.
func TestFailingDisk(t *testing.T) {
	path, _ := writeFile(t, "a.bin", 10_000)
	synctest.Test(t, func(t *testing.T) {
		r := newTestRelay(t)
		inbox := newMailbox(t)
		receiver := r.receiver("bob", inbox)
		r.register(t, receiver.Relays[0])
		sender := Sender{Relays: []Options{r.options("ann")}}
		if _, err := sender.Send(t.Context(), []Target{{IdentityURL: bobURL}}, shipmentOf(t, path), func(int64) {}); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(inbox.folder); err != nil {
			t.Fatal(err)
		}
		if err := receiver.Run(t.Context()); !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
		if r.waiting() != 1 || len(inbox.receipts) != 0 {
			t.Errorf("%d letters wait, %+v", r.waiting(), inbox.receipts)
		}
	})
}

func TestFanoutToInboxes(t *testing.T) {
	path, _ := writeFile(t, "a.bin", 10_000)
	synctest.Test(t, func(t *testing.T) {
		r := newTestRelay(t)
		var targets []Target
		var receivers []*Receiver
		var inboxes []*mailbox
		for i := range 5 {
			name := fmt.Sprint("person", i)
			inbox := newMailbox(t)
			receiver := r.receiver(name, inbox)
			r.register(t, receiver.Relays[0])
			targets = append(targets, Target{IdentityURL: "grooveIdentity://" + name + "@"})
			receivers, inboxes = append(receivers, receiver), append(inboxes, inbox)
		}
		sender := Sender{Relays: []Options{r.options("ann")}}
		if _, err := sender.Send(t.Context(), targets, shipmentOf(t, path), func(int64) {}); err != nil {
			t.Fatal(err)
		}
		if r.taken != 1 {
			t.Errorf("uploaded %d times", r.taken)
		}
		for i := range receivers {
			if err := receivers[i].Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			inboxes[i].expectFiles(t, "a.bin")
		}
	})
}

// TestSecondRelay has the first relay of a member unreachable.
func TestSecondRelay(t *testing.T) {
	path, _ := writeFile(t, "a.bin", 100)
	synctest.Test(t, func(t *testing.T) {
		down, up := newTestRelay(t), newTestRelay(t)
		down.transport = func(int, net.Conn) io.ReadWriteCloser { return nil }
		sender := Sender{Relays: []Options{down.options("ann"), up.options("ann")}}
		if _, err := sender.Send(t.Context(), []Target{{IdentityURL: bobURL}}, shipmentOf(t, path), func(int64) {}); err != nil {
			t.Fatal(err)
		}
		if down.dials != 1 || up.taken != 1 {
			t.Errorf("%d dials, %d taken", down.dials, up.taken)
		}
		// A receiver takes what is there and reports the relay that is not.
		inbox := newMailbox(t)
		receiver := up.receiver("bob", inbox)
		up.register(t, receiver.Relays[0])
		receiver.Relays = append(receiver.Relays, down.options("bob"))
		receiver.Retry.Patience = time.Minute
		err := receiver.Run(t.Context())
		var unreachable *UnreachableError
		if !errors.As(err, &unreachable) {
			t.Error(err)
		}
		inbox.expectFiles(t, "a.bin")
	})
}

func TestFileChanges(t *testing.T) {
	for name, change := range map[string]func(*os.File) error{
		"other": func(f *os.File) error { _, err := f.WriteAt([]byte("x"), 5000); return err },
		"short": func(f *os.File) error { return f.Truncate(5000) },
		"long":  func(f *os.File) error { return f.Truncate(20_000) },
	} {
		t.Run(name, func(t *testing.T) {
			path, _ := writeFile(t, "a.bin", 10_000)
			r := newTestRelay(t)
			shipment := shipmentOf(t, path)
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(change(f), f.Close()); err != nil {
				t.Fatal(err)
			}
			sender := Sender{Relays: []Options{r.options("ann")}}
			_, err = sender.Send(t.Context(), []Target{{IdentityURL: bobURL}}, shipment, func(int64) {})
			if !errors.Is(err, ErrFileChanged) || r.taken != 0 {
				t.Errorf("%v, %d taken", err, r.taken)
			}
		})
	}
}

// TestFollow receives what comes later, until it is interrupted.
func TestFollow(t *testing.T) {
	path, _ := writeFile(t, "a.bin", 100)
	synctest.Test(t, func(t *testing.T) {
		r := newTestRelay(t)
		inbox := newMailbox(t)
		receiver := r.receiver("bob", inbox)
		receiver.Quiet = 0
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- receiver.Run(ctx) }()
		time.Sleep(time.Hour)
		sender := Sender{Relays: []Options{r.options("ann")}}
		if _, err := sender.Send(t.Context(), []Target{{IdentityURL: bobURL}}, shipmentOf(t, path), func(int64) {}); err != nil {
			t.Fatal(err)
		}
		inbox.expectFiles(t) // this relay delivers to whoever attaches
		r.conns[1].Close(sstp.ReasonResting, 20*time.Minute)
		time.Sleep(19 * time.Minute)
		inbox.expectFiles(t) // the relay has asked for so much time
		time.Sleep(2 * time.Minute)
		inbox.expectFiles(t, "a.bin")
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestRetry(t *testing.T) {
	down := &UnreachableError{relayURL, errors.New("down")}
	later := &sstp.ConnectRefusedError{Response: &sstp.ConnectResponse{Response: sstp.ResponseTryLater, RetryTime: 90}}
	t.Run("waits longer and longer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var waits []time.Duration
			attempts := 0
			retry := Retry{First: time.Second, Last: 8 * time.Second, Notify: func(_ error, wait time.Duration) { waits = append(waits, wait) }}
			begun := time.Now()
			err := retry.Do(t.Context(), func(context.Context) error {
				switch attempts++; attempts {
				case 6:
					return later
				case 7: // stands for a while
					time.Sleep(time.Minute)
				case 8:
					return nil
				}
				return down
			})
			if err != nil || attempts != 8 {
				t.Fatalf("%v after %d attempts", err, attempts)
			}
			for i, most := range []time.Duration{1, 2, 4, 8, 8, 180, 1} {
				if most *= time.Second; waits[i] < most/2 || waits[i] > most {
					t.Errorf("wait %d: %v, want %v to %v", i, waits[i], most/2, most)
				}
			}
			if passed := time.Since(begun); passed < 2*time.Minute {
				t.Errorf("%v passed", passed)
			}
		})
	})
	t.Run("patience ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			err := Retry{Patience: 10 * time.Minute}.Do(t.Context(), func(context.Context) error { return down })
			if !errors.Is(err, down) || time.Since(begun) > 10*time.Minute || time.Since(begun) < 4*time.Minute {
				t.Errorf("%v after %v", err, time.Since(begun))
			}
		})
	})
	t.Run("refusals", func(t *testing.T) {
		for _, err := range []error{
			io.ErrUnexpectedEOF,
			ErrNoTarget,
			&sstp.ConnError{Reason: sstp.ReasonProtocolError, Remote: true},
			&sstp.SessionError{Reason: sstp.ReasonQuotaWouldBeExceeded, Remote: true},
			&sstp.OpenRefusedError{Response: sstp.OpenUnknown},
		} {
			attempts := 0
			got := Retry{}.Do(t.Context(), func(context.Context) error { attempts++; return err })
			if !errors.Is(got, err) || attempts != 1 {
				t.Errorf("%v: %v after %d attempts", err, got, attempts)
			}
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		err := Retry{Notify: func(error, time.Duration) { cancel() }}.Do(ctx, func(context.Context) error { return down })
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}
