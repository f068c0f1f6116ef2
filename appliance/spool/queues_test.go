package spool

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"furrow/appliance/disk/disktest"
)

// clock is a clock that a test sets.
type clock struct{ now time.Time }

func (c *clock) read() time.Time { return c.now }

func newClock() *clock { return &clock{time.Unix(1_700_000_000, 0)} }

func TestQueueOrderAndAck(t *testing.T) {
	files := disktest.NewMemory()
	options := Options{Dir: t.TempDir(), FS: files}
	s := open(t, options)
	var p [6]Position
	for i := range p {
		e := to("a")
		if i%2 == 0 {
			e = to("a", "b", "a") // twice: once in the queue
		}
		p[i] = put(t, s, e, body(uint64(i), 10+i))
	}
	wantQueue(t, s, "a", p[:]...)
	wantQueue(t, s, "b", p[0], p[2], p[4])
	wantQueue(t, s, "nobody")
	if s.Ack("nobody", p[0]) || s.Ack("b", p[1]) {
		t.Error("acknowledged what was not there")
	}
	s.Ack("a", p[3]) // out of order
	s.Ack("a", p[1])
	wantQueue(t, s, "a", p[0], p[2], p[4], p[5])
	s.Ack("a", p[0])
	wantQueue(t, s, "a", p[2], p[4], p[5])
	if got := s.Usage("a"); got.Messages != 3 || got.Bytes != 12+14+15 {
		t.Errorf("usage: %+v", got)
	}
	var from []Position
	for item := range s.Queue("a", p[2]) {
		from = append(from, item.Position)
	}
	if !slices.Equal(from, p[4:]) {
		t.Errorf("behind %d: %v", p[2], from)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, options)
	wantQueue(t, s, "a", p[2], p[4], p[5])
	wantQueue(t, s, "b", p[0], p[2], p[4])
	wantBody(t, s, p[4], body(4, 14))
}

// A queue may be acknowledged and added to while it is walked.
func TestQueueChangesWhileWalked(t *testing.T) {
	s := open(t, Options{FS: disktest.NewMemory()})
	first := put(t, s, to("a"), nil)
	put(t, s, to("a"), nil)
	var walked []Position
	for item := range s.Queue("a", 0) {
		walked = append(walked, item.Position)
		s.Ack("a", item.Position)
		if len(walked) == 1 {
			s.Purge("a")
			put(t, s, to("a"), nil)
		}
	}
	if len(walked) != 2 || walked[0] != first || walked[1] != first+2 {
		t.Errorf("walked %v", walked)
	}
}

func TestPurge(t *testing.T) {
	s := open(t, Options{FS: disktest.NewMemory(), Now: newClock().read})
	p1 := put(t, s, to("a", "b"), body(1, 5))
	p2 := put(t, s, to("a"), body(2, 7))
	got := s.Purge("a")
	if got.Messages != 2 || got.Bytes != 12 || !got.Newest.Equal(newClock().now) {
		t.Errorf("purged %+v", got)
	}
	wantQueue(t, s, "a")
	wantQueue(t, s, "b", p1)
	if s.Purge("a") != (Usage{}) || s.Purge("nobody") != (Usage{}) {
		t.Error("purged what was not there")
	}
	if _, err := s.Message(p2); err == nil {
		t.Error("message of nobody can be read")
	}
	queues := maps.Collect(s.Queues())
	if len(queues) != 1 || queues["b"].Messages != 1 {
		t.Errorf("queues: %v", queues)
	}
}

func TestExpire(t *testing.T) {
	c := newClock()
	s := open(t, Options{FS: disktest.NewMemory(), Now: c.read})
	old := put(t, s, to("device", "identity"), nil)
	short := to("device", "identity")
	short.Lifetime = 30 * time.Second
	c.now = c.now.Add(time.Hour)
	brief := put(t, s, short, nil)
	limit := func(recipient string) time.Duration {
		if recipient == "device" {
			return 2 * time.Hour
		}
		return 0
	}
	steps := []struct {
		pass             time.Duration
		limit            func(string) time.Duration
		expired          int
		device, identity []Position
	}{
		{0, limit, 0, []Position{old, brief}, []Position{old, brief}},
		{29 * time.Second, limit, 0, []Position{old, brief}, []Position{old, brief}},
		{time.Second, nil, 2, []Position{old}, []Position{old}},
		{time.Hour - 30*time.Second, limit, 0, []Position{old}, []Position{old}},
		{time.Millisecond, limit, 1, nil, []Position{old}},
		{1000 * time.Hour, limit, 0, nil, []Position{old}},
	}
	for i, step := range steps {
		c.now = c.now.Add(step.pass)
		if got := s.Expire(step.limit); got != step.expired {
			t.Errorf("step %d: %d expired, want %d", i, got, step.expired)
		}
		wantQueue(t, s, "device", step.device...)
		wantQueue(t, s, "identity", step.identity...)
	}
}

// A clock that goes back, or starts over with the box, stores nothing earlier
// than the last message.
func TestClockGoesBack(t *testing.T) {
	c := newClock()
	options := Options{Dir: t.TempDir(), FS: disktest.NewMemory(), Now: c.read}
	s := open(t, options)
	start := c.now
	put(t, s, to("a"), nil)
	c.now = time.Unix(0, 0)
	s.Ack("a", put(t, s, to("a"), nil))
	s.Purge("a")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, options)
	put(t, s, to("a"), nil)
	if got := s.Usage("a").Oldest; !got.Equal(start) {
		t.Errorf("stored at %v, want %v", got, start)
	}
}

// The cursors of recipients who have everything go with the last record that
// names them.
func TestCursorsAreForgotten(t *testing.T) {
	files := disktest.NewMemory()
	options := Options{Dir: t.TempDir(), FS: files, SegmentBytes: 1}
	s := open(t, options)
	p := put(t, s, to("a", "b"), nil)
	s.Ack("a", p)
	maintain := func() {
		t.Helper()
		if err := s.Maintain(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	maintain()
	if len(s.index.queues) != 2 {
		t.Errorf("%d queues, want 2", len(s.index.queues))
	}
	s.Ack("b", p)
	maintain() // removes the segment
	maintain() // and then forgets
	if len(s.index.queues) != 0 {
		t.Errorf("%d queues are remembered", len(s.index.queues))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, options)
	if next := put(t, s, to("a"), nil); next <= p {
		t.Errorf("position %d again, after %d", next, p)
	}
}
