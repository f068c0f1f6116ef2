package relay

import (
	"math/rand/v2"
	"time"
)

// backoff is the wait between attempts at something that fails.
type backoff struct {
	first, last time.Duration
	wait        time.Duration // of the last failure; 0 after a success
}

// next returns how long to wait after one more failure: half of it certain, half
// at random, so that those who have lost the same relay do not come back
// together.
func (b *backoff) next() time.Duration {
	b.wait = min(max(2*b.wait, b.first), b.last)
	return b.wait/2 + rand.N(b.wait/2+1)
}

func (b *backoff) reset() { b.wait = 0 }
