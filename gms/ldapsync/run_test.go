package ldapsync

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestRun follows the clock of a bubble: an interval after the settings, then after each sync, sooner and sooner less
// often after failures, and never once the source is by hand or the context ends.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { time.Sleep(2 * time.Second) }) // BuntDB has a goroutine that wakes once a second and sees then that it is closed
		f := newFixture(t)
		var mu sync.Mutex // the clock of a bubble orders nothing for the race detector
		began := time.Now()
		var at []time.Duration
		f.Search = func(context.Context, Source) ([]Entry, error) {
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Since(began))
			return f.entries, f.err
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { f.Run(ctx); close(ended) }()
		expect := func(what string, want ...time.Duration) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if len(at) != len(want) {
				t.Fatalf("%s: syncs at %v, want %v", what, at, want)
			}
			for i := range want {
				if d := at[i] - want[i]; d < 0 || d > time.Second {
					t.Fatalf("%s: syncs at %v, want %v", what, at, want)
				}
			}
			at, began = nil, time.Now()
		}
		f.set(t, nil)
		time.Sleep(48 * time.Hour)
		expect("by hand")
		f.set(t, func(s *Source) { s.IntervalMinutes = 10 })
		time.Sleep(35 * time.Minute)
		expect("every ten minutes", 10*time.Minute, 20*time.Minute, 30*time.Minute)
		mu.Lock()
		f.err = errAway
		mu.Unlock()
		time.Sleep(40 * time.Minute)
		expect("failing", 5*time.Minute, 6*time.Minute, 8*time.Minute, 12*time.Minute, 20*time.Minute, 30*time.Minute, 40*time.Minute)
		if r, err := f.Report("office", ""); err != nil || !r.Scheduled || r.Error != errAway.Error() {
			t.Errorf("report %+v, %v", r, err)
		}
		f.set(t, nil)
		time.Sleep(48 * time.Hour)
		expect("by hand again")
		cancel()
		<-ended
	})
}
