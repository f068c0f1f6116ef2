package relay

import (
	"maps"
	"slices"
	"sync"

	"furrow/relay/queue"
)

// leases say which connection empties the queues of a target. One at a time
// does, so that messages are delivered in order and, while all goes well, once.
// A target is online while somebody has its lease.
//
// A new connection of a device takes what an older one of the same device has:
// the older one has likely been lost without anybody noticing. Any other waits
// until the holder goes; so does one to which no account has attached while one of
// the holder's has: it may be there for presence only.
type leases struct {
	mu         sync.Mutex
	candidates map[string][]*connection // by target; the first holds the lease
}

// add makes c a candidate for a target.
func (l *leases) add(target string, c *connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.candidates[target]
	switch {
	case slices.Contains(list, c):
	case len(list) > 0 && list[0].deviceURL == c.deviceURL && (c.attached.Load() || !list[0].attached.Load()):
		list = slices.Insert(list, 0, c)
	default:
		list = append(list, c)
	}
	l.candidates[target] = list
}

// promote has c take the lease of its device from an older connection of it, now
// that an account has attached.
func (l *leases) promote(c *connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.candidates[c.deviceURL]
	if i := slices.Index(list, c); i > 0 && list[0].deviceURL == c.deviceURL {
		copy(list[1:], list[:i])
		list[0] = c
	}
}

// remove takes c off a target. It returns who has the lease then, nil if nobody
// has.
func (l *leases) remove(target string, c *connection) (holder *connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.candidates[target]
	if i := slices.Index(list, c); i >= 0 {
		list = slices.Delete(list, i, i+1)
	}
	if len(list) == 0 {
		delete(l.candidates, target)
		return nil
	}
	l.candidates[target] = list
	return list[0]
}

// holds reports whether c has the lease of a target.
func (l *leases) holds(target string, c *connection) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.candidates[target]
	return len(list) > 0 && list[0] == c
}

// online reports whether somebody is there to take what is sent to a.
func (l *leases) online(a queue.Address) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.candidates[a.Target()]) > 0
}

// targets lists those that are online, in order.
func (l *leases) targets() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.candidates))
}
