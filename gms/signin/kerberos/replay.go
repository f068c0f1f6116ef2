package kerberos

import (
	"container/list"
	"crypto/sha256"
	"errors"
	"sync"
	"time"
)

// maxReplays bounds the authenticators that are remembered, some 150 octets each. Only those of valid tickets are.
const maxReplays = 100_000

// errReplaysFull says that more people have signed in within minutes than any office has.
var errReplaysFull = errors.New("too many tickets within a short time; whether this one is a replay cannot be told")

// replays remembers the authenticators that were used, for as long as their time makes them valid (RFC 4120 3.2.3). It
// forgets them when the box restarts.
type replays struct {
	now func() time.Time

	mu    sync.Mutex // guards the fields below
	used  map[[sha256.Size]byte]struct{}
	order *list.List // of authenticator, the oldest first
}

type authenticator struct {
	digest [sha256.Size]byte
	until  time.Time
}

func newReplays(now func() time.Time) *replays {
	return &replays{now: now, used: map[[sha256.Size]byte]struct{}{}, order: list.New()}
}

// add remembers an authenticator, in its encrypted form, which nobody else can make another of, or refuses it if it is
// remembered already.
func (r *replays) add(ciphertext []byte, keep time.Duration) error {
	digest := sha256.Sum256(ciphertext)
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	for e := r.order.Front(); e != nil && e.Value.(authenticator).until.Before(now); e = r.order.Front() {
		delete(r.used, r.order.Remove(e).(authenticator).digest)
	}
	if _, replayed := r.used[digest]; replayed {
		return refuse("the ticket was sent a second time")
	}
	if len(r.used) >= maxReplays {
		return errReplaysFull
	}
	r.used[digest] = struct{}{}
	r.order.PushBack(authenticator{digest, now.Add(keep)})
	return nil
}
