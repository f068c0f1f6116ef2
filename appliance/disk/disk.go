// Package disk is the part of the file system that the box's own files are written through. It is an interface so that
// tests can make each step fail, cut the power after any of them, and look at what is left (package disktest).
//
// Beside it are what small files need that a few processes share: a lock for their folder (Locked), and a value in a file
// that is replaced as a whole (WriteRecord).
package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// FS is a file system.
type FS interface {
	// MakeDir makes a folder with DirMode, whatever the umask, and its name durable. One that is there gets the mode.
	MakeDir(dir string) error
	// OpenFile is os.OpenFile.
	OpenFile(name string, flag int, perm os.FileMode) (File, error)
	// Rename replaces newName with oldName in one step.
	Rename(oldName, newName string) error
	// Remove deletes one file.
	Remove(name string) error
	// Names lists the files of a folder.
	Names(dir string) ([]string, error)
	// Size is the length of one file in octets.
	Size(name string) (int64, error)
	// SyncDir makes creations, renames and removals in dir durable.
	SyncDir(dir string) error
	// Free is how many octets an ordinary user can still write below dir.
	Free(dir string) (int64, error)
}

// File is an open file of an FS.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.WriterAt
	io.Closer
	Chmod(mode os.FileMode) error
	Stat() (os.FileInfo, error)
	Sync() error
	Truncate(size int64) error
}

const (
	// FileMode and DirMode are those of all that the box keeps: members' data and sealed keys.
	FileMode os.FileMode = 0o600
	DirMode  os.FileMode = 0o700
)

// OS is the file system of the machine.
type OS struct{}

// OpenFile implements [FS].
func (OS) OpenFile(name string, flag int, perm os.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err // not f: a nil *os.File in a File is not nil
	}
	return f, nil
}

// Rename implements [FS].
func (OS) Rename(oldName, newName string) error { return os.Rename(oldName, newName) }

// Remove implements [FS].
func (OS) Remove(name string) error { return os.Remove(name) }

// Names implements [FS].
func (OS) Names(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Size implements [FS].
func (OS) Size(name string) (int64, error) {
	info, err := os.Stat(name)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// SyncDir implements [FS].
func (OS) SyncDir(dir string) (err error) {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("flushing directory: %w", err)
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("flushing directory %s: %w", dir, err)
	}
	return nil
}

// Free implements [FS].
func (OS) Free(dir string) (int64, error) {
	st, err := statfs(dir)
	return int64(st.Bavail) * int64(st.Bsize), err
}

// Total is the size of the file system that dir is on, in octets.
func (OS) Total(dir string) (int64, error) {
	st, err := statfs(dir)
	return int64(st.Blocks) * int64(st.Bsize), err
}

func statfs(dir string) (st syscall.Statfs_t, err error) {
	if err := syscall.Statfs(dir, &st); err != nil {
		return syscall.Statfs_t{}, &fs.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return st, nil
}

// MakeDir implements [FS].
func (o OS) MakeDir(dir string) error {
	switch info, err := os.Stat(dir); {
	case err == nil && info.IsDir():
		return os.Chmod(dir, DirMode)
	case err == nil:
		return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := os.MkdirAll(dir, DirMode); err != nil {
		return err
	}
	if err := os.Chmod(dir, DirMode); err != nil {
		return err
	}
	return o.SyncDir(filepath.Dir(filepath.Clean(dir)))
}
