// Package backup puts a whole box into one encrypted file while it runs, and makes a box of that file again.
//
// # Consistency
//
// Source.Write first has every part of the box keep its files (Held), then takes a snapshot of the state, then copies. So
// whatever was acknowledged before it began is in the backup, and every row finds its blob. What happens meanwhile is in
// it or not. Nobody waits for a backup; the room of what is deleted meanwhile comes back after it.
//
// # File
//
// A header (header.go) with what it takes to make a key of the password, then the sealed stream (stream.go), in that a
// zstd frame, in that a tar archive: the files of a data directory under their names in it, and last the manifest with
// length and SHA-256 of each. The master key of the vault is one of the files: whoever has file and password has
// everything. The password cannot be recovered.
//
// # Reading
//
// Octets are authenticated before anything is done with them, and the manifest is compared before a restored box can be
// seen: Restore works in a folder beside the data directory and renames it at the end. What is wrong with a file is told
// apart: ErrNotBackup, ErrNewer, ErrPassword, ErrTruncated, ErrDamaged, ErrTrailing.
package backup

import (
	"errors"
	"io"
)

// What can be wrong with a file that is to be restored.
var (
	// ErrNotBackup: the file does not begin as one.
	ErrNotBackup = errors.New("this is no backup of a box")
	// ErrNewer: its format is that of a later version.
	ErrNewer = errors.New("the backup was made by a newer version")
	// ErrPassword: it was made with another password.
	ErrPassword = errors.New("wrong password")
	// ErrTruncated: its end is missing.
	ErrTruncated = errors.New("the backup is cut off")
	// ErrDamaged: some of it is not as it was written.
	ErrDamaged = errors.New("the backup is damaged")
	// ErrTrailing: something follows its end.
	ErrTrailing = errors.New("something follows the end of the backup")
)

// ErrNotEmpty says that a box cannot be restored into a folder, because there is something in it.
var ErrNotEmpty = errors.New("data directory is not empty")

// ErrNoPassword says that a backup without a password was asked for.
var ErrNoPassword = errors.New("a backup needs a password")

// Held is a part of the box whose files stay while they are copied; spool.Hold and blob.Hold are.
type Held interface {
	// Each visits the files that belong to a copy made now. The first size octets that open gives are copied.
	Each(visit func(name string, size int64, open func() (io.ReadCloser, error)) error) error
	// Size is about how many octets these have.
	Size() int64
	// Release lets the files go.
	Release() error
}

// Part is a folder of the data directory that keeps its own files.
type Part struct {
	Dir  string
	Hold func() Held
}
