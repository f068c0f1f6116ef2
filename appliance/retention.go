package appliance

import (
	"context"
	"time"
)

// retentionInterval is how often it is looked for what has been kept long enough. It is kept for months, so a day
// more or less is nothing.
const retentionInterval = 24 * time.Hour

// retain removes what has been kept long enough, at once and every day, until ctx ends.
func (a *Appliance) retain(ctx context.Context) {
	for ctx.Err() == nil {
		a.purge(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(retentionInterval):
		}
	}
}

// purge leaves for tomorrow what fails today.
func (a *Appliance) purge(ctx context.Context) {
	_, err := a.directory.PurgeDeletedDomains(ctx)
	if err != nil && ctx.Err() == nil {
		a.opts.Log.Error("what was kept long enough is not removed", "error", err)
	}
}
