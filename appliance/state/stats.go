package state

import (
	"sync/atomic"
	"time"
)

// Stats are figures for the operator.
type Stats struct {
	Generation      uint64
	Sequence        uint64 // last durable transaction
	Rows            int
	FileBytes       int64 // checkpoint and journal
	CheckpointBytes int64
	Commits         uint64 // transactions made durable since Open
	Flushes         uint64 // fsyncs that made them so
	Compactions     uint64
	// CompactionPause is how long writers waited for the last switch to a new
	// generation.
	CompactionPause time.Duration
	// Compacted is when that was; zero if there was none since Open.
	Compacted time.Time
}

// counters are written by the committer.
type counters struct {
	generation, commits, flushes, compactions atomic.Uint64
	fileBytes, checkpointBytes                atomic.Int64
	pause                                     atomic.Int64
	compacted                                 atomic.Pointer[time.Time]
}

// Stats returns current figures.
func (s *Store) Stats() Stats {
	v := s.Snapshot()
	rows := 0
	for _, t := range v.root.tables {
		rows += t.byKey.Len()
	}
	stats := Stats{
		Generation:      s.stats.generation.Load(),
		Sequence:        v.Sequence(),
		Rows:            rows,
		FileBytes:       s.stats.fileBytes.Load(),
		CheckpointBytes: s.stats.checkpointBytes.Load(),
		Commits:         s.stats.commits.Load(),
		Flushes:         s.stats.flushes.Load(),
		Compactions:     s.stats.compactions.Load(),
		CompactionPause: time.Duration(s.stats.pause.Load()),
	}
	if at := s.stats.compacted.Load(); at != nil {
		stats.Compacted = *at
	}
	return stats
}

// account counts a flushed group and asks for a compaction when the journal
// has become long.
func (s *Store) account(written int) {
	s.stats.fileBytes.Store(s.journal.size)
	if written == 0 {
		return
	}
	s.stats.commits.Add(uint64(written))
	s.stats.flushes.Add(1)
	length := s.journal.size - s.journal.start
	if length > s.opts.CompactBytes && length > s.opts.CompactFactor*s.journal.start && s.journal.size > s.compactAbove {
		s.compactAbove = s.journal.size + s.opts.CompactBytes // not again at once, should it fail
		notify(s.compactC)
	}
}
