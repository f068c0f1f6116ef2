package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestMakeDir(t *testing.T) {
	mode := func(dir string) os.FileMode {
		info, err := os.Stat(dir)
		check(t, err)
		return info.Mode().Perm()
	}
	defer syscall.Umask(syscall.Umask(0o277)) // would leave a folder that cannot be written
	dir := filepath.Join(t.TempDir(), "a")
	check(t, OS{}.MakeDir(dir+"/"))
	if got := mode(dir); got != DirMode {
		t.Errorf("made with %v", got)
	}
	check(t, os.Chmod(dir, 0o755))
	check(t, OS{}.MakeDir(dir))
	if got := mode(dir); got != DirMode {
		t.Errorf("left with %v", got)
	}
	file := filepath.Join(dir, "file")
	check(t, os.WriteFile(file, nil, 0o600))
	if err := (OS{}).MakeDir(file); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("over a file: %v", err)
	}
}

func TestNamesAreThoseOfFiles(t *testing.T) {
	dir := t.TempDir()
	check(t, os.Mkdir(filepath.Join(dir, "folder"), 0o700))
	f, err := OS{}.OpenFile(filepath.Join(dir, "file"), os.O_CREATE|os.O_WRONLY, FileMode)
	check(t, err)
	_, err = f.Write([]byte("four"))
	check(t, errors.Join(err, f.Sync(), f.Close(), OS{}.SyncDir(dir)))
	names, err := OS{}.Names(dir)
	if check(t, err); !slices.Equal(names, []string{"file"}) {
		t.Errorf("%v", names)
	}
	if size, err := (OS{}).Size(filepath.Join(dir, "file")); err != nil || size != 4 {
		t.Errorf("%d octets, %v", size, err)
	}
	if free, err := (OS{}).Free(dir); err != nil || free <= 0 {
		t.Errorf("%d octets free, %v", free, err)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	name := filepath.Join(t.TempDir(), "missing")
	file, openErr := OS{}.OpenFile(name, os.O_RDONLY, 0)
	_, sizeErr := OS{}.Size(name)
	_, namesErr := OS{}.Names(name)
	_, freeErr := OS{}.Free(name)
	for what, err := range map[string]error{
		"open": openErr, "size": sizeErr, "names": namesErr, "free": freeErr,
		"remove": OS{}.Remove(name), "rename": OS{}.Rename(name, name+"2"), "sync": OS{}.SyncDir(name),
	} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if file != nil {
		t.Errorf("a file that is not there is %v", file)
	}
}
