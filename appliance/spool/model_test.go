package spool

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"furrow/appliance/disk/disktest"
)

// reference is what a spool promises, in the simplest way to say it.
type reference struct {
	messages map[Position]refMessage
	queues   map[string]map[Position]bool // what each recipient waits for
	// maybe is what recipients are done with since the last Maintain: after a
	// crash it may be in their queues again.
	maybe map[string]map[Position]bool
}

type refMessage struct {
	seed    uint64
	size    int
	stored  time.Time
	expires time.Time
}

var modelKeys = []string{"a", "b", "c", "d"}

func newReference() *reference {
	r := &reference{messages: map[Position]refMessage{}}
	r.queues, r.maybe = map[string]map[Position]bool{}, map[string]map[Position]bool{}
	for _, k := range modelKeys {
		r.queues[k], r.maybe[k] = map[Position]bool{}, map[Position]bool{}
	}
	return r
}

func (r *reference) done(key string, p Position) {
	delete(r.queues[key], p)
	r.maybe[key][p] = true
}

func (r *reference) saved() {
	for _, k := range modelKeys {
		clear(r.maybe[k])
	}
}

// spoolMachine drives a spool and the reference with the same actions.
type spoolMachine struct {
	ref     *reference
	spool   *Spool
	files   *disktest.Memory
	options Options
	clock   *clock
	last    Position
	seed    uint64
}

func TestModel(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		m := &spoolMachine{ref: newReference(), files: disktest.NewMemory(), clock: newClock()}
		m.options = Options{Dir: dir, InlineBytes: 400, SegmentBytes: 3000, ReserveBytes: 1, Now: m.clock.read}
		m.start(t, m.files, true)
		defer m.stop(t)
		t.Repeat(map[string]func(*rapid.T){
			"":         m.check,
			"enqueue":  m.enqueue,
			"deliver":  m.deliver,
			"ack":      m.ack,
			"purge":    m.purge,
			"expire":   m.expire,
			"maintain": m.maintain,
			"reopen":   m.reopen,
			"kill":     m.kill,
			"crash":    m.crash,
		})
	})
}

func (m *spoolMachine) start(t *rapid.T, files *disktest.Memory, sound bool) {
	m.files, m.options.FS = files, files
	s, report, err := Open(m.options)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range report.Damage {
		if sound || !d.AtEnd {
			t.Fatalf("not sound: %+v", d)
		}
	}
	if report.Checkpoint != nil {
		t.Fatal(report.Checkpoint)
	}
	m.spool = s
}

func (m *spoolMachine) stop(t *rapid.T) {
	if err := m.spool.Close(); err != nil {
		t.Fatal(err)
	}
}

func (m *spoolMachine) enqueue(t *rapid.T) {
	keys := rapid.SliceOfNDistinct(rapid.SampledFrom(modelKeys), 1, len(modelKeys), rapid.ID).Draw(t, "keys")
	e := to(keys...)
	e.Lifetime = time.Duration(rapid.SampledFrom([]int{0, 0, 30}).Draw(t, "lifetime")) * time.Second
	m.seed++
	msg := refMessage{seed: m.seed, size: rapid.IntRange(0, 900).Draw(t, "size"), stored: m.clock.now}
	if e.Lifetime > 0 {
		msg.expires = m.clock.now.Add(e.Lifetime)
	}
	p := put(&fatal{T: t}, m.spool, e, body(msg.seed, msg.size))
	if p <= m.last {
		t.Fatalf("position %d after %d", p, m.last)
	}
	m.last = p
	m.ref.messages[p] = msg
	for _, k := range keys {
		m.ref.queues[k][p] = true
	}
}

// waiting draws a recipient and one of its messages, if there is one.
func (m *spoolMachine) waiting(t *rapid.T) (key string, p Position, ok bool) {
	key = rapid.SampledFrom(modelKeys).Draw(t, "key")
	if len(m.ref.queues[key]) == 0 {
		return key, 0, false
	}
	return key, rapid.SampledFrom(slices.Sorted(maps.Keys(m.ref.queues[key]))).Draw(t, "position"), true
}

func (m *spoolMachine) deliver(t *rapid.T) {
	_, p, ok := m.waiting(t)
	if !ok {
		return
	}
	msg := m.ref.messages[p]
	if _, data, err := get(m.spool, p); err != nil || !bytes.Equal(data, body(msg.seed, msg.size)) {
		t.Fatalf("message %d: %v", p, err)
	}
}

func (m *spoolMachine) ack(t *rapid.T) {
	key, p, ok := m.waiting(t)
	if !ok {
		return
	}
	if !m.spool.Ack(key, p) || m.spool.Ack(key, p) {
		t.Fatalf("ack of %d by %s", p, key)
	}
	m.ref.done(key, p)
}

func (m *spoolMachine) purge(t *rapid.T) {
	key := rapid.SampledFrom(modelKeys).Draw(t, "key")
	m.spool.Purge(key)
	for _, p := range slices.Collect(maps.Keys(m.ref.queues[key])) {
		m.ref.done(key, p)
	}
}

func (m *spoolMachine) expire(t *rapid.T) {
	m.clock.now = m.clock.now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "seconds")) * time.Second)
	const limit = 50 * time.Second
	m.spool.Expire(func(key string) time.Duration {
		if key == "a" {
			return 0
		}
		return limit
	})
	for _, key := range modelKeys {
		for _, p := range slices.Collect(maps.Keys(m.ref.queues[key])) {
			msg := m.ref.messages[p]
			outlived := !msg.expires.IsZero() && !msg.expires.After(m.clock.now)
			if outlived || key != "a" && m.clock.now.Sub(msg.stored) > limit {
				m.ref.done(key, p)
			}
		}
	}
}

