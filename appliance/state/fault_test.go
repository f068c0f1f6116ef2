package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"furrow/appliance/disk"
)

func TestFailedFlushEndsTheStore(t *testing.T) {
	dir := t.TempDir()
	gate := &gateFS{FS: disk.OS{}}
	fault := &faultFS{FS: gate}
	s := openStore(t, dir, Options{FS: fault})
	s.mustPut(t, member{ID: "before"})
	fault.arm(2, "sync", false) // the next flush succeeds, late; the one after fails
	release := gate.hold()
	first := make(chan error, 1)
	go func() { first <- s.put(member{ID: "first"}) }()
	<-gate.waiting
	const writers = 8
	results := make(chan error, writers)
	for i := range writers { // all queue behind the running flush
		go func() { results <- s.put(member{ID: fmt.Sprint(i)}) }()
	}
	for queued := 0; queued < writers; {
		s.mu.Lock()
		queued = len(s.pending.txs)
		s.mu.Unlock()
	}
	release()
	if err := <-first; err != nil {
		t.Errorf("flush before the failing one: %v", err)
	}
	for range writers {
		if err := <-results; !errors.Is(err, ErrFailed) || !errors.Is(err, errInjected) {
			t.Errorf("Update = %v, want ErrFailed and its cause", err)
		}
	}
	select {
	case <-s.Failed():
	default:
		t.Error("Failed is not closed")
	}
	if err := s.put(member{ID: "later"}); !errors.Is(err, ErrFailed) {
		t.Errorf("later Update = %v", err)
	}
	if err := s.Compact(context.Background()); !errors.Is(err, ErrFailed) {
		t.Errorf("later Compact = %v", err)
	}
	if got := ids(s.members.All(s.Snapshot())); fmt.Sprint(got) != "[before first]" {
		t.Errorf("readers see %v", got)
	}
}

// runChild runs this test binary as the named child, through wrap if given,
// and returns what it printed.
func runChild(t *testing.T, name, dir string, wrap ...string) string {
	t.Helper()
	args := append(wrap, os.Args[0])
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), childEnv+"="+name, dirEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("child %s: %v\n%s", name, err, out)
	}
	return strings.TrimSpace(string(out))
}

// limitFiles stands in for a full disk: no file may grow beyond max bytes.
func limitFiles(limit uint64) error {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &r); err != nil {
		return err
	}
	r.Cur = min(limit, r.Max)
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &r)
}

// fullDiskChild fills the disk in the middle of a record while writers queue,
// then makes room.
func fullDiskChild(s testStore) error {
	signal.Ignore(syscall.SIGXFSZ)
	if err := s.put(member{ID: "before"}); err != nil {
		return err
	}
	if err := limitFiles(uint64(s.Stats().FileBytes) + 200); err != nil {
		return err
	}
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { errs[i] = s.put(member{ID: fmt.Sprint(i), Email: strings.Repeat("x", 300+i)}) })
	}
	wg.Wait()
	for _, err := range errs {
		if !errors.Is(err, ErrFull) {
			return fmt.Errorf("Update on a full disk = %w", err)
		}
	}
	if got := ids(s.members.All(s.Snapshot())); fmt.Sprint(got) != "[before]" {
		return fmt.Errorf("readers see %v", got)
	}
	if err := limitFiles(1 << 40); err != nil {
		return err
	}
	return s.put(member{ID: "after", Email: strings.Repeat("x", 300)}) // the address is free again
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if out := runChild(t, "full", dir); out != "ok" {
		t.Fatal(out)
	}
	s := openStore(t, dir, Options{})
	if got := ids(s.members.All(s.Snapshot())); fmt.Sprint(got) != "[after before]" || s.report.Torn != nil {
		t.Errorf("reopened: %v, %+v", got, s.report)
	}
}

// putChild commits one row after the other and prints what Update said.
func putChild(s testStore) error {
	for i := range 40 {
		said := "ok"
		switch err := s.put(member{ID: fmt.Sprintf("%02d", i)}); {
		case errors.Is(err, ErrFull):
			said = "full"
		case errors.Is(err, ErrFailed):
			said = "failed"
		case err != nil:
			return err
		}
		if _, err := fmt.Printf("%02d %s\n", i, said); err != nil {
			return err
		}
	}
	return nil
}

// brokenChild makes a write end short; what takes it back fails under strace.
func brokenChild(s testStore) error {
	signal.Ignore(syscall.SIGXFSZ)
	if err := limitFiles(uint64(s.Stats().FileBytes) + 50); err != nil {
		return err
	}
	if err := s.put(member{ID: "short"}); !errors.Is(err, ErrFailed) {
		return fmt.Errorf("Update = %w", err)
	}
	if err := s.put(member{ID: "later"}); !errors.Is(err, ErrFailed) {
		return fmt.Errorf("later Update = %w", err)
	}
	return nil
}

// The faults of a real kernel's system calls, where strace can make them.
// strace counts the calls of each thread by itself, so which row meets the
// fault is open, but not what must follow.
func TestRealSystemCallFaultsUnderStrace(t *testing.T) {
	if out, err := exec.Command("strace", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Logf("strace cannot run here, so the faults of real system calls are not tested: %v %s", err, out)
		return
	}
	tests := map[string]struct {
		child, inject string
		outcome       string // of the rows that were not ok
		once          bool   // rows are ok again after it
	}{
		"fsync fails":          {"put", "fsync,fdatasync:error=EIO:when=3+", "failed", false},
		"disk full at times":   {"put", "write:error=ENOSPC:when=3+7", "full", true},
		"disk full":            {"put", "write:error=ENOSPC", "full", false},
		"write not taken back": {"broken", "ftruncate:error=EIO", "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			out := runChild(t, test.child, dir, "strace", "-f", "-o", os.DevNull,
				"-P", filepath.Join(dir, fileName(1)), "-e", "inject="+test.inject)
			s := openStore(t, dir, Options{})
			if s.report.Recovery != nil {
				t.Errorf("recovery: %v", s.report.Recovery)
			}
			lines := strings.Split(out, "\n")
			if lines[len(lines)-1] != "ok" {
				t.Fatalf("child: %s", out)
			}
			faults, after := 0, 0
			for _, line := range lines[:len(lines)-1] {
				id, said, _ := strings.Cut(line, " ")
				_, there := s.members.Get(s.Snapshot(), id)
				switch {
				case said == "ok" && !there:
					t.Errorf("row %s was acknowledged and is lost", id)
				case said == "full" && there:
					t.Errorf("row %s was refused and is there", id)
				case said == "ok" && faults > 0:
					after++
				case said != "ok":
					faults++
					if said != test.outcome {
						t.Errorf("row %s: %s", id, said)
					}
				}
			}
			if (faults > 0) != (test.outcome != "") || (after > 0) != test.once {
				t.Errorf("%d faults, %d rows acknowledged after the first:\n%s", faults, after, out)
			}
		})
	}
}
