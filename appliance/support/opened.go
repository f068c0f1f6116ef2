package support

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
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
	if err := a.Check(since); err != nil {
		return Opened{}, err
	}
	o := Opened{Who: a.Who, Since: since, Until: a.Until, Shell: a.Shell}
	for _, line := range a.Keys {
		key, err := parseKey(line)
		if err != nil {
			return Opened{}, err
		}
		o.Fingerprints = append(o.Fingerprints, key.name())
	}
	return o, nil
}

// Look returns the access that is open; nil if none is. dir is ShownDir on the image.
func Look(dir string) (*Opened, error) {
	text, err := os.ReadFile(filepath.Join(dir, openedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for support access: %w", err)
	}
	o := new(Opened)
	if err := json.Unmarshal(text, o); err != nil {
		return nil, fmt.Errorf("looking for support access: %w", err)
	}
	return o, nil
}
