package support

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"furrow/appliance/disk"
)

// ShownDir is the guard's runtime directory on the image: what is in it goes with the unit.
const ShownDir = "/run/furrow-support"

const openedFile = "opened.json"

// Opened is access that is open.
type Opened struct {
	Who string `json:"who"`
	// Since and Until are by the box's clock.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// Shell says that the box's screen offers a shell.
	Shell bool `json:"shell"`
	// Fingerprints are of the keys that get in, each with the comment it came with.
	Fingerprints []string `json:"fingerprints,omitempty"`
	// HostFingerprint is what the one who gets in is shown of the box; empty where only the screen is open.
	HostFingerprint string `json:"hostFingerprint,omitempty"`
}

// Opened says what of it is known when it is open, or refuses it as Check does.
func (a Access) Opened(since time.Time) (Opened, error) {
	keys, err := a.checked(since)
	if err != nil {
		return Opened{}, err
	}
	return a.opened(since, keys), nil
}

func (a Access) opened(since time.Time, keys []publicKey) Opened {
	o := Opened{Who: a.Who, Since: since, Until: a.Until, Shell: a.Shell}
	for _, key := range keys {
		o.Fingerprints = append(o.Fingerprints, key.name())
	}
	return o
}

// Look returns the access that is open; nil if none is. dir is ShownDir on the image.
func Look(dir string) (*Opened, error) {
	o := new(Opened)
	err := disk.ReadRecord(filepath.Join(dir, openedFile), o)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for support access: %w", err)
	}
	return o, nil
}
