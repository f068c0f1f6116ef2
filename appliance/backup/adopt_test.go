package backup

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// filesIn is what is in a folder: names and contents of files.
func filesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	check(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, relErr := filepath.Rel(dir, path)
		found[name] = string(text)
		return errors.Join(err, relErr)
	}))
	return found
}

func write(t *testing.T, dir string, files ...string) {
	t.Helper()
	for _, name := range files {
		path := filepath.Join(dir, name)
		check(t, os.MkdirAll(filepath.Dir(path), 0o700))
		check(t, os.WriteFile(path, []byte(name+" of "+filepath.Base(dir)), 0o600))
	}
}

// TestAdoptGoesOn interrupts Adopt after every step, by having the folder as the step leaves it.
func TestAdoptGoesOn(t *testing.T) {
	for name, interrupted := range map[string]func(dir string){
		"at once": func(string) {},
		"some put aside": func(dir string) {
			check(t, os.Mkdir(filepath.Join(dir, formerDir), 0o700))
			moveFile(t, dir, "state", formerDir)
		},
		"everything put aside": func(dir string) {
			check(t, os.Mkdir(filepath.Join(dir, formerDir), 0o700))
			moveFile(t, dir, "state", formerDir)
			moveFile(t, dir, "master.key", formerDir)
			check(t, os.Rename(filepath.Join(dir, stagedDir), filepath.Join(dir, placingDir)))
		},
		"some in place": func(dir string) {
			check(t, os.Mkdir(filepath.Join(dir, formerDir), 0o700))
			moveFile(t, dir, "state", formerDir)
			moveFile(t, dir, "master.key", formerDir)
			check(t, os.Rename(filepath.Join(dir, stagedDir), filepath.Join(dir, placingDir)))
			check(t, os.Rename(filepath.Join(dir, placingDir, "state"), filepath.Join(dir, "state")))
		},
		"all but the folder": func(dir string) {
			check(t, os.Rename(filepath.Join(dir, stagedDir), filepath.Join(dir, placingDir)))
			check(t, os.RemoveAll(filepath.Join(dir, "state")))
			for _, file := range []string{"state", "master.key", "blobs"} {
				check(t, os.Rename(filepath.Join(dir, placingDir, file), filepath.Join(dir, file)))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "var")
			write(t, dir, "state/journal", "master.key", "furrow.toml", "lost+found/x")
			write(t, filepath.Join(dir, stagedDir), "state/journal", "master.key", "blobs/1", "furrow.toml", "other.toml")
			interrupted(dir)
			if waits, err := Staged(dir); err != nil || !waits {
				t.Fatalf("staged: %v, %v", waits, err)
			}
			check(t, Adopt(dir, "furrow.toml", "other.toml"))
			want := map[string]string{
				"state/journal": "state/journal of restored", "master.key": "master.key of restored", "blobs/1": "blobs/1 of restored",
				"furrow.toml": "furrow.toml of var", "other.toml": "other.toml of restored", "lost+found/x": "lost+found/x of var",
			}
			got := filesIn(t, dir)
			for name, text := range want {
				if got[name] != text {
					t.Errorf("%s is %q, want %q", name, got[name], text)
				}
			}
			if len(got) != len(want) {
				t.Errorf("there are %v", got)
			}
			if waits, err := Staged(dir); err != nil || waits {
				t.Errorf("staged afterwards: %v, %v", waits, err)
			}
		})
	}
}

func moveFile(t *testing.T, dir, name, to string) {
	t.Helper()
	check(t, os.Rename(filepath.Join(dir, name), filepath.Join(dir, to, name)))
}

func TestStageRefuses(t *testing.T) {
	dir := t.TempDir()
	data := made(t, 1000)
	no := errors.New("not this one")
	if _, err := Stage(t.Context(), bytes.NewReader(data), "another", dir, nil); !errors.Is(err, ErrPassword) {
		t.Errorf("wrong password: %v", err)
	}
	if _, err := Stage(t.Context(), bytes.NewReader(data[:len(data)-1]), password, dir, nil); !errors.Is(err, ErrTruncated) {
		t.Errorf("cut off: %v", err)
	}
	if _, err := Stage(t.Context(), bytes.NewReader(data), password, dir, func(string) error { return no }); !errors.Is(err, no) {
		t.Errorf("checked: %v", err)
	}
	if left := filesIn(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	sees := func(made string) error {
		if !strings.HasPrefix(made, dir) || len(filesIn(t, made)) == 0 {
			t.Errorf("there is nothing to check in %s", made)
		}
		return nil
	}
	if _, err := Stage(t.Context(), bytes.NewReader(data), password, dir, sees); err != nil {
		t.Fatal(err)
	}
	if waits, err := Staged(dir); err != nil || !waits {
		t.Errorf("staged: %v, %v", waits, err)
	}
}
