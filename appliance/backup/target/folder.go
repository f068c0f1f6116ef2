package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"furrow/appliance/disk"
)

// folderReserve is what a backup leaves free, as the folder may be on the disk of the box: what its stores leave.
const folderReserve = 256 << 20

// Folder is a target on this machine. It must be there: that of a disk that is not mounted must not be made on another.
type Folder string

func (f Folder) path(name string) string { return filepath.Join(string(f), name) }

// Put implements [Target]. The file is on the disk when it returns.
func (f Folder) Put(_ context.Context, name string, size int64, write func(io.Writer) error) (err error) {
	free, err := disk.OS{}.Free(string(f))
	if err != nil {
		return fmt.Errorf("backup folder: %w", err)
	}
	if free-size < folderReserve {
		return fmt.Errorf("%w: it may take %d octets, %d are free, %d must stay so", ErrFull, size, free, folderReserve)
	}
	part := f.path(name + partSuffix)
	file, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, disk.FileMode)
	if err != nil {
		return err
	}
	err = write(file)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(part, f.path(name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return disk.OS{}.SyncDir(string(f))
}

// Open implements [Target].
func (f Folder) Open(_ context.Context, name string) (io.ReadCloser, error) {
	return os.Open(f.path(name))
}

// List implements [Target].
func (f Folder) List(_ context.Context, prefix string) ([]File, error) {
	names, err := disk.OS{}.Names(string(f))
	if err != nil {
		return nil, fmt.Errorf("backup folder: %w", err)
	}
	slices.Sort(names)
	var files []File
	for _, name := range names {
		if !strings.HasPrefix(name, prefix) || strings.HasSuffix(name, partSuffix) {
			continue
		}
		size, err := disk.OS{}.Size(f.path(name))
		if err != nil {
			return nil, err
		}
		files = append(files, File{Name: name, Size: size})
	}
	return files, nil
}

// Remove implements [Target].
func (f Folder) Remove(_ context.Context, name string) error { return os.Remove(f.path(name)) }

// Close implements [Target].
func (f Folder) Close() error { return nil }
