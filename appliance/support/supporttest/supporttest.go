// Package supporttest opens nothing to support but says that it is open, for tests of those who ask for it.
package supporttest

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"furrow/appliance/support"
)

// Key is somebody's public key.
const Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl jo@acme"

// Door stands in for support.Door and its guard.
type Door struct {
	// Refuse, if it is not nil, is the answer to who wants it opened.
	Refuse error

	file string
	now  func() time.Time
}

// New makes the folder in which support.Look finds what is open.
func New(t testing.TB, shown string, now func() time.Time) *Door {
	t.Helper()
	if err := os.Mkdir(shown, 0o755); err != nil {
		t.Fatal(err)
	}
	return &Door{file: filepath.Join(shown, "opened.json"), now: now}
}

// Open checks an access and says that it is open.
func (d *Door) Open(_ context.Context, a support.Access) error {
	if d.Refuse != nil {
		return d.Refuse
	}
	o, err := a.Opened(d.now())
	if err != nil {
		return err
	}
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	return os.WriteFile(d.file, text, 0o644)
}

// Close ends that.
func (d *Door) Close(context.Context) error { return os.Remove(d.file) }
