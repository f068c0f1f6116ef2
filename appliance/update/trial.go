package update

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// ErrNotHealthy is returned by Confirm for a version that did not pass its trial. The box must restart.
var ErrNotHealthy = errors.New("the new version is not healthy")

// TrialTerms say what a new version must show.
type TrialTerms struct {
	// Examine says whether the box serves.
	Examine func(context.Context) error
	// Hold is how long the examination must come out well, time after time.
	Hold time.Duration
	// Deadline is when that must have happened, from the start of Confirm.
	Deadline time.Duration
	// Interval is the time between two examinations.
	Interval time.Duration
}

// Confirm examines a version on trial and marks its slot as good once the examination has held. It returns
// ErrNotHealthy, after giving the slot up, when that has not come about in time. Not on trial, it does nothing.
func (b *Box) Confirm(ctx context.Context, terms TrialTerms) error {
	running, trial, err := b.Running()
	if err != nil || !trial {
		return err
	}
	deadline := b.Now().Add(terms.Deadline)
	var wellSince time.Time
	var last error
	for {
		last = terms.Examine(ctx)
		now := b.Now()
		switch {
		case last != nil:
			wellSince = time.Time{}
			b.Log.Warn("the version on trial is not well", "error", last)
		case wellSince.IsZero():
			wellSince = now
		}
		if last == nil && now.Sub(wellSince) >= terms.Hold {
			return b.markGood(running)
		}
		if !now.Before(deadline) {
			return errors.Join(fmt.Errorf("%w: %w", ErrNotHealthy, orNotLongEnough(last)), b.giveUp(running, last))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(terms.Interval):
		}
	}
}

func orNotLongEnough(err error) error {
	if err == nil {
		return errors.New("not well for long enough")
	}
	return err
}

// markGood first tells the boot loader, then people: a record that is behind is mended by Settle.
func (b *Box) markGood(running Slot) error {
	if err := b.clearTrial(running); err != nil {
		return err
	}
	return errors.Join(b.Settle(), b.open())
}

// prepare makes the box ready for a start of a version on trial; a trial has several.
func (b *Box) prepare(r Record) error {
	if !r.StateKept {
		changes, err := b.Fits()
		r.Closed = changes || err != nil && !errors.Is(err, fs.ErrNotExist)
		if err := b.setAside(r); err != nil {
			return err
		}
	}
	if !r.Closed {
		return nil
	}
	b.Log.Info("the box serves nobody else until the new version is known to be good")
	if err := os.WriteFile(b.Closed, nil, 0o644); err != nil {
		return fmt.Errorf("closing the box: %w", err)
	}
	return nil
}

// open ends what prepare has begun.
func (b *Box) open() error {
	if err := os.Remove(b.Closed); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("opening the box: %w", err)
	}
	return nil
}

// giveUp has the other slot started from now on.
func (b *Box) giveUp(running Slot, cause error) error {
	state, err := ReadSlotState(b.environment())
	if err != nil {
		return err
	}
	if r, ok, err := b.onTrial(); err != nil {
		return err
	} else if ok {
		r.Reason = orNotLongEnough(cause).Error()
		if err := b.record(r); err != nil {
			return err
		}
	}
	state.Pending, state.Tries, state.Failed = "", 0, running
	return WriteSlotState(b.environment(), state)
}

// Settle is for each start of the box, before anything opens the state: before the first start of a new version the
// state is set aside, and when the trial has come to nothing, it is brought back.
func (b *Box) Settle() error {
	running, trial, err := b.Running()
	if err != nil {
		return err
	}
	state, err := ReadSlotState(b.environment())
	if err != nil {
		return err
	}
	r, waiting, err := b.onTrial()
	if err != nil || !waiting {
		return err
	}
	switch {
	case state.Pending == running && trial:
		return b.prepare(r)
	case state.Pending != "": // installed, and not yet started
		return nil
	case running == r.Slot:
		r.Outcome = Good
	default:
		if err := b.bringBack(r); err != nil {
			return err
		}
		r.Outcome = Returned
		if r.Reason == "" {
			r.Reason = "it did not start, or stopped in the middle of starting"
		}
		b.Log.Warn("an update was taken back", "version", r.To.Version, "reason", r.Reason)
	}
	r.Settled, r.StateKept = b.Now(), false
	if err := b.record(r); err != nil {
		return err
	}
	return b.forget()
}

// KnowMachine keeps the machine's number, which systemd has drawn at the first start, for the starts to come: /etc is
// never written.
func (b *Box) KnowMachine(number string) error {
	state, err := ReadSlotState(b.environment())
	if err != nil || state.Machine == number {
		return err
	}
	state.Machine = number
	return WriteSlotState(b.environment(), state)
}

// RequestFactoryReset has the data partition made anew at the next start.
func (b *Box) RequestFactoryReset() error { return b.setFactory(true) }

// FactoryResetDone is for when the data partition has been emptied.
func (b *Box) FactoryResetDone() error { return b.setFactory(false) }

func (b *Box) setFactory(wanted bool) error {
	state, err := ReadSlotState(b.environment())
	if err != nil {
		return err
	}
	state.Factory = wanted
	return WriteSlotState(b.environment(), state)
}
