package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"furrow/appliance/disk"
)

// Folders in a data directory while it is replaced from inside, in the order in which they come to be.
const (
	// stagedDir has a whole box that is to take the place of what is around it.
	stagedDir = "restored"
	// formerDir takes what was around it.
	formerDir = "replaced"
	// placingDir is stagedDir when nothing of the former box is left around it.
	placingDir = "placing"
	// lostAndFound is the file system's, where the data directory is the top of one.
	lostAndFound = "lost+found"
)

// Stage makes a box of a backup in a folder of the data directory dir, whose own box runs meanwhile. Adopt puts it in
// place. Until Stage returns without an error, nothing of it counts. Beside dir nothing is written: it may be a file
// system of its own, and the only one that this process may change.
//
// check looks at the data directory in the making; what it refuses is removed.
func Stage(ctx context.Context, r io.Reader, password, dir string, check func(dir string) error) (m Manifest, err error) {
	checked := filepath.Join(dir, stagedDir+".unchecked")
	if err := os.RemoveAll(checked); err != nil {
		return m, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(checked))
		}
	}()
	if m, err = Restore(ctx, r, password, checked); err != nil {
		return m, err
	}
	if err := check(checked); err != nil {
		return m, err
	}
	if err := os.Rename(checked, filepath.Join(dir, stagedDir)); err != nil {
		return m, err
	}
	return m, disk.OS{}.SyncDir(dir)
}

// Staged reports whether a data directory has something for Adopt to do.
func Staged(dir string) (bool, error) {
	for _, name := range []string{stagedDir, placingDir} {
		_, err := os.Lstat(filepath.Join(dir, name))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return err == nil, err
		}
	}
	return false, nil
}

// Adopt puts in place what Stage has made, and removes what was there. Files named keep stay if there are any, instead of
// those of the backup. Nothing may have files of the data directory open. Interrupted anywhere, the next Adopt goes on:
// the name of the folder says how far it is.
func Adopt(dir string, keep ...string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("putting the restored box in place in %s: %w", dir, err)
		}
	}()
	staged, former, placing := filepath.Join(dir, stagedDir), filepath.Join(dir, formerDir), filepath.Join(dir, placingDir)
	if _, err := os.Lstat(staged); err == nil {
		if err := os.Mkdir(former, disk.DirMode); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if err := move(dir, former, append(slices.Clone(keep), stagedDir, formerDir, lostAndFound)...); err != nil {
			return err
		}
		if err := os.Rename(staged, placing); err != nil {
			return err
		}
		if err := (disk.OS{}).SyncDir(dir); err != nil {
			return err
		}
	}
	kept := slices.DeleteFunc(slices.Clone(keep), func(name string) bool {
		_, err := os.Lstat(filepath.Join(dir, name))
		return err != nil
	})
	if err := move(placing, dir, kept...); err != nil {
		return err
	}
	if err := os.RemoveAll(former); err != nil {
		return err
	}
	if err := os.RemoveAll(placing); err != nil {
		return err
	}
	return disk.OS{}.SyncDir(dir)
}

// move moves what is in one folder to another, but for what is named.
func move(from, to string, but ...string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if slices.Contains(but, entry.Name()) {
			continue
		}
		if err := os.Rename(filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())); err != nil {
			return err
		}
	}
	return errors.Join(disk.OS{}.SyncDir(to), disk.OS{}.SyncDir(from))
}
