package bench

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// mail is what [FanOut] and [OneToOne] have in common: messages are sent on some
// routes while nobody receives, and then everybody drains.
type mail struct {
	scenario string
	routes   []Route
	messages int // on each route
	size     int // octets of each
	window   int // messages of a route that are under way at a time
}

func (m mail) run(ctx context.Context, post Post, progress Progress) (Result, error) {
	letters, err := newLetters(m.size)
	if err != nil {
		return Result{}, err
	}
	if err := post.Enrol(ctx, m.routes); err != nil {
		return Result{}, err
	}
	meter, err := startMeter(post)
	if err != nil {
		return Result{}, err
	}
	stored, err := m.store(ctx, post, letters, progress)
	if err != nil {
		return Result{}, err
	}
	drained, err := m.drain(ctx, post, letters, progress)
	if err != nil {
		return Result{}, err
	}
	r := Result{Scenario: m.scenario, Clients: people(m.routes), Phases: []Phase{stored, drained}}
	return meter.end(r, 0)
}

// store sends everything.
func (m mail) store(ctx context.Context, post Post, letters letters, progress Progress) (Phase, error) {
	senders := make([]Sender, 0, len(m.routes))
	defer func() {
		for _, s := range senders {
			_ = s.Close() // what it has sent is acknowledged
		}
	}()
	for route := range m.routes {
		s, err := post.Sender(ctx, route)
		if err != nil {
			return Phase{}, err
		}
		senders = append(senders, s)
	}
	total := m.messages * len(m.routes)
	clock := startClock("store", total, progress)
	work := newCrew(ctx)
	for route, sender := range senders {
		var next atomic.Int64
		for range m.window {
			work.run(func(ctx context.Context) error {
				for n := int(next.Add(1)) - 1; n < m.messages; n = int(next.Add(1)) - 1 {
					began := time.Now()
					if err := sender.Send(ctx, letters.write(route, n)); err != nil {
						return err
					}
					clock.took(time.Since(began))
					clock.done()
				}
				return nil
			})
		}
	}
	if err := work.wait(); err != nil {
		return Phase{}, err
	}
	return clock.phase("message acknowledged", int64(total)*int64(m.size)), nil
}

// errDrained ends the context of who has got everything.
var errDrained = errors.New("everything has come")

// drain has every recipient get what was sent to it.
func (m mail) drain(ctx context.Context, post Post, letters letters, progress Progress) (Phase, error) {
	total := 0
	for _, r := range m.routes {
		total += len(r.To) * m.messages
	}
	clock := startClock("drain", total, progress)
	work := newCrew(ctx)
	for route, r := range m.routes {
		for _, person := range r.To {
			box := newMailbox(letters, route, m.messages)
			work.run(func(ctx context.Context) error {
				return drainOne(ctx, post, person, box, clock)
			})
		}
	}
	if err := work.wait(); err != nil {
		return Phase{}, err
	}
	return clock.phase("mailbox emptied, from before the connection", int64(total)*int64(m.size)), nil
}

func drainOne(ctx context.Context, post Post, person int, box *mailbox, clock *clock) error {
	ctx, enough := context.WithCancelCause(ctx)
	defer enough(nil)
	began := time.Now()
	err := post.Drain(ctx, person, func(body []byte) error {
		last, err := box.take(body)
		if err != nil {
			enough(err)
			return err
		}
		clock.done()
		if last {
			clock.took(time.Since(began))
			enough(errDrained)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if cause := context.Cause(ctx); !errors.Is(cause, errDrained) {
		return cause
	}
	return nil
}
