package spool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"furrow/appliance/disk/disktest"
)

// Senders, recipients, purges, expiry and maintenance at once: every recipient
// gets every message once, whole and in order.
func TestConcurrent(t *testing.T) {
	const senders, each = 8, 40
	s := open(t, Options{FS: disktest.NewMemory(), InlineBytes: 4000, SegmentBytes: 50_000, BufferBytes: 20_000})
	keys := []string{"a", "b", "c", "d"}
	var sending, receiving, tending sync.WaitGroup
	stop := make(chan struct{})
	for i := range senders {
		sending.Go(func() {
			for j := range each {
				data := fmt.Appendf(nil, "%d %d ", i, j)
				data = append(data, body(uint64(j), j*200)...)
				if _, err := tryPut(s, to(append(keys, fmt.Sprint("purged", i))...), data); err != nil {
					t.Error(err)
				}
				s.Purge(fmt.Sprint("purged", i))
			}
		})
	}
	for _, key := range keys {
		receiving.Go(func() { receive(t, s, key, senders*each) })
	}
	tending.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			s.Expire(func(string) time.Duration { return time.Hour })
			if err := s.Maintain(context.Background()); err != nil {
				t.Error(err)
			}
			_ = s.Stats()
			for range s.Queues() {
			}
		}
	})
	sending.Wait()
	receiving.Wait()
	close(stop)
	tending.Wait()
	if err := consistent(s); err != nil {
		t.Error(err)
	}
	if st := s.Stats(); st.Messages != 0 || st.Queues != 0 || st.Damaged != 0 {
		t.Errorf("left: %+v", st)
	}
}

// receive takes count messages from a queue.
func receive(t *testing.T, s *Spool, key string, count int) {
	next := map[int]int{} // message by sender
	for count > 0 {
		for item := range s.Queue(key, 0) {
			m, err := s.Message(item.Position)
			if err != nil {
				t.Errorf("%s: %v", key, err)
				return
			}
			data, err := io.ReadAll(m)
			if err := errors.Join(err, m.Close()); err != nil {
				t.Errorf("%s: %v", key, err)
				return
			}
			var sender, number int
			if _, err := fmt.Sscanf(string(data[:min(len(data), 20)]), "%d %d ", &sender, &number); err != nil {
				t.Errorf("%s: %v", key, err)
				return
			}
			if number != next[sender] || !bytes.HasSuffix(data, body(uint64(number), number*200)) {
				t.Errorf("%s: message %d of sender %d is wrong or out of order", key, number, sender)
				return
			}
			next[sender]++
			count--
			if !s.Ack(key, item.Position) {
				t.Errorf("%s: %d was not there", key, item.Position)
			}
		}
	}
}

// Writers that are under way when the spool is closed end with ErrClosed, or
// were in time.
func TestCloseUnderLoad(t *testing.T) {
	files := disktest.NewMemory()
	o := Options{Dir: t.TempDir(), FS: files, InlineBytes: 500, ReserveBytes: 1}
	s := open(t, o)
	var mu sync.Mutex
	stored := map[Position]bool{}
	var senders sync.WaitGroup
	begun := make(chan struct{}, 1)
	for i := range 8 {
		senders.Go(func() {
			for {
				p, err := tryPut(s, to("a"), body(uint64(i), 100*i))
				if err != nil {
					if !errors.Is(err, ErrClosed) {
						t.Error(err)
					}
					return
				}
				mu.Lock()
				stored[p] = true
				mu.Unlock()
				select {
				case begun <- struct{}{}:
				default:
				}
			}
		})
	}
	<-begun
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	senders.Wait()
	if err := s.Maintain(context.Background()); !errors.Is(err, ErrClosed) {
		t.Errorf("maintain after close: %v", err)
	}
	s = open(t, o)
	if got := positions(s, "a"); len(got) != len(stored) {
		t.Errorf("%d messages, want %d", len(got), len(stored))
	}
}
