package spool

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
)

const (
	// killDirEnv makes the test binary the process that is killed.
	killDirEnv = "FURROW_SPOOL_KILL_DIR"
	// killsEnv is how often it is killed, for the heavy form.
	killsEnv = "FURROW_SPOOL_KILLS"
	kills    = 5

	killWriters = 8
)

func killOptions(dir string) Options {
	return Options{Dir: dir, InlineBytes: 20_000, SegmentBytes: 200_000, ReserveBytes: 1}
}

// killedChild stores and acknowledges messages until it is killed. It prints
// each message that was committed, and each acknowledgment that it is about to
// make.
func killedChild() int {
	s, _, err := Open(killOptions(os.Getenv(killDirEnv)))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var writers sync.WaitGroup
	for i := range uint64(killWriters) {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(i, uint64(os.Getpid())))
			keys := []string{fmt.Sprint("own", i), "all"}
			for {
				seed, size := r.Uint64(), r.IntN(30_000)
				p, err := tryPut(s, to(keys...), body(seed, size))
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
				fmt.Printf("stored %d %d %d %d\n", p, i, seed, size)
				for _, key := range keys {
					if r.IntN(3) > 0 {
						fmt.Printf("acked %d %s\n", p, key)
						s.Ack(key, p)
					}
				}
			}
		})
	}
	for err == nil {
		err = s.Maintain(context.Background())
	}
	fmt.Fprintln(os.Stderr, err)
	writers.Wait()
	return 1
}

// killed is what the children said of what they did.
type killed struct {
	bodies map[Position][2]uint64 // seed and size
	want   map[string]map[Position]bool
	acked  map[string]map[Position]bool
}

// Every message whose Commit returned is there after the process was killed.
func TestKill(t *testing.T) {
	rounds := kills
	if n := os.Getenv(killsEnv); n != "" {
		var err error
		if rounds, err = strconv.Atoi(n); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(t.TempDir(), "spool")
	k := &killed{map[Position][2]uint64{}, map[string]map[Position]bool{}, map[string]map[Position]bool{}}
	again := 0
	for round := range rounds {
		k.run(t, dir, 20+rand.IntN(400))
		s, _, err := Open(killOptions(dir))
		if err != nil {
			t.Fatal(err)
		}
		again += k.verify(t, s, round)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d kills, %d messages committed, none lost, %d acknowledged ones are there again", rounds, len(k.bodies), again)
}

// run starts a child and kills it when it has said so many lines.
func (k *killed) run(t *testing.T, dir string, lines int) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), killDirEnv+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(out)
	for n := 0; ; n++ {
		line, err := in.ReadString('\n')
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		k.note(t, line)
		if n == lines {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	var exit *exec.ExitError
	if err := child.Wait(); !errors.As(err, &exit) || exit.ExitCode() != -1 {
		t.Fatalf("child was not killed: %v", err)
	}
}

func (k *killed) note(t *testing.T, line string) {
	t.Helper()
	var p Position
	var writer, seed, size uint64
	var key string
	if _, err := fmt.Sscanf(line, "stored %d %d %d %d\n", &p, &writer, &seed, &size); err == nil {
		k.bodies[p] = [2]uint64{seed, size}
		for _, key := range []string{fmt.Sprint("own", writer), "all"} {
			set(k.want, key, p)
		}
		return
	}
	if _, err := fmt.Sscanf(line, "acked %d %s\n", &p, &key); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	delete(k.want[key], p)
	set(k.acked, key, p)
}

func set(m map[string]map[Position]bool, key string, p Position) {
	if m[key] == nil {
		m[key] = map[Position]bool{}
	}
	m[key][p] = true
}

// verify checks the queues and every body, and returns how many messages are
// there though they were acknowledged.
func (k *killed) verify(t *testing.T, s *Spool, round int) (again int) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(k.want)) {
		found := map[Position]bool{}
		for _, p := range positions(s, key) {
			found[p] = true
			if k.acked[key][p] {
				again++
			}
		}
		for p := range k.want[key] {
			if !found[p] {
				t.Fatalf("round %d, %s: message %d is lost", round, key, p)
			}
			seed, size := k.bodies[p][0], k.bodies[p][1]
			if _, data, err := get(s, p); err != nil || !bytes.Equal(data, body(seed, int(size))) {
				t.Fatalf("round %d, %s: message %d: %v", round, key, p, err)
			}
		}
	}
	return again
}
