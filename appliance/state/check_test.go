package state

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestCheck(t *testing.T) {
	older := func() *Schema { s, _ := gadgetSchema(1, nil); return s }
	newer := func() *Schema { s, _ := gadgetSchema(2, upper); return s }
	if _, err := Check(t.TempDir(), older()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
	dir := withGadget(t)
	before := folder(t, dir)
	if report, err := Check(dir, older()); err != nil || report.Rows != 1 || report.Upgraded != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if report, err := Check(dir, newer()); err != nil || report.Upgraded != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	torn := filepath.Join(dir, fileName(1))
	if err := os.WriteFile(torn, append([]byte(before[fileName(1)]), framePrefix[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	before = folder(t, dir)
	if report, err := Check(dir, older()); err != nil || report.Rows != 1 || report.Recovery != nil {
		t.Errorf("with a torn end: %+v, %v", report, err)
	}
	for name, content := range folder(t, dir) {
		if before[name] != content {
			t.Errorf("%s was changed", name)
		}
	}
	store, _, err := Open(dir, newer(), Options{})
	if err == nil {
		err = store.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Check(dir, older()); !errors.Is(err, ErrNewer) {
		t.Errorf("rows of a newer version: %v", err)
	}
}

// folder is the content of the files of a folder, by name.
func folder(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	content := make(map[string]string)
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		content[entry.Name()] = string(data)
	}
	return content
}
