// Package queue holds what waits for recipients who are not there: the relay's
// queues, as views of a spool.
//
// # Addresses
//
// A queue is named by an [Address]: resource, identity and device for
// device-targeted messages, resource and identity for identity-targeted ones
// ([MS-GRVSSTP] 1.1), and a relay for what is to be forwarded to it. All queues of
// one device, one identity or one relay share a target: its quota, its
// watchers and its fate when it goes offline.
//
// # In
//
// A [Writer] takes one message for any number of recipients and stores it once.
// Each recipient gets a [Verdict] of its own. Unknown and locked out ones are
// refused before anything is written; the quota is asked then, now and then
// while a long message comes in, and finally, with the exact size, when it is
// complete. The list of recipients is in the record that is on disk by then, so
// who is refused last is taken out of the queue again before anybody can look
// into it (Writer.Commit). A message that nobody may have is read and dropped.
//
// # Out
//
// Whoever delivers asks for the next item of a queue, reads it from the spool
// and acknowledges it. An acknowledgment that a crash forgets costs a duplicate.
// A [Watch] tells that something has come.
//
// # Locks
//
// Queues.mu is taken before any lock of the spool. Nothing waits while it is
// held, and the functions of watches and Header.Online are called with it.
package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"furrow/appliance/spool"
)

// Options are what queues are made of. Spool and Directory are required; every
// other zero value means the default.
type Options struct {
	Spool     *spool.Spool
	Directory Directory
	// Now is the clock by which lifetimes end at delivery; default time.Now. It
	// should be the spool's.
	Now func() time.Time
	// ClockTrusted says whether Now tells the date. While it does not, nothing
	// is taken out of a queue for its age. Default: always.
	ClockTrusted func() bool
	// MaxMessageBytes bounds one message; default 250 MB, as the product's
	// installer offers.
	MaxMessageBytes int64
	// ForwardBytes bounds what waits for one other relay, whose users' quotas
	// are not known here; default 1 GiB.
	ForwardBytes int64
	Log          *slog.Logger // default: nobody
}

const (
	defaultMaxMessageBytes = 250 << 20
	defaultForwardBytes    = 1 << 30

	// maintainEvery bounds what is delivered twice after a crash, and how long
	// delivered messages take space.
	maintainEvery = 5 * time.Second
	// expireEvery is how late a message may be purged; lifetimes are days, and
	// those of ephemeral messages are looked at on delivery too.
	expireEvery = time.Minute
)

func (o *Options) fill() {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.ClockTrusted == nil {
		o.ClockTrusted = func() bool { return true }
	}
	if o.MaxMessageBytes == 0 {
		o.MaxMessageBytes = defaultMaxMessageBytes
	}
	if o.ForwardBytes == 0 {
		o.ForwardBytes = defaultForwardBytes
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

// Queues are all queues of a relay. Their methods may be called at once from
// many goroutines.
type Queues struct {
	options  Options
	spool    *spool.Spool
	counters counters

	mu      sync.Mutex
	targets map[string]*target // by Address.Target; guarded by mu
}

// target is a device, an identity or a relay that something waits for, or that
// somebody watches. Queues.mu guards it.
type target struct {
	queues     map[string]Address // by key; each may be empty meanwhile
	watches    map[*Watch]struct{}
	committing int64          // charge of messages that are on their way to disk
	withheld   map[string]int // keys that may not be looked into: see Writer.Commit
	transient  bool           // messages for nobody but the present connection were stored
}

// New finds the queues in a spool. Nobody is online then: messages that are
// only for those who are get dropped. The caller closes the spool after the last
// use of the queues.
func New(o Options) (*Queues, error) {
	o.fill()
	q := &Queues{options: o, spool: o.Spool, targets: make(map[string]*target)}
	for key := range o.Spool.Queues() {
		a, err := parseKey(key)
		if err != nil {
			return nil, fmt.Errorf("finding the queues: %w", err)
		}
		t := q.target(a.Target())
		t.queues[key] = a
		t.transient = true // it may be so
	}
	for name := range q.targets {
		q.DiscardTransient(name)
	}
	return q, nil
}

// target finds or makes a target. The caller holds mu, or is New.
func (q *Queues) target(name string) *target {
	t := q.targets[name]
	if t == nil {
		t = &target{
			queues:   make(map[string]Address),
			watches:  make(map[*Watch]struct{}),
			withheld: make(map[string]int),
		}
		q.targets[name] = t
	}
	return t
}

// Run purges what is too old and writes down what is acknowledged, now and then,
// until ctx ends. The spool does the last of that when it is closed.
func (q *Queues) Run(ctx context.Context) {
	maintain, expire := time.NewTicker(maintainEvery), time.NewTicker(expireEvery)
	defer maintain.Stop()
	defer expire.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-expire.C:
			q.Expire()
		case <-maintain.C:
			if err := q.Maintain(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, spool.ErrClosed) {
				q.options.Log.Warn("tending the spool", "err", err)
			}
		}
	}
}

// Maintain writes down what is acknowledged, gives space back, and forgets
// targets that nothing waits for. Run calls it.
func (q *Queues) Maintain(ctx context.Context) error {
	q.mu.Lock()
	for name, t := range q.targets {
		for key := range t.queues {
			if q.spool.Usage(key).Messages == 0 && t.committing == 0 {
				delete(t.queues, key)
			}
		}
		if len(t.queues) == 0 && len(t.watches) == 0 && t.committing == 0 && len(t.withheld) == 0 {
			delete(q.targets, name)
		}
	}
	q.mu.Unlock()
	return q.spool.Maintain(ctx)
}
