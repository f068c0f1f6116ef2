package spool

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// FS is the part of the file system that a spool uses, so that tests can make
// each step fail. Only the folder itself is made beside it.
type FS interface {
	// OpenFile is os.OpenFile.
	OpenFile(name string, flag int, perm os.FileMode) (File, error)
	// Rename replaces newName with oldName in one step.
	Rename(oldName, newName string) error
	// Remove deletes one file.
	Remove(name string) error
	// Names lists a folder.
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
	io.ReaderAt
	io.WriterAt
	io.Closer
	Sync() error
	Truncate(size int64) error
}

const (
	// Bodies are members' data.
	fileMode os.FileMode = 0o600
	dirMode  os.FileMode = 0o700
)

type diskFS struct{}

func (diskFS) OpenFile(name string, flag int, perm os.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err // not f: a nil *os.File in a File is not nil
	}
	return f, nil
}

func (diskFS) Rename(oldName, newName string) error { return os.Rename(oldName, newName) }
func (diskFS) Remove(name string) error             { return os.Remove(name) }

func (diskFS) Names(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

func (diskFS) Size(name string) (int64, error) {
	info, err := os.Stat(name)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (diskFS) SyncDir(dir string) (err error) {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return d.Sync()
}

func (diskFS) Free(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, &fs.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}

// prepareDir makes the spool's folder with its mode, whatever the umask, and
// makes its name in the parent durable.
func prepareDir(files FS, dir string) error {
	switch info, err := os.Stat(dir); {
	case err == nil && info.IsDir():
		return os.Chmod(dir, dirMode)
	case err == nil:
		return &fs.PathError{Op: "open", Path: dir, Err: fs.ErrExist}
	}
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	if err := os.Chmod(dir, dirMode); err != nil {
		return err
	}
	return files.SyncDir(filepath.Dir(dir))
}
