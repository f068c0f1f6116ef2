package client

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Receiver takes what waits at all relays of a user.
type Receiver struct {
	Relays   []Options // their Handlers are replaced
	Handlers Handlers
	Retry    Retry
	// Quiet ends the work at a relay that has delivered nothing for so long: the
	// protocol has no word for an empty queue. Zero goes on for ever.
	Quiet time.Duration
}

// Run receives until ctx ends or all relays are quiet. The errors are of relays
// that were given up; one relay's troubles do not disturb the others.
func (r *Receiver) Run(ctx context.Context) error {
	errs := make([]error, len(r.Relays))
	var relays sync.WaitGroup
	for i, o := range r.Relays {
		relays.Go(func() {
			err := r.Retry.Do(ctx, func(ctx context.Context) error { return r.receive(ctx, o) })
			if ctx.Err() == nil {
				errs[i] = err
			}
		})
	}
	relays.Wait()
	return errors.Join(errs...)
}

// receive receives on one connection.
func (r *Receiver) receive(ctx context.Context, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o.Handlers = r.Handlers
	var q *quiet
	if r.Quiet > 0 {
		q = newQuiet(r.Quiet, cancel)
		o.Handlers = q.wrap(r.Handlers)
	}
	link, err := Dial(ctx, o)
	if err != nil {
		return err
	}
	if err := link.Attach(ctx); err != nil {
		link.Close()
		return err
	}
	if q != nil {
		q.begin()
		defer q.end()
	}
	return link.Receive(ctx)
}

// quiet calls silent when nothing has been going on for some time.
type quiet struct {
	after  time.Duration
	silent func()

	mu    sync.Mutex
	busy  int
	timer *time.Timer // runs while busy is 0, once begun
}

func newQuiet(after time.Duration, silent func()) *quiet {
	return &quiet{after: after, silent: silent}
}

// begin starts to wait for silence.
func (q *quiet) begin() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.timer = time.AfterFunc(q.after, q.expire)
}

// end stops to wait.
func (q *quiet) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.timer.Stop()
}

func (q *quiet) expire() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.busy == 0 {
		q.silent()
	}
}

// count notes that n more, or fewer, things are going on.
func (q *quiet) count(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy += n
	if q.timer != nil {
		q.timer.Reset(q.after)
	}
}

// wrap returns handlers that are heard.
func (q *quiet) wrap(handlers Handlers) Handlers {
	heard := make(Handlers, len(handlers))
	for resource, handle := range handlers {
		heard[resource] = func(ctx context.Context, d *Delivery) error {
			q.count(1)
			defer q.count(-1)
			return handle(ctx, d)
		}
	}
	return heard
}
