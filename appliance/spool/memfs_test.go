package spool

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
)

// memFS is a file system in memory that knows what is durable, can crash, and
// fails where a test says so.
type memFS struct {
	mu      sync.Mutex
	names   map[string]*memFile
	durable map[string]*memFile // as of the last SyncDir
	free    atomic.Int64
	// hook, if set, is asked before each operation. A write that it fails is
	// half done. It may block the whole file system, but for Free.
	hook func(op, name string) error
}

type memFile struct {
	data    []byte
	durable []byte // as of the last Sync
}

func newMemFS() *memFS {
	m := &memFS{names: map[string]*memFile{}, durable: map[string]*memFile{}}
	m.free.Store(1 << 40)
	return m
}

func (m *memFS) ask(op, name string) error {
	if m.hook == nil {
		return nil
	}
	if err := m.hook(op, filepath.Base(name)); err != nil {
		return &fs.PathError{Op: op, Path: name, Err: err}
	}
	return nil
}

func (m *memFS) OpenFile(name string, flag int, _ os.FileMode) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = filepath.Base(name)
	f := m.names[name]
	op := "open"
	if f == nil && flag&os.O_CREATE != 0 {
		op = "create"
	}
	if err := m.ask(op, name); err != nil {
		return nil, err
	}
	switch {
	case op == "create":
		f = &memFile{}
		m.names[name] = f
	case f == nil:
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	case flag&os.O_EXCL != 0:
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrExist}
	case flag&os.O_TRUNC != 0:
		f.data = nil
	}
	return &memHandle{fs: m, file: f, name: name}, nil
}

func (m *memFS) Rename(oldName, newName string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	oldName, newName = filepath.Base(oldName), filepath.Base(newName)
	if err := m.ask("rename", oldName); err != nil {
		return err
	}
	m.names[newName] = m.names[oldName]
	delete(m.names, oldName)
	return nil
}

func (m *memFS) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = filepath.Base(name)
	if err := m.ask("remove", name); err != nil {
		return err
	}
	if m.names[name] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	delete(m.names, name)
	return nil
}

func (m *memFS) Names(string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.names)), nil
}

func (m *memFS) Size(name string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = filepath.Base(name)
	if err := m.ask("size", name); err != nil {
		return 0, err
	}
	f := m.names[name]
	if f == nil {
		return 0, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return int64(len(f.data)), nil
}

func (m *memFS) SyncDir(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.ask("syncdir", dir); err != nil {
		return err
	}
	m.durable = maps.Clone(m.names)
	return nil
}

func (m *memFS) Free(string) (int64, error) { return m.free.Load(), nil }

func (m *memFS) setHook(hook func(op, name string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hook = hook
}

// clone is a copy of what is on the disk now, as a process finds it that is
// started after another was killed.
func (m *memFS) clone() *memFS {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := newMemFS()
	for name, f := range m.names {
		data := bytes.Clone(f.data)
		c.names[name] = &memFile{data: data, durable: bytes.Clone(data)}
	}
	c.durable = maps.Clone(c.names)
	return c
}

// crash is what a power cut leaves: each name is as it was at the last SyncDir
// or as it is now, and each file has what was flushed and some of what was
// written since, whole or as zeros. choose(n) decides, 0 to n-1.
func (m *memFS) crash(choose func(n int) int) *memFS {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := newMemFS()
	all := maps.Clone(m.names)
	maps.Copy(all, m.durable)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		f := m.names[name]
		if f != m.durable[name] && choose(2) == 0 {
			f = m.durable[name]
		}
		if f == nil {
			continue
		}
		data := bytes.Clone(f.durable)
		if extra := len(f.data) - len(data); extra > 0 {
			kept := choose(extra + 1)
			tail := bytes.Clone(f.data[len(data) : len(data)+kept])
			if choose(2) == 0 {
				clear(tail[choose(kept+1):])
			}
			data = append(data, tail...)
		}
		c.names[name] = &memFile{data: data, durable: bytes.Clone(data)}
	}
	c.durable = maps.Clone(c.names)
	return c
}

type memHandle struct {
	fs   *memFS
	file *memFile
	name string
}

func (h *memHandle) ReadAt(p []byte, off int64) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.fs.ask("read", h.name); err != nil {
		return 0, err
	}
	if off >= int64(len(h.file.data)) {
		return 0, io.EOF
	}
	n := copy(p, h.file.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (h *memHandle) WriteAt(p []byte, off int64) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	err := h.fs.ask("write", h.name)
	if err != nil {
		p = p[:len(p)/2]
	}
	if end := int(off) + len(p); end > len(h.file.data) {
		h.file.data = append(h.file.data, make([]byte, end-len(h.file.data))...)
	}
	return copy(h.file.data[off:], p), err
}

func (h *memHandle) Sync() error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.fs.ask("sync", h.name); err != nil {
		return err
	}
	h.file.durable = bytes.Clone(h.file.data)
	return nil
}

func (h *memHandle) Truncate(size int64) error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.fs.ask("truncate", h.name); err != nil {
		return err
	}
	h.file.data = h.file.data[:size:size]
	return nil
}

func (h *memHandle) Close() error { return nil }
