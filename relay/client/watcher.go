package client

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"furrow/sstp/wandpp"
)

// DeviceState is what is known of the presence of a device ([MS-GRVPROT] 2.5.4).
type DeviceState uint8

// The states.
const (
	StateUnknown DeviceState = iota // no relay says anything
	StateOffline
	StateOnline
)

// String returns a word for people and scripts.
func (s DeviceState) String() string {
	switch s {
	case StateOffline:
		return "offline"
	case StateOnline:
		return "online"
	default:
		return "unknown"
	}
}

// farewellTime is how long the relays have to hear that the device goes offline;
// they find out by themselves otherwise.
const farewellTime = 3 * time.Second

// Watcher publishes that a device is online at its relays, and watches others.
type Watcher struct {
	Relays []Watched
	Retry  Retry
	// Changed is told of the first state of each device, and of every change,
	// one at a time.
	Changed func(deviceURL string, state DeviceState)
}

// Watched is a relay with the devices that it knows. A device may be known to
// several: it is online if one says so.
type Watched struct {
	Options // Handlers and Notified are replaced
	Devices []string
}

// Run watches until ctx ends, and says then that the device is offline. While a
// relay cannot be reached, or does not work, its devices are unknown and it is tried
// again. The errors are of relays that were given up.
func (w *Watcher) Run(ctx context.Context) error {
	b := newBoard(w.Relays, w.Changed)
	errs := make([]error, len(w.Relays))
	var relays sync.WaitGroup
	for i := range w.Relays {
		relays.Go(func() {
			err := w.Retry.Do(ctx, func(ctx context.Context) error {
				err := w.watch(ctx, i, b)
				if ctx.Err() == nil {
					b.lose(i)
				}
				return err
			})
			if ctx.Err() == nil {
				errs[i] = err
			}
		})
	}
	relays.Wait()
	return errors.Join(errs...)
}

// watch watches on one connection.
func (w *Watcher) watch(ctx context.Context, i int, b *board) error {
	o := w.Relays[i].Options
	o.Handlers = nil
	o.Notified = func(told []wandpp.DeviceStatus) { b.tell(i, told) }
	link, err := Dial(ctx, o)
	if err != nil {
		return err
	}
	defer link.Close()
	presence, err := link.OpenPresence(ctx)
	if err != nil {
		return err
	}
	if err := presence.Publish(ctx, wandpp.Online); err != nil {
		return err
	}
	if err := presence.Subscribe(ctx, w.Relays[i].Devices); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		farewell, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewellTime)
		defer cancel()
		return presence.Publish(farewell, wandpp.Offline)
	case err := <-presence.ended:
		return err
	case err := <-link.failed:
		return err
	}
}

// board is what all relays have said.
type board struct {
	changed func(string, DeviceState)

	mu     sync.Mutex
	relays []map[string]DeviceState // of the devices of each relay
	shown  map[string]DeviceState
}

func newBoard(relays []Watched, changed func(string, DeviceState)) *board {
	b := &board{changed: changed, shown: make(map[string]DeviceState)}
	for _, r := range relays {
		known := make(map[string]DeviceState, len(r.Devices))
		for _, device := range r.Devices {
			known[device] = StateUnknown
		}
		b.relays = append(b.relays, known)
	}
	return b
}

// tell notes what a relay says of devices that it was asked about.
func (b *board) tell(relay int, told []wandpp.DeviceStatus) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range told {
		if _, asked := b.relays[relay][d.URL]; !asked {
			continue
		}
		state := StateOffline
		if d.Status == wandpp.Online {
			state = StateOnline
		}
		b.relays[relay][d.URL] = state
		b.show(d.URL)
	}
}

// lose forgets what a relay has said, device after device in the order of their names.
func (b *board) lose(relay int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, device := range slices.Sorted(maps.Keys(b.relays[relay])) {
		b.relays[relay][device] = StateUnknown
		b.show(device)
	}
}

// show tells the state of a device if it is another.
func (b *board) show(device string) {
	state := StateUnknown
	for _, known := range b.relays {
		state = max(state, known[device])
	}
	if before, shown := b.shown[device]; !shown || before != state {
		b.shown[device] = state
		b.changed(device, state)
	}
}
