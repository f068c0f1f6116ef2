package spool

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"furrow/appliance/disk"
)

// commit is a message on its way through the committer.
type commit struct {
	header     header // position and time are the committer's to fill
	envelope   []byte
	blocks     []byte // of an inline body
	recipients []string
	order      *Order      // nil if the message depends on none
	claimed    atomic.Bool // by the committer, or by who does not wait any longer
	done       chan error  // receives the outcome; capacity 1
}

// answer tells the outcome.
func (c *commit) answer(err error) {
	if c.order != nil && err != nil {
		c.order.broken = true
	}
	c.done <- err
}

// take makes a message the committer's, or says that it is not to be stored:
// nobody waits for it any longer, or it is behind one that was not stored.
func (c *commit) take() bool {
	var err error
	switch {
	case !c.claimed.CompareAndSwap(false, true):
		err = ErrDone
	case c.order != nil && c.order.broken:
		err = ErrBehind
	default:
		return true
	}
	c.answer(err)
	return false
}

const (
	// A group is as large as the disk takes in a moment, so that the first who
	// waits does not wait long.
	maxGroupBytes = 16 << 20
	// maxSubmitted is how many may wait for the committer without a goroutine that
	// waits with them: the messages that some senders have under way.
	maxSubmitted = 64
	groupBuffer  = 256 << 10
	// The wait for a full group costs at most this part of a flush.
	lingerPart = 2
)

// runCommitter serves commits until Close. What it takes it always answers; who
// is not taken any more sees that it has stopped.
func (s *Spool) runCommitter() {
	defer close(s.stopped)
	var p pace
	for {
		select {
		case c := <-s.commits:
			if !c.take() {
				continue
			}
			group := s.gather(c, p)
			start := time.Now()
			err := s.store(group)
			p = pace{last: len(group), before: p.last, linger: time.Since(start) / lingerPart}
			for _, c := range group {
				c.answer(err)
			}
		case <-s.quit:
			return
		}
	}
}

// pace is how the last groups went.
type pace struct {
	last, before int           // members of the last group and the one before
	linger       time.Duration // how long to wait for as many
}

// gather takes all who wait now, and waits a moment for others: those of the
// last group, who were answered together and are likely to come together, and
// those of the group before, who came meanwhile, as far as so many messages are
// under way. The first to come would otherwise have a flush for itself. Who is
// alone does not wait.
func (s *Spool) gather(first *commit, p pace) []*commit {
	group, size := []*commit{first}, first.header.extent()
	var late <-chan time.Time
	for size < maxGroupBytes {
		var c *commit
		select {
		case c = <-s.commits:
		default:
			if len(group) >= max(p.last, min(p.last+p.before, int(s.writers.Load()))) {
				return group
			}
			if late == nil {
				late = time.After(p.linger)
			}
			select {
			case c = <-s.commits:
			case <-late:
				return group
			}
		}
		if !c.take() {
			continue
		}
		group = append(group, c)
		size += c.header.extent()
	}
	return group
}

// store makes a group durable and visible: all of it or nothing.
func (s *Spool) store(group []*commit) error {
	if err := s.Err(); err != nil {
		return err
	}
	for _, c := range group {
		if c.header.ownFile {
			// The names of the body files first: a record must not name a file
			// that a crash can take away.
			if err := s.syncDir(); err != nil {
				return err
			}
			break
		}
	}
	if err := s.openActive(); err != nil {
		return err
	}
	size, err := s.append(group)
	if err != nil {
		return s.cutBack(err)
	}
	if err := s.sync(s.active, s.current.name); err != nil {
		return s.cutBack(err)
	}
	s.publish(group, size)
	s.seal()
	return nil
}

// openActive begins a segment if none is being appended to.
func (s *Spool) openActive() error {
	if s.active != nil {
		return nil
	}
	seg := &segment{first: s.next}
	// Read never fails: crypto/rand stops the process instead.
	_, _ = rand.Read(seg.marker[:])
	seg.name = segmentName(seg.first, seg.marker)
	f, err := s.files.OpenFile(s.path(seg.name), os.O_RDWR|os.O_CREATE|os.O_EXCL, disk.FileMode)
	if err != nil {
		return fmt.Errorf("begin a segment: %w", writeError(err))
	}
	if err := s.syncDir(); err != nil {
		return errors.Join(err, f.Close(), s.files.Remove(s.path(seg.name)))
	}
	s.active, s.out = f, bufio.NewWriterSize(nil, groupBuffer)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = seg
	s.segments[seg.name] = seg
	s.dirty = true
	return nil
}

// append writes the group's records behind the last good one and returns where
// they end.
func (s *Spool) append(group []*commit) (int64, error) {
	seg := s.current
	next, end := s.next, seg.size
	stamp := max(s.stamp, s.options.Now().UnixMilli())
	w := s.out
	w.Reset(io.NewOffsetWriter(s.active, seg.size))
	var head []byte
	for _, c := range group {
		c.header.position, c.header.stored = next, stamp
		next++
		end += c.header.extent()
		head = c.header.append(head[:0], seg.marker)
		for _, part := range [][]byte{head, c.envelope, c.blocks} {
			if _, err := w.Write(part); err != nil {
				return 0, fmt.Errorf("append to %s: %w", seg.name, writeError(err))
			}
		}
	}
	if err := w.Flush(); err != nil {
		return 0, fmt.Errorf("append to %s: %w", seg.name, writeError(err))
	}
	return end, nil
}

// cutBack takes what a failed group left off the segment, and returns cause. If
// even that fails, nothing may be written behind it.
func (s *Spool) cutBack(cause error) error {
	if err := s.active.Truncate(s.current.size); err != nil {
		return errors.Join(cause, s.fail("cut back "+s.current.name, err))
	}
	return cause
}

// publish lets readers see a group that is on disk.
func (s *Spool) publish(group []*commit, size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disk.Add(size - s.current.size)
	offset := s.current.size
	for _, c := range group {
		r := &record{header: c.header, segment: s.current, offset: offset}
		offset += r.extent()
		queues := make([]*queue, len(c.recipients))
		for i, recipient := range c.recipients {
			queues[i] = s.index.queue(recipient)
		}
		s.index.add(r, queues)
		s.next = r.position + 1
		s.stamp = r.stored
	}
	s.current.size = size
	s.dirty = true
}

// seal ends a full segment.
func (s *Spool) seal() {
	if s.current.size < s.options.SegmentBytes {
		return
	}
	if err := s.active.Close(); err != nil {
		// All of it is flushed: what was promised is there.
		s.options.Log.Warn("closing a full segment", "file", s.current.name, "err", err)
	}
	s.active = nil
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = nil
}
