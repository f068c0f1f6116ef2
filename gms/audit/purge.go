package audit

import (
	"context"
	"fmt"
	"time"

	"furrow/appliance/state"
)

const settingsKey = "settings"

const (
	// defaultDays is how long logs and files are kept unless an administrator
	// says otherwise, in days.
	defaultDays = 365

	// maxDays bounds the settings, in days: a century.
	maxDays = 36_500

	// purgeInterval is how often what is too old is deleted. Days are the unit
	// of the settings.
	purgeInterval = time.Hour

	// purgeBatch bounds the rows deleted in one transaction, for which others
	// wait.
	purgeBatch = 256

	day = 24 * time.Hour
)

// Settings say how long what was uploaded is kept, in days from its arrival; 0
// is for ever.
type Settings struct {
	LogDays  int `json:"logDays"`
	FileDays int `json:"fileDays"`
}

// Settings returns the settings.
func (a *Archive) Settings() Settings {
	s, ok := a.t.settings.Get(a.store.Snapshot(), settingsKey)
	if !ok {
		return Settings{LogDays: defaultDays, FileDays: defaultDays}
	}
	return s
}

// SetSettings changes the settings. They count from the next purge.
func (a *Archive) SetSettings(ctx context.Context, s Settings) error {
	if min(s.LogDays, s.FileDays) < 0 || max(s.LogDays, s.FileDays) > maxDays {
		return fmt.Errorf("%w: days must be from 0, for ever, to %d", ErrInvalid, maxDays)
	}
	err := a.store.Update(ctx, func(tx *state.Tx) error { return a.t.settings.Put(tx, s) })
	if err != nil {
		return fmt.Errorf("changing the audit settings: %w", err)
	}
	a.log.Info("audit settings changed", "logDays", s.LogDays, "fileDays", s.FileDays)
	return nil
}

// Run deletes what is too old, from time to time until ctx ends.
func (a *Archive) Run(ctx context.Context) {
	ticker := time.NewTicker(purgeInterval)
	defer ticker.Stop()
	for {
		if err := a.Purge(ctx); err != nil && ctx.Err() == nil {
			a.log.Error("audit purge failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Purge deletes logs, files and unfinished uploads that are too old.
func (a *Archive) Purge(ctx context.Context) error {
	now, settings := a.now(), a.Settings()
	uploads, err := purge(ctx, a, a.t.uploads, uploadRow.key, func(u uploadRow) []string {
		if now.Sub(u.Updated) < uploadLifetime {
			return nil
		}
		return u.fragments()
	})
	if err != nil {
		return fmt.Errorf("purging audit uploads: %w", err)
	}
	logs, err := purge(ctx, a, a.t.logs, Log.key, func(l Log) []string {
		return expired(now, l.Received, settings.LogDays, l.Blob)
	})
	if err != nil {
		return fmt.Errorf("purging audit logs: %w", err)
	}
	files, err := purge(ctx, a, a.t.files, func(f File) string { return joinKey(f.Domain, f.Hash) }, func(f File) []string {
		return expired(now, f.Received, settings.FileDays, f.Blob)
	})
	if err != nil {
		return fmt.Errorf("purging audit files: %w", err)
	}
	if uploads+logs+files > 0 {
		a.log.Info("audit purge", "uploads", uploads, "logs", logs, "files", files)
	}
	return nil
}

// expired returns the blob of what was received too long ago, nil otherwise.
func expired(now, received time.Time, days int, blob string) []string {
	if days == 0 || now.Sub(received) < time.Duration(days)*day {
		return nil
	}
	return []string{blob}
}

// purge deletes the rows for which blobs returns some, and then these. It
// returns the number of rows.
func purge[R any](ctx context.Context, a *Archive, t *state.Table[R], key func(R) string, blobs func(R) []string) (int, error) {
	deleted := 0
	for {
		var dropped []string
		rows := 0
		err := a.store.Update(ctx, func(tx *state.Tx) error {
			dropped, rows = nil, 0
			for r := range t.All(tx) {
				names := blobs(r)
				if names == nil {
					continue
				}
				t.Delete(tx, key(r))
				dropped = append(dropped, names...)
				if rows++; rows == purgeBatch {
					break
				}
			}
			return nil
		})
		if err != nil {
			return deleted, err
		}
		a.drop(dropped...)
		if deleted += rows; rows < purgeBatch {
			return deleted, nil
		}
	}
}
