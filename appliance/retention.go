package appliance

import (
	"context"
	"errors"
	"time"
)

// retentionInterval is how often it is looked for what has been kept long enough: the shortest-lived, password resets,
// are kept for a day.
const retentionInterval = time.Hour

// retain removes what has been kept long enough, at once and every hour, until ctx ends.
func (a *Appliance) retain(ctx context.Context) {
	for ctx.Err() == nil {
		a.purge(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(retentionInterval):
		}
	}
}

// purge leaves for the next time what fails now.
func (a *Appliance) purge(ctx context.Context) {
	_, err := a.directory.PurgeDeletedDomains(ctx)
	err = errors.Join(err, a.directory.DeleteExpiredResets(ctx), a.watch.actions.Purge())
	if err != nil && ctx.Err() == nil {
		a.opts.Log.Error("what was kept long enough is not removed", "error", err)
	}
}
