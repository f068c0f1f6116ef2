package blob

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"furrow/appliance/disk"
	"furrow/appliance/disk/disktest"
)

func open(t *testing.T, o Options) *Store {
	t.Helper()
	if o.ReserveBytes == 0 {
		o.ReserveBytes = 1
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// body is n bytes that depend on the seed.
func body(seed uint64, n int) []byte {
	b := make([]byte, n)
	source := rand.New(rand.NewPCG(seed, 0))
	for i := range b {
		b[i] = byte(source.Uint32())
	}
	return b
}

func read(s *Store, name string) ([]byte, error) {
	r, err := s.Open(name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	return data, errors.Join(err, r.Close())
}

func wantBlob(t *testing.T, s *Store, name string, want []byte) {
	t.Helper()
	got, err := read(s, name)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("blob %s: %d bytes, %v; want %d bytes", name, len(got), err, len(want))
	}
	if size, err := s.Size(name); err != nil || size != int64(len(want)) {
		t.Errorf("size of blob %s: %d, %v; want %d", name, size, err, len(want))
	}
}

func TestBlobsSurviveAnOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deeper", "blobs")
	s := open(t, Options{Dir: dir})
	contents := map[string][]byte{"none": {}, "one": {7}, "A-b_c.d": body(1, 100_000), "more": body(2, 3<<20)}
	var total int64
	for name, content := range contents {
		w, err := s.Create()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(w, bytes.NewReader(content)); err != nil || w.Size() != n {
			t.Fatalf("%d of %d bytes: %v", n, w.Size(), err)
		}
		if err := w.Commit(name); err != nil {
			t.Fatal(err)
		}
		if err := w.Abort(); err != nil {
			t.Errorf("Abort after Commit: %v", err)
		}
		total += int64(len(content))
	}
	// What a killed process leaves, and what is not ours.
	for _, name := range []string{tempPrefix + "1", "lost found"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		for name, content := range contents {
			wantBlob(t, s, name, content)
		}
		if got := s.TotalSize(); got != total {
			t.Errorf("total %d, want %d", got, total)
		}
		if got, want := s.Names(), []string{"A-b_c.d", "more", "none", "one"}; !slices.Equal(got, want) {
			t.Errorf("names %q, want %q", got, want)
		}
		s = open(t, Options{Dir: dir})
	}
	if _, err := os.Stat(filepath.Join(dir, tempPrefix+"1")); !os.IsNotExist(err) {
		t.Errorf("a half-written file stays: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "lost found")); err != nil {
		t.Errorf("a file that is not ours is gone: %v", err)
	}
	for path, want := range map[string]os.FileMode{dir: os.ModeDir | 0o700, filepath.Join(dir, "one"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: mode %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
}

func TestDeleteAndRetain(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	for i := range 5 {
		if err := s.Put(fmt.Sprintf("b%d", i), body(uint64(i), 10)); err != nil {
			t.Fatal(err)
		}
	}
	r, err := s.Open("b0")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Delete("b0"); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, body(0, 10)) {
		t.Errorf("reading a deleted blob that is open: %d bytes, %v", len(got), err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := read(s, "b0"); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleted blob: %v", err)
	}
	if n, err := s.Retain(func(name string) bool { return name > "b2" }); n != 2 || err != nil {
		t.Errorf("%d deleted, %v; want 2", n, err)
	}
	for range 2 {
		if got, want := s.Names(), []string{"b3", "b4"}; !slices.Equal(got, want) || s.TotalSize() != 20 {
			t.Errorf("left %q, %d bytes; want %q, 20", got, s.TotalSize(), want)
		}
		s = open(t, Options{Dir: dir})
	}
}

func TestRefusals(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir()})
	for _, name := range []string{"", ".", "..", ".hidden", tempPrefix + "9", "a/b", "../a", "a b", "ä", "a\x00", strings.Repeat("a", maxName+1)} {
		if err := s.Put(name, nil); !errors.Is(err, ErrName) {
			t.Errorf("name %q: %v", name, err)
		}
		if _, err := s.Open(name); !errors.Is(err, ErrNotFound) {
			t.Errorf("opening %q: %v", name, err)
		}
		if err := s.Delete(name); err != nil {
			t.Errorf("deleting %q: %v", name, err)
		}
	}
	if err := s.Put("a", []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := s.Put("a", []byte("second")); !errors.Is(err, ErrExists) {
		t.Errorf("taken name: %v", err)
	}
	wantBlob(t, s, "a", []byte("first"))

	w, err := s.Create()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Abort(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("x")); err == nil {
		t.Error("write after Abort")
	}
	if err := w.Commit("b"); err == nil {
		t.Error("Commit after Abort")
	}
	if names, err := (disk.OS{}).Names(s.dir); err != nil || !slices.Equal(names, []string{"a"}) {
		t.Errorf("files %q, %v; want only a", names, err)
	}
	if _, err := Open(Options{Dir: filepath.Join(s.dir, "a")}); err == nil {
		t.Error("a file was opened as a folder")
	}
}

func TestReserve(t *testing.T) {
	files := disktest.NewMemory()
	s := open(t, Options{FS: files, ReserveBytes: 1000})
	files.SetFree(1000)
	if _, err := s.Create(); !errors.Is(err, ErrFull) {
		t.Errorf("without room: %v", err)
	}
	files.SetFree(1001)
	w, err := s.Create()
	if err != nil {
		t.Fatal(err)
	}
	files.SetFree(1000)
	if _, err := io.Copy(w, bytes.NewReader(make([]byte, 2*freeInterval))); !errors.Is(err, ErrFull) {
		t.Errorf("room that ends: %v", err)
	}
	if _, err := w.Write([]byte("x")); !errors.Is(err, ErrFull) {
		t.Errorf("write after a failed one: %v", err)
	}
	if err := w.Commit("a"); !errors.Is(err, ErrFull) {
		t.Errorf("commit after a failed write: %v", err)
	}
	if len(files.Files()) != 0 || len(s.Names()) != 0 {
		t.Errorf("left %v, %v", files.Files(), s.Names())
	}
}

func TestConcurrentWriters(t *testing.T) {
	s := open(t, Options{FS: disktest.NewMemory()})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			name, content := fmt.Sprintf("b%02d", i), body(uint64(i), 5000)
			if err := s.Put(name, content); err != nil {
				t.Error(err)
			}
			wantBlob(t, s, name, content)
			// One of them gets it.
			if err := s.Put("same", content); err != nil && !errors.Is(err, ErrExists) {
				t.Error(err)
			}
			if i%2 == 0 {
				if err := s.Delete(name); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n, total := len(s.Names()), s.TotalSize(); n != 11 || total != 11*5000 {
		t.Errorf("%d blobs, %d bytes; want 11, 55000", n, total)
	}
}
