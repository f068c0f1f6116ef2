package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"furrow/cmd/furrow/bench"
)

// TestBench runs every scenario with a few clients and holds the figures against
// each other.
func TestBench(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	results := must[[]bench.Result](t, "bench", "--recipients", "3", "--messages", "7", "--size", "1000",
		"--pairs", "2", "--pair-messages", "3", "--pair-size", "70000", "--window", "2",
		"--connections", "5", "--watchers", "4", "--changes", "2")
	wants := []struct {
		scenario string
		clients  int
		phases   map[string]int // operations
		octets   int64          // of the last phase
	}{
		{"fan-out", 4, map[string]int{"store": 7, "drain": 21}, 21 * 1000},
		{"one-to-one", 4, map[string]int{"store": 6, "drain": 6}, 6 * 70000},
		{"idle", 5, map[string]int{"connect": 5}, 0},
		{"presence", 5, map[string]int{"change": 8}, 0},
	}
	if len(results) != len(wants) {
		t.Fatalf("%d results", len(results))
	}
	for i, want := range wants {
		r := results[i]
		if r.Scenario != want.scenario || r.Clients != want.clients || len(r.Phases) != len(want.phases) {
			t.Fatalf("got %+v, want %+v", r, want)
		}
		for _, p := range r.Phases {
			if p.Operations != want.phases[p.Name] || p.Seconds <= 0 || p.Rate <= 0 {
				t.Errorf("%s: %+v", r.Scenario, p)
			}
			l := p.Latency
			if l.P50 <= 0 || l.P50 > l.P90 || l.P90 > l.P99 || l.P99 > l.Max || l.Max > p.Seconds*1000+1 {
				t.Errorf("%s: latencies of %s: %+v of %v s", r.Scenario, p.Name, l, p.Seconds)
			}
		}
		if got := r.Phases[len(r.Phases)-1].Octets; got != want.octets {
			t.Errorf("%s: %d octets, want %d", r.Scenario, got, want.octets)
		}
		const least = 1 << 20
		if r.Memory.Before < least || r.Memory.After < least || r.CPUSeconds < 0 {
			t.Errorf("%s: %+v, %v s", r.Scenario, r.Memory, r.CPUSeconds)
		}
	}
	wantNoScratch(t)
}

// wantNoScratch checks that a bench has taken its box away.
func wantNoScratch(t *testing.T) {
	t.Helper()
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "furrow-bench-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestBenchInterrupted ends a bench, or its server, in the middle.
func TestBenchInterrupted(t *testing.T) {
	for name, test := range map[string]struct {
		signal syscall.Signal
		victim func(t *testing.T, pid int) int
		want   string
	}{
		"the server dies": {syscall.SIGKILL, child, "furrow serve has ended by itself, signal: killed"},
		"Ctrl-C":          {syscall.SIGINT, func(_ *testing.T, pid int) int { return pid }, "interrupt"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			cmd := command(t, "bench", "fan-out", "--recipients", "2", "--messages", "1000000")
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line := make([]byte, 100)
			if n, err := stdout.Read(line); err != nil || string(line[:n]) != "fan-out: store 1000000\n" {
				t.Fatalf("progress %q, %v: %s", line[:n], err, &stderr)
			}
			if err := syscall.Kill(test.victim(t, cmd.Process.Pid), test.signal); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("%v", cmd.ProcessState)
			}
			if got := stderr.String(); !strings.Contains(got, test.want) || strings.Count(got, "\n") != 1 {
				t.Errorf("%q, want a line with %q", got, test.want)
			}
			wantNoScratch(t)
		})
	}
}

// child is the only child of a process.
func child(t *testing.T, pid int) int {
	t.Helper()
	lists, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", "children"))
	if err != nil {
		t.Fatal(err)
	}
	var children []string
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		children = append(children, strings.Fields(string(text))...)
	}
	if len(children) != 1 {
		t.Fatalf("children %q", children)
	}
	n, err := strconv.Atoi(children[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestBenchRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		exit int
		want string
	}{
		"not this machine": {[]string{"--address", "192.0.2.1"}, 1, "loopback"},
		"every address":    {[]string{"--address", "0.0.0.0"}, 1, "loopback"},
		"too large":        {[]string{"fan-out", "--size", "10000000"}, 1, "1 to"},
		"too small":        {[]string{"fan-out", "--size", "1"}, 1, "octets"},
		"too late":         {[]string{"--limit", "1ms"}, 1, "not done within 1ms"},
		"no scenario":      {[]string{"dance"}, 2, "dance"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			_, stderr, exit := furrow(t, append([]string{"bench"}, test.args...)...)
			if exit != test.exit || !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit %d, %q; want exit %d and %q", exit, stderr, test.exit, test.want)
			}
			wantNoScratch(t)
		})
	}
}
