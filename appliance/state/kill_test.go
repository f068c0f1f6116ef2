package state

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"
)

// killChild commits numbered transactions from several writers and prints each
// number after Update returned, until it is killed. It compacts all the time,
// so that many a kill falls into a compaction.
func killChild(s testStore) error {
	var wg sync.WaitGroup
	const writers = 4
	errs := make(chan error, writers+1)
	wg.Go(func() {
		for {
			if err := s.Compact(context.Background()); err != nil {
				errs <- err
				return
			}
		}
	})
	for range writers {
		wg.Go(func() {
			for {
				n := 0
				err := s.Update(context.Background(), func(tx *Tx) error {
					n = s.members.Len(tx)
					return errors.Join(
						s.members.Put(tx, member{ID: fmt.Sprintf("%08d", n), Email: fmt.Sprint(n), N: n}),
						s.notes.Put(tx, note{ID: fmt.Sprintf("%08d", n)}))
				})
				if err == nil {
					_, err = fmt.Println(n)
				}
				if err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	return <-errs
}

func TestKilledProcessLosesNothing(t *testing.T) {
	const kills = 25
	dir := fastDir(t) // a kill loses no page of any file system
	random := rand.New(rand.NewPCG(1, 2))
	printed, compactions := 0, uint64(0)
	for range kills {
		acknowledged := runAndKill(t, dir, time.Duration(random.IntN(80))*time.Millisecond)
		s := openStore(t, dir, Options{})
		if s.report.Recovery != nil {
			t.Fatalf("recovery after a kill: %v", s.report.Recovery)
		}
		v := s.Snapshot()
		for _, n := range acknowledged {
			if m, ok := s.members.Get(v, fmt.Sprintf("%08d", n)); !ok || m.N != n {
				t.Fatalf("transaction %d was acknowledged and is lost", n)
			}
		}
		if s.members.Len(v) != s.notes.Len(v) || int(v.Sequence()) != s.members.Len(v) {
			t.Fatalf("half a transaction: %d and %d rows after %d", s.members.Len(v), s.notes.Len(v), v.Sequence())
		}
		printed += len(acknowledged)
		compactions = s.report.Generation - 1
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d kills, %d acknowledged transactions, %d compactions", kills, printed, compactions)
	if printed < kills || compactions == 0 {
		t.Errorf("the kills hit too little: %d transactions, %d compactions", printed, compactions)
	}
}

// runAndKill starts the child, kills it some time after its first
// acknowledgment, and returns the numbers it printed.
func runAndKill(t *testing.T, dir string, after time.Duration) []int {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=kill", dirEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var numbers []int
	var timer *time.Timer
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatalf("child printed %q", lines.Text())
		}
		numbers = append(numbers, n)
		if timer == nil {
			timer = time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) // fails only when it is dead already
		}
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 {
		t.Fatalf("child ended by itself: %v", err)
	}
	timer.Stop()
	return numbers
}
