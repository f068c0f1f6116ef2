package blob

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"syscall"
	"testing"

	"furrow/appliance/disk"
	"furrow/appliance/disk/disktest"
)

// A blob that met a failing disk is not acknowledged and not there; the others
// are.
func TestFailingDisk(t *testing.T) {
	for _, c := range []struct {
		op, prefix string
		err, want  error
		failed     bool // for good
		left       int  // files that should not be there, until the next Open
	}{
		{"create", tempPrefix, syscall.ENOSPC, ErrFull, false, 0},
		{"create", tempPrefix, syscall.EMFILE, ErrWrite, false, 0},
		{"write", tempPrefix, syscall.ENOSPC, ErrFull, false, 0},
		{"write", tempPrefix, syscall.EDQUOT, ErrFull, false, 0},
		{"write", tempPrefix, syscall.EIO, ErrWrite, false, 0},
		{"sync", tempPrefix, syscall.ENOSPC, ErrFull, false, 0},
		{"sync", tempPrefix, syscall.EIO, ErrWrite, false, 0},
		{"close", tempPrefix, syscall.EIO, ErrWrite, false, 0},
		{"rename", tempPrefix, syscall.EIO, ErrWrite, false, 0},
		{"syncdir", "", syscall.EIO, ErrFailed, true, 1},
	} {
		t.Run(fmt.Sprint(c.op, " ", c.err), func(t *testing.T) {
			files := disktest.NewMemory()
			s := open(t, Options{FS: files})
			if err := s.Put("good", []byte("first")); err != nil {
				t.Fatal(err)
			}
			files.FailOnce(c.op, c.prefix, c.err)
			if err := s.Put("bad", body(1, 1000)); !errors.Is(err, c.want) || !errors.Is(err, c.err) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if _, err := s.Size("bad"); !errors.Is(err, ErrNotFound) || s.TotalSize() != 5 {
				t.Errorf("the refused blob is there: %v, %d bytes in all", err, s.TotalSize())
			}
			if len(files.Files()) != 1+c.left {
				t.Errorf("files %v", files.Files())
			}
			if err := s.Put("next", []byte("second")); (err != nil) != c.failed {
				t.Errorf("the next blob: %v", err)
			} else if c.failed && !errors.Is(err, ErrFailed) {
				t.Errorf("the next blob: %v, want ErrFailed", err)
			}
			wantBlob(t, s, "good", []byte("first"))
			s = open(t, Options{FS: files})
			wantBlob(t, s, "good", []byte("first"))
			if c.failed {
				// Not promised, but whole if it is there.
				wantBlob(t, s, "bad", body(1, 1000))
			} else {
				wantBlob(t, s, "next", []byte("second"))
			}
		})
	}
}

func TestOpenAndReadFailures(t *testing.T) {
	for _, op := range []string{"mkdir", "names", "remove", "size"} {
		files := disktest.NewMemory()
		if err := open(t, Options{FS: files}).Put("a", []byte("content")); err != nil {
			t.Fatal(err)
		}
		if _, err := files.OpenFile(tempPrefix+"1", os.O_CREATE, disk.FileMode); err != nil {
			t.Fatal(err)
		}
		files.FailOnce(op, "", syscall.EIO)
		if _, err := Open(Options{FS: files}); !errors.Is(err, syscall.EIO) {
			t.Errorf("%s fails: %v", op, err)
		}
	}
	for _, op := range []string{"open", "read", "close"} {
		files := disktest.NewMemory()
		s := open(t, Options{FS: files})
		if err := s.Put("a", []byte("content")); err != nil {
			t.Fatal(err)
		}
		files.FailOnce(op, "a", syscall.EIO)
		if _, err := read(s, "a"); !errors.Is(err, syscall.EIO) {
			t.Errorf("%s fails: %v", op, err)
		}
		wantBlob(t, s, "a", []byte("content"))
	}
	files := disktest.NewMemory()
	s := open(t, Options{FS: files})
	if err := s.Put("a", []byte("content")); err != nil {
		t.Fatal(err)
	}
	files.FailOnce("remove", "a", syscall.EIO)
	if n, err := s.Retain(func(string) bool { return false }); n != 0 || !errors.Is(err, syscall.EIO) {
		t.Errorf("deleting fails: %d, %v", n, err)
	}
	wantBlob(t, s, "a", []byte("content"))
}

