package bench

import (
	"context"
	"sync"

	relayclient "furrow/relay/client"
	"furrow/sstp/wandpp"
)

// performer is the person of the crowd whose presence is watched; the watchers
// come before it.
func (b *Box) performer() int { return len(b.crowd) - 1 }

// Introduce implements [Stage].
func (b *Box) Introduce(ctx context.Context, watchers int) error { return b.enrol(ctx, watchers+1) }

// Watch implements [Stage].
func (b *Box) Watch(ctx context.Context, watcher int, seen func(change int)) (Connection, error) {
	device := b.crowd[b.performer()].Device.URL
	v := &presenceView{device: device, seen: seen}
	link, presence, err := b.present(ctx, watcher, v.notified)
	if err != nil {
		return nil, err
	}
	if err := presence.Subscribe(ctx, []string{device}); err != nil {
		link.Close()
		return nil, err
	}
	return boxConnection{link}, nil
}

// present connects somebody for presence.
func (b *Box) present(ctx context.Context, person int, notified func([]wandpp.DeviceStatus)) (*relayclient.Link, *relayclient.Presence, error) {
	link, err := b.dial(ctx, person, relayclient.Options{Known: true, LoginOnly: true, Notified: notified})
	if err != nil {
		return nil, nil, err
	}
	presence, err := link.OpenPresence(ctx)
	if err != nil {
		link.Close()
		return nil, nil, err
	}
	return link, presence, nil
}

// statusAt is the status that a change brings: by turns online and offline.
func statusAt(change int) wandpp.Status {
	if change%2 == 1 {
		return wandpp.Online
	}
	return wandpp.Offline
}

// presenceView is what one watcher has been told.
type presenceView struct {
	device string
	seen   func(change int)

	mu      sync.Mutex
	changes int
}

// notified counts the changes. What it is told first is how things stand.
func (v *presenceView) notified(devices []wandpp.DeviceStatus) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, d := range devices {
		if d.URL == v.device && d.Status == statusAt(v.changes+1) {
			v.changes++
			v.seen(v.changes)
		}
	}
}

// Perform implements [Stage].
func (b *Box) Perform(ctx context.Context) (Performer, error) {
	link, presence, err := b.present(ctx, b.performer(), nil)
	if err != nil {
		return nil, err
	}
	return &boxPerformer{boxConnection{link}, presence}, nil
}

type boxPerformer struct {
	boxConnection
	presence *relayclient.Presence
}

// Change implements [Performer].
func (p *boxPerformer) Change(ctx context.Context, change int) error {
	return p.presence.Publish(ctx, statusAt(change))
}
