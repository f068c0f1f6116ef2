package state

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"furrow/appliance/disk"
)

// gateFS holds flushes back while its gate is shut.
type gateFS struct {
	disk.FS
	shut    atomic.Pointer[chan struct{}]
	waiting chan struct{}
}

func (g *gateFS) hold() (release func()) {
	gate := make(chan struct{})
	g.waiting = make(chan struct{}, 1)
	g.shut.Store(&gate)
	return func() {
		g.shut.Store(nil)
		close(gate)
	}
}

func (g *gateFS) OpenFile(name string, flag int, perm os.FileMode) (disk.File, error) {
	f, err := g.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return gateFile{f, g}, nil
}

type gateFile struct {
	disk.File
	g *gateFS
}

func (f gateFile) Sync() error {
	if gate := f.g.shut.Load(); gate != nil {
		notify(f.g.waiting)
		<-*gate
	}
	return f.File.Sync()
}

var errInjected = errors.New("injected fault")

// faultFS numbers the operations that reach it and makes the chosen one fail.
// With dead set, every later one fails too, as if the process had been killed
// there.
type faultFS struct {
	disk.FS
	mu     sync.Mutex
	n      int
	failAt int // 0: none
	match  string
	dead   bool
	ops    []string
}

// arm makes the at-th operation from now fail, or only count when at is 0.
func (f *faultFS) arm(at int, match string, dead bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n, f.failAt, f.match, f.dead, f.ops = 0, at, match, dead, nil
}

func (f *faultFS) hit(op, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.match != "" && f.match != op {
		return nil
	}
	f.n++
	f.ops = append(f.ops, op)
	if f.failAt > 0 && (f.n == f.failAt || f.dead && f.n > f.failAt) {
		return fmt.Errorf("%s %s: %w", op, name, errInjected)
	}
	return nil
}

func (f *faultFS) OpenFile(name string, flag int, perm os.FileMode) (disk.File, error) {
	if err := f.hit("open", name); err != nil {
		return nil, err
	}
	file, err := f.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &faultFile{file, f, name}, nil
}

func (f *faultFS) Rename(oldName, newName string) error {
	if err := f.hit("rename", oldName); err != nil {
		return err
	}
	return f.FS.Rename(oldName, newName)
}

func (f *faultFS) Remove(name string) error {
	if err := f.hit("remove", name); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

func (f *faultFS) Names(dir string) ([]string, error) {
	if err := f.hit("list", dir); err != nil {
		return nil, err
	}
	return f.FS.Names(dir)
}

func (f *faultFS) SyncDir(dir string) error {
	if err := f.hit("syncdir", dir); err != nil {
		return err
	}
	return f.FS.SyncDir(dir)
}

type faultFile struct {
	disk.File
	fs   *faultFS
	name string
}

func (f *faultFile) Read(p []byte) (int, error) {
	if err := f.fs.hit("read", f.name); err != nil {
		return 0, err
	}
	return f.File.Read(p)
}

func (f *faultFile) Write(p []byte) (int, error) {
	if err := f.fs.hit("write", f.name); err != nil {
		n, werr := f.File.Write(p[:len(p)/2]) // a short write
		return n, errors.Join(err, werr)
	}
	return f.File.Write(p)
}

func (f *faultFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.fs.hit("writeat", f.name); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, off)
}

func (f *faultFile) Sync() error {
	if err := f.fs.hit("sync", f.name); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *faultFile) Truncate(size int64) error {
	if err := f.fs.hit("truncate", f.name); err != nil {
		return err
	}
	return f.File.Truncate(size)
}
