package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// Stage is a server that tells people of the presence of others.
type Stage interface {
	Server
	// Introduce makes one person known, and so many watchers who have it among
	// their contacts. It is called once.
	Introduce(ctx context.Context, watchers int) error
	// Watch connects a watcher. seen is called with each change of the person
	// that it is told of. It returns when the server knows that the watcher is to
	// be told.
	Watch(ctx context.Context, watcher int, seen func(change int)) (Connection, error)
	// Perform connects the person.
	Perform(ctx context.Context) (Performer, error)
}

// Performer is the connected person whose presence is watched.
type Performer interface {
	Connection
	// Change publishes a change, of which changes from 1 upwards can be told apart.
	Change(ctx context.Context, change int) error
}

// Presence has the changes of one person be seen by many, one after the other.
type Presence struct {
	Watchers int
	Changes  int
	// Patience is how long a change may take to be seen by all.
	Patience time.Duration
}

// breath is between two changes: nobody comes and goes many times a second, and a
// server may gather what does.
const breath = 200 * time.Millisecond

// Run measures stage. The latency of a change is that of the last who sees it.
func (p Presence) Run(ctx context.Context, stage Stage, progress Progress) (Result, error) {
	if err := stage.Introduce(ctx, p.Watchers); err != nil {
		return Result{}, err
	}
	meter, err := startMeter(stage)
	if err != nil {
		return Result{}, err
	}
	seen := make(chan int, p.Watchers)
	connections := make([]Connection, p.Watchers)
	defer closeAll(connections)
	err = forEach(ctx, p.Watchers, connectAtOnce, func(ctx context.Context, i int) (err error) {
		var newest atomic.Int64 // a server may tell twice
		connections[i], err = stage.Watch(ctx, i, func(change int) {
			for {
				last := newest.Load()
				if int64(change) <= last {
					return
				}
				if newest.CompareAndSwap(last, int64(change)) {
					seen <- change
					return
				}
			}
		})
		return err
	})
	if err != nil {
		return Result{}, err
	}
	performer, err := stage.Perform(ctx)
	if err != nil {
		return Result{}, err
	}
	defer func() { _ = performer.Close() }() // it has served its purpose
	clock := startClock("change", p.Changes*p.Watchers, progress)
	for change := 1; change <= p.Changes; change++ {
		select {
		case <-time.After(breath):
		case <-ctx.Done():
			return Result{}, context.Cause(ctx)
		}
		began := time.Now()
		if err := performer.Change(ctx, change); err != nil {
			return Result{}, err
		}
		if err := p.await(ctx, change, seen, clock); err != nil {
			return Result{}, err
		}
		clock.took(time.Since(began))
	}
	return meter.end(Result{
		Scenario: "presence", Clients: p.Watchers + 1, Phases: []Phase{clock.phase("change seen by the last", 0)},
	}, p.Watchers+1)
}

// await returns when all watchers have seen a change.
func (p Presence) await(ctx context.Context, change int, seen <-chan int, clock *clock) error {
	late := time.NewTimer(p.Patience)
	defer late.Stop()
	for n := 0; n < p.Watchers; {
		select {
		case got := <-seen:
			if got != change {
				return fmt.Errorf("change %d was seen when %d was to be", got, change)
			}
			n++
			clock.done()
		case <-late.C:
			return fmt.Errorf("change %d was seen by %d of %d watchers within %v", change, n, p.Watchers, p.Patience)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
