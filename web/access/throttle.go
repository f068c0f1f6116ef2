package access

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// freeAttempts may follow each other without a wait: people mistype.
	freeAttempts = 5
	// firstWait follows the first attempt beyond those; each further one doubles it up to maxWait.
	firstWait = time.Second
	maxWait   = 15 * time.Minute
	maxDouble = 10 // more than it takes to get from the one to the other
	// forgetAfter is how long after the last one attempts are forgotten.
	forgetAfter = time.Hour
	// maxThrottled bounds what is remembered: 10,000 addresses take about a megabyte.
	maxThrottled = 10_000
	// ipv6Network is what one household has of IPv6 addresses.
	ipv6Network = 64
)

// throttle slows down those who guess. It is kept in memory: who can restart the box need not guess.
type throttle struct {
	now func() time.Time

	mu   sync.Mutex
	seen map[string]attempts // guarded by mu
}

type attempts struct {
	count int
	last  time.Time
}

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, seen: make(map[string]attempts)}
}

// enter counts an attempt under each key, or returns how long to wait if it comes too early under one of them. It is
// counted before its outcome is known, so that many at once gain nothing.
func (t *throttle) enter(keys ...string) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	for _, key := range keys {
		if a, ok := t.seen[key]; ok {
			wait = max(wait, a.last.Add(a.wait()).Sub(now))
		}
	}
	if wait > 0 {
		return wait
	}
	for _, key := range keys {
		a, ok := t.seen[key]
		if ok && now.Sub(a.last) > forgetAfter {
			a.count = 0
		}
		if !ok && len(t.seen) >= maxThrottled {
			t.forget(now)
		}
		t.seen[key] = attempts{count: a.count + 1, last: now}
	}
	return 0
}

func (a attempts) wait() time.Duration {
	if a.count < freeAttempts {
		return 0
	}
	return min(firstWait<<min(a.count-freeAttempts, maxDouble), maxWait)
}

// forget makes room: what is old goes, and the oldest if nothing is.
func (t *throttle) forget(now time.Time) {
	oldest, when := "", now
	for key, a := range t.seen {
		if now.Sub(a.last) > forgetAfter {
			delete(t.seen, key)
		} else if oldest == "" || a.last.Before(when) {
			oldest, when = key, a.last
		}
	}
	if len(t.seen) >= maxThrottled {
		delete(t.seen, oldest)
	}
}

// succeed forgets the attempts under the keys.
func (t *throttle) succeed(keys ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range keys {
		delete(t.seen, key)
	}
}

// network is the part of an address that one person has: all of it, or the /64 of an IPv6 address.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	prefix, err := ip.Prefix(ipv6Network)
	if err != nil {
		return address
	}
	return prefix.String()
}
