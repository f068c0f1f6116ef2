package checkup

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

func TestRoom(t *testing.T) {
	goOn, found := make(chan error), make(chan struct{})
	now := time.Date(2026, 3, 14, 15, 0, 0, 0, time.UTC)
	room := New(func(_ context.Context, report func(Finding)) error {
		report(Finding{Check: "first", Outcome: "well"})
		found <- struct{}{}
		return <-goOn
	}, func() time.Time { return now })
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { room.Run(ctx) })
	if last := room.Last(); last.Running() || !last.Began.IsZero() {
		t.Errorf("before any: %+v", last)
	}
	for _, failure := range []error{nil, errors.New("no disk")} {
		if err := room.Start(); err != nil {
			t.Fatal(err)
		}
		<-found
		if err := room.Start(); !errors.Is(err, ErrBusy) {
			t.Errorf("a second one at the same time: %v", err)
		}
		if last := room.Last(); !last.Running() || len(last.Findings) != 1 || last.Findings[0].Check != "first" {
			t.Errorf("meanwhile: %+v", last)
		}
		goOn <- failure
		for room.Last().Running() {
			time.Sleep(time.Millisecond)
		}
		if last := room.Last(); (last.Problem != "") != (failure != nil) || !last.Ended.Equal(now) {
			t.Errorf("%v: %+v", failure, last)
		}
	}
	cancel()
	running.Wait()
}
