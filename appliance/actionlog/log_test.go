package actionlog

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"furrow/appliance/disk/disktest"
	"furrow/appliance/state"
)

var start = time.Date(2026, 3, 14, 22, 0, 0, 0, time.UTC)

// office is a Log on a disk in memory, with a clock of its own.
type office struct {
	*Log
	disk *disktest.Memory
	now  time.Time
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{disk: disktest.NewMemory(), now: start}
	schema := state.NewSchema()
	tables := Declare(schema)
	store, _, err := state.Open(filepath.Join(t.TempDir(), "state"), schema, state.Options{Logger: slog.New(slog.DiscardHandler)})
	check(t, err)
	t.Cleanup(func() { check(t, store.Close()) })
	o.Log = &Log{Config: Config{Dir: "actions", Store: store, Tables: tables}}
	o.open(t)
	return o
}

func (o *office) open(t *testing.T) {
	t.Helper()
	log, err := Open(Config{
		Dir: o.Dir, FS: o.disk, Store: o.Store, Tables: o.Tables, Now: func() time.Time { return o.now },
		Log: slog.New(slog.DiscardHandler),
	})
	check(t, err)
	o.Log = log
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// act writes down an action that is done.
func (o *office) act(t testing.TB, who, what, target string) uint64 {
	t.Helper()
	sequence, err := o.Begin(Action{Who: who, What: what, Target: target})
	check(t, err)
	check(t, o.End(sequence, Result{Outcome: Done, Name: "name of " + target}))
	return sequence
}

// sound checks that the log has so many lines and no damage.
func (o *office) sound(t testing.TB, lines int) {
	t.Helper()
	report, err := o.Check()
	check(t, err)
	if report.Lines != lines || len(report.Damage) > 0 {
		t.Errorf("%+v, want %d sound lines", report, lines)
	}
}

func (o *office) targets(t testing.TB, f Filter) string {
	t.Helper()
	entries, err := o.Entries(f)
	check(t, err)
	var targets []string
	for _, e := range entries {
		targets = append(targets, e.Target)
	}
	return strings.Join(targets, " ")
}

func TestEntries(t *testing.T) {
	o := newOffice(t)
	o.act(t, "ann", "PATCH /v1/members/{guid}", "a")
	o.now = o.now.Add(time.Hour)
	o.act(t, "bob", "DELETE /v1/members/{guid}", "b")
	o.now = o.now.Add(2 * time.Hour) // the next day
	third, err := o.Begin(Action{Who: "Ann", What: "PATCH /v1/domains/{domain}", Target: "c"})
	check(t, err)
	check(t, o.Close())
	o.open(t)
	o.now = o.now.Add(time.Hour)
	o.act(t, "ann", "PUT /v1/mail", "d")
	o.sound(t, 7)
	if files := o.disk.Files(); len(files) != 2 {
		t.Errorf("files %q", files)
	}
	for name, test := range map[string]struct {
		filter Filter
		want   string
	}{
		"all":                  {Filter{}, "d c b a"},
		"by whom":              {Filter{Who: "ANN"}, "d c a"},
		"what":                 {Filter{What: "patch"}, "c a"},
		"target":               {Filter{Target: "B"}, "b"},
		"target by name":       {Filter{Target: "name of a"}, "a"},
		"since":                {Filter{Since: start.Add(time.Hour)}, "d c b"},
		"until":                {Filter{Until: start.Add(time.Hour)}, "a"},
		"a page":               {Filter{Limit: 2}, "d c"},
		"the next page":        {Filter{Limit: 2, Before: third}, "b a"},
		"behind the last page": {Filter{Before: 1}, ""},
	} {
		if got := o.targets(t, test.filter); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	entries, err := o.Entries(Filter{})
	check(t, err)
	if e := entries[1]; e.Outcome != Unknown || e.Sequence != third || !e.Ended.IsZero() {
		t.Errorf("an action that the stop of the box has cut off: %+v", e)
	}
	if e := entries[0]; e.Outcome != Done || e.Ended.IsZero() || e.Name != "name of d" {
		t.Errorf("one that was done: %+v", e)
	}
}

// TestTamper changes, takes out and doubles each line but the first, and each is found.
func TestTamper(t *testing.T) {
	o := newOffice(t)
	for i := range 4 {
		o.act(t, "ann", "POST", fmt.Sprint(i))
		o.now = o.now.Add(9 * time.Hour)
	}
	o.sound(t, 8)
	for _, name := range o.disk.Files() {
		whole := o.disk.Data(name)
		lines := slices.Collect(bytes.Lines(whole))
		first, last := name == o.disk.Files()[0], name == o.disk.Files()[len(o.disk.Files())-1]
		for i := range lines {
			changed := bytes.Replace(lines[i], []byte(`"time"`), []byte(`"tine"`), 1)
			for what, put := range map[string][][]byte{"changed": {changed}, "taken out": {}, "doubled": {lines[i], lines[i]}} {
				edge := first && i == 0 && what == "taken out" || last && i == len(lines)-1 && what != "doubled"
				if edge {
					continue // as the package's text says
				}
				o.disk.Put(name, bytes.Join(slices.Concat(lines[:i], put, lines[i+1:]), nil))
				if report, err := o.Check(); err != nil || len(report.Damage) == 0 {
					t.Errorf("%s, line %d %s: %+v, %v", name, i+1, what, report, err)
				}
				if _, err := o.Entries(Filter{}); err != nil {
					t.Errorf("%s, line %d %s: %v", name, i+1, what, err)
				}
			}
		}
		o.disk.Put(name, whole)
	}
	// Cut off at the end while the box runs, it is noticed with the next line.
	name := o.disk.Files()[len(o.disk.Files())-1]
	lines := slices.Collect(bytes.Lines(o.disk.Data(name)))
	o.disk.Put(name, bytes.Join(lines[:len(lines)-1], nil))
	o.act(t, "ann", "POST", "more")
	if report, err := o.Check(); err != nil || len(report.Damage) == 0 {
		t.Errorf("cut off while running: %+v, %v", report, err)
	}
}

// TestTorn opens the log with its last line cut at each octet.
func TestTorn(t *testing.T) {
	o := newOffice(t)
	o.act(t, "ann", "POST", "kept")
	name := o.disk.Files()[0]
	kept := len(o.disk.Data(name))
	_, err := o.Begin(Action{Who: "ann", What: "POST", Target: "torn"})
	check(t, err)
	whole := o.disk.Data(name)
	check(t, o.Close())
	for cut := kept; cut < len(whole); cut++ {
		o.disk.Put(name, whole[:cut])
		o.open(t)
		o.act(t, "ann", "POST", "next")
		o.sound(t, 4)
		if got := o.targets(t, Filter{}); got != "next kept" {
			t.Fatalf("cut at %d: %q", cut, got)
		}
		check(t, o.Close())
	}
}

// TestPowerCut keeps, after each power cut, what was confirmed.
func TestPowerCut(t *testing.T) {
	for lost := range 4 {
		o := newOffice(t)
		o.act(t, "ann", "POST", "a")
		_, err := o.Begin(Action{Who: "ann", What: "POST", Target: "b"})
		check(t, err)
		o.disk = o.disk.Crash(func(n int) int { return min(lost, n) })
		o.open(t)
		o.sound(t, 3)
		if got := o.targets(t, Filter{}); got != "b a" {
			t.Errorf("after a power cut: %q", got)
		}
	}
}

// TestFailedFlush ends the log: nobody knows what is on the disk.
func TestFailedFlush(t *testing.T) {
	o := newOffice(t)
	o.act(t, "ann", "POST", "a")
	o.disk.FailOnce("sync", "", errors.New("bad disk"))
	for range 2 {
		if _, err := o.Begin(Action{Who: "ann", What: "POST"}); !errors.Is(err, ErrFailed) {
			t.Errorf("with a flush that failed: %v", err)
		}
	}
	if _, err := o.Begin(Action{Who: "ann", What: strings.Repeat("x", maxLine)}); err == nil {
		t.Error("a line without bounds is taken")
	}
}

// TestFullDisk leaves no half line, and goes on when there is room again.
func TestFullDisk(t *testing.T) {
	o := newOffice(t)
	o.act(t, "ann", "POST", "a")
	full := errors.New("no space left on device")
	o.disk.FailOnce("write", "", full)
	if _, err := o.Begin(Action{Who: "ann", What: "POST", Target: "b"}); !errors.Is(err, full) {
		t.Fatalf("on a full disk: %v", err)
	}
	o.act(t, "ann", "POST", "c")
	o.sound(t, 4)
	if got := o.targets(t, Filter{}); got != "c a" {
		t.Errorf("%q", got)
	}
}

func TestAtOnce(t *testing.T) {
	o := newOffice(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { o.act(t, "ann", "POST", "x") })
	}
	all.Wait()
	o.sound(t, 40)
}

func TestClockSetBack(t *testing.T) {
	o := newOffice(t)
	o.act(t, "ann", "POST", "a")
	o.now = o.now.AddDate(0, -1, 0)
	o.act(t, "ann", "POST", "b")
	check(t, o.Close())
	o.open(t)
	o.act(t, "ann", "POST", "c")
	o.sound(t, 6)
	if got := o.targets(t, Filter{}); got != "c b a" {
		t.Errorf("%q", got)
	}
}

func TestPurge(t *testing.T) {
	o := newOffice(t)
	for _, days := range []int{-1, 1, 29, maxDays + 1} {
		if err := o.SetSettings(t.Context(), Settings{days}); !errors.Is(err, ErrInvalid) {
			t.Errorf("%d days: %v", days, err)
		}
	}
	check(t, o.SetSettings(t.Context(), Settings{30}))
	o.act(t, "ann", "POST", "old")
	o.now = o.now.AddDate(0, 0, 20)
	o.act(t, "ann", "POST", "young")
	o.now = o.now.AddDate(0, 0, 15)
	check(t, o.Purge())
	if got := o.targets(t, Filter{}); got != "2026-03-14 young" {
		t.Errorf("after the purge: %q", got)
	}
	o.sound(t, 4)
	check(t, o.SetSettings(t.Context(), Settings{0}))
	o.now = o.now.AddDate(10, 0, 0)
	check(t, o.Purge())
	o.sound(t, 4)
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"sequence":1,"previous":"","time":"2026-03-14T22:00:00Z","action":{"time":"2026-03-14T22:00:00Z","who":"a","what":"b"}}`))
	f.Add([]byte(`{"sequence":2,"previous":"00","of":1,"time":"2026-03-14T22:00:00Z","result":{"outcome":"done"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := decode(text)
		if err != nil {
			return
		}
		again, err := n.encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decode(bytes.TrimSuffix(again, []byte("\n"))); err != nil {
			t.Fatalf("%q: %v", again, err)
		}
	})
}
