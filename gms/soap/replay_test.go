package soap

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// answers counts how often it is asked.
type answers int

func (a *answers) next() ([]byte, error) {
	*a++
	return fmt.Appendf(nil, "answer %d", int(*a)), nil
}

func wantAnswer(t *testing.T, r *Replays, request string, answer func() ([]byte, error), want string, repeated bool) {
	t.Helper()
	got, again, err := r.Answer(context.Background(), []byte(request), answer)
	if string(got) != want || again != repeated || err != nil {
		t.Errorf("%s: got %q, repeated %t, %v; want %q, %t", request, got, again, err, want, repeated)
	}
}

func TestReplayWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, a := NewReplays(time.Now), new(answers)
		wantAnswer(t, r, "one", a.next, "answer 1", false)
		wantAnswer(t, r, "one", a.next, "answer 1", true)
		wantAnswer(t, r, "two", a.next, "answer 2", false)
		time.Sleep(ReplayWindow - time.Nanosecond)
		wantAnswer(t, r, "one", a.next, "answer 1", true) // does not extend the window
		time.Sleep(time.Nanosecond)
		wantAnswer(t, r, "one", a.next, "answer 3", false)
		wantAnswer(t, r, "two", a.next, "answer 4", false)
		if len(r.answers) != 2 || len(r.queue) != 2 {
			t.Errorf("%d answers, %d queued", len(r.answers), len(r.queue))
		}
	})
}

func TestReplayFailuresAreNotKept(t *testing.T) {
	r, a := NewReplays(time.Now), new(answers)
	fault := NewFault(CodeAccountNotFound, nil)
	_, _, err := r.Answer(context.Background(), []byte("one"), func() ([]byte, error) { return nil, fault })
	if !errors.Is(err, fault) {
		t.Errorf("got %v", err)
	}
	wantAnswer(t, r, "one", a.next, "answer 1", false)
}

// TestReplayWaits: the same request waits for the first and gets its answer,
// a failure too; another request does not wait.
func TestReplayWaits(t *testing.T) {
	for _, failure := range []error{nil, NewFault(CodeProcessing, nil)} {
		synctest.Test(t, func(t *testing.T) {
			r := NewReplays(time.Now)
			release := make(chan struct{})
			asked := 0
			answer := func() ([]byte, error) {
				asked++
				<-release
				return []byte("answer"), failure
			}
			type result struct {
				response string
				repeated bool
				err      error
			}
			results := make(chan result, 3)
			for range 3 {
				go func() {
					response, repeated, err := r.Answer(t.Context(), []byte("one"), answer)
					results <- result{string(response), repeated, err}
				}()
			}
			synctest.Wait()
			wantAnswer(t, r, "two", new(answers).next, "answer 1", false)
			close(release)
			first := 0
			for range 3 {
				got := <-results
				if got.response != "answer" || !errors.Is(got.err, failure) {
					t.Errorf("got %+v", got)
				}
				if !got.repeated {
					first++
				}
			}
			if asked != 1 || first != 1 {
				t.Errorf("asked %d times, %d first", asked, first)
			}
		})
	}
}

func TestReplayWaitEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewReplays(time.Now)
		release := make(chan struct{})
		go r.Answer(t.Context(), []byte("one"), func() ([]byte, error) { <-release; return nil, nil })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, repeated, err := r.Answer(ctx, []byte("one"), func() ([]byte, error) { t.Error("asked again"); return nil, nil })
		if !errors.Is(err, context.DeadlineExceeded) || !repeated {
			t.Errorf("got %v, repeated %t", err, repeated)
		}
		close(release)
	})
}

// TestReplayPanic: those who wait are told, and the next one is served.
func TestReplayPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewReplays(time.Now)
		release := make(chan struct{})
		go func() {
			defer func() { _ = recover() }()
			_, _, _ = r.Answer(t.Context(), []byte("one"), func() ([]byte, error) { <-release; panic("bug") })
		}()
		synctest.Wait()
		waiting := make(chan error)
		go func() {
			_, _, err := r.Answer(t.Context(), []byte("one"), func() ([]byte, error) { return nil, nil })
			waiting <- err
		}()
		synctest.Wait()
		close(release)
		if err := <-waiting; !errors.Is(err, errAnswerPanicked) {
			t.Errorf("got %v", err)
		}
		wantAnswer(t, r, "one", new(answers).next, "answer 1", false)
	})
}

func TestReplayBounds(t *testing.T) {
	now := time.Unix(0, 0)
	clock := func() time.Time { return now }

	r, a := NewReplays(clock), new(answers)
	for i := range maxReplays + 1 {
		wantAnswer(t, r, fmt.Sprint(i), a.next, fmt.Sprintf("answer %d", i+1), false)
	}
	if len(r.answers) != maxReplays || len(r.queue) != maxReplays {
		t.Errorf("%d answers, %d queued", len(r.answers), len(r.queue))
	}
	wantAnswer(t, r, "1", a.next, "answer 2", true)
	wantAnswer(t, r, "0", a.next, fmt.Sprintf("answer %d", maxReplays+2), false)

	r = NewReplays(clock)
	large := func() ([]byte, error) { return make([]byte, maxReplayBytes/4), nil }
	for i := range 8 {
		if _, _, err := r.Answer(t.Context(), []byte{byte(i)}, large); err != nil {
			t.Fatal(err)
		}
		if r.size > maxReplayBytes {
			t.Fatalf("%d bytes kept", r.size)
		}
	}
	if len(r.queue) != 3 || len(r.answers) != 3 {
		t.Errorf("%d answers, %d queued", len(r.answers), len(r.queue))
	}
	oversize := func() ([]byte, error) { return make([]byte, maxReplayBytes), nil }
	if _, _, err := r.Answer(t.Context(), []byte("oversize"), oversize); err != nil {
		t.Fatal(err)
	}
	if len(r.queue) != 3 || len(r.answers) != 3 {
		t.Errorf("oversize answer displaced others: %d answers, %d queued", len(r.answers), len(r.queue))
	}
	now = now.Add(ReplayWindow)
	wantAnswer(t, r, "x", new(answers).next, "answer 1", false)
	if len(r.answers) != 1 || len(r.queue) != 1 || r.size != r.queue[0].size() {
		t.Errorf("%d answers, %d queued, %d bytes", len(r.answers), len(r.queue), r.size)
	}
}
