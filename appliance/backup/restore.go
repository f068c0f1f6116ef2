package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"furrow/appliance/disk"
)

// workSuffix is behind the name of a data directory that is being restored.
const workSuffix = ".restoring"

// Restore makes a data directory of a backup. There must be no dir, or an empty one, which then also says who is to own
// the files. dir is as it was until all of the backup is read, found sound and on the disk; then it is there whole. What
// an interrupted Restore leaves beside it the next one removes.
func Restore(ctx context.Context, r io.Reader, password, dir string) (m Manifest, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("restoring %s: %w", dir, err)
		}
	}()
	if dir, err = filepath.Abs(dir); err != nil {
		return m, err
	}
	t := &tree{dir: dir + workSuffix, uid: -1, gid: -1}
	if err := t.lookAt(dir); err != nil {
		return m, err
	}
	if err := os.RemoveAll(t.dir); err != nil {
		return m, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(t.dir))
		}
	}()
	if err := t.folder(""); err != nil {
		return m, err
	}
	if m, err = read(ctx, r, password, t.create); err != nil {
		return m, err
	}
	for _, folder := range t.folders {
		if err := (disk.OS{}).SyncDir(folder); err != nil {
			return m, err
		}
	}
	// Not os.Rename, which replaces no folder. The system replaces an empty one, and nothing else.
	if err := syscall.Rename(t.dir, dir); err != nil {
		return m, fmt.Errorf("renaming %s: %w", t.dir, err)
	}
	return m, disk.OS{}.SyncDir(filepath.Dir(dir))
}

// tree is a data directory in the making.
type tree struct {
	dir      string
	folders  []string
	uid, gid int // owner; -1: whoever restores
}

// lookAt refuses a folder that has something in it and takes its owner.
func (t *tree) lookAt(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%w: there is %s in it", ErrNotEmpty, entries[0].Name())
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		t.uid, t.gid = int(owner.Uid), int(owner.Gid)
	}
	return nil
}

// folder makes a folder of the tree, "" the tree itself.
func (t *tree) folder(name string) error {
	path := filepath.Join(t.dir, name)
	if err := os.Mkdir(path, disk.DirMode); err != nil {
		return err
	}
	t.folders = append(t.folders, path)
	return os.Chown(path, t.uid, t.gid)
}

// create makes a file of the tree; it is on the disk when it is closed.
func (t *tree) create(name string) (io.WriteCloser, error) {
	if folder := filepath.Dir(name); folder != "." {
		if err := t.folder(folder); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	f, err := os.OpenFile(filepath.Join(t.dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, disk.FileMode)
	if err != nil {
		return nil, err
	}
	if err := f.Chown(t.uid, t.gid); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return durable{f}, nil
}

// durable is a file that is flushed when it is closed.
type durable struct{ *os.File }

func (d durable) Close() error { return errors.Join(d.Sync(), d.File.Close()) }
