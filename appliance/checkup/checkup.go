// Package checkup has the running box examined when somebody asks, in the background, and keeps what was found last.
// What an examination is, it is told: the checks act as members and administrators do and know all of Furrow.
package checkup

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Outcome is how a check ended.
type Outcome string

// All outcomes.
const (
	Well     Outcome = "well"
	Warning  Outcome = "warning" // works, but somebody should look
	Failed   Outcome = "failed"
	NotTried Outcome = "not tried" // for want of something that failed before, or that this box does not have
)

// Finding is what one check came to.
type Finding struct {
	Check   string        `json:"check"` // a stable name, such as offline-delivery
	Tried   string        `json:"tried"` // in words
	Outcome Outcome       `json:"outcome"`
	Found   string        `json:"found"`
	Remedy  string        `json:"remedy,omitempty"` // what to do
	Took    time.Duration `json:"tookNanoseconds"`
}

// Report is an examination.
type Report struct {
	Began time.Time `json:"began,omitzero"` // absent if there was none
	Ended time.Time `json:"ended,omitzero"` // absent while it goes on
	// Findings are in the order in which they were made.
	Findings []Finding `json:"findings,omitempty"`
	// Problem is why it could not be carried out to its end; absent if it was.
	Problem string `json:"problem,omitempty"`
}

// Running reports whether the examination goes on.
func (r Report) Running() bool { return !r.Began.IsZero() && r.Ended.IsZero() }

// Examine examines the box and reports each finding as it is made. An error means that it could not be done.
type Examine func(ctx context.Context, report func(Finding)) error

// ErrNone says that the program cannot examine a box.
var ErrNone = errors.New("this program has no examination of the box")

// ErrBusy says that the box is being examined.
var ErrBusy = errors.New("the box is being examined already")

// Room is where the box is examined, once at a time. It is safe for concurrent use.
type Room struct {
	examine Examine
	now     func() time.Time
	asked   chan struct{}

	mu   sync.Mutex
	last Report // guarded by mu
}

// New returns a Room for examinations; examine is nil for a program that has none. Run must run for examinations to be
// made.
func New(examine Examine, now func() time.Time) *Room {
	return &Room{examine: examine, now: now, asked: make(chan struct{}, 1)}
}

// Start has the box examined and does not wait: Last says how it goes.
func (r *Room) Start() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.examine == nil {
		return ErrNone
	}
	if r.last.Running() {
		return ErrBusy
	}
	r.last = Report{Began: r.now()}
	r.asked <- struct{}{} // empty, because nothing was running
	return nil
}

// Last is the examination that goes on, or the last one.
func (r *Room) Last() Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := r.last
	last.Findings = slices.Clone(last.Findings)
	return last
}

// Run makes the examinations that are asked for until ctx ends.
func (r *Room) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.asked:
		}
		err := r.examine(ctx, func(f Finding) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.last.Findings = append(r.last.Findings, f)
		})
		r.end(err)
	}
}

func (r *Room) end(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last.Ended = r.now()
	if err != nil {
		r.last.Problem = err.Error()
	}
}