// Whatever a power cut leaves, each committed blob is there and whole, and no
// other is there in part.
func TestPowerCut(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		files := disktest.NewMemory()
		s := open(t, Options{FS: files})
		committed, deleted := map[string]bool{}, map[string]bool{}
		content := func(name string) []byte { return body(uint64(name[1]), int(name[1])*3) }
		for step := range random.IntN(12) {
			name := fmt.Sprintf("b%c", 'a'+step)
			switch random.IntN(4) {
			case 0:
				if names := s.Names(); len(names) > 0 {
					victim := names[random.IntN(len(names))]
					if err := s.Delete(victim); err != nil {
						t.Fatal(err)
					}
					delete(committed, victim)
					deleted[victim] = true
				}
			case 1:
				unfinished, err := s.Create()
				if errors.Is(err, ErrFailed) {
					break
				}
				if _, werr := unfinished.Write(content(name)); err != nil || werr != nil {
					t.Fatal(err, werr)
				}
			case 2:
				files.FailOnce([]string{"rename", "sync", "syncdir"}[random.IntN(3)], "", syscall.EIO)
				if err := s.Put(name, content(name)); err == nil {
					t.Fatal("no error")
				}
				files.SetHook(nil)
				deleted[name] = true
			default:
				if err := s.Put(name, content(name)); err == nil {
					committed[name] = true
				} else if !errors.Is(err, ErrFailed) {
					t.Fatal(err)
				}
			}
		}
		after := files.Crash(random.IntN)
		s = open(t, Options{FS: after})
		for name := range committed {
			wantBlob(t, s, name, content(name))
		}
		for _, name := range s.Names() {
			if !committed[name] && !deleted[name] {
				t.Errorf("seed %d: blob %s out of nowhere", seed, name)
			}
			if got, err := read(s, name); err != nil || !bytes.Equal(got, content(name)) {
				t.Errorf("seed %d: blob %s: %v", seed, name, err)
			}
		}
		if names, _ := after.Names(""); !slices.Equal(names, s.Names()) {
			t.Errorf("seed %d: files %q, blobs %q", seed, names, s.Names())
		}
	}
}

// Each change of a byte and each length is noticed.
func TestDamage(t *testing.T) {
	files := disktest.NewMemory()
	if err := open(t, Options{FS: files}).Put("a", []byte("what was written")); err != nil {
		t.Fatal(err)
	}
	whole := files.Data("a")
	noticed := func(what string, data []byte) {
		t.Helper()
		files.Put("a", data)
		if got, err := read(open(t, Options{FS: files}), "a"); !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewer) {
			t.Errorf("%s: read %q, %v", what, got, err)
		}
	}
	for n := range whole {
		noticed(fmt.Sprintf("cut at %d", n), whole[:n])
		for bit := range 8 {
			data := bytes.Clone(whole)
			data[n] ^= 1 << bit
			noticed(fmt.Sprintf("bit %d of byte %d", bit, n), data)
		}
	}
	noticed("a byte too many", append(bytes.Clone(whole), 0))
	noticed("zeros", make([]byte, len(whole)))

	// A file that loses its end while it is open.
	files.Put("a", bytes.Clone(whole))
	s := open(t, Options{FS: files})
	r, err := s.Open("a")
	if err != nil {
		t.Fatal(err)
	}
	cut, err := files.OpenFile("a", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := cut.Truncate(3); err != nil {
		t.Fatal(err)
	}
	if n, err := r.Read(make([]byte, 10)); n != 3 || !errors.Is(err, ErrDamaged) {
		t.Errorf("read %d, %v", n, err)
	}
}

// No file makes the reader panic, and it gives out none that was not written.
func FuzzRead(f *testing.F) {
	files := disktest.NewMemory()
	s, err := Open(Options{FS: files, ReserveBytes: 1})
	if err != nil {
		f.Fatal(err)
	}
	if err := s.Put("a", []byte("content")); err != nil {
		f.Fatal(err)
	}
	f.Add(files.Data("a"))
	f.Add([]byte{})
	f.Add(make([]byte, trailerSize))
	f.Fuzz(func(t *testing.T, data []byte) {
		files := disktest.NewMemory()
		files.Put("a", data)
		content, err := read(open(t, Options{FS: files}), "a")
		if err != nil {
			return
		}
		files = disktest.NewMemory()
		if err := open(t, Options{FS: files}).Put("a", content); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(files.Data("a"), data) {
			t.Errorf("%x was read, and is written as %x", data, files.Data("a"))
		}
	})
}
