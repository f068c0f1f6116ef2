package update

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// The state set aside lies beside the state, so that bringing it back is a change of names.
func (b *Box) asideDir() string { return b.State + ".before-update" }

// takenBackDir is where the state goes that a version on trial wrote, until the next update.
func (b *Box) takenBackDir() string { return b.State + ".taken-back" }

// setAside copies the state before the first start of a new version.
func (b *Box) setAside(r Record) error {
	unfinished := b.asideDir() + ".unfinished"
	err := errors.Join(os.RemoveAll(unfinished), os.RemoveAll(b.asideDir()), os.RemoveAll(b.takenBackDir()))
	if err != nil {
		return fmt.Errorf("setting the state aside: %w", err)
	}
	err = copyFolder(b.State, unfinished)
	if errors.Is(err, fs.ErrNotExist) { // a box that was never started
		return nil
	}
	if err == nil {
		err = os.Rename(unfinished, b.asideDir())
	}
	if err == nil {
		err = syncFolder(filepath.Dir(b.State))
	}
	if err != nil {
		return fmt.Errorf("setting the state aside: %w", err)
	}
	r.StateKept = true
	return b.record(r)
}

// bringBack puts the state that was set aside in place of the one that the version on trial wrote, unless this version
// can open that: everything acknowledged during the trial is in it. It can be done again after a cut at any point.
func (b *Box) bringBack(r Record) error {
	if !r.StateKept {
		return nil
	}
	if _, err := os.Stat(b.asideDir()); errors.Is(err, fs.ErrNotExist) {
		return nil // done, before a cut
	}
	_, err := b.Fits()
	if err == nil {
		return nil
	}
	b.Log.Warn("the state from before the update is brought back", "because", err)
	err = os.Rename(b.State, b.takenBackDir())
	if errors.Is(err, fs.ErrNotExist) { // done, before a cut
		err = nil
	}
	if err == nil {
		err = os.Rename(b.asideDir(), b.State)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(b.State))
	}
	if err != nil {
		return fmt.Errorf("bringing the state back: %w", err)
	}
	return nil
}

// forget removes what was set aside for a trial that is over.
func (b *Box) forget() error {
	if err := os.RemoveAll(b.asideDir()); err != nil {
		return fmt.Errorf("removing the state set aside: %w", err)
	}
	return nil
}

// copyFolder copies the files of a folder, with owners and modes, and flushes them.
func copyFolder(from, to string) error {
	files, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	if err := sameOwner(from, to); err != nil {
		return err
	}
	for _, file := range files {
		if !file.Type().IsRegular() {
			continue
		}
		if err := copyFile(filepath.Join(from, file.Name()), filepath.Join(to, file.Name())); err != nil {
			return err
		}
	}
	return syncFolder(to)
}

func copyFile(from, to string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close() // only read from
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	if _, err := io.Copy(target, source); err != nil {
		return err
	}
	if err := sameOwner(from, to); err != nil {
		return err
	}
	return target.Sync()
}

func sameOwner(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		if err := os.Chown(to, int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
	}
	return os.Chmod(to, info.Mode().Perm())
}

func syncFolder(path string) (err error) {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	return folder.Sync()
}
