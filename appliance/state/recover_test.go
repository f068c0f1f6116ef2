package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"furrow/appliance/disk"
)

// spoil flips a bit in the header record of a generation's checkpoint.
func spoil(t *testing.T, dir string, generation uint64) {
	t.Helper()
	name := filepath.Join(dir, fileName(generation))
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	data[recordBytes(headerBytes)-10] ^= 4
	if err := os.WriteFile(name, data, disk.FileMode); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedCheckpointCostsNothing(t *testing.T) {
	tests := map[string]struct {
		spoiled []uint64
		from    uint64
	}{
		"newest":      {[]uint64{3}, 2},
		"newest two":  {[]uint64{3, 2}, 1},
		"all of them": {[]uint64{3, 2, 1}, 0}, // the journals reach back to the first transaction
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir, want := filled(t)
			var files []string
			for _, g := range test.spoiled {
				spoil(t, dir, g)
				files = append(files, fileName(g))
			}
			s := openStore(t, dir, Options{})
			rec := s.report.Recovery
			if rec == nil || rec.Checkpoint != test.from || !slices.Equal(rec.Files, files) || rec.LostTo >= rec.LostFrom {
				t.Fatalf("recovery %+v", rec)
			}
			if got := s.dump(); got != want {
				t.Errorf("state %s, want %s", got, want)
			}
			if err := s.AcceptRecovery(context.Background()); err != nil {
				t.Fatal(err)
			}
			s.mustPut(t, member{ID: "after"})
			for _, file := range files {
				if _, err := os.Stat(filepath.Join(dir, file+damagedSuffix)); err != nil {
					t.Error(err)
				}
			}
			want = s.dump()
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			again := openStore(t, dir, Options{})
			if got := again.dump(); got != want || again.report.Recovery != nil {
				t.Errorf("reopened: %+v, %s, want %s", again.report, got, want)
			}
		})
	}
}

func TestAcceptedRecoveryGoesOnBehindTheLostTransactions(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{})
	var middle int64
	for i := range 6 {
		s.mustPut(t, member{ID: fmt.Sprint(i)})
		if i == 2 {
			middle = s.Stats().FileBytes
		}
	}
	if err := s.AcceptRecovery(context.Background()); !errors.Is(err, ErrNotRecovering) {
		t.Errorf("AcceptRecovery of a sound store = %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, fileName(1))
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	data[middle+80] ^= 1
	if err := os.WriteFile(name, data, disk.FileMode); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, dir, Options{})
	rec := s.report.Recovery
	if rec == nil || rec.LostFrom != 4 || rec.LostTo != 6 || rec.Offset != middle {
		t.Fatalf("recovery %+v", rec)
	}
	for _, err := range []error{s.put(member{ID: "x"}), s.Compact(context.Background()), s.Err()} {
		if !errors.Is(err, ErrRecovery) {
			t.Errorf("in recovery mode: %v", err)
		}
	}
	if got := ids(s.members.All(s.Snapshot())); fmt.Sprint(got) != "[0 1 2]" {
		t.Errorf("rows %v", got)
	}
	if err := s.AcceptRecovery(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.mustPut(t, member{ID: "new"})
	if got := s.Snapshot().Sequence(); got != 7 {
		t.Errorf("sequence %d after the lost ones", got)
	}
	kept, err := os.ReadFile(name + damagedSuffix)
	if err != nil || !slices.Equal(kept, data) {
		t.Errorf("damaged file: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, dir, Options{})
	if got := ids(s.members.All(s.Snapshot())); fmt.Sprint(got) != "[0 1 2 new]" || s.report.Recovery != nil {
		t.Errorf("reopened: %v, %+v", got, s.report)
	}
}

func TestAcceptRecoveryInterruptedAtEachStep(t *testing.T) {
	origin, want := filled(t)
	spoil(t, origin, 3)
	fs := &faultFS{FS: disk.OS{}}
	for i := 1; ; i++ {
		dir := fastDir(t)
		copyDir(t, origin, dir)
		fs.arm(0, "", false)
		s := openStore(t, dir, Options{FS: fs})
		fs.arm(i, "", true)
		err := s.AcceptRecovery(context.Background())
		crashed := fastDir(t)
		copyDir(t, dir, crashed)
		again := openStore(t, crashed, Options{})
		if got := again.dump(); got != want {
			t.Fatalf("fault %d: reopened %s, want %s", i, got, want)
		}
		if again.report.Recovery == nil && again.report.Generation != 4 {
			t.Fatalf("fault %d: %+v", i, again.report)
		}
		if fs.n < i {
			if err != nil {
				t.Fatal(err)
			}
			return
		}
	}
}

func TestLostNewestGenerationIsNoticed(t *testing.T) {
	dir, _ := filled(t)
	if err := os.Remove(filepath.Join(dir, fileName(3))); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, dir, Options{})
	rec := s.report.Recovery
	if rec == nil || rec.LostFrom != 9 || rec.Checkpoint != 2 {
		t.Fatalf("recovery %+v", rec)
	}
	if err := s.AcceptRecovery(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.mustPut(t, member{ID: "after"})
	if got := s.Stats().Generation; got != 4 {
		t.Errorf("generation %d takes the number of the lost one", got)
	}
}

func TestUnreadableFile(t *testing.T) {
	dir, want := filled(t)
	fs := &faultFS{FS: disk.OS{}}
	fs.arm(1, "read", false)
	s := openStore(t, dir, Options{FS: fs})
	if rec := s.report.Recovery; rec == nil {
		t.Error("a read error is not reported")
	}
	if got := s.dump(); got != want { // it could be read the second time
		t.Errorf("state %s, want %s", got, want)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Run("a folder in use", func(t *testing.T) {
		dir := t.TempDir()
		s := openStore(t, dir, Options{})
		if _, err := tryOpen(dir, Options{}); !errors.Is(err, ErrLocked) {
			t.Errorf("Open = %v", err)
		}
		s.mustPut(t, member{ID: "a"})
	})
	t.Run("a later format", func(t *testing.T) {
		r := recordJournal(t, 2)
		line := appendRecord(slices.Clone(r.data), 1, record{kind: kindJournal, number: 3, mark: 2})
		at := len(line) - len(lineEnd) - headerBytes
		line[at] = formatVersion + 1
		putSum(line[at:at+headerBytes], 1)
		if err := os.WriteFile(filepath.Join(r.dir, fileName(1)), line, disk.FileMode); err != nil {
			t.Fatal(err)
		}
		if _, err := tryOpen(r.dir, Options{}); !errors.Is(err, ErrNewer) {
			t.Errorf("Open = %v", err)
		}
	})
	t.Run("a folder that lost its generations", func(t *testing.T) {
		dir, _ := filled(t)
		for g := range uint64(3) {
			name := filepath.Join(dir, fileName(g+1))
			if err := os.Rename(name, name+damagedSuffix); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := tryOpen(dir, Options{}); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("Open = %v", err)
		}
	})
	t.Run("a file beyond the limit", func(t *testing.T) {
		r := recordJournal(t, 1)
		if err := os.Truncate(filepath.Join(r.dir, fileName(1)), maxFileBytes+1); err != nil {
			t.Fatal(err)
		}
		if _, err := tryOpen(r.dir, Options{}); !errors.Is(err, ErrTooLarge) {
			t.Errorf("Open = %v", err)
		}
	})
}
