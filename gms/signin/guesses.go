package signin

import (
	"container/list"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// allowance is how many wrong passwords may be tried: burst at once, and one more after each interval. Only what was
// looked at counts, so whatever is closed opens again by itself.
type allowance struct {
	burst    int
	interval time.Duration
}

// A person mistypes a few times. Behind one address may be an office on its first day; and a name may be tried from
// many addresses at once by somebody who has many.
var (
	perPair    = allowance{burst: 6, interval: 30 * time.Second}
	perAddress = allowance{burst: 40, interval: 5 * time.Second}
	perLogin   = allowance{burst: 30, interval: 30 * time.Second}
)

// maxRemembered bounds the buckets, some 200 octets each. What was used longest ago is forgotten first; to make
// the box forget his own bucket, somebody needs that many addresses.
const maxRemembered = 30_000

// guesses bounds guessing of passwords. A login name that was right from an address is bounded for this address by
// itself only: nobody elsewhere, or beside it, can keep this person out.
type guesses struct {
	now func() time.Time

	mu      sync.Mutex // guards the fields below and all buckets
	buckets map[bucketKey]*list.Element
	order   *list.List // of *bucket, the most recently used first
}

// bucketKey has a zero address for the bucket of a login name, and no login name for that of an address.
type bucketKey struct {
	login   string
	address netip.Prefix
}

type bucket struct {
	key   bucketKey
	left  float64
	as    time.Time // when it had left
	known bool      // for a pair: the password was right once
}

func newGuesses(now func() time.Time) *guesses {
	return &guesses{now: now, buckets: map[bucketKey]*list.Element{}, order: list.New()}
}

// attempt is a password that is being looked at.
type attempt struct {
	of   *guesses
	pair *bucket
	all  []*bucket // that it counts in
}

// begin counts an attempt as wrong until it is known to be right, so that many at once are no way around. wait is how
// long none may be made; 0 with an attempt.
func (g *guesses) begin(login string, from netip.Addr) (_ *attempt, wait time.Duration) {
	login = strings.ToLower(strings.ToUpper(login)) // as the directory compares
	site := siteOf(from)
	g.mu.Lock()
	defer g.mu.Unlock()
	pair := g.bucket(bucketKey{login, site}, perPair)
	a := &attempt{of: g, pair: pair, all: []*bucket{pair}}
	wait = pair.wait(perPair)
	if !pair.known {
		address, name := g.bucket(bucketKey{address: site}, perAddress), g.bucket(bucketKey{login: login}, perLogin)
		a.all = append(a.all, address, name)
		wait = max(wait, address.wait(perAddress), name.wait(perLogin))
	}
	if wait > 0 {
		return nil, wait
	}
	for _, b := range a.all {
		b.left--
	}
	return a, 0
}

// end takes the attempt back unless its error says that the password was wrong.
func (a *attempt) end(err error) {
	a.of.mu.Lock()
	defer a.of.mu.Unlock()
	if errors.Is(err, ErrRefused) {
		return
	}
	for _, b := range a.all {
		b.left++
	}
	if err == nil {
		a.pair.known = true
	}
}

// bucket returns the bucket of a key as it is now.
func (g *guesses) bucket(key bucketKey, of allowance) *bucket {
	now := g.now()
	e, ok := g.buckets[key]
	if !ok {
		e = g.order.PushFront(&bucket{key: key, left: float64(of.burst), as: now})
		g.buckets[key] = e
		if len(g.buckets) > maxRemembered {
			delete(g.buckets, g.order.Remove(g.order.Back()).(*bucket).key)
		}
	}
	g.order.MoveToFront(e)
	b := e.Value.(*bucket)
	if passed := now.Sub(b.as); passed > 0 {
		b.left = min(float64(of.burst), b.left+float64(passed)/float64(of.interval))
	}
	b.as = now // also after the clock was set back
	return b
}

// wait is how long the bucket stays empty.
func (b *bucket) wait(of allowance) time.Duration {
	if b.left >= 1 {
		return 0
	}
	return max(1, time.Duration((1-b.left)*float64(of.interval)))
}

// siteOf is the network of one site: everybody has as many IPv6 addresses as they like in theirs.
func siteOf(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	site, err := a.WithZone("").Prefix(bits)
	if err != nil {
		return netip.Prefix{} // an address that is not known
	}
	return site
}
