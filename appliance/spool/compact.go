package spool

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"furrow/appliance/disk"
)

// moved is a record and where its copy is.
type moved struct {
	record *record
	offset int64
}

// compact copies the live records of a segment to a new one. A crash at any
// step leaves the old segment, or both, or, once the checkpoint is saved, the
// new one; of two copies of a record Open takes one.
func (s *Spool) compact(old *segment) error {
	live := s.liveRecords(old)
	if len(live) == 0 {
		return nil
	}
	seg := &segment{first: live[0].position}
	_, _ = rand.Read(seg.marker[:]) // never fails
	seg.name = segmentName(seg.first, seg.marker)
	temporary := seg.name + newSuffix
	copies, err := s.rewrite(old, seg, live, temporary)
	if err != nil {
		if left := s.files.Remove(s.path(temporary)); !errors.Is(left, fs.ErrNotExist) {
			err = errors.Join(err, left)
		}
		return err
	}
	s.move(old, seg, copies)
	return nil
}

func (s *Spool) liveRecords(seg *segment) []*record {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var live []*record
	for _, r := range seg.records {
		if len(r.waiting) > 0 {
			live = append(live, r)
		}
	}
	return live
}

// rewrite writes live, out of old, to the file of seg. What is found damaged is
// lost.
func (s *Spool) rewrite(old, seg *segment, live []*record, temporary string) (_ []moved, err error) {
	in, err := s.files.OpenFile(s.path(old.name), os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := s.files.OpenFile(s.path(temporary), os.O_RDWR|os.O_CREATE|os.O_EXCL, disk.FileMode)
	if err != nil {
		return nil, writeError(err)
	}
	w := bufio.NewWriterSize(io.NewOffsetWriter(out, 0), groupBuffer)
	var copies []moved
	for _, r := range live {
		data, err := readWhole(in, r)
		if err != nil {
			d := &Damage{File: old.name, Offset: r.offset, Bytes: r.extent(), Position: r.position}
			if err = s.readError(d, err); errors.Is(err, ErrDamaged) || errors.Is(err, ErrGone) {
				continue
			}
			return nil, errors.Join(err, out.Close())
		}
		if _, err := w.Write(r.append(nil, seg.marker)); err != nil {
			return nil, errors.Join(writeError(err), out.Close())
		}
		if _, err := w.Write(data[headerBytes:]); err != nil {
			return nil, errors.Join(writeError(err), out.Close())
		}
		copies = append(copies, moved{r, seg.size})
		seg.size += r.extent()
	}
	if err := w.Flush(); err != nil {
		return nil, errors.Join(writeError(err), out.Close())
	}
	return copies, s.install(out, temporary, seg.name)
}

// readWhole reads what a record has in its segment and checks all of it.
func readWhole(f io.ReaderAt, r *record) ([]byte, error) {
	if _, err := readEnvelope(f, r); err != nil {
		return nil, err
	}
	data := make([]byte, r.extent())
	if n, err := f.ReadAt(data, r.offset); n < len(data) {
		return nil, err
	}
	if r.ownFile {
		return data, nil
	}
	blocks := data[headerBytes+int(r.envelope):]
	for i := uint64(0); len(blocks) > 0; i++ {
		span := min(blockSpan, len(blocks))
		block, sum := blocks[:span-sumBytes], blocks[span-sumBytes:span]
		if binary.BigEndian.Uint32(sum) != blockSum(r.bodyID, i, block) {
			return nil, fmt.Errorf("block %d of the body: %w", i, ErrDamaged)
		}
		blocks = blocks[span:]
	}
	return data, nil
}

// move points the records at their copies. The old segment is then dead.
func (s *Spool) move(old, seg *segment, copies []moved) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range copies {
		if len(m.record.waiting) == 0 {
			continue // acknowledged meanwhile
		}
		m.record.segment, m.record.offset = seg, m.offset
		seg.records = append(seg.records, m.record)
		seg.live += m.record.extent()
	}
	old.live, old.records = 0, nil
	s.segments[seg.name] = seg
	s.disk.Add(seg.size)
	s.dirty = true
}
