package state

import (
	"io"
	"os"
	"path/filepath"
)

// FS is the part of the file system that the store itself uses, so that tests
// can make each step fail. BuntDB opens and writes the journal by path, beside
// this layer.
type FS interface {
	// OpenFile is os.OpenFile.
	OpenFile(name string, flag int, perm os.FileMode) (File, error)
	// Rename replaces newName with oldName in one step.
	Rename(oldName, newName string) error
	// Remove deletes one file.
	Remove(name string) error
	// Names lists a folder.
	Names(dir string) ([]string, error)
	// SyncDir makes creations, renames and removals in dir durable.
	SyncDir(dir string) error
}

// File is an open file of an FS.
type File interface {
	io.Reader
	io.Writer
	io.WriterAt
	io.Closer
	Chmod(mode os.FileMode) error
	Stat() (os.FileInfo, error)
	Sync() error
	Truncate(size int64) error
}

const (
	// Everything in the folder can hold members' personal data and sealed keys.
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

func (diskFS) SyncDir(dir string) (err error) {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := d.Close(); err == nil {
			err = cerr
		}
	}()
	return d.Sync()
}

// prepareDir makes the store's folder with its mode, whatever the umask, and
// makes its name in the parent durable.
func prepareDir(fs FS, dir string) error {
	switch info, err := os.Stat(dir); {
	case err == nil && info.IsDir():
		return os.Chmod(dir, dirMode)
	case err == nil:
		return &os.PathError{Op: "open", Path: dir, Err: os.ErrExist}
	}
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	if err := os.Chmod(dir, dirMode); err != nil {
		return err
	}
	return fs.SyncDir(filepath.Dir(dir))
}
