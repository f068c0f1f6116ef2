package update

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"furrow/appliance/disk"
)

// Check is what came of comparing the running slot with the bundle that it came from.
type Check struct {
	At time.Time `json:"at"`
	// Damage is empty for a slot that is as it was written.
	Damage string `json:"damage,omitempty"`
}

// slotCheck is a Check as it is kept: it says nothing about another slot, or about what was written to the same one since.
type slotCheck struct {
	Check
	Slot   Slot   `json:"slot"`
	SHA256 string `json:"sha256"` // that the slot should have
}

func (b *Box) checkFile() string { return filepath.Join(b.Records, "slot.json") }

// Verify compares the running slot with the header of the bundle that it came from, and keeps for lastCheck what came of
// it. A damaged slot is an error, too.
func (b *Box) Verify() error {
	running, manifest, err := b.installed()
	if err != nil {
		return err
	}
	damage := checkSlot(b.Slots[running], manifest)
	check := slotCheck{Check{At: b.Now()}, running, manifest.SHA256}
	if damage != nil {
		check.Damage = damage.Error()
	}
	return errors.Join(damage, disk.WriteRecord(b.checkFile(), check, disk.FileMode))
}

// lastCheck is what came of the last Verify of the running system; nil if there was none yet.
func (b *Box) lastCheck() (*Check, error) {
	running, manifest, err := b.installed()
	if err != nil {
		return nil, err
	}
	var last slotCheck
	switch err := disk.ReadRecord(b.checkFile(), &last); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case last.Slot != running || last.SHA256 != manifest.SHA256:
		return nil, nil
	}
	return &last.Check, nil
}

// installed is the running slot, and the manifest of what was written to it.
func (b *Box) installed() (running Slot, m Manifest, err error) {
	if running, _, err = b.Running(); err != nil {
		return running, m, err
	}
	key, err := b.TrustedKey()
	if err != nil {
		return running, m, err
	}
	file, err := os.Open(b.headerFile(running))
	if err != nil {
		return running, m, fmt.Errorf("header of slot %s: %w", running, err)
	}
	defer file.Close() // only read from
	bundle, err := OpenBundle(file, key)
	if err != nil {
		return running, m, fmt.Errorf("header of slot %s: %w", running, err)
	}
	return running, bundle.Manifest, nil
}
