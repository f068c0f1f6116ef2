package soap

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"
)

const (
	// ReplayWindow is how long an answer is kept for the same request. The
	// protocol has no nonce and no sequence number that a server reads
	// (MS-GRVSPCM 2.2.2.1.7); a client that heard no answer sends the same
	// bytes again within seconds, and ten minutes cover its slowest retry.
	// What comes later is met by the checks of each service.
	ReplayWindow = 10 * time.Minute

	// maxReplays and maxReplayBytes bound the kept answers. A box of a few
	// hundred clients that send a request each minute stays below the first;
	// the second leaves room for some thousand answers with managed objects.
	maxReplays     = 16384
	maxReplayBytes = 16 << 20

	// replayOverhead is what a kept answer is counted for beside its bytes:
	// key, map entry and queue entry.
	replayOverhead = 256
)

// Replays remembers the answers to requests, so that a request that arrives
// again, sent twice by its client or recorded by somebody else, changes nothing
// and gets the first answer. When its bounds are reached it forgets the oldest
// answer.
//
// It is safe for concurrent use.
type Replays struct {
	now func() time.Time

	mu      sync.Mutex
	answers map[replayKey]*replay
	queue   []*replay // the answers that are kept, oldest first
	size    int       // of what the queue holds, in bytes
}

type replayKey [sha256.Size]byte

// replay is the answer to one request, under way until done is closed.
type replay struct {
	key      replayKey
	done     chan struct{}
	response []byte
	err      error
	expires  time.Time
}

func (r *replay) size() int { return len(r.response) + replayOverhead }

// NewReplays returns an empty memory that reads the time from now.
func NewReplays(now func() time.Time) *Replays {
	return &Replays{now: now, answers: map[replayKey]*replay{}}
}

// errAnswerPanicked is what those wait for whose first request panicked.
var errAnswerPanicked = errors.New("soap: answering the same request panicked")

// Answer returns the answer to a request: the one given within [ReplayWindow]
// to the same bytes, and otherwise that of the answer function. While it runs,
// the same request waits for it and gets what it returns. An answer is kept
// unless it comes with an error; a fault is such an error, so that a request
// refused now may succeed later.
//
// The response must not be changed. The context ends the waiting only.
func (r *Replays) Answer(ctx context.Context, request []byte, answer func() ([]byte, error)) (response []byte, repeated bool, err error) {
	key := replayKey(sha256.Sum256(request))

	r.mu.Lock()
	r.forget()
	if first, ok := r.answers[key]; ok {
		r.mu.Unlock()
		select {
		case <-first.done:
			return first.response, true, first.err
		case <-ctx.Done():
			return nil, true, ctx.Err()
		}
	}
	first := &replay{key: key, done: make(chan struct{}), err: errAnswerPanicked}
	r.answers[key] = first
	r.mu.Unlock()

	defer r.finish(first) // also when answer panics
	first.response, first.err = answer()
	return first.response, false, first.err
}

// finish ends the waiting for an answer and keeps it or not.
func (r *Replays) finish(first *replay) {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(first.done)
	if first.err != nil || first.size() > maxReplayBytes {
		delete(r.answers, first.key)
		return
	}
	first.expires = r.now().Add(ReplayWindow)
	r.queue = append(r.queue, first)
	r.size += first.size()
	r.forget()
}

// forget drops what is older than the window or exceeds the bounds. The mutex
// is held.
func (r *Replays) forget() {
	now := r.now()
	for len(r.queue) > 0 {
		oldest := r.queue[0]
		if now.Before(oldest.expires) && len(r.queue) <= maxReplays && r.size <= maxReplayBytes {
			return
		}
		r.queue[0] = nil
		r.queue = r.queue[1:]
		r.size -= oldest.size()
		delete(r.answers, oldest.key)
	}
}
