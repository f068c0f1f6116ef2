package carrier

import (
	"sync/atomic"
	"time"
)

// idleWatch calls a function once nothing has happened for a time.
type idleWatch struct {
	begin   time.Time
	last    atomic.Int64 // of what happens, after begin
	stopped atomic.Bool
	limit   time.Duration
	timer   *time.Timer
	expired func()
}

func newIdleWatch(limit time.Duration, expired func()) *idleWatch {
	w := &idleWatch{begin: time.Now(), limit: limit, expired: expired}
	w.timer = time.AfterFunc(time.Hour, w.check)
	w.timer.Reset(limit) // only now, when check can see the timer
	return w
}

// touch notes that something happens.
func (w *idleWatch) touch() { w.last.Store(int64(time.Since(w.begin))) }

func (w *idleWatch) check() {
	idle := time.Since(w.begin) - time.Duration(w.last.Load())
	switch {
	case w.stopped.Load():
	case idle >= w.limit:
		w.expired()
	default:
		w.timer.Reset(w.limit - idle)
	}
}

// stop lets nothing be called any more, but for a call that goes on.
func (w *idleWatch) stop() {
	w.stopped.Store(true)
	w.timer.Stop()
}
