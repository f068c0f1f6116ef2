package spool

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
)

// Report is what Open found.
type Report struct {
	Segments int // files
	Messages int // that somebody waits for
	// Damage lists what is lost, the first maxReported of it.
	Damage  []Damage
	Omitted int // damage not listed
	// Checkpoint is why the checkpoint could not be used, so that
	// acknowledged messages are in their queues again; nil if it could.
	Checkpoint error
	// Unfinished counts body files that no record names: of messages that were
	// being received when the process died, or whose record is damaged. They
	// are kept while there is damage and removed otherwise.
	Unfinished int
}

// maxReported keeps the report of a folder full of noise readable.
const maxReported = 1000

// Sound reports whether nothing was damaged.
func (r *Report) Sound() bool { return len(r.Damage) == 0 && r.Checkpoint == nil }

// recovery rebuilds the index at Open.
type recovery struct {
	spool  *Spool
	report Report
	bodies map[uint64]int64    // octets on disk, by id
	named  map[uint64]struct{} // bodies that a record names
	found  []foundRecord
	lost   int64 // octets of segments that are not known records
}

type foundRecord struct {
	record *record
	queues []*queue
}

func (s *Spool) recover() (Report, error) {
	v := &recovery{spool: s, bodies: make(map[uint64]int64), named: make(map[uint64]struct{})}
	point, err := v.checkpoint()
	if err != nil {
		return Report{}, err
	}
	if err := v.list(); err != nil {
		return Report{}, err
	}
	for _, name := range slices.Sorted(maps.Keys(s.segments)) {
		if err := v.scan(s.segments[name]); err != nil {
			return Report{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	v.compareSizes(point.segments)
	v.index(point)
	v.sortBodies()
	s.dirty = len(s.segments) > 0
	v.report.Segments = len(s.segments)
	v.report.Messages = len(s.index.records)
	s.damaged = len(v.report.Damage) + v.report.Omitted
	return v.report, nil
}

func (v *recovery) damage(d Damage) {
	if len(v.report.Damage) == maxReported {
		v.report.Omitted++
		return
	}
	v.report.Damage = append(v.report.Damage, d)
}

// checkpoint loads the checkpoint into the queues. A damaged one is reported.
func (v *recovery) checkpoint() (*checkpoint, error) {
	s := v.spool
	point, err := loadCheckpoint(s.files, s.options.Dir)
	switch {
	case err == nil:
	case errors.Is(err, ErrDamaged) || lasting(err):
		v.report.Checkpoint = fmt.Errorf("read %s: %w", checkpointName, err)
		point = &checkpoint{}
	default:
		return nil, fmt.Errorf("read %s: %w", checkpointName, err)
	}
	for _, c := range point.cursors {
		q := s.index.queue(c.recipient)
		q.cursor, q.beyond = c.position, c.beyond
	}
	return point, nil
}

// list reads the folder. What was being written when the process died goes.
func (v *recovery) list() error {
	s := v.spool
	names, err := s.files.Names(s.options.Dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasSuffix(name, newSuffix) {
			if err := s.files.Remove(s.path(name)); err != nil {
				s.options.Log.Warn("removing an unfinished file", "file", name, "err", err)
			}
			continue
		}
		first, m, isSegment := parseSegmentName(name)
		id, isBody := parseBodyName(name)
		if !isSegment && !isBody {
			continue
		}
		size, err := s.files.Size(s.path(name))
		if err != nil && !lasting(err) {
			return err
		}
		s.disk.Add(size)
		switch {
		case isSegment:
			s.segments[name] = &segment{name: name, first: first, marker: m, size: size, unreadable: err != nil}
		case err == nil:
			v.bodies[id] = size
		}
	}
	return nil
}

// scan finds a segment's records. A segment that cannot be read is damage, and
// is kept for another start.
func (v *recovery) scan(seg *segment) error {
	scanned, err := v.records(seg)
	if err != nil && !lasting(err) {
		return err
	}
	if seg.unreadable = seg.unreadable || err != nil; seg.unreadable {
		seg.damaged = true
		v.lost += seg.size - scanned
		reason := "the disk does not give it"
		if err != nil {
			reason = err.Error()
		}
		v.damage(Damage{File: seg.name, Offset: scanned, Bytes: seg.size - scanned, Reason: reason})
	}
	return nil
}

// records collects a segment's records and returns how far it came.
func (v *recovery) records(seg *segment) (scanned int64, err error) {
	s := v.spool
	f, err := s.files.OpenFile(s.path(seg.name), os.O_RDONLY, 0)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sc := &scanner{file: f, size: seg.size, marker: seg.marker}
	visit := func(offset int64, h header, e Envelope) {
		scanned = offset + h.extent()
		queues := make([]*queue, len(e.Recipients))
		for i, r := range e.Recipients {
			queues[i] = s.index.queue(r.Key)
		}
		v.found = append(v.found, foundRecord{&record{header: h, segment: seg, offset: offset}, queues})
	}
	lost := func(d Damage) {
		scanned = d.Offset + d.Bytes
		d.File, d.AtEnd = seg.name, scanned == seg.size
		seg.damaged = true
		v.lost += d.Bytes
		v.damage(d)
	}
	err = sc.scan(visit, lost)
	return scanned, err
}

// compareSizes finds segments that were cut where a record ends, or are gone.
func (v *recovery) compareSizes(known []segmentSize) {
	for _, k := range known {
		seg := v.spool.segments[k.name]
		switch {
		case seg == nil:
			v.damage(Damage{File: k.name, Bytes: k.size, Reason: "file is missing"})
		case seg.size < k.size:
			seg.damaged = true
			v.damage(Damage{File: k.name, Offset: seg.size, Bytes: k.size - seg.size, Reason: "cut off"})
		}
	}
}

// index puts the records in their queues, in order.
func (v *recovery) index(point *checkpoint) {
	s := v.spool
	s.next, s.stamp = max(point.next, 1), point.stamp
	for _, seg := range s.segments {
		s.next = max(s.next, seg.first)
	}
	// Stable: of two copies, which an interrupted compaction can leave, the one
	// in the first segment counts.
	slices.SortStableFunc(v.found, func(a, b foundRecord) int {
		return cmp.Compare(a.record.position, b.record.position)
	})
	last := Position(0)
	for _, f := range v.found {
		r := f.record
		if r.position == last {
			continue
		}
		last = r.position
		if r.ownFile {
			v.named[r.bodyID] = struct{}{}
		}
		s.next = max(s.next, r.position+1)
		s.stamp = max(s.stamp, r.stored)
		if s.index.add(r, f.queues) && r.ownFile && !v.bodyWhole(r) {
			s.index.drop(r)
		}
	}
	// Records that are not readable now may be at another start: their positions
	// must not be given to others.
	s.next += Position(v.lost / headerBytes)
	v.found = nil
}

// bodyWhole reports the loss of a record whose body file is gone or cut.
func (v *recovery) bodyWhole(r *record) bool {
	span := bodySpan(r.body)
	size, exists := v.bodies[r.bodyID]
	if exists && size == span {
		return true
	}
	reason := fmt.Sprintf("file has %d of %d octets", size, span)
	if !exists {
		reason = fs.ErrNotExist.Error()
	}
	v.damage(Damage{File: bodyName(r.bodyID), Bytes: span, Position: r.position, Reason: reason})
	return false
}

// sortBodies condemns the body files that nobody waits for. While segments are
// damaged, one that no record names may be that of a record that another start
// can read.
func (v *recovery) sortBodies() {
	s := v.spool
	s.index.doomed = nil // all of them are found again here
	whole := true
	for _, seg := range s.segments {
		whole = whole && !seg.damaged
	}
	awaited := make(map[uint64]struct{})
	for _, r := range s.index.records {
		if r.ownFile {
			awaited[r.bodyID] = struct{}{}
		}
	}
	for id, size := range v.bodies {
		if _, ok := awaited[id]; ok {
			continue
		}
		_, named := v.named[id]
		if !named {
			v.report.Unfinished++
		}
		if named || whole {
			s.index.doomed = append(s.index.doomed, bodyFile{id: id, span: size})
		}
	}
}
