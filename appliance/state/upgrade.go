package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"furrow/appliance/disk"
)

const (
	beforeUpgradeSuffix = ".before-upgrade"
	rolledBackSuffix    = ".rolled-back"
)

// keepBeforeUpgrade copies a file aside whose rows an older binary wrote,
// before this binary changes their form. One such copy is kept: the newest.
func (s *Store) keepBeforeUpgrade(generation uint64, data []byte) error {
	name := fileName(generation) + beforeUpgradeSuffix
	if err := s.writeAside(name, data); err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	names, err := s.fs.Names(s.dir)
	if err != nil {
		return err
	}
	for _, old := range names {
		if strings.HasSuffix(old, beforeUpgradeSuffix) && old != name {
			if err := s.fs.Remove(filepath.Join(s.dir, old)); err != nil {
				return err
			}
		}
	}
	return s.fs.SyncDir(s.dir)
}

// RollBack makes the state that was set aside before the last upgrade of rows
// the current one, for an older binary to open: Open has told it ErrNewer.
// Every change since is given up, and its files are kept under other names.
// Without such a state the error is os.ErrNotExist.
func RollBack(dir string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("roll back state store %s: %w", dir, err)
		}
	}()
	fs := disk.OS{}
	lock, err := lockDir(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	names, err := fs.Names(dir)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(names, func(name string) bool { return strings.HasSuffix(name, beforeUpgradeSuffix) })
	if i < 0 {
		return fmt.Errorf("no state from before an upgrade: %w", os.ErrNotExist)
	}
	return bringBack(fs, dir, names, names[i])
}

func bringBack(fs disk.FS, dir string, names []string, kept string) error {
	// Interrupted anywhere, the folder is never without a generation, and
	// RollBack can be called again: the copy goes last.
	current := strings.TrimSuffix(kept, beforeUpgradeSuffix)
	generation := generations([]string{current})
	if len(generation) == 0 {
		return fmt.Errorf("%s has no generation number", kept)
	}
	temp := filepath.Join(dir, tempName)
	if err := errors.Join(os.Link(filepath.Join(dir, kept), temp), fs.Rename(temp, filepath.Join(dir, current))); err != nil {
		return err
	}
	found := generations(names)
	for i := len(found) - 1; i >= 0 && found[i] > generation[0]; i-- {
		name := fileName(found[i])
		if err := fs.Rename(filepath.Join(dir, name), filepath.Join(dir, rolledBackName(names, name))); err != nil {
			return err
		}
	}
	if err := fs.SyncDir(dir); err != nil {
		return err
	}
	return fs.Remove(filepath.Join(dir, kept))
}

// rolledBackName is a name for what a roll-back gives up that none of the
// files has: generations count on from the one brought back, so an earlier
// roll-back may have given up one of the same number.
func rolledBackName(names []string, generation string) string {
	name := generation + rolledBackSuffix
	for n := 2; slices.Contains(names, name); n++ {
		name = fmt.Sprintf("%s.%d%s", generation, n, rolledBackSuffix)
	}
	return name
}
