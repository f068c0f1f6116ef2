package actionlog

import (
	"context"
	"fmt"

	"furrow/appliance/state"
)

const (
	settingsKey = "settings"
	// defaultDays is how long actions are kept unless an administrator says otherwise: two years.
	defaultDays = 730
	// minDays keeps whoever has something to hide from having it forgotten at once; maxDays is a century.
	minDays, maxDays = 30, 36_500
)

// Settings say how long actions are kept, in days; 0 is for ever.
type Settings struct {
	Days int `json:"days"`
}

// Settings returns the settings.
func (l *Log) Settings() Settings {
	if s, ok := l.Tables.settings.Get(l.Store.Snapshot(), settingsKey); ok {
		return s
	}
	return Settings{defaultDays}
}

// SetSettings changes the settings. They count from the next purge.
func (l *Log) SetSettings(ctx context.Context, s Settings) error {
	if s.Days != 0 && (s.Days < minDays || s.Days > maxDays) {
		return fmt.Errorf("%w: days must be 0 or from %d to %d", ErrInvalid, minDays, maxDays)
	}
	if err := l.Store.Update(ctx, func(tx *state.Tx) error { return l.Tables.settings.Put(tx, s) }); err != nil {
		return fmt.Errorf("changing the settings of the action log: %w", err)
	}
	return nil
}

// Purge removes the files of days that were kept long enough, and writes down that it did. The newest file stays.
func (l *Log) Purge() error {
	keep := l.Settings().Days
	if keep == 0 {
		return nil
	}
	first := l.Now().UTC().AddDate(0, 0, -keep).Format(dayLayout)
	days, err := l.days()
	if err != nil {
		return err
	}
	for i, day := range days {
		if day >= first || i == len(days)-1 {
			break
		}
		sequence, err := l.Begin(Action{
			Who: "furrow", Origin: "retention", What: "purge", Summary: "Remove the actions of a day that were kept long enough", Target: day,
		})
		if err != nil {
			return err
		}
		if err := l.FS.Remove(l.path(day)); err != nil {
			return fmt.Errorf("removing the action log of %s: %w", day, err)
		}
		if err := l.FS.SyncDir(l.Dir); err != nil {
			return fmt.Errorf("removing the action log of %s: %w", day, err)
		}
		if err := l.End(sequence, Result{Outcome: Done}); err != nil {
			return err
		}
	}
	return nil
}
