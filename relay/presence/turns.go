package presence

import "runtime"

// turns are taken by those who work on documents. There is at least one, and no
// more than half as many as processors, so that however many documents there are,
// the rest of the relay finds a processor.
type turns chan struct{}

func newTurns() turns { return make(turns, max(1, runtime.GOMAXPROCS(0)/2)) }

func (t turns) take() { t <- struct{}{} }

func (t turns) give() { <-t }
