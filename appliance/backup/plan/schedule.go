package plan

import (
	"context"
	"errors"
	"time"
)

const (
	// firstPause is the wait after a first failure; each further one waits twice as long, up to lastPause.
	firstPause = time.Minute
	lastPause  = time.Hour
	// maxDoublings is more than it takes to get from the one to the other.
	maxDoublings = 10
	// maxIdle is how long Run sleeps at most: a clock that was set must not put a backup off for long.
	maxIdle = 10 * time.Minute
)

// Start has Run make a backup at once, for somebody who does not wait for it: Running and Outcome say how it goes.
func (p *Plan) Start() error {
	if err := p.Store.Err(); err != nil {
		return err // what came of it could not be noted, and Run may not be there
	}
	if _, ok := p.Settings(); !ok {
		return ErrNoTarget
	}
	if p.Running() != nil {
		return ErrBusy
	}
	select {
	case p.asked <- struct{}{}:
		return nil
	default:
		return ErrBusy
	}
}

// Run makes backups when they are due, and those that Start asks for, until ctx ends.
func (p *Plan) Run(ctx context.Context) {
	for ctx.Err() == nil {
		timer := time.NewTimer(p.makeDue(ctx))
		select {
		case <-ctx.Done():
		case <-p.wake:
		case <-p.asked:
			if _, err := p.Make(ctx); errors.Is(err, ErrBusy) {
				p.Log.Warn("the backup that was asked for is not made: another is being made")
			}
		case <-timer.C:
		}
		timer.Stop()
	}
}

// makeDue makes the backup that is due, if one is, and returns how long none will be, or less.
func (p *Plan) makeDue(ctx context.Context) time.Duration {
	due := p.Next()
	if due.IsZero() {
		return maxIdle // a change of the settings wakes
	}
	if wait := due.Sub(p.Now()); wait > 0 {
		return min(wait, maxIdle)
	}
	if _, err := p.Make(ctx); errors.Is(err, ErrBusy) {
		return firstPause
	}
	if due = p.Next(); !due.After(p.Now()) {
		return firstPause // the outcome could not be stored
	}
	return min(due.Sub(p.Now()), maxIdle)
}

// Next returns when the next backup is due; zero for never.
func (p *Plan) Next() time.Time {
	view := p.Store.Snapshot()
	row, ok := p.Tables.settings.Get(view, singleton)
	if !ok {
		return time.Time{}
	}
	outcome, _ := p.Tables.outcome.Get(view, singleton)
	return row.due(outcome.Outcome, p.Now())
}

// due returns when the next backup is due: after a failure soon, otherwise when the settings say, counted from the last
// success or from their change. What was due while the box was off is due at once.
func (r settingsRow) due(o Outcome, now time.Time) time.Time {
	if r.Daily == "" && r.Every == 0 {
		return time.Time{}
	}
	if o.Failures > 0 && !o.Tried.Before(r.Changed) && !o.Tried.After(now) {
		return o.Tried.Add(min(firstPause<<min(o.Failures-1, maxDoublings), lastPause))
	}
	from := r.Changed
	if o.Succeeded.After(from) {
		from = o.Succeeded
	}
	if from.After(now) { // the clock was set back
		from = now
	}
	if r.Every > 0 {
		return from.Add(r.Every)
	}
	at, err := time.Parse(dailyLayout, r.Daily)
	if err != nil { // refused by check
		return time.Time{}
	}
	from = from.In(now.Location())
	day := time.Date(from.Year(), from.Month(), from.Day(), at.Hour(), at.Minute(), 0, 0, from.Location())
	if !day.After(from) {
		day = time.Date(from.Year(), from.Month(), from.Day()+1, at.Hour(), at.Minute(), 0, 0, from.Location())
	}
	return day
}
