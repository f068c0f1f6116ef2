package appliance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"time"

	"furrow/appliance/backup"
	"furrow/appliance/config"
	"furrow/appliance/state"
	"furrow/web/api"
)

// replaceDelay is how long a box goes on that will be replaced: the page that says so loads its style sheet.
const replaceDelay = 2 * time.Second

// restore makes a box of a backup and then has Run end with ErrRestored. This box, which must have nothing in it that
// anybody misses, goes on until then. One backup is read at a time.
func (a *Appliance) restore(ctx context.Context, r io.Reader, password string) (backup.Manifest, error) {
	if !a.restoring.TryLock() {
		return backup.Manifest{}, api.ErrRestoring
	}
	defer a.restoring.Unlock()
	m, err := backup.Stage(ctx, r, password, a.opts.DataDir, a.checkRestored)
	if err != nil {
		return m, err
	}
	a.opts.Log.Warn("a backup takes the place of this box", "files", len(m.Files), "made", m.Made, "version", m.Version)
	time.AfterFunc(replaceDelay, func() {
		select {
		case a.restored <- struct{}{}:
		default: // a second one, which is the one in the folder
		}
	})
	return m, nil
}

// checkRestored opens what is in a data directory in the making as the box will.
func (a *Appliance) checkRestored(dir string) error {
	if _, err := config.LoadIfPresent(filepath.Join(dir, config.FileName), config.Default(false)); err != nil {
		return fmt.Errorf("%w: %w", backup.ErrDamaged, err)
	}
	schema, _ := declare()
	store, report, err := state.Open(filepath.Join(dir, stateDir), schema, state.Options{Logger: a.opts.Log})
	if err != nil {
		return fmt.Errorf("%w: %w", backup.ErrDamaged, err)
	}
	if err := store.Close(); err != nil {
		return err
	}
	if report.Recovery != nil {
		return fmt.Errorf("%w: %s", backup.ErrDamaged, report.Recovery)
	}
	return nil
}

// adopt puts a restored box in place before anything of the data directory is open. The configuration of this machine
// stays if there is one: it says by what addresses the machine is reached.
func adopt(dataDir string, log *slog.Logger) (err error) {
	waits, err := backup.Staged(dataDir)
	if err != nil || !waits {
		return err
	}
	lock, err := state.Lock(filepath.Join(dataDir, stateDir))
	switch {
	case errors.Is(err, state.ErrLocked):
		return fmt.Errorf("data directory %s: another furrow is running on it", dataDir)
	case err == nil:
		defer func() { err = errors.Join(err, lock.Close()) }()
	case !errors.Is(err, fs.ErrNotExist): // an interrupted adopt has put it aside
		return err
	}
	if err := backup.Adopt(dataDir, config.FileName); err != nil {
		return err
	}
	log.Info("the restored box is in place", "folder", dataDir)
	return nil
}
