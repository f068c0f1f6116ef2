package bench

import (
	"slices"
	"sync"
	"time"
)

// Latency is how long single operations took, in milliseconds.
type Latency struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// latencyOf sorts what was measured. The percentiles are values that occurred.
func latencyOf(measured []time.Duration) Latency {
	if len(measured) == 0 {
		return Latency{}
	}
	slices.Sort(measured)
	at := func(percent int) float64 {
		rank := (len(measured)*percent + 99) / 100 // the smallest that this many are not above
		return milliseconds(measured[max(rank, 1)-1])
	}
	return Latency{P50: at(50), P90: at(90), P99: at(99), Max: at(100)}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// clock measures the operations of one phase. It is safe for concurrent use.
type clock struct {
	what     string
	total    int
	progress Progress
	began    time.Time

	mu       sync.Mutex
	measured []time.Duration
	count    int
	last     time.Time
}

// startClock begins a phase of so many operations.
func startClock(what string, total int, progress Progress) *clock {
	progress(what, 0, total)
	now := time.Now()
	return &clock{what: what, total: total, progress: progress, began: now, last: now}
}

// done counts one operation.
func (c *clock) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	c.last = time.Now()
	c.progress(c.what, c.count, c.total)
}

// took notes how long something took.
func (c *clock) took(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.measured = append(c.measured, d)
}

// phase ends the phase with its last operation.
func (c *clock) phase(each string, octets int64) Phase {
	c.mu.Lock()
	defer c.mu.Unlock()
	seconds := c.last.Sub(c.began).Seconds()
	return Phase{
		Name: c.what, Operations: c.count, Octets: octets, Seconds: seconds, Rate: float64(c.count) / seconds,
		Each: each, Latency: latencyOf(c.measured),
	}
}
