package relaylink

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"furrow/appliance/state"
	"furrow/gms/soap/spmr"
)

const (
	// pollInterval is how often changes of the directory are looked for. A look
	// that finds the store unchanged costs nothing.
	pollInterval = 2 * time.Second

	// probeInterval is how often a relay is asked for its epoch when there is
	// nothing to tell it.
	probeInterval = 15 * time.Minute

	// firstPause and longestPause bound the pause after a failure.
	firstPause   = time.Second
	longestPause = 5 * time.Minute

	// maxBuilds bounds the builds that one pass begins. A relay that loses its
	// registration during one makes it begin again.
	maxBuilds = 3
)

// link is the connection to one relay.
type link struct {
	*Links
	relay  string // GUID
	nudged chan struct{}

	passing sync.Mutex // held during a pass
	synced  uint64     // sequence of the store's state that the relay was brought to
	probed  time.Time

	mu     sync.Mutex
	health health
}

// run passes until ctx ends.
func (k *link) run(ctx context.Context) {
	pause := firstPause
	for ctx.Err() == nil {
		wait := pollInterval
		if err := k.sync(ctx); err != nil && ctx.Err() == nil {
			k.log.Warn("relay is not up to date", "relay", k.relay, "again", pause, "error", err)
			wait, pause = pause, min(2*pause, longestPause)
			k.pausing(wait)
		} else {
			pause = firstPause
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-k.nudged:
		}
		timer.Stop()
	}
}

// sync brings the relay to what the directory says.
func (k *link) sync(ctx context.Context) error {
	k.passing.Lock()
	defer k.passing.Unlock()
	err := k.pass(ctx)
	k.passed(err)
	if err != nil {
		return fmt.Errorf("relay %s: %w", k.relay, err)
	}
	return nil
}

func (k *link) pass(ctx context.Context) error {
	refused := map[string]error{}
	builds := 0
	for {
		view := k.store.Snapshot()
		if view.Sequence() == k.synced && k.now().Sub(k.probed) < probeInterval {
			return nil
		}
		row := k.rowAt(view, k.relay)
		stranger, err := k.stranger(row)
		if err != nil {
			return err
		}
		work := k.planAt(view, k.relay, refused)
		k.planned(work.size())
		switch {
		case row.Phase == buildDue && builds == maxBuilds:
			return errors.New("relay asks for its user database again and again")
		case row.Phase == buildDue:
			builds++
			err = k.begin(ctx)
		case !work.empty():
			err = k.send(ctx, row.Phase, work, refused)
		case row.Phase == building:
			err = k.complete(ctx)
		case stranger || k.now().Sub(k.probed) >= probeInterval:
			// Active it is already, so this asks for the epoch and no more.
			err = k.tell(ctx, row.Phase, spmr.MethodRelayQuiescent, &spmr.RelayQuiescent{})
		case len(refused) > 0:
			return k.refusal(view, refused)
		default:
			k.synced = view.Sequence()
			return nil
		}
		if err != nil && !errors.Is(err, errBuildDue) {
			return err
		}
	}
}

// refusal is the error of a pass that had to leave users out. It names a member:
// administrators are not shown what relays know members by.
func (k *link) refusal(r state.Reader, refused map[string]error) error {
	first := slices.Min(slices.Collect(maps.Keys(refused)))
	member, ok := k.directory.MemberOfRelayUser(r, first)
	if !ok {
		member = "one of a purged domain"
	}
	return fmt.Errorf("%d users refused, such as member %s: %w", len(refused), member, refused[first])
}

// begin makes the relay inactive for a build (MS-GRVSPMR 3.3.4.4.1).
func (k *link) begin(ctx context.Context) error {
	if _, err := k.call(ctx, spmr.MethodRelayQuiescent, &spmr.RelayQuiescent{Inactive: true}); err != nil {
		return err
	}
	k.log.Info("building the user database of relay", "relay", k.relay)
	return k.beginBuild(ctx, k.relay)
}

// complete makes the relay active after a build. A relay that asks for the next
// one at once would be inactive for ever: it is an error, so that there is a pause
// before.
func (k *link) complete(ctx context.Context) error {
	epoch, err := k.call(ctx, spmr.MethodRelayQuiescent, &spmr.RelayQuiescent{})
	if err != nil {
		return err
	}
	next := built
	if epoch == 0 {
		next = buildDue
	}
	if err := k.change(ctx, k.relay, func(row *linkRow) { row.Phase = next }); err != nil {
		return err
	}
	k.probed = k.now()
	if epoch == 0 {
		return errors.New("relay asks for another build after one was completed")
	}
	k.log.Info("user database of relay is built", "relay", k.relay)
	return nil
}

// tell sends a message. During a build the epoch of the answer is of no interest,
// otherwise 0 makes a build due (MS-GRVSPMR 3.3.4.4).
func (k *link) tell(ctx context.Context, at phase, method string, m message) error {
	epoch, err := k.call(ctx, method, m)
	if err != nil {
		return err
	}
	k.probed = k.now()
	if epoch != 0 || at == building {
		return nil
	}
	if err := k.change(ctx, k.relay, func(row *linkRow) { row.Phase = buildDue }); err != nil {
		return err
	}
	return errBuildDue
}

// send sends what a plan begins with.
func (k *link) send(ctx context.Context, at phase, p *plan, refused map[string]error) error {
	b := &batches{link: k, phase: at, refused: refused}
	switch {
	case p.defaults != nil:
		// Until the answer comes, either are possible.
		if err := k.change(ctx, k.relay, func(row *linkRow) { row.Defaults = nil }); err != nil {
			return err
		}
		if err := k.tell(ctx, at, spmr.MethodRelayDefault, p.defaults); err != nil {
			return err
		}
		return k.change(ctx, k.relay, func(row *linkRow) { row.Defaults = p.defaults })
	case len(p.forget) > 0:
		return k.forget(ctx, k.relay, p.forget)
	case len(p.add) > 0:
		b.method = spmr.MethodUserAdd
		b.message = func(users []string) message { return &spmr.UserAdd{UserIDs: users} }
		b.before = func(*userRow) {}
		b.after = func(row *userRow) { row.Added, row.LockoutKnown = true, false }
		return b.send(ctx, p.add)
	case len(p.lock) > 0:
		return b.lockout(ctx, p.lock, true)
	case len(p.unlock) > 0:
		return b.lockout(ctx, p.unlock, false)
	default:
		b.method = spmr.MethodUserPurge
		b.message = func(users []string) message { return &spmr.UserPurge{UserIDs: users} }
		b.before = func(*userRow) {}
		b.after = func(row *userRow) { row.Purged = true }
		return b.send(ctx, p.purge)
	}
}
