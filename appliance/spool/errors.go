package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"
)

// The errors a caller can tell apart with errors.Is. Every error of Commit
// means that the message was not acknowledged; after ErrFailed it can still be
// found by the next Open, which costs a duplicate.
var (
	// ErrFull: no room, or less than the reserve would be left. Later messages
	// may succeed; delivery goes on.
	ErrFull = errors.New("no space in the spool")
	// ErrWrite: the disk refused a write for a reason other than space. Later
	// messages may succeed.
	ErrWrite = errors.New("spool write failed")
	// ErrBehind: a message before this one, in an Order, was not stored.
	ErrBehind = errors.New("message is behind one that was not stored")
	// ErrFailed: a flush to disk failed, so nothing more can be promised in
	// this process. Reading goes on; writing needs a new Open.
	ErrFailed = errors.New("spool has failed")
	// ErrClosed: the spool was closed.
	ErrClosed = errors.New("spool is closed")
	// ErrDone: the Writer was committed or aborted.
	ErrDone = errors.New("message is already committed or aborted")
	// ErrEnvelope: the envelope cannot be stored.
	ErrEnvelope = errors.New("invalid envelope")
	// ErrTooLarge: something is beyond a fixed limit.
	ErrTooLarge = errors.New("too large")
	// ErrGone: nobody waits for the message any more.
	ErrGone = errors.New("message is gone")
	// ErrDamaged: what is on disk is not what was written. Every *Damage is
	// one.
	ErrDamaged = errors.New("damaged")
	// ErrNewer: the files hold a format that this binary does not know.
	ErrNewer = errors.New("spool was written by a newer version")
)

// Damage is one place on disk that no longer holds what was written there.
type Damage struct {
	File     string   // name in the spool's folder
	Offset   int64    // where it begins
	Bytes    int64    // how much of the file is lost
	Position Position // of the record that is lost; 0 if its header is
	// AtEnd: Open found a segment to end with it. A crash in mid commit leaves
	// that too, and then nothing is lost that was acknowledged.
	AtEnd  bool
	Reason string
}

// Error names the place and the record.
func (d *Damage) Error() string {
	record := "a record"
	if d.Position != 0 {
		record = fmt.Sprintf("record %d", d.Position)
	}
	return fmt.Sprintf("%s of %s is lost: %d octets at %d: %s", record, d.File, d.Bytes, d.Offset, d.Reason)
}

// Is makes every Damage an ErrDamaged.
func (d *Damage) Is(target error) bool { return target == ErrDamaged }

// writeError names the kind of a failed write: the three ways in which Linux
// says "no space" become ErrFull.
func writeError(err error) error {
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, full) {
			return errors.Join(ErrFull, err)
		}
	}
	return errors.Join(ErrWrite, err)
}

// lasting tells a read that failed because the data is not there from one that
// failed for want of descriptors or memory and may work later.
func lasting(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EIO)
}
