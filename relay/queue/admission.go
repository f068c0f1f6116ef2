package queue

import (
	"fmt"
	"time"

	"furrow/appliance/spool"
)

// Verdict is what becomes of a message for one recipient.
type Verdict uint8

// The verdicts.
const (
	Accepted  Verdict = iota // stored, once Commit has returned
	Unknown                  // no user of this relay
	LockedOut                // by the management server
	NoRoom                   // the recipient's quota, or the disk, is used up
	TooLarge                 // beyond what the relay takes
	Offline                  // only wanted for recipients who are online
)

// String names the verdict for logs.
func (v Verdict) String() string {
	names := [...]string{"accepted", "unknown", "locked out", "no room", "too large", "offline"}
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("Verdict(%d)", uint8(v))
}

// Limits are the management server's settings ([MS-GRVSPMR] 2.2.3.6). Zero means
// no limit: quotaEnabled or purgeEnabled is off.
type Limits struct {
	DeviceQuota, IdentityQuota       int64 // octets that may wait for one device or identity
	DeviceLifetime, IdentityLifetime time.Duration
}

// Directory is what the relay knows of its users.
type Directory interface {
	// Limits returns the present settings.
	Limits() Limits
	// Recipient says whether messages may be stored for an identity, and for one
	// of its devices if that is not empty: Accepted, Unknown or LockedOut. An
	// error means that it cannot tell.
	Recipient(identityURL, deviceURL string) (Verdict, error)
}

const (
	// messageCharge is what a message takes of a quota beyond its body, in
	// octets: a quota bounds the memory of many small messages too.
	messageCharge = 512
	// maxQueues bounds the queues of one target, each of which costs memory
	// whoever made up its resource URL. A client has one per shared space.
	maxQueues = 4096
)

func charge(bytes int64, messages int) int64 { return bytes + int64(messages)*messageCharge }

// quota returns what may wait for the target of a; 0 for no limit.
func (q *Queues) quota(a Address, limits Limits) int64 {
	switch {
	case a.Relay != "":
		return q.options.ForwardBytes
	case a.Device != "":
		return limits.DeviceQuota
	default:
		return limits.IdentityQuota
	}
}

// room reports whether size more octets may wait for a. The caller holds mu.
//
// For a moment after a commit its message counts twice, in the spool and as
// committing: near the limit a message may then be refused too early.
func (q *Queues) room(a Address, size int64, limits Limits) bool {
	t := q.targets[a.Target()]
	if t == nil {
		t = &target{}
	}
	if _, known := t.queues[a.key()]; !known && len(t.queues) >= maxQueues {
		return false
	}
	quota := q.quota(a, limits)
	if quota == 0 {
		return true
	}
	used := t.committing + charge(size, 1)
	for key := range t.queues {
		u := q.spool.Usage(key)
		used += charge(u.Bytes, u.Messages)
	}
	return used <= quota
}

// standing asks the directory about a recipient. Other relays are checked by
// whoever names them.
func (q *Queues) standing(a Address) (Verdict, error) {
	if a.Relay != "" {
		return Accepted, nil
	}
	v, err := q.options.Directory.Recipient(a.Identity, a.Device)
	if err != nil {
		return Unknown, fmt.Errorf("looking up recipient %s: %w", a.Identity, err)
	}
	return v, nil
}

// Standing says what would become of a message of no length for a now. It is
// what a session is opened or refused by.
func (q *Queues) Standing(a Address) (Verdict, error) {
	v, err := q.standing(a)
	if err != nil || v != Accepted {
		return v, err
	}
	limits := q.options.Directory.Limits()
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.room(a, 0, limits) {
		return NoRoom, nil
	}
	return Accepted, nil
}

// Usage is what waits for one target, in all of its queues.
func (q *Queues) Usage(targetURL string) spool.Usage {
	var sum spool.Usage
	q.mu.Lock()
	defer q.mu.Unlock()
	t := q.targets[targetURL]
	if t == nil {
		return sum
	}
	for key := range t.queues {
		u := q.spool.Usage(key)
		if u.Messages == 0 {
			continue
		}
		if sum.Messages == 0 || u.Oldest.Before(sum.Oldest) {
			sum.Oldest = u.Oldest
		}
		if u.Newest.After(sum.Newest) {
			sum.Newest = u.Newest
		}
		sum.Messages += u.Messages
		sum.Bytes += u.Bytes
	}
	return sum
}
