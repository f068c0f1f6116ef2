package spool

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"furrow/appliance/disk/disktest"
)

// A process that dies, or a box that loses power, at any step of Maintain
// loses nothing, and the next one ends the work.
func TestMaintainInterrupted(t *testing.T) {
	for step := 0; ; step++ {
		files := disktest.NewMemory()
		o := Options{Dir: t.TempDir(), FS: files, InlineBytes: 1000, SegmentBytes: 2000, ReserveBytes: 1}
		s := open(t, o)
		want, acked := map[Position][]byte{}, []Position{}
		for i := range 24 {
			data := body(uint64(i), 300)
			if i%8 == 7 {
				data = body(uint64(i), 3000)
			}
			p := put(t, s, to("a"), data)
			if i%6 == 1 || i == 7 {
				want[p] = data
			} else {
				acked = append(acked, p)
			}
		}
		for _, p := range acked {
			s.Ack("a", p)
		}
		n := 0
		files.SetHook(func(op, _ string) error {
			if op == "open" || op == "read" || op == "size" {
				return nil
			}
			if n++; n > step {
				return errIO
			}
			return nil
		})
		err := s.Maintain(context.Background())
		after := []*disktest.Memory{files.Clone()}
		for seed := range uint64(5) {
			after = append(after, files.Crash(rand.New(rand.NewPCG(seed, uint64(step))).IntN))
		}
		for _, found := range after {
			o.FS = found
			verifyInterrupted(t, step, o, found, want, acked)
		}
		files.SetHook(nil)
		if err == nil {
			if step < 15 {
				t.Errorf("Maintain took only %d steps", step)
			}
			return
		}
	}
}

func verifyInterrupted(t *testing.T, step int, o Options, files *disktest.Memory, want map[Position][]byte, acked []Position) {
	t.Helper()
	s, report := openReport(t, o)
	if !report.Sound() {
		t.Fatalf("step %d: %+v", step, report)
	}
	check := func() {
		t.Helper()
		found := positions(s, "a")
		for p, data := range want {
			if !slices.Contains(found, p) {
				t.Fatalf("step %d: message %d is lost", step, p)
			}
			if _, got, err := get(s, p); err != nil || !bytes.Equal(got, data) {
				t.Fatalf("step %d: message %d: %v", step, p, err)
			}
		}
		for _, p := range found {
			if _, ok := want[p]; !ok && !slices.Contains(acked, p) {
				t.Fatalf("step %d: message %d is out of nowhere", step, p)
			}
		}
		if !slices.IsSorted(found) {
			t.Fatalf("step %d: out of order: %v", step, found)
		}
	}
	check()
	for _, p := range acked {
		s.Ack("a", p)
	}
	for range 2 {
		if err := s.Maintain(context.Background()); err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
	}
	check()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantTidy(t, s, files)
}

// What is found damaged while it is copied is lost alone, and counted.
func TestCompactFindsDamage(t *testing.T) {
	for name, offset := range map[string]int64{"header": 10, "envelope": headerBytes, "body": headerBytes + 20} {
		files := disktest.NewMemory()
		s := open(t, Options{FS: files, SegmentBytes: 1000})
		var p []Position
		for i := range 10 {
			p = append(p, put(t, s, to("a"), body(uint64(i), 100)))
		}
		for _, gone := range p[2:6] {
			s.Ack("a", gone)
		}
		r := s.index.records[p[1]]
		files.Data(r.segment.name)[r.offset+offset] ^= 1
		if err := s.Maintain(context.Background()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if s.index.records[p[0]].segment == r.segment {
			t.Fatalf("%s: segment was not rewritten", name)
		}
		if got := s.Stats().Damaged; got != 1 {
			t.Errorf("%s: %d damaged", name, got)
		}
		wantQueue(t, s, "a", append([]Position{p[0]}, p[6:]...)...)
		wantBody(t, s, p[0], body(0, 100))
	}
}

// A message found damaged by its reader leaves every queue; the others are
// delivered.
func TestReadFindsDamage(t *testing.T) {
	for _, size := range []int{500, 5000} {
		files := disktest.NewMemory()
		s := open(t, Options{FS: files, InlineBytes: 1000})
		bad := put(t, s, to("a", "b"), body(1, size))
		good := put(t, s, to("a"), body(2, size))
		r := s.index.records[bad]
		name, at := r.segment.name, r.offset+headerBytes+int64(r.envelope)
		if r.ownFile {
			name, at = bodyName(r.bodyID), 0
		}
		files.Data(name)[at+int64(size)-1] ^= 1
		_, _, err := get(s, bad)
		var d *Damage
		if !errors.As(err, &d) || d.Position != bad || d.File != name || !strings.Contains(err.Error(), name) {
			t.Errorf("%d octets: %v", size, err)
		}
		if _, err := s.Message(bad); !errors.Is(err, ErrGone) {
			t.Errorf("%d octets: %v", size, err)
		}
		wantQueue(t, s, "a", good)
		wantQueue(t, s, "b")
		if got := s.Stats().Damaged; got != 1 {
			t.Errorf("%d damaged", got)
		}
		wantBody(t, s, good, body(2, size))
	}
}

// A read that fails for want of descriptors is no damage.
func TestReadFailsForNow(t *testing.T) {
	files := disktest.NewMemory()
	s := open(t, Options{FS: files, InlineBytes: 1000})
	for _, size := range []int{500, 5000} {
		p := put(t, s, to("a"), body(1, size))
		files.SetHook(once("open", "", errTooManyFiles))
		if _, err := s.Message(p); !errors.Is(err, errTooManyFiles) || errors.Is(err, ErrDamaged) {
			t.Errorf("%d octets: %v", size, err)
		}
		files.SetHook(once("open", bodyPrefix, errTooManyFiles))
		if _, err := s.Message(p); (err == nil) != (size == 500) || errors.Is(err, ErrDamaged) {
			t.Errorf("%d octets: %v", size, err)
		}
		files.SetHook(nil)
		wantBody(t, s, p, body(1, size))
	}
}

// A segment that was removed does not come back after the cursors into it are
// forgotten, wherever the power is cut.
func TestRemovedSegmentStaysRemoved(t *testing.T) {
	const steps = 16 // more than two rounds of Maintain take
	for step := range steps {
		files := disktest.NewMemory()
		o := Options{Dir: t.TempDir(), FS: files, InlineBytes: 100, SegmentBytes: 1, ReserveBytes: 1}
		s := open(t, o)
		s.Ack("a", put(t, s, to("a"), body(1, 1000)))
		n := 0
		files.SetHook(func(string, string) error {
			if n++; n > step {
				return errIO
			}
			return nil
		})
		var err error
		for range 2 { // the second forgets
			err = errors.Join(err, s.Maintain(context.Background()))
		}
		for seed := range uint64(20) {
			o.FS = files.Crash(rand.New(rand.NewPCG(seed, uint64(step))).IntN)
			if _, report := openReport(t, o); !report.Sound() {
				t.Fatalf("step %d: %+v", step, report)
			}
		}
		files.SetHook(nil)
		if step == steps-1 && err != nil {
			t.Errorf("two rounds of Maintain take more than %d steps", step)
		}
	}
}
