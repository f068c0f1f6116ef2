package support

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"furrow/appliance/disk"
)

// Dir is where the image keeps what was opened, and the keys of sshd: for root alone, on the data partition.
const Dir = "/var/lib/furrow-host/support"

// The files in Dir. The last two are named in the configuration of sshd.
const (
	recordFile     = "access.json"
	authorizedFile = "authorized_keys"
	hostKeyFile    = "host_ed25519"
)

// Door opens and closes the box to support, with root's rights.
type Door struct {
	Dir   string // for root alone
	Shown string // folder of what everybody in the box may know
	// Start and Stop act on the unit that runs Guard, and return when it has come up, or has ended with all its processes.
	Start, Stop func(context.Context) error
	Now         func() time.Time
	Log         *slog.Logger
}

// record is what was opened, as it is kept over a restart of the machine.
type record struct {
	Access
	Opened time.Time     `json:"opened"`
	Left   time.Duration `json:"left"` // of its time, as it was counted last
}

// Open opens the box; what was open before is closed. It trusts nothing in a, which may come from a process without
// rights.
func (d *Door) Open(ctx context.Context, a Access) error {
	now := d.Now()
	if err := a.Check(now); err != nil {
		return err
	}
	return d.locked(func() error {
		if err := d.shut(ctx); err != nil {
			return err
		}
		if err := d.keep(record{a, now, a.Until.Sub(now)}); err != nil {
			return err
		}
		if err := d.Start(ctx); err != nil {
			return errors.Join(fmt.Errorf("opening support access: %w", err), d.forget())
		}
		d.Log.Warn("support access opened", "who", a.Who, "until", a.Until, "keys", len(a.Keys), "shell", a.Shell)
		return nil
	})
}

// Close closes the box and ends what was begun meanwhile. It is no error if it is closed.
func (d *Door) Close(ctx context.Context) error {
	return d.locked(func() error {
		if err := d.shut(ctx); err != nil {
			return err
		}
		d.Log.Warn("support access closed")
		return nil
	})
}

// shut has nothing left that the guard could come up with, and then the guard stopped.
func (d *Door) shut(ctx context.Context) error {
	if err := d.forget(); err != nil {
		return err
	}
	if err := d.Stop(ctx); err != nil {
		return fmt.Errorf("closing support access: %w", err)
	}
	return nil
}

// locked does something while nobody else opens or closes.
func (d *Door) locked(do func() error) error {
	if err := os.MkdirAll(d.Dir, disk.DirMode); err != nil {
		return err
	}
	return disk.Locked(d.Dir, do)
}

func (d *Door) file(name string) string { return filepath.Join(d.Dir, name) }

func (d *Door) keep(r record) error { return disk.WriteRecord(d.file(recordFile), r, disk.FileMode) }

// kept is what was opened; false if nothing is.
func (d *Door) kept() (r record, ok bool, err error) {
	err = disk.ReadRecord(d.file(recordFile), &r)
	if errors.Is(err, fs.ErrNotExist) {
		return r, false, nil
	}
	return r, err == nil, err
}

// forget removes what opens the box; the key of sshd itself stays, so that it is known again.
func (d *Door) forget() error {
	var errs []error
	for _, path := range []string{d.file(recordFile), d.file(authorizedFile), filepath.Join(d.Shown, openedFile)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
