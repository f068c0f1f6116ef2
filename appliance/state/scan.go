package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
)

// scan is what a generation file holds.
type scan struct {
	checkpoint bool   // header, all chunks and the end marker are sound
	base       uint64 // sequence of the checkpoint
	start      int64  // where the journal starts
	end        int64  // behind the last sound record
	sealed     uint64 // generation that replaced this file, 0 if none did
	finding    finding
}

// finding is what is wrong with a file.
type finding struct {
	kind   findingKind
	offset int64
	cause  string
	lost   uint64 // highest sequence seen behind the finding, 0 if none
}

type findingKind int

const (
	sound   findingKind = iota
	torn                // an unfinished write at the end: nothing acknowledged is provably lost
	damaged             // bytes that were written are wrong
	newer               // a format this binary does not know
)

// scanGeneration reads the checkpoint and the journal of a file into st, up to
// the first record that is not sound.
func scanGeneration(data []byte, generation uint64, st *stage) scan {
	s := scan{}
	r := reader{data: data, generation: generation}
	if !s.readCheckpoint(&r, st) {
		// A generation gets its name when it is complete and flushed, so a
		// checkpoint is never torn.
		s.finding = finding{kind: damaged, offset: r.offset, cause: "checkpoint " + r.problem()}
		if r.verdict == recordNewer {
			s.finding.kind = newer
		}
		return s
	}
	s.checkpoint, s.start, s.end = true, r.offset, r.offset
	for r.next() {
		if r.record.kind == kindSeal && int(r.offset) == len(data) {
			s.sealed, s.end = r.record.number, r.offset
			return s
		}
		if r.record.kind != kindJournal || r.record.number != st.sequence+1 || !st.apply(r.record) {
			r.refuse(fmt.Sprintf("%c/%d is not the journal's next record", r.record.kind, r.record.number))
			break
		}
		s.end = r.offset
	}
	if int(s.end) < len(data) {
		s.finding = judge(data, &r, st.sequence+1)
	}
	return s
}

func (s *scan) readCheckpoint(r *reader, st *stage) bool {
	if !r.next() {
		return false
	}
	if r.record.kind != kindHeader || r.record.number != r.generation || len(r.record.body) != 0 {
		return r.refuse("has another file's header")
	}
	s.base = r.record.mark
	for chunks := uint64(1); r.next(); chunks++ {
		rec := r.record
		switch {
		case rec.mark != s.base:
			return r.refuse("mixes two sequences")
		case rec.kind == kindChunk && rec.number == chunks:
			if !st.apply(rec) {
				return r.refuse("has a malformed chunk")
			}
		case rec.kind == kindEnd && rec.number == chunks-1:
			rows, n := binary.Uvarint(rec.body)
			if n != len(rec.body) || rows != uint64(st.rows()) {
				return r.refuse("has another number of rows")
			}
			st.sequence = s.base
			return true
		default:
			return r.refuse("has a chunk out of order")
		}
	}
	return false
}

// reader walks the records of a file.
type reader struct {
	data       []byte
	generation uint64
	offset     int64 // behind the last sound record
	start      int64 // of record
	record     record
	verdict    verdict
	reason     string
}

func (r *reader) next() bool {
	rec, n, v := parseRecord(r.data[r.offset:], r.generation)
	r.verdict = v
	if v != recordWhole {
		return false
	}
	r.record, r.start = rec, r.offset
	r.offset += int64(n)
	return true
}

// refuse takes back the last record: it is well-formed but wrong here.
func (r *reader) refuse(reason string) bool {
	r.offset, r.verdict, r.reason = r.start, recordBad, reason
	return false
}

func (r *reader) problem() string {
	switch {
	case r.reason != "":
		return r.reason
	case r.verdict == recordShort:
		return "is cut short"
	case r.verdict == recordNewer:
		return "has a later format"
	}
	return "is damaged"
}

// judge decides what the bytes behind the last sound record are; see "Torn or
// damaged" in the package comment. expected is the sequence that should follow.
func judge(data []byte, r *reader, expected uint64) finding {
	f := finding{kind: damaged, offset: r.offset, cause: "record " + r.problem()}
	if r.verdict == recordNewer {
		f.kind = newer
		return f
	}
	end, impossible := int64(len(data)), ""
	for offset, rec := range survivors(data, r.offset, r.generation) {
		end = min(end, offset)
		f.lost = max(f.lost, rec.mark)
		if rec.kind == kindJournal {
			f.lost = max(f.lost, rec.number)
		}
		switch {
		case rec.kind != kindJournal || rec.mark >= expected:
			impossible = ", and a record behind it was written after it was durable"
		case rec.number <= expected:
			impossible = ", and the expected record stands behind it"
		}
	}
	switch {
	case impossible != "":
		f.cause += impossible
	case end == int64(len(data)) && r.verdict == recordShort, unwritten(data, r.offset, end, r.generation):
		f.kind = torn
	}
	return f
}

// unwritten reports whether the record at offset can be one that the disk never
// got whole: its beginning is right and is followed by zeros that fill a
// sector, or everything to the end of the file.
func unwritten(data []byte, offset, end int64, generation uint64) bool {
	right := func(to int64) bool {
		if to == offset {
			return true
		}
		_, _, v := parseRecord(data[offset:to], generation)
		return v == recordShort
	}
	if end == int64(len(data)) {
		if written := offset + int64(len(trimZeros(data[offset:]))); written < end && right(written) {
			return true
		}
	}
	for at := offset; at < end; {
		next := min(at-at%sector+sector, end)
		if allZero(data[at:next]) && right(at) {
			return true
		}
		at = next
	}
	return false
}

// sector is the smallest unit that a disk writes whole.
const sector = 512

func allZero(b []byte) bool { return len(trimZeros(b)) == 0 }

// trimZeros cuts the zeros at the end of b, a sector at a time while it can:
// tails can be long.
func trimZeros(b []byte) []byte {
	var zeros [sector]byte
	for len(b) >= sector && bytes.Equal(b[len(b)-sector:], zeros[:]) {
		b = b[:len(b)-sector]
	}
	return bytes.TrimRight(b, "\x00")
}

// survivors finds the sound records from offset on, wherever they start. Keys
// and rows hold no line breaks, so none is found inside another.
func survivors(data []byte, offset int64, generation uint64) iter.Seq2[int64, record] {
	return func(yield func(int64, record) bool) {
		// Crafted files can nest records and make this quadratic; in honest
		// ones the damaged records do not overlap.
		budget := 8 * int64(len(data))
		for budget > 0 {
			skip := bytes.Index(data[offset:], []byte(framePrefix))
			if skip < 0 {
				return
			}
			offset += int64(skip)
			rec, n, v := parseRecord(data[offset:], generation)
			if v == recordWhole {
				if !yield(offset, rec) {
					return
				}
				offset += int64(n)
				continue
			}
			budget -= int64(n)
			offset += int64(len(framePrefix))
		}
	}
}
