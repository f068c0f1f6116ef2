package state

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"furrow/appliance/disk"
)

// BenchmarkCommit reports durable commits per second of 64 concurrent writers
// as a multiple of one writer's, measured in the same run.
func BenchmarkCommit(b *testing.B) {
	const writers = 64
	s := openStore(b, b.TempDir(), Options{CompactBytes: 1 << 30})
	rate := func(writers, n int) float64 {
		var next atomic.Int64
		var wg sync.WaitGroup
		started := time.Now()
		for w := range writers {
			wg.Go(func() {
				for next.Add(1) <= int64(n) {
					if err := s.put(member{ID: fmt.Sprint("writer ", w), Email: fmt.Sprint(w, "@example.org"), N: n}); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
		return float64(n) / time.Since(started).Seconds()
	}
	rate(1, 100)
	for b.Loop() {
		one := rate(1, 1000)
		before := s.Stats()
		many := rate(writers, 20_000)
		after := s.Stats()
		b.ReportMetric(one, "commits/s-1")
		b.ReportMetric(many, "commits/s-64")
		b.ReportMetric(many/one, "ratio")
		b.ReportMetric(float64(after.Commits-before.Commits)/float64(after.Flushes-before.Flushes), "commits/flush")
	}
}

func TestReadersNeverSeeWhatIsNotDurable(t *testing.T) {
	gate := &gateFS{FS: disk.OS{}}
	s := openStore(t, t.TempDir(), Options{FS: gate})
	release := gate.hold()
	done := make(chan error, 1)
	go func() { done <- s.put(member{ID: "a"}) }()
	<-gate.waiting // appended, the flush is running
	if _, ok := s.members.Get(s.Snapshot(), "a"); ok {
		t.Error("a reader sees the change before it is durable")
	}
	// A transaction that changes nothing, but saw the change, must wait too.
	saw := make(chan error, 1)
	go func() {
		saw <- s.Update(context.Background(), func(tx *Tx) error {
			if _, ok := s.members.Get(tx, "a"); !ok {
				t.Error("the next transaction does not see the change")
			}
			return nil
		})
	}()
	for queued := 0; queued == 0; { // until it waits
		s.mu.Lock()
		queued = len(s.pending.txs)
		s.mu.Unlock()
	}
	select {
	case <-saw:
		t.Error("a transaction returned before what it saw was durable")
	default:
	}
	release()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := <-saw; err != nil {
		t.Error(err)
	}
	if _, ok := s.members.Get(s.Snapshot(), "a"); !ok {
		t.Error("the change is not there after Update returned")
	}
}

func TestManyWritersAndReaders(t *testing.T) {
	const writers, each = 16, 50
	dir := fastDir(t)
	s := openStore(t, dir, Options{CompactBytes: 4 << 10, CompactFactor: 1})
	stop := make(chan struct{})
	var readers, wg sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			last := uint64(0)
			for {
				select {
				case <-stop:
					return
				default:
				}
				v := s.Snapshot()
				if v.Sequence() < last {
					t.Errorf("sequence went from %d to %d", last, v.Sequence())
				}
				last = v.Sequence()
				runtime.Gosched() // two readers that never rest would starve the rest
				sum := 0
				for m := range s.members.All(v) {
					sum += m.N
				}
				if sum != int(last) { // each transaction adds one
					t.Errorf("state %d adds up to %d", last, sum)
				}
			}
		})
	}
	for w := range writers {
		wg.Go(func() {
			for range each {
				err := s.Update(context.Background(), func(tx *Tx) error {
					m, _ := s.members.Get(tx, fmt.Sprint(w))
					m.ID = fmt.Sprint(w)
					m.N++
					return s.members.Put(tx, m)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	readers.Wait()
	want := s.dump()
	if n := s.Stats(); n.Compactions == 0 || n.Commits != writers*each || n.Flushes > n.Commits {
		t.Errorf("stats %+v", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := openStore(t, dir, Options{}).dump(); got != want {
		t.Errorf("reopened: %s, want %s", got, want)
	}
}
