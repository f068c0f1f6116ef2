package appliance

import (
	"context"
	"errors"
	"time"

	"furrow/appliance/host"
	"furrow/appliance/state"
)

// lifeSign is the row that the watchdog writes: one, over and over.
type lifeSign struct {
	At time.Time `json:"at"`
}

func declareLifeSign(schema *state.Schema) *state.Table[lifeSign] {
	return state.Define(schema, "lifeSign", state.TableOptions[lifeSign]{
		Version: 1, Key: func(lifeSign) string { return "last" },
	})
}

// signsPerLimit is how many signs of life fit in the time after which the service manager gives up: one may come late.
const signsPerLimit = 2

// feedWatchdog gives the service manager signs of life, each after a write that has reached the disk: a process that runs
// while its disk hangs serves nobody. Without a service manager that wants them it does nothing.
func (a *Appliance) feedWatchdog(ctx context.Context) {
	limit, err := host.WatchdogTime()
	if err != nil || limit == 0 {
		a.tell("watchdog", err)
		return
	}
	ticker := time.NewTicker(limit / signsPerLimit)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := a.store.Update(ctx, func(tx *state.Tx) error { return a.lifeSign.Put(tx, lifeSign{At: a.opts.Now()}) })
		// Without a write, but not without life: read-only after damage, or with a full disk, which a restart does not mend.
		if err == nil || errors.Is(err, state.ErrRecovery) || errors.Is(err, state.ErrFull) {
			a.tell("alive", host.Alive())
		}
	}
}
