package update

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// InstallOptions are a person's wishes.
type InstallOptions struct {
	// AllowOlder admits a bundle that is not newer than the running system.
	AllowOlder bool
	// NotAgain refuses the version that was taken back last. A memory stick that stays plugged in must not have the box try
	// it for ever.
	NotAgain bool
	// Told hears how far the writing is, in octets. It may be nil.
	Told func(written, size int64)
}

// Install writes a bundle to the slot that is not in use and makes it the one to be tried at the next start. Until then
// nothing has changed for the running system, whatever the error.
func (b *Box) Install(r io.Reader, options InstallOptions) (Manifest, error) {
	running, trial, err := b.Running()
	if err != nil {
		return Manifest{}, err
	}
	if trial {
		return Manifest{}, errors.New("the running version is itself on trial; wait until it is known to be good")
	}
	bundle, err := b.admit(r, options)
	if err != nil {
		return Manifest{}, err
	}
	target := running.Other()
	if err := b.clearTrial(running); err != nil { // of an update that was installed and never started
		return Manifest{}, err
	}
	told := func(written int64) {
		if options.Told != nil {
			options.Told(written, bundle.Manifest.Size)
		}
	}
	if err := writeSlot(b.Slots[target], bundle, told); err != nil {
		return Manifest{}, err
	}
	if err := checkSlot(b.Slots[target], bundle.Manifest); err != nil {
		return Manifest{}, err
	}
	return bundle.Manifest, b.startTrial(target, bundle)
}

// admit checks all that can be checked before anything is written.
func (b *Box) admit(r io.Reader, options InstallOptions) (*Bundle, error) {
	key, err := b.TrustedKey()
	if err != nil {
		return nil, err
	}
	bundle, err := OpenBundle(r, key)
	if err != nil {
		return nil, err
	}
	release, err := b.Release()
	if err != nil {
		return nil, err
	}
	if options.NotAgain {
		if last, err := b.LastUpdate(); err == nil && last.Outcome == Returned && last.To.SHA256 == bundle.Manifest.SHA256 {
			return nil, fmt.Errorf("version %s: %w: %s", last.To.Version, ErrTakenBack, last.Reason)
		}
	}
	return bundle, bundle.Manifest.admit(release, options.AllowOlder)
}

// clearTrial makes the running slot the only one that is started.
func (b *Box) clearTrial(running Slot) error {
	state, err := ReadSlotState(b.environment())
	if err != nil {
		// The loader takes its own defaults for a block that it cannot read, and so would start slot A.
		b.Log.Warn("the slot state is written anew", "error", err)
	}
	state.Slot, state.Pending, state.Tries, state.Failed = running, "", 0, ""
	return WriteSlotState(b.environment(), state)
}

// startTrial records the update, and then, by one write, has the slot tried.
func (b *Box) startTrial(target Slot, bundle *Bundle) error {
	release, err := b.Release()
	if err != nil {
		return err
	}
	err = b.record(Record{From: release, To: bundle.Manifest, Slot: target, Outcome: OnTrial, Installed: b.Now()})
	if err != nil {
		return err
	}
	if err := writeFile(b.headerFile(target), bundle.header); err != nil {
		return err
	}
	state, err := ReadSlotState(b.environment())
	if err != nil {
		return err
	}
	state.Pending, state.Tries = target, trialStarts
	return WriteSlotState(b.environment(), state)
}

// writeFile keeps the header of a slot's bundle. A cut in the middle costs the means to check that slot, no more.
func writeFile(path string, content []byte) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("header of the slot: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.Write(content); err != nil {
		return fmt.Errorf("header of the slot: %w", err)
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("header of the slot: %w", err)
	}
	return nil
}
