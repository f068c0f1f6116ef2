package queue

import (
	"time"

	"furrow/appliance/spool"
)

// Expire purges what is older than the management server's settings allow
// ([MS-GRVSPMR] 2.2.3.6) and what has outlived its own lifetime, unless the clock
// is not to be trusted: a box whose clock comes up in another year must not lose
// its messages for it. What waits for another relay, for devices and identities
// alike, is kept as long as the longer of the two settings says. It returns how
// many items it took. Run calls it.
func (q *Queues) Expire() int {
	if !q.options.ClockTrusted() {
		return 0
	}
	limits := q.options.Directory.Limits()
	n := q.spool.Expire(func(key string) time.Duration {
		a, err := parseKey(key)
		switch {
		case err != nil:
			return 0 // New has refused it
		case a.Relay != "":
			if limits.DeviceLifetime == 0 || limits.IdentityLifetime == 0 {
				return 0
			}
			return max(limits.DeviceLifetime, limits.IdentityLifetime)
		case a.Device != "":
			return limits.DeviceLifetime
		default:
			return limits.IdentityLifetime
		}
	})
	q.counters.expired.Add(uint64(n))
	return n
}

// Purge empties every queue that match chooses, and returns what was in them.
// With unlessWithin, the queues whose newest message is younger than that are
// left alone: [MS-GRVSPMR] note <6> says that products skip a user for whom a
// message came within the last minute.
func (q *Queues) Purge(match func(Address) bool, unlessWithin time.Duration) spool.Usage {
	now := q.options.Now()
	var sum spool.Usage
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, t := range q.targets {
		for key, a := range t.queues {
			if !match(a) || unlessWithin > 0 && now.Sub(q.spool.Usage(key).Newest) < unlessWithin {
				continue
			}
			u := q.spool.Purge(key)
			sum.Messages += u.Messages
			sum.Bytes += u.Bytes
		}
	}
	q.counters.purged.Add(uint64(sum.Messages))
	return sum
}
