package spool

import (
	"context"
	"errors"
	"syscall"
	"testing"

	"furrow/appliance/disk/disktest"
)

// Behind a message that could not be stored nothing of its order is, whatever the
// disk does by then; other messages go on.
func TestOrder(t *testing.T) {
	files := disktest.NewMemory()
	s := open(t, Options{FS: files, InlineBytes: 100})
	failures := 1
	files.SetHook(func(op, _ string) error {
		if op == "write" && failures > 0 {
			failures--
			return syscall.EIO
		}
		return nil
	})
	var order, other Order
	for _, step := range []struct {
		text  string
		order *Order
		want  error
	}{
		{"not stored", &order, ErrWrite},
		{"behind", &order, ErrBehind},
		{"of another order", &other, nil},
		{"of none", nil, nil},
		{"behind it too", &order, ErrBehind},
		{"of another order still", &other, nil},
	} {
		if _, err := submit(t, s, step.order, step.text).Wait(t.Context()); !errors.Is(err, step.want) {
			t.Errorf("%s: %v, want %v", step.text, err, step.want)
		}
	}
	if n := s.Usage("a").Messages; n != 3 {
		t.Errorf("%d messages, want 3", n)
	}
}

// A message that its writer does not wait for any longer is not stored, and what
// was submitted behind it in its order neither.
func TestWithdrawn(t *testing.T) {
	files := disktest.NewMemory()
	s := open(t, Options{FS: files, InlineBytes: 100})
	busy, proceed := make(chan struct{}), make(chan struct{})
	files.SetHook(func(op, _ string) error {
		if op == "syncdir" {
			close(busy)
			<-proceed
		}
		return nil
	})
	before := submit(t, s, nil, "before")
	<-busy // the committer takes nothing else for now
	var order Order
	withdrawn, behind := submit(t, s, &order, "withdrawn"), submit(t, s, &order, "behind")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := withdrawn.Wait(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("withdrawn: %v", err)
	}
	close(proceed)
	if _, err := before.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := behind.Wait(t.Context()); !errors.Is(err, ErrBehind) {
		t.Errorf("behind: %v", err)
	}
	files.SetHook(nil)
	if n := s.Usage("a").Messages; n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
	wantNothingLeft(t, s, files)
}

// What is submitted when the spool closes is answered.
func TestSubmittedAtClose(t *testing.T) {
	files := disktest.NewMemory()
	s := open(t, Options{FS: files, InlineBytes: 100})
	busy, proceed := make(chan struct{}), make(chan struct{})
	files.SetHook(func(op, _ string) error {
		if op == "syncdir" {
			select {
			case <-busy:
			default:
				close(busy)
				<-proceed
			}
		}
		return nil
	})
	before := submit(t, s, nil, "before")
	<-busy
	late := submit(t, s, nil, "late")
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	<-s.quit
	close(proceed)
	if _, err := before.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := late.Wait(t.Context()); err != nil && !errors.Is(err, ErrClosed) {
		t.Errorf("late: %v", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if n := s.writers.Load(); n != 0 {
		t.Errorf("%d messages are still counted as under way", n)
	}
}

func submit(t *testing.T, s *Spool, order *Order, text string) *Pending {
	t.Helper()
	w, err := s.Begin(to("a"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	p, err := w.Submit(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
