package blob

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestHold(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	put := func(name string, seed uint64) {
		t.Helper()
		if err := s.Put(name, body(seed, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	put("before", 1)
	put("deleted", 2)
	h, longer := s.Hold(), s.Hold()
	put("after", 3)
	if err := s.Delete("deleted"); err != nil {
		t.Fatal(err)
	}
	if names := s.Names(); !slices.Equal(names, []string{"after", "before"}) || s.TotalSize() != 2000 {
		t.Errorf("%q, %d octets: what is deleted is not there any more", names, s.TotalSize())
	}
	if err := s.Put("deleted", nil); !errors.Is(err, ErrExists) {
		t.Errorf("a name that is held is taken again: %v", err)
	}

	copied := t.TempDir()
	err := h.Each(func(name string, size int64, open func() (io.ReadCloser, error)) error {
		if name == "after" { // the first
			if err := s.Delete("before"); err != nil {
				return err
			}
		}
		in, err := open()
		if err != nil {
			return err
		}
		data, err := io.ReadAll(in)
		if int64(len(data)) != size {
			t.Errorf("%s: %d octets, announced %d", name, len(data), size)
		}
		return errors.Join(err, in.Close(), os.WriteFile(filepath.Join(copied, name), data, 0o600))
	})
	if err != nil {
		t.Fatal(err)
	}
	c := open(t, Options{Dir: copied})
	for i, name := range []string{"before", "deleted", "after"} {
		if data, err := read(c, name); err != nil || !bytes.Equal(data, body(uint64(i+1), 1000)) {
			t.Errorf("copy of %s: %d octets, %v", name, len(data), err)
		}
	}

	files := func() []string {
		t.Helper()
		names, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	if err := errors.Join(h.Release(), h.Release()); err != nil || len(files()) != 3 {
		t.Errorf("while another hold lasts: %v, %q", err, files())
	}
	if err := longer.Release(); err != nil || len(files()) != 1 {
		t.Errorf("after the last hold: %v, %q", err, files())
	}
	put("deleted", 4)
	wantBlob(t, s, "deleted", body(4, 1000))
}
