package bench

import (
	"context"
	"sync"
)

// crew runs goroutines until all have ended. The first error ends the others'
// context.
type crew struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	work   sync.WaitGroup
}

func newCrew(ctx context.Context) *crew {
	c := &crew{}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	return c
}

func (c *crew) run(f func(ctx context.Context) error) {
	c.work.Go(func() {
		if err := f(c.ctx); err != nil {
			c.cancel(err)
		}
	})
}

// wait returns the first error, or why the context has ended.
func (c *crew) wait() error {
	c.work.Wait()
	err := context.Cause(c.ctx)
	c.cancel(nil)
	return err
}

// forEach does something for the numbers below n, atOnce of them at a time.
func forEach(ctx context.Context, n, atOnce int, f func(ctx context.Context, i int) error) error {
	c := newCrew(ctx)
	numbers := make(chan int)
	for range min(n, atOnce) {
		c.run(func(ctx context.Context) error {
			for i := range numbers {
				if err := f(ctx, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	func() {
		defer close(numbers)
		for i := range n {
			select {
			case numbers <- i:
			case <-c.ctx.Done():
				return
			}
		}
	}()
	return c.wait()
}
