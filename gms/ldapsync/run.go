package ldapsync

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// firstRetry is how long after a failed sync the next one is tried; it doubles up to the source's interval.
	firstRetry = time.Minute
	// jitterShare is the part of an interval by which syncs are put off at random, so that boxes that were started
	// together do not come to a directory server together.
	jitterShare = 10
	// idle is how often it is looked for sources that should be synced when none is known.
	idle = 24 * time.Hour
)

// randomly is a random time up to d.
func randomly(d time.Duration) time.Duration { return rand.N(d + 1) }

// appointment is when a source is synced next, as long as its settings have this stamp.
type appointment struct {
	stamp int64
	at    time.Time
}

// Run does the scheduled syncs until ctx ends.
func (y *Syncer) Run(ctx context.Context) {
	appointments := map[string]appointment{}
	for {
		name, at := y.next(appointments)
		wait := idle
		if name != "" {
			wait = max(0, at.Sub(y.Now()))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-y.wake:
			timer.Stop()
			continue
		case <-timer.C:
		}
		if name == "" {
			continue
		}
		made := appointments[name]
		delete(appointments, name)
		if _, err := y.sync(ctx, name, false, true); err != nil && ctx.Err() == nil {
			y.Log.Warn("scheduled LDAP sync put off", "source", name, "error", err)
			appointments[name] = appointment{made.stamp, y.Now().Add(firstRetry)}
		}
	}
}

// next makes the missing appointments and returns the first one.
func (y *Syncer) next(appointments map[string]appointment) (first string, at time.Time) {
	for row := range y.Tables.sources.All(y.Store.Snapshot()) {
		if row.IntervalMinutes == 0 {
			delete(appointments, row.Name)
			continue
		}
		made, ok := appointments[row.Name]
		if !ok || made.stamp != row.Stamp {
			made = appointment{row.Stamp, y.due(&row)}
			appointments[row.Name] = made
		}
		if first == "" || made.at.Before(at) {
			first, at = row.Name, made.at
		}
	}
	return first, at
}

// due is when a source is to be synced: an interval after it was last, or after its settings changed, which leaves time
// for a look at a preview.
func (y *Syncer) due(row *sourceRow) time.Time {
	last, failures := row.Changed, 0
	reports := y.Tables.reports.Range(y.Store.Snapshot(), below(row.Name), beyond(row.Name))
	for r := range reports {
		if r.Ended.After(last) {
			last = r.Ended
		}
		if failures++; r.Error == "" {
			failures = 0
		}
	}
	pause := row.interval()
	if failures > 0 {
		pause = min(pause, firstRetry<<min(failures-1, keptReports))
	}
	return last.Add(pause + y.Jitter(pause/jitterShare))
}
