package signin

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// clock is a time that tests move.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func newClock() *clock { return &clock{time.Date(2010, 5, 12, 9, 0, 0, 0, time.UTC)} }

// try makes one attempt that ends with err, and returns how long none may be made.
func try(g *guesses, login, from string, err error) time.Duration {
	a, wait := g.begin(login, netip.MustParseAddr(from))
	if wait == 0 {
		a.end(err)
	}
	return wait
}

var errWrong = fmt.Errorf("%w: wrong password", ErrRefused)

func TestGuessesOfOnePerson(t *testing.T) {
	c := newClock()
	g := newGuesses(c.now)
	for i := range perPair.burst {
		if wait := try(g, []string{"ann", "ANN"}[i%2], "192.0.2.1", errWrong); wait > 0 {
			t.Fatalf("attempt %d has to wait %v", i, wait)
		}
	}
	if wait := try(g, "Ann", "192.0.2.1", nil); wait <= 0 || wait > perPair.interval {
		t.Fatalf("the next waits %v", wait)
	}
	for _, other := range [][2]string{{"bob", "192.0.2.1"}, {"ann", "192.0.2.2"}} {
		if wait := try(g, other[0], other[1], nil); wait > 0 {
			t.Errorf("%s has to wait %v", other, wait)
		}
	}
	for range 100 { // what is not looked at does not count
		try(g, "ann", "192.0.2.1", errWrong)
	}
	c.Time = c.Add(perPair.interval)
	if wait := try(g, "ann", "192.0.2.1", nil); wait > 0 {
		t.Errorf("after the interval the right password waits %v", wait)
	}
}

func TestGuessesFromOneAddress(t *testing.T) {
	c := newClock()
	g := newGuesses(c.now)
	if try(g, "dora", "2001:db8::1", nil) != 0 {
		t.Fatal("dora cannot sign in")
	}
	tried := 0
	for i := range 10 * perAddress.burst {
		if try(g, fmt.Sprint("login", i), fmt.Sprintf("2001:db8::%x", i+2), errWrong) == 0 {
			tried++
		}
	}
	if tried != perAddress.burst {
		t.Errorf("%d passwords were tried from one site, want %d", tried, perAddress.burst)
	}
	if try(g, "dora", "2001:db8::77", nil) != 0 {
		t.Error("somebody whose password was right here is kept out by others")
	}
	if try(g, "eve", "2001:db8:0:1::1", nil) != 0 {
		t.Error("another site is kept out")
	}
	c.Time = c.Add(perAddress.interval)
	if try(g, "new", "2001:db8::1", nil) != 0 {
		t.Error("the site stays closed")
	}
}

func TestGuessesOfOneLoginFromEverywhere(t *testing.T) {
	g := newGuesses(newClock().now)
	if try(g, "ann", "198.51.100.1", nil) != 0 {
		t.Fatal("ann cannot sign in")
	}
	tried := 0
	for i := range 200 {
		if try(g, "ann", fmt.Sprintf("192.0.2.%d", i), errWrong) == 0 {
			tried++
		}
	}
	if tried != perLogin.burst {
		t.Errorf("%d passwords were tried, want %d", tried, perLogin.burst)
	}
	if try(g, "ann", "198.51.100.1", nil) != 0 {
		t.Error("ann is kept out of where she works")
	}
}

// TestGuessesUndecided counts neither right passwords nor those that a server away could not look at, but all that
// are being looked at.
func TestGuessesUndecided(t *testing.T) {
	g := newGuesses(newClock().now)
	for range 3 * perAddress.burst {
		if try(g, "ann", "192.0.2.1", errors.New("server away")) != 0 || try(g, "bob", "192.0.2.1", nil) != 0 {
			t.Fatal("has to wait")
		}
	}
	var open []*attempt
	for range perPair.burst {
		a, wait := g.begin("ann", netip.MustParseAddr("192.0.2.1"))
		if wait > 0 {
			t.Fatal("has to wait")
		}
		open = append(open, a)
	}
	if try(g, "ann", "192.0.2.1", errWrong) == 0 {
		t.Error("many at once are a way around")
	}
	for _, a := range open {
		a.end(nil)
	}
	if try(g, "ann", "192.0.2.1", errWrong) != 0 {
		t.Error("right passwords were counted")
	}
}

func TestGuessesAreBounded(t *testing.T) {
	g := newGuesses(newClock().now)
	for i := range maxRemembered {
		address := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		if a, wait := g.begin(fmt.Sprint("login", i), address); wait == 0 {
			a.end(errWrong)
		}
	}
	if len(g.buckets) != maxRemembered || g.order.Len() != maxRemembered {
		t.Errorf("%d buckets, %d in order, want %d", len(g.buckets), g.order.Len(), maxRemembered)
	}
	if a, wait := g.begin("x", netip.Addr{}); wait > 0 {
		t.Error("an address that is not known has to wait")
	} else {
		a.end(nil)
	}
}
