package alert

import "time"

// samplesPerWindow is how finely a Window looks back.
const samplesPerWindow = 24

// Window finds out how much a value has grown over some time, such as a counter or what waits in queues. It is for one
// goroutine.
type Window struct {
	Span    time.Duration
	samples []sample
}

type sample struct {
	at    time.Time
	value float64
}

// Growth notes a value and returns how far it is above the lowest of the span.
func (w *Window) Growth(now time.Time, value float64) float64 {
	kept := w.samples[:0]
	lowest := value
	for _, s := range w.samples {
		if age := now.Sub(s.at); age < 0 || age > w.Span { // the clock may have been set back
			continue
		}
		kept = append(kept, s)
		lowest = min(lowest, s.value)
	}
	w.samples = kept
	if n := len(kept); n == 0 || now.Sub(kept[n-1].at) >= w.Span/samplesPerWindow {
		w.samples = append(w.samples, sample{now, value})
	} else if value < kept[n-1].value {
		kept[n-1].value = value
	}
	return value - lowest
}

// Stepper finds out that a clock was set, by another that cannot be. It is for one goroutine.
type Stepper struct {
	wall    time.Time
	steady  time.Duration
	started bool

	step float64       // seconds, of the largest step of the last day
	at   time.Duration // by the steady clock
}

// minStep is what is no step: clocks that are kept right are moved by less, and two clocks are not read at once.
const minStep = time.Second

// Step takes the time by both clocks, steady being one that runs evenly from whenever on, and returns by how much the
// clock was set in the last day at most, in seconds, whichever way.
func (s *Stepper) Step(wall time.Time, steady time.Duration) float64 {
	wall = wall.Round(0) // without Go's own steady clock, which stops while the machine sleeps
	if s.started {
		step := (wall.Sub(s.wall) - (steady - s.steady)).Abs()
		if steady-s.at > repeatAfter {
			s.step = 0
		}
		if step >= minStep && step.Seconds() >= s.step {
			s.step, s.at = step.Seconds(), steady
		}
	}
	s.wall, s.steady, s.started = wall, steady, true
	return s.step
}
