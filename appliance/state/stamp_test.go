package state

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestStampsNeverGoBack(t *testing.T) {
	dir := t.TempDir()
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	var s testStore
	stamp := func(now time.Time, fail error) (got time.Time) {
		t.Helper()
		err := s.Update(context.Background(), func(tx *Tx) error {
			got = tx.NextStamp(now)
			return fail
		})
		if !errors.Is(err, fail) {
			t.Fatal(err)
		}
		return got
	}
	s = openStore(t, dir, Options{})
	if last := s.Snapshot().LastStamp(); !last.IsZero() {
		t.Errorf("stamp of a new store %v", last)
	}
	steps := []struct {
		now  time.Time
		want time.Time
	}{
		{noon.Add(400 * time.Microsecond), noon},
		{noon, noon.Add(1 * time.Millisecond)},
		{noon.Add(-time.Hour), noon.Add(2 * time.Millisecond)},
		{noon.Add(time.Second), noon.Add(time.Second)},
		{time.Unix(0, 0), noon.Add(time.Second + time.Millisecond)},
	}
	for _, step := range steps {
		if got := stamp(step.now, nil); !got.Equal(step.want) {
			t.Errorf("stamp at %v = %v, want %v", step.now, got, step.want)
		}
	}
	stamp(noon.Add(time.Hour), errors.New("rolled back"))
	last := noon.Add(time.Second + time.Millisecond)
	for _, compact := range []bool{false, true, true} { // from the journal, then from a checkpoint
		if got := s.Snapshot().LastStamp(); !got.Equal(last) {
			t.Errorf("last stamp %v, want %v", got, last)
		}
		if compact {
			if err := s.Compact(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openStore(t, dir, Options{})
		last = last.Add(time.Millisecond)
		if got := stamp(time.Unix(1000, 0), nil); !got.Equal(last) {
			t.Errorf("stamp after a restart %v, want %v", got, last)
		}
	}
}
