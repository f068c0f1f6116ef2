package backup

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"furrow/appliance/disk"
)

// Folder is a Held of a folder that nothing has open, such as that of a relay which does not run.
type Folder string

// Each implements [Held].
func (f Folder) Each(visit func(name string, size int64, open func() (io.ReadCloser, error)) error) error {
	names, err := f.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		path := filepath.Join(string(f), name)
		size, err := disk.OS{}.Size(path)
		if err != nil {
			return err
		}
		if err := visit(name, size, func() (io.ReadCloser, error) { return os.Open(path) }); err != nil {
			return err
		}
	}
	return nil
}

// names are the files of the folder; there need not be one.
func (f Folder) names() ([]string, error) {
	names, err := disk.OS{}.Names(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return names, err
}

// Size implements [Held]. What cannot be read counts as nothing; Each says why.
func (f Folder) Size() int64 {
	names, _ := f.names()
	var sum int64
	for _, name := range names {
		size, _ := disk.OS{}.Size(filepath.Join(string(f), name))
		sum += size
	}
	return sum
}

// Release implements [Held].
func (f Folder) Release() error { return nil }
