package relaylink_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func copyBody(w io.Writer, answer *http.Response) error {
	_, err := io.Copy(w, answer.Body)
	return err
}

// TestRun lets time pass: changes are noticed, failures are tried again after
// longer and longer pauses, and everything ends with its context.
func TestRun(t *testing.T) {
	testSets() // made outside of the bubble, for the other tests too
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, t.TempDir)
		alice := p.manager.member(t, "Alice")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			p.manager.links.Run(ctx)
		}()
		pass := func(d time.Duration) {
			time.Sleep(d)
			synctest.Wait()
		}
		pass(3 * time.Second)
		p.agree(t, "after three seconds")

		p.wire.mu.Lock()
		p.wire.down = errors.New("no route")
		p.wire.mu.Unlock()
		p.manager.disable(t, alice)
		pass(time.Hour)
		s := p.status(t)
		// 1+2+4+...+256 s, and then every 300 s.
		if s.Failures < 18 || s.Failures > 22 || s.Error == "" || s.Pending != 1 || !s.Next.After(time.Now()) {
			t.Errorf("after an hour without the relay: %+v", s)
		}
		if p.relay.enabled(t, alice) == false {
			t.Error("the relay heard of it")
		}

		p.wire.mu.Lock()
		p.wire.down = nil
		p.wire.mu.Unlock()
		p.manager.links.Nudge()
		synctest.Wait()
		pass(time.Millisecond)
		p.agree(t, "nudged")
		if s := p.status(t); s.Failures != 0 || s.Pending != 0 {
			t.Errorf("nudged: %+v", s)
		}
		p.manager.enable(t, alice)
		pass(3 * time.Second)
		p.agree(t, "three seconds later")

		cancel()
		<-ended
		p.close(t)
		time.Sleep(2 * time.Second) // BuntDB's own goroutine ends up to a second later
	})
}
