package statistics

import (
	"context"
	"fmt"
	"time"

	"furrow/appliance/state"
)

const settingsKey = "settings"

const (
	// What is kept unless an administrator says otherwise, in days.
	defaultRawDays = 7
	defaultDays    = 400

	// maxDays bounds the settings, in days: a century.
	maxDays = 36_500

	// purgeInterval is how often what is too old is deleted. Days are the unit
	// of the settings.
	purgeInterval = time.Hour
)

// Settings say how long statistics are kept, in days.
type Settings struct {
	// RawDays is for the reports as they came; 0 keeps none.
	RawDays int `json:"rawDays"`
	// Days is for what was counted by day; 0 is for ever.
	Days int `json:"days"`
}

// Settings returns the settings.
func (b *Book) Settings() Settings {
	s, ok := b.t.settings.Get(b.store.Snapshot(), settingsKey)
	if !ok {
		return Settings{RawDays: defaultRawDays, Days: defaultDays}
	}
	return s
}

// SetSettings changes the settings. They count from the next purge.
func (b *Book) SetSettings(ctx context.Context, s Settings) error {
	if min(s.RawDays, s.Days) < 0 || max(s.RawDays, s.Days) > maxDays {
		return fmt.Errorf("%w: days must be from 0 to %d", ErrInvalid, maxDays)
	}
	err := b.store.Update(ctx, func(tx *state.Tx) error { return b.t.settings.Put(tx, s) })
	if err != nil {
		return fmt.Errorf("changing the statistics settings: %w", err)
	}
	b.log.Info("statistics settings changed", "rawDays", s.RawDays, "days", s.Days)
	return nil
}

// Run deletes what is too old, from time to time until ctx ends.
func (b *Book) Run(ctx context.Context) {
	ticker := time.NewTicker(purgeInterval)
	defer ticker.Stop()
	for {
		if err := b.Purge(ctx); err != nil && ctx.Err() == nil {
			b.log.Error("statistics purge failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Purge deletes what is too old.
func (b *Book) Purge(ctx context.Context) error {
	now, settings := b.now(), b.Settings()
	var dropped []string
	err := b.store.Update(ctx, func(tx *state.Tx) error {
		dropped = nil
		for r := range b.t.reports.All(tx) {
			gone := r.forgettable(now)
			if gone {
				b.t.reports.Delete(tx, r.key())
			}
			if r.Blob == "" || (!gone && now.Sub(r.Received) < time.Duration(settings.RawDays)*24*time.Hour) {
				continue
			}
			dropped = append(dropped, r.Blob)
			if r.Blob = ""; gone {
				continue
			}
			if err := b.t.reports.Put(tx, r); err != nil {
				return err
			}
		}
		if settings.Days == 0 {
			return nil
		}
		first := now.UTC().AddDate(0, 0, -settings.Days).Format(dayLayout)
		for d := range b.t.days.All(tx) {
			if d.Day < first {
				b.t.days.Delete(tx, d.key())
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("purging statistics: %w", err)
	}
	for _, name := range dropped {
		b.drop(name)
	}
	return nil
}
