package spool

import (
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Names in the spool's folder:
//
//	segment-<first position, 16 hex digits>-<marker, 16 hex digits>
//	body-<id, 16 hex digits>
//	checkpoint
//
// and, while it is being written, a segment or checkpoint with ".new" behind
// its name. The marker is in the name, so that damage in a file cannot hide the
// records behind it.
const (
	segmentPrefix  = "segment-"
	bodyPrefix     = "body-"
	checkpointName = "checkpoint"
	newSuffix      = ".new"
)

func segmentName(first Position, m marker) string {
	return fmt.Sprintf("%s%016x-%x", segmentPrefix, uint64(first), m[:])
}

func parseSegmentName(name string) (first Position, m marker, ok bool) {
	rest, ok := strings.CutPrefix(name, segmentPrefix)
	if !ok || len(rest) != 33 || rest[16] != '-' {
		return 0, marker{}, false
	}
	n, err := strconv.ParseUint(rest[:16], 16, 64)
	if err != nil || n == 0 || n == math.MaxUint64 {
		return 0, marker{}, false
	}
	if _, err := hex.Decode(m[:], []byte(rest[17:])); err != nil {
		return 0, marker{}, false
	}
	return Position(n), m, true
}

func bodyName(id uint64) string { return fmt.Sprintf("%s%016x", bodyPrefix, id) }

func parseBodyName(name string) (id uint64, ok bool) {
	rest, ok := strings.CutPrefix(name, bodyPrefix)
	if !ok || len(rest) != 16 {
		return 0, false
	}
	id, err := strconv.ParseUint(rest, 16, 64)
	return id, err == nil && name == bodyName(id)
}

// segment is one file of records. All fields are guarded by the spool's mutex;
// size of the active one is changed by the committer only.
type segment struct {
	name    string
	first   Position // no record in it has a lower position
	marker  marker
	size    int64
	live    int64     // octets of records that somebody waits for
	records []*record // in the file's order; some no longer live
	damaged bool      // some of it is not records
	// unreadable: the disk did not give all of it. It may at the next start, so
	// the file is neither removed nor rewritten.
	unreadable bool
}

// record is a message that somebody waits for.
type record struct {
	header
	segment *segment
	offset  int64    // of the header in the segment
	waiting []*queue // that hold it; empty when it is dead
}

// leave takes q off the queues that wait for r.
func (r *record) leave(q *queue) {
	i := slices.Index(r.waiting, q)
	last := len(r.waiting) - 1
	r.waiting[i] = r.waiting[last]
	r.waiting[last] = nil
	if r.waiting = r.waiting[:last]; last == 0 {
		r.waiting = nil // the segment may keep a dead record for long
	}
}
