package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

type note struct {
	Text string `json:"text"`
}

func TestRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "note.json")
	var got note
	if err := ReadRecord(path, &got); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	for _, text := range []string{"a longer one", "two"} {
		check(t, WriteRecord(path, note{text}, FileMode))
		check(t, ReadRecord(path, &got))
		if got.Text != text {
			t.Errorf("%q, want %q", got.Text, text)
		}
	}
	info, err := os.Stat(path)
	check(t, err)
	if info.Mode() != FileMode {
		t.Error(info.Mode())
	}
	for name, text := range map[string]string{
		"none": "", "cut off": `{"text":`, "two values": "{}{}", "too large": `{"text":"` + strings.Repeat("x", maxRecord) + `"}`,
	} {
		check(t, os.WriteFile(path, []byte(text), FileMode))
		if err := ReadRecord(path, &got); err == nil || !strings.Contains(err.Error(), "note.json") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := WriteRecord(filepath.Join(t.TempDir(), "none", "note.json"), note{}, FileMode); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "note.json")
	check(t, WriteRecord(path, note{}, FileMode))
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			err := Locked(dir, func() error {
				var n note
				if err := ReadRecord(path, &n); err != nil {
					return err
				}
				n.Text += "x"
				return WriteRecord(path, n, FileMode)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	var n note
	check(t, ReadRecord(path, &n))
	if n.Text != strings.Repeat("x", 20) {
		t.Errorf("%q", n.Text)
	}
	failed := errors.New("failed")
	if err := Locked(dir, func() error { return failed }); !errors.Is(err, failed) {
		t.Error(err)
	}
	if err := Locked(filepath.Join(dir, "none"), func() error { return nil }); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
