package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"furrow/appliance/disk"
)

// filled returns a folder with three generations and a journal in the newest.
func filled(t *testing.T) (dir, dump string) {
	t.Helper()
	dir = fastDir(t)
	s := openStore(t, dir, Options{})
	for i := range 12 {
		s.mustPut(t, member{ID: fmt.Sprint(i), Groups: []string{"g"}}, member{ID: "n", N: i})
		if i%4 == 3 && i < 11 {
			if err := s.Compact(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	dump = s.dump()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, dump
}

func TestCompactionInterruptedAtEachStep(t *testing.T) {
	origin, want := filled(t)
	fs := &faultFS{FS: disk.OS{}}
	start := func() (testStore, string) {
		dir := fastDir(t)
		copyDir(t, origin, dir)
		fs.arm(0, "", false)
		return openStore(t, dir, Options{FS: fs}), dir
	}
	s, _ := start()
	fs.arm(0, "", false)
	if err := s.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	steps := slices.Clone(fs.ops)
	for _, needed := range []string{"write", "sync", "read", "rename", "syncdir", "remove"} {
		if !slices.Contains(steps, needed) {
			t.Fatalf("compaction has no %s: %v", needed, steps)
		}
	}
	for i, op := range steps {
		for _, dead := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d %s dead=%v", i+1, op, dead), func(t *testing.T) {
				s, dir := start()
				fs.arm(i+1, "", dead)
				err := s.Compact(context.Background())
				t.Log("Compact:", err)
				if got := s.dump(); got != want {
					t.Errorf("state changed to %s", got)
				}
				want := want
				fs.arm(0, "", false)
				switch err := s.put(member{ID: "after"}); {
				case err == nil:
					want = s.dump()
				case !errors.Is(err, ErrFailed):
					t.Errorf("Update after it: %v", err)
				case op != "rename" && op != "syncdir" && !dead:
					t.Errorf("the store failed: %v", err)
				}
				crashed := fastDir(t)
				copyDir(t, dir, crashed)
				again := openStore(t, crashed, Options{})
				if got := again.dump(); got != want {
					t.Errorf("reopened: %s, want %s", got, want)
				}
				if r := again.report; r.Recovery != nil || r.Torn != nil {
					t.Errorf("report %+v", r)
				}
				again.mustPut(t, member{ID: "again"})
			})
		}
	}
}

func TestWritersGoOnDuringACompaction(t *testing.T) {
	dir := t.TempDir()
	gate := &gateFS{FS: disk.OS{}}
	s := openStore(t, dir, Options{FS: gate})
	s.mustPut(t, member{ID: "a"})
	release := gate.hold() // the new file's flush waits
	done := make(chan error, 1)
	go func() { done <- s.Compact(context.Background()) }()
	<-gate.waiting
	gate.shut.Store(nil) // later flushes do not
	s.mustPut(t, member{ID: "b"})
	s.mustPut(t, member{ID: "c"})
	release()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s.mustPut(t, member{ID: "d"})
	want := s.dump()
	if st := s.Stats(); st.Generation != 2 || st.CompactionPause <= 0 {
		t.Errorf("stats %+v", st)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := openStore(t, dir, Options{}).dump(); got != want {
		t.Errorf("reopened: %s, want %s", got, want)
	}
}

func TestOldGenerationsAreDeleted(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{})
	for i := range 5 {
		s.mustPut(t, member{ID: fmt.Sprint(i)})
		if err := s.Compact(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	names, err := disk.OS{}.Names(dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{lockName, fileName(4), fileName(5), fileName(6)}; !slices.Equal(names, want) {
		t.Errorf("files %v, want %v", names, want)
	}
}

func TestLargeRowsAndManyChunks(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{})
	for i := range 8 {
		s.mustPut(t, member{ID: fmt.Sprint(i), Email: fmt.Sprint(i) + strings.Repeat("x", (i%3)*chunkBytes)})
	}
	if err := s.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	want := s.dump()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := openStore(t, dir, Options{}).dump(); got != want {
		t.Error("reopened with another state")
	}
}

func TestFileModes(t *testing.T) {
	for _, mask := range []int{0, 0o777} {
		t.Run(fmt.Sprintf("umask %03o", mask), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			defer syscall.Umask(syscall.Umask(mask))
			s := openStore(t, dir, Options{})
			s.mustPut(t, member{ID: "a"})
			if err := s.Compact(context.Background()); err != nil {
				t.Fatal(err)
			}
			s.mustPut(t, member{ID: "b"})
			s.mustPut(t, member{ID: "c"})
			size := s.Stats().FileBytes
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(filepath.Join(dir, fileName(2)), size-3); err != nil {
				t.Fatal(err)
			}
			if s := openStore(t, dir, Options{}); s.report.Torn == nil {
				t.Error("no torn write")
			}
			if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != disk.DirMode {
				t.Errorf("folder: %v, %v", info.Mode(), err)
			}
			entries, err := os.ReadDir(dir)
			if err != nil || len(entries) != 4 {
				t.Fatalf("%v, %v", entries, err)
			}
			for _, e := range entries {
				if info, err := e.Info(); err != nil || info.Mode() != disk.FileMode {
					t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
				}
			}
		})
	}
}
