package update

import (
	"bufio"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"furrow/appliance/disk"
)

// Box is where things are on a box with slots. The zero value is of no use; Image is what the image has.
type Box struct {
	// Slots are the devices of both slots.
	Slots map[Slot]string
	// Boot is the boot loader's folder, with the environment block and a copy of the header of each slot's bundle.
	Boot string
	// Records is a folder that only root writes, on the data partition.
	Records string
	// State is the folder of the state engine (appliance/state).
	State string
	// Key is the file of the key that bundles are signed with: PEM, PKIX, Ed25519.
	Key string
	// OSRelease is the running system's os-release(5), whose IMAGE_VERSION and BUILD_ID are ours.
	OSRelease string
	// CommandLine is that of the kernel.
	CommandLine string
	// Fits says whether the running version can open the state without loss, and whether that would change the form of its
	// rows, so that the version before could not open it any more; the error is fs.ErrNotExist while there is no state.
	Fits func() (changes bool, err error)
	// Closed is a file that stands while the box is to serve nobody but itself (Record.Closed).
	Closed string
	Now    func() time.Time
	Log    *slog.Logger
}

// ClosedFile is where the image keeps Box.Closed: gone after a restart of the machine, and there for all to see.
const ClosedFile = "/run/furrow-closed"

// Image is a box started from the image.
func Image(fits func() (bool, error), now func() time.Time, log *slog.Logger) *Box {
	return &Box{
		Slots:   map[Slot]string{SlotA: "/dev/disk/by-partlabel/furrow-a", SlotB: "/dev/disk/by-partlabel/furrow-b"},
		Boot:    "/boot/efi/grub",
		Records: "/var/lib/furrow-host", State: "/var/lib/furrow/state",
		Fits: fits, Closed: ClosedFile,
		Key: "/usr/share/furrow/update.pub", OSRelease: "/usr/lib/os-release", CommandLine: "/proc/cmdline",
		Now: now, Log: log,
	}
}

func (b *Box) environment() string { return filepath.Join(b.Boot, "grubenv") }

// headerFile is where the header of a slot's bundle is kept.
func (b *Box) headerFile(s Slot) string { return filepath.Join(b.Boot, string(s)+".hdr") }

// Running is the slot that the running system was started from, and whether on trial.
func (b *Box) Running() (slot Slot, trial bool, err error) {
	line, err := os.ReadFile(b.CommandLine)
	if err != nil {
		return "", false, fmt.Errorf("the kernel's command line: %w", err)
	}
	for _, word := range strings.Fields(string(line)) {
		switch name, value, _ := strings.Cut(word, "="); name {
		case "furrow.slot":
			slot = Slot(value)
		case "furrow.state":
			trial = value == "trial"
		}
	}
	if !slot.valid() {
		return "", false, errors.New("this system was not started from a slot of the image")
	}
	return slot, trial, nil
}

// Release is what the running system says of itself.
func (b *Box) Release() (r Release, err error) {
	file, err := os.Open(b.OSRelease)
	if err != nil {
		return Release{}, fmt.Errorf("the running version: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		switch name, value, _ := strings.Cut(lines.Text(), "="); name {
		case "IMAGE_VERSION":
			r.Version = strings.Trim(value, `"`)
		case "BUILD_ID":
			if r.Build, err = strconv.ParseInt(strings.Trim(value, `"`), 10, 64); err != nil {
				return Release{}, fmt.Errorf("the running build: %w", err)
			}
		}
	}
	return r, lines.Err()
}

// TrustedKey is the key that bundles must be signed with.
func (b *Box) TrustedKey() (ed25519.PublicKey, error) {
	file, err := os.ReadFile(b.Key)
	if err != nil {
		return nil, fmt.Errorf("the key for updates: %w", err)
	}
	block, _ := pem.Decode(file)
	if block == nil {
		return nil, fmt.Errorf("the key for updates, %s: not PEM", b.Key)
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("the key for updates: %w", err)
	}
	key, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("the key for updates is %T, want one for Ed25519", parsed)
	}
	return key, nil
}

// Outcome is what became of an update.
type Outcome string

const (
	OnTrial  Outcome = "on trial" // installed; it starts, or has started, and is not yet known to be good
	Good     Outcome = "good"
	Returned Outcome = "returned" // it did not become healthy, and the box went back to the old version
)

// Record is the last update, for people to look at.
type Record struct {
	From      Release   `json:"from"`
	To        Manifest  `json:"to"`
	Slot      Slot      `json:"slot"` // that To was written to
	Outcome   Outcome   `json:"outcome"`
	Reason    string    `json:"reason,omitempty"` // of a return
	Installed time.Time `json:"installed"`
	Settled   time.Time `json:"settled,omitzero"`
	// StateKept says that the state has been set aside for this trial.
	StateKept bool `json:"stateKept,omitempty"`
	// Closed says that nobody but the box itself is served during the trial: the old version could not open the state that
	// the new one writes, and what had been acknowledged to others would be lost with a return.
	Closed bool `json:"closed,omitempty"`
}

func (b *Box) recordFile() string { return filepath.Join(b.Records, "update.json") }

// LastUpdate is the record of the last update; the error is fs.ErrNotExist when there was none.
func (b *Box) LastUpdate() (r Record, err error) {
	if err := disk.ReadRecord(b.recordFile(), &r); err != nil {
		return Record{}, fmt.Errorf("the last update: %w", err)
	}
	return r, nil
}

// Versions is what there is to know about versions.
type Versions struct {
	Running Release `json:"running"`
	Slot    Slot    `json:"slot"`
	// Trial says that the running version is not yet known to be good.
	Trial bool    `json:"trial"`
	Last  *Record `json:"last,omitempty"`
	// Check is of the running slot; absent before the first.
	Check *Check `json:"check,omitempty"`
}

// Versions returns what there is to know about versions.
func (b *Box) Versions() (v Versions, err error) {
	if v.Slot, v.Trial, err = b.Running(); err != nil {
		return v, err
	}
	if v.Running, err = b.Release(); err != nil {
		return v, err
	}
	switch last, err := b.LastUpdate(); {
	case err == nil:
		v.Last = &last
	case !errors.Is(err, fs.ErrNotExist):
		return v, err
	}
	if v.Check, err = b.lastCheck(); err != nil {
		b.Log.Warn("when the slot was checked is not known", "error", err)
	}
	return v, nil
}

// record keeps r in place of what was there.
func (b *Box) record(r Record) error {
	if err := disk.WriteRecord(b.recordFile(), r, 0o644); err != nil {
		return fmt.Errorf("recording the update: %w", err)
	}
	return nil
}

// onTrial is the record of an update that waits to be settled; ok is false when there is none.
func (b *Box) onTrial() (r Record, ok bool, err error) {
	r, err = b.LastUpdate()
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, false, nil
	}
	return r, err == nil && r.Outcome == OnTrial, err
}
