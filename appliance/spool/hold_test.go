package spool

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// copySpool copies what h visits to a new folder; meanwhile is called before the first file is opened.
func copySpool(t *testing.T, h *Hold, meanwhile func()) string {
	t.Helper()
	dir := t.TempDir()
	err := h.Each(func(name string, size int64, open func() (io.ReadCloser, error)) error {
		if meanwhile != nil {
			meanwhile()
			meanwhile = nil
		}
		in, err := open()
		if err != nil {
			return err
		}
		data := make([]byte, size)
		_, err = io.ReadFull(in, data)
		return errors.Join(err, in.Close(), os.WriteFile(filepath.Join(dir, name), data, 0o600))
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestCopyHasWhatWaits(t *testing.T) {
	dir := t.TempDir()
	o := Options{Dir: dir, SegmentBytes: 3 * blockBytes, InlineBytes: 2 * blockBytes, ReserveBytes: 1}
	s := open(t, o)
	var all []Position
	for i := range 12 {
		all = append(all, put(t, s, to("ann", "bob"), body(uint64(i), i*blockBytes/3)))
	}
	for _, p := range all[:10] {
		s.Ack("bob", p)
	}
	for _, p := range []Position{all[0], all[1], all[5], all[11]} {
		s.Ack("ann", p)
	}
	h := s.Hold()
	copied := copySpool(t, h, func() {
		for _, p := range all {
			s.Ack("ann", p)
			s.Ack("bob", p)
		}
		put(t, s, to("ann"), body(99, 100))
		if err := s.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
	})

	o.Dir = copied
	c, report := openReport(t, o)
	if !report.Sound() {
		t.Errorf("the copy is damaged: %+v", report)
	}
	wantQueue(t, c, "bob", all[10], all[11])
	wantQueue(t, c, "ann", all[2], all[3], all[4], all[6], all[7], all[8], all[9], all[10])
	for i, p := range all[2:] {
		if p != all[5] {
			wantBody(t, c, p, body(uint64(i+2), (i+2)*blockBytes/3))
		}
	}
	if p := put(t, c, to("ann"), nil); p <= all[11] {
		t.Errorf("position %d again", p)
	}

	// What nobody waits for goes after the release, and not before.
	before := s.Stats().Segments
	if err := errors.Join(h.Release(), h.Release(), s.Maintain(t.Context())); err != nil {
		t.Fatal(err)
	}
	if after := s.Stats().Segments; before < 3 || after > 1 {
		t.Errorf("%d segments while held, %d after", before, after)
	}
	bodies, err := filepath.Glob(filepath.Join(dir, bodyPrefix+"*"))
	if err != nil || len(bodies) != 0 {
		t.Errorf("body files %q, %v", bodies, err)
	}
}

// While the cursors are as they were saved, a hold costs no writing.
func TestHeldSpoolAtRestWritesNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir, InlineBytes: 1, ReserveBytes: 1})
	p := put(t, s, to("ann"), body(1, 100))
	h := s.Hold()
	s.Ack("ann", p) // its body's file must wait
	if err := s.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, checkpointName)); err != nil {
		t.Fatal(err)
	}
	if err := s.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, checkpointName)); !os.IsNotExist(err) {
		t.Errorf("the checkpoint was written again: %v", err)
	}
	if err := errors.Join(h.Release(), s.Maintain(t.Context())); err != nil {
		t.Fatal(err)
	}
}
