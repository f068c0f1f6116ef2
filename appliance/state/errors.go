package state

import (
	"errors"
	"syscall"
)

// The errors a caller can tell apart with errors.Is. Every error returned by
// Update means that the transaction is not in the store, with one exception:
// after ErrFailed nobody can know, and the next start decides.
var (
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("state store is closed")
	// ErrFailed: a flush to disk failed, so nothing more can be promised in
	// this process. The service must stop; Failed tells it when.
	ErrFailed = errors.New("state store has failed")
	// ErrFull: no room for the change, on the disk or below the largest
	// journal the store will open again. Later changes may succeed.
	ErrFull = errors.New("no space for the change")
	// ErrWrite: the journal refused the change for a reason other than space.
	// Later changes may succeed.
	ErrWrite = errors.New("journal write failed")
	// ErrRecovery: the store was opened from damaged files and is read-only
	// until AcceptRecovery.
	ErrRecovery = errors.New("state store is in recovery mode")
	// ErrNotRecovering: AcceptRecovery was called on a sound store.
	ErrNotRecovering = errors.New("state store is not in recovery mode")
	// ErrLocked: another process, or another Store of this one, has the folder.
	ErrLocked = errors.New("state folder is in use")
	// ErrNewer: the files hold a format or a row version that this binary does
	// not know.
	ErrNewer = errors.New("state was written by a newer version")
	// ErrConflict: the change would give two rows one key of a unique index.
	ErrConflict = errors.New("unique index conflict")
	// ErrTooLarge: the change, or a file, is beyond a fixed limit.
	ErrTooLarge = errors.New("too large")
	// ErrKey: a primary key is empty, too long, or holds a line break.
	ErrKey = errors.New("invalid key")
	// ErrSchema: tables were declared wrongly, or stored rows do not fit them.
	ErrSchema = errors.New("invalid schema")
)

// writeError names the kind of a failed append: the three ways in which Linux
// says "no space" become ErrFull.
func writeError(err error) error {
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, full) {
			return errors.Join(ErrFull, err)
		}
	}
	return errors.Join(ErrWrite, err)
}
