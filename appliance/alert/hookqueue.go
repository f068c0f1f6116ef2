package alert

import (
	"context"
	"errors"
	"fmt"
	"time"

	"furrow/appliance/state"
)

const (
	// firstPause is the wait after a first failure; each further one waits twice as long, up to lastPause.
	firstPause = time.Minute
	lastPause  = time.Hour
	// maxDoublings is more than it takes to get from the one to the other.
	maxDoublings = 6
	// giveUpAfter is how long a notice is tried: the next day's reminder says more.
	giveUpAfter = 24 * time.Hour
	// maxHooks bounds what waits: a day without a receiver, and every kind swinging.
	maxHooks = 1000
	// maxIdle is how long is slept at most: a clock that was set must not keep notices back for long.
	maxIdle = 10 * time.Minute
	// maxHookError bounds what is kept of an error, in octets.
	maxHookError = 500
)

// hookRow is a notice that the web hook has not taken yet.
type hookRow struct {
	ID       string    `json:"id"` // sorts by time of entry
	Body     []byte    `json:"body"`
	Entered  time.Time `json:"entered"`
	Due      time.Time `json:"due"`
	Attempts int       `json:"attempts"`
	Error    string    `json:"error,omitempty"` // of the last attempt
}

// addHook puts a notice into the queue as part of a transaction. One too many is dropped: the receiver has been away
// for long, and mail tells the same.
func (m *Monitor) addHook(tx *state.Tx, n Notice) error {
	if m.Tables.hooks.Len(tx) >= maxHooks {
		m.Log.Error("alert not sent to the web hook: too many wait", "alert", n.headline())
		return nil
	}
	body, err := n.hookBody(m.Box)
	if err != nil {
		return err
	}
	now := m.Now()
	id := fmt.Sprintf("%016x", tx.NextStamp(now).UnixNano())
	return m.Tables.hooks.Put(tx, hookRow{ID: id, Body: body, Entered: now, Due: now})
}

func (m *Monitor) wakeHooks() {
	select {
	case m.wake <- struct{}{}:
	default: // it is about to look
	}
}

// runHooks sends what becomes due until ctx ends.
func (m *Monitor) runHooks(ctx context.Context) {
	for ctx.Err() == nil {
		timer := time.NewTimer(m.sendDue(ctx))
		select {
		case <-ctx.Done():
		case <-m.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// sendDue sends what is due, in order, and returns how long nothing will be. One that fails keeps back those behind it,
// for the receiver is the same.
func (m *Monitor) sendDue(ctx context.Context) time.Duration {
	hook, ok, err := m.hook()
	if err != nil {
		m.Log.Error("alerts are not sent to the web hook", "error", err)
		return maxIdle
	}
	if errors.Is(m.Store.Err(), state.ErrRecovery) {
		return maxIdle // what was sent could not be taken out, and would be sent again and again
	}
	for row := range m.Tables.hooks.All(m.Store.Snapshot()) {
		if !ok { // it was switched off meanwhile
			if !m.settle(ctx, row, nil) {
				return maxIdle
			}
			continue
		}
		if wait := row.Due.Sub(m.Now()); wait > 0 && wait <= lastPause {
			return min(wait, maxIdle)
		}
		sent := post(ctx, hook, row.ID, row.Body, m.Now())
		if ctx.Err() != nil {
			return maxIdle // stopping is no failure of the receiver's
		}
		if !m.settle(ctx, row, sent) {
			return firstPause
		}
	}
	return maxIdle
}

// settle notes what came of an attempt, and reports whether the next one is worth trying.
func (m *Monitor) settle(ctx context.Context, row hookRow, sent error) bool {
	if sent != nil {
		now := m.Now()
		row.Attempts++
		row.Error = sent.Error()[:min(len(sent.Error()), maxHookError)]
		row.Due = now.Add(min(firstPause<<min(row.Attempts-1, maxDoublings), lastPause))
		givenUp := now.Sub(row.Entered) > giveUpAfter
		m.Log.Warn("alert not taken by the web hook", "id", row.ID, "attempts", row.Attempts, "givenUp", givenUp, "error", sent)
		if givenUp {
			sent = nil
		}
	}
	err := m.Store.Update(context.WithoutCancel(ctx), func(tx *state.Tx) error {
		if sent == nil {
			m.Tables.hooks.Delete(tx, row.ID)
			return nil
		}
		return m.Tables.hooks.Put(tx, row)
	})
	if err != nil {
		m.Log.Error("queue of the web hook cannot be changed", "error", err)
	}
	return err == nil && sent == nil
}