func (m *spoolMachine) maintain(t *rapid.T) {
	if err := m.spool.Maintain(context.Background()); err != nil {
		t.Fatal(err)
	}
	m.ref.saved()
}

func (m *spoolMachine) reopen(t *rapid.T) {
	m.stop(t)
	m.ref.saved()
	m.start(t, m.files, true)
}

// kill loses the process but nothing that was written; an upload is under way.
func (m *spoolMachine) kill(t *rapid.T) {
	w, err := m.spool.Begin(to("a"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(body(0, rapid.IntRange(0, 100_000).Draw(t, "unfinished"))); err != nil {
		t.Fatal(err)
	}
	found := m.files.Clone()
	if err := w.Abort(); err != nil {
		t.Fatal(err)
	}
	m.stop(t)
	m.start(t, found, true)
	m.adopt(t)
}

// crash loses power in the middle of a commit. If that comes to no failure, it
// is a commit like others.
func (m *spoolMachine) crash(t *rapid.T) {
	fail := rapid.SampledFrom([]string{"sync", "syncdir", "write"}).Draw(t, "at")
	m.files.SetHook(func(op, _ string) error {
		if op == fail {
			return os.ErrDeadlineExceeded
		}
		return nil
	})
	m.seed++
	msg := refMessage{seed: m.seed, size: rapid.SampledFrom([]int{10, 300, 2000}).Draw(t, "size"), stored: m.clock.now}
	if p, err := tryPut(m.spool, to("a"), body(msg.seed, msg.size)); err == nil {
		m.last = p
		m.ref.messages[p] = msg
		m.ref.queues["a"][p] = true
	}
	found := m.files.Crash(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "choice") })
	m.files.SetHook(nil)
	if err := m.spool.Close(); err != nil {
		t.Fatal(err)
	}
	m.start(t, found, false) // a record in part is reported
	for _, p := range positions(m.spool, "a") {
		if p > m.last { // not acknowledged, but there
			m.last = p
			m.spool.Ack("a", p)
			m.ref.done("a", p)
		}
	}
	m.adopt(t)
}

// adopt checks the queues after a crash, and takes what is there for true.
func (m *spoolMachine) adopt(t *rapid.T) {
	for _, key := range modelKeys {
		found := map[Position]bool{}
		for _, p := range positions(m.spool, key) {
			found[p] = true
			if !m.ref.queues[key][p] && !m.ref.maybe[key][p] {
				t.Fatalf("%s: message %d is out of nowhere", key, p)
			}
		}
		for p := range m.ref.queues[key] {
			if !found[p] {
				t.Fatalf("%s: message %d is lost", key, p)
			}
		}
		m.ref.queues[key] = found
		for p := range found {
			delete(m.ref.maybe[key], p)
		}
	}
}

func (m *spoolMachine) check(t *rapid.T) {
	waiting := map[Position]bool{}
	for _, key := range modelKeys {
		want := slices.Sorted(maps.Keys(m.ref.queues[key]))
		if got := positions(m.spool, key); !slices.Equal(got, want) {
			t.Fatalf("%s: got %v, want %v", key, got, want)
		}
		var size int64
		for _, p := range want {
			size += int64(m.ref.messages[p].size)
			waiting[p] = true
		}
		if got := m.spool.Usage(key); got.Messages != len(want) || got.Bytes != size {
			t.Fatalf("%s: usage %+v, want %d and %d", key, got, len(want), size)
		}
	}
	if got := m.spool.Stats().Messages; got != len(waiting) {
		t.Fatalf("%d messages, want %d", got, len(waiting))
	}
	if err := consistent(m.spool); err != nil {
		t.Fatal(err)
	}
}

// consistent compares what the index keeps twice.
func consistent(s *Spool) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	live, waiting := map[*segment]int64{}, 0
	for p, r := range s.index.records {
		live[r.segment] += r.extent()
		waiting += len(r.waiting)
		if p != r.position || len(r.waiting) == 0 || s.segments[r.segment.name] != r.segment {
			return fmt.Errorf("record %d is out of place", p)
		}
	}
	for _, seg := range s.segments {
		if seg.live != live[seg] || seg.live > seg.size {
			return fmt.Errorf("%s: %d octets live, want %d of %d", seg.name, seg.live, live[seg], seg.size)
		}
	}
	for _, q := range s.index.queues {
		waiting -= len(q.items)
		if len(q.items) > 0 && q.cursor >= q.items[0].position {
			return fmt.Errorf("%s: cursor %d at or above %d", q.recipient, q.cursor, q.items[0].position)
		}
		if !slices.IsSorted(q.beyond) || len(q.beyond) > 0 && q.beyond[0] <= q.cursor {
			return fmt.Errorf("%s: cursor %d, beyond %v", q.recipient, q.cursor, q.beyond)
		}
	}
	if waiting != 0 {
		return fmt.Errorf("records and queues differ by %d", waiting)
	}
	return nil
}

// fatal lets put, which wants a testing.TB, end a rapid check.
type fatal struct {
	testing.TB
	T *rapid.T
}

func (f *fatal) Helper()           {}
func (f *fatal) Fatal(args ...any) { f.T.Fatal(args...) }
