package state

import "fmt"

// Report says what Open found.
type Report struct {
	Generation uint64   // the file in use, or the newest one in recovery mode
	Sequence   uint64   // last transaction of the state
	Rows       int      // in all tables
	Upgraded   int      // rows stored by an older binary
	Unknown    []string // tables this binary does not know; they are kept
	Torn       *Torn    // an unfinished write was cut off
	Recovery   *Recovery
}

// Torn is an unfinished write at the end of the journal: the box lost power or
// the process died before the write was flushed, so nobody was told that it
// succeeded.
type Torn struct {
	File   string // base name of the generation file
	Offset int64  // where it was cut
	Bytes  int64  // how much was cut off
	Aside  string // base name of the copy of what was cut off; empty: it was all zeros, or AsideErr
	// AsideErr is why the copy could not be made, as on a full disk.
	AsideErr error
}

// Recovery is damage: bytes that had been written are wrong or gone. The store
// is read-only and shows the longest provable beginning of its history.
type Recovery struct {
	Files  []string // base names of the damaged files
	Offset int64    // of the first finding in the newest file
	Cause  string
	// Lost transactions are LostFrom and all above it up to LostTo, the
	// highest one of which a trace was seen; LostTo below LostFrom means that
	// no trace shows how many there were.
	LostFrom, LostTo uint64
	// Checkpoint is the generation whose checkpoint the state was rebuilt
	// from, 0 if from none.
	Checkpoint uint64
}

func (r *Recovery) String() string {
	s := fmt.Sprintf("damage in %q at byte %d (%s); state ends before transaction %d", r.Files, r.Offset, r.Cause, r.LostFrom)
	if r.LostTo >= r.LostFrom {
		s += fmt.Sprintf("; transactions up to %d are lost", r.LostTo)
	}
	return s
}
