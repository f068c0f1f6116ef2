package spool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"furrow/appliance/disk"
)

// Maintain rewrites the segments of which little is live, saves the cursors,
// and removes the files that nobody waits for. What it could not do it tries
// again the next time; delivery does not depend on it. It does nothing after a
// failed flush. Call it every few seconds: what is acknowledged since the last
// time is delivered again after a crash, and takes space until the next time.
func (s *Spool) Maintain(ctx context.Context) error {
	s.tending.Lock()
	defer s.tending.Unlock()
	if s.isClosed() {
		return ErrClosed
	}
	var errs []error
	for _, seg := range s.sparse() {
		if err := errors.Join(ctx.Err(), s.Err()); err != nil {
			return errors.Join(append(errs, err)...)
		}
		if err := s.compact(seg); err != nil {
			errs = append(errs, fmt.Errorf("rewrite %s: %w", seg.name, err))
		}
	}
	if err := s.Err(); err != nil {
		return errors.Join(append(errs, err)...)
	}
	return errors.Join(append(errs, s.sweep())...)
}

func (s *Spool) isClosed() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.closed
}

// sparse lists the segments worth rewriting: those of which less than half is
// live, and the damaged ones, so that the next Open does not report them again.
func (s *Spool) sparse() []*segment {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []*segment
	if s.holds > 0 {
		return nil // their old segments could not go
	}
	for _, seg := range s.segments {
		if seg != s.current && !seg.unreadable && seg.live > 0 && (seg.damaged || seg.live < seg.size/2) {
			list = append(list, seg)
		}
	}
	slices.SortFunc(list, func(a, b *segment) int { return cmp.Compare(a.name, b.name) })
	return list
}

// condemned are files that nobody waits for any more.
type condemned struct {
	segments []*segment
	bodies   []bodyFile
}

// sweep saves the checkpoint, and then removes what it says nobody waits for.
func (s *Spool) sweep() error {
	point, dead := s.capture()
	if point == nil {
		return nil
	}
	if err := s.save(point); err != nil {
		s.restore(dead)
		return fmt.Errorf("save %s: %w", checkpointName, err)
	}
	return s.discard(dead)
}

// capture returns the checkpoint of this moment, nil if the last one is still
// true, and takes out of the index the files that go after it.
func (s *Spool) capture() (*checkpoint, condemned) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.dirty && (len(s.index.doomed) == 0 || s.holds > 0) {
		return nil, condemned{}
	}
	// Segments that go now still count: a crash can leave them.
	lowest := s.next
	for _, seg := range s.segments {
		lowest = min(lowest, seg.first)
	}
	var dead condemned
	if s.holds == 0 {
		dead = s.condemn()
	}
	s.index.forget(lowest)
	// Removing segments can let cursors go the next time.
	s.dirty = len(dead.segments) > 0
	return s.point(slices.Collect(maps.Values(s.segments))), dead
}

// condemn takes the files that nobody waits for out of the index. The caller
// holds mu.
func (s *Spool) condemn() condemned {
	dead := condemned{bodies: s.index.doomed}
	s.index.doomed = nil
	for name, seg := range s.segments {
		if seg.live == 0 && seg != s.current && !seg.unreadable {
			dead.segments = append(dead.segments, seg)
			delete(s.segments, name)
		}
	}
	return dead
}

// point is the checkpoint of this moment for a folder with these segments. The
// caller holds mu.
func (s *Spool) point(segments []*segment) *checkpoint {
	point := &checkpoint{next: s.next, stamp: s.stamp}
	for _, seg := range segments {
		point.segments = append(point.segments, segmentSize{name: seg.name, size: seg.size})
	}
	for recipient, q := range s.index.queues {
		if q.cursor > 0 || len(q.beyond) > 0 {
			point.cursors = append(point.cursors, cursor{recipient, q.cursor, slices.Clone(q.beyond)})
		}
	}
	return point
}

// restore takes capture back after the checkpoint could not be saved.
func (s *Spool) restore(dead condemned) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dirty = true
	for _, seg := range dead.segments {
		s.segments[seg.name] = seg
	}
	s.index.doomed = append(s.index.doomed, dead.bodies...)
}

// save replaces the checkpoint on disk.
func (s *Spool) save(point *checkpoint) error {
	data := point.encode()
	if len(data) > maxCheckpointBytes {
		return fmt.Errorf("%w: %d octets", ErrTooLarge, len(data))
	}
	name := checkpointName + newSuffix
	f, err := s.files.OpenFile(s.path(name), os.O_RDWR|os.O_CREATE|os.O_TRUNC, disk.FileMode)
	if err != nil {
		return writeError(err)
	}
	if _, err := f.WriteAt(data, 0); err != nil {
		return errors.Join(writeError(err), f.Close())
	}
	return s.install(f, name, checkpointName)
}

// install makes a file that was written whole durable under its final name.
func (s *Spool) install(f disk.File, name, final string) error {
	if err := s.sync(f, name); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("close %s: %w", name, err)
	}
	if err := s.files.Rename(s.path(name), s.path(final)); err != nil {
		return err
	}
	return s.syncDir()
}

// discard removes files, durably: when the cursors behind them are forgotten,
// they must not come back.
func (s *Spool) discard(dead condemned) error {
	var errs []error
	remove := func(name string, span int64) bool {
		if err := s.files.Remove(s.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
			return false
		}
		s.disk.Add(-span)
		return true
	}
	var kept condemned
	for _, seg := range dead.segments {
		if err := s.shelf.forget(s.path(seg.name)); err != nil {
			errs = append(errs, err)
		}
		if !remove(seg.name, seg.size) {
			kept.segments = append(kept.segments, seg)
		}
	}
	for _, body := range dead.bodies {
		if !remove(bodyName(body.id), body.span) {
			kept.bodies = append(kept.bodies, body)
		}
	}
	if len(errs) > 0 {
		s.restore(kept)
	}
	if len(dead.segments) > 0 {
		if err := s.syncDir(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
