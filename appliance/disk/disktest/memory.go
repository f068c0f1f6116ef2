// Package disktest has a file system for tests of what must survive anything.
package disktest

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"furrow/appliance/disk"
)

// Memory is one folder in memory that knows what is durable, can crash, and fails
// where a test says so. Files are known by their base names.
type Memory struct {
	mu      sync.Mutex
	names   map[string]*file
	durable map[string]*file // as of the last SyncDir
	free    atomic.Int64
	hook    func(op, name string) error // see SetHook
}

// file is what a name stands for.
type file struct {
	data    []byte
	durable []byte // as of the last Sync
}

// NewMemory is an empty one with much room.
func NewMemory() *Memory {
	m := &Memory{names: map[string]*file{}, durable: map[string]*file{}}
	m.free.Store(1 << 40)
	return m
}

func (m *Memory) ask(op, name string) error {
	if m.hook == nil {
		return nil
	}
	if err := m.hook(op, filepath.Base(name)); err != nil {
		return &fs.PathError{Op: op, Path: name, Err: err}
	}
	return nil
}

// OpenFile implements [disk.FS].
func (m *Memory) OpenFile(name string, flag int, _ os.FileMode) (disk.File, error) {
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
		f = &file{}
		m.names[name] = f
	case f == nil:
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	case flag&os.O_EXCL != 0:
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrExist}
	case flag&os.O_TRUNC != 0:
		f.data = nil
	}
	return &handle{fs: m, file: f, name: name, appends: flag&os.O_APPEND != 0}, nil
}

// Rename implements [disk.FS].
func (m *Memory) Rename(oldName, newName string) error {
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

// Remove implements [disk.FS].
func (m *Memory) Remove(name string) error {
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

// Names implements [disk.FS].
func (m *Memory) Names(string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.names)), m.ask("names", "")
}

// Size implements [disk.FS].
func (m *Memory) Size(name string) (int64, error) {
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

// SyncDir implements [disk.FS].
func (m *Memory) SyncDir(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.ask("syncdir", dir); err != nil {
		return err
	}
	m.durable = maps.Clone(m.names)
	return nil
}

// Free implements [disk.FS].
func (m *Memory) Free(string) (int64, error) { return m.free.Load(), nil }

// SetFree sets what Free returns; writing takes nothing off it.
func (m *Memory) SetFree(octets int64) { m.free.Store(octets) }

// Files lists what is there now.
func (m *Memory) Files() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.names))
}

// Data is the content of a file, in place: changing an octet damages the file.
func (m *Memory) Data(name string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.names[name].data
}

// Put has a file hold data and nothing else, durably.
func (m *Memory) Put(name string, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := &file{data: data, durable: bytes.Clone(data)}
	m.names[name], m.durable[name] = f, f
}

// MakeDir implements [disk.FS]. There is one folder, always.
func (m *Memory) MakeDir(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ask("mkdir", dir)
}

// SetHook has hook asked before each operation, with its name and the file's: mkdir,
// open, create, rename, remove, names, size, syncdir, read, write, sync,
// truncate, close.
// The operation fails with the error; a write that fails is half done. The hook may
// block, and everything with it but Free. nil asks nobody.
func (m *Memory) SetHook(hook func(op, name string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hook = hook
}

// FailOnce makes the next operation op on a file whose name has the prefix fail.
func (m *Memory) FailOnce(op, prefix string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hook = func(asked, name string) error {
		if asked != op || !strings.HasPrefix(name, prefix) {
			return nil
		}
		m.hook = nil // mu is held by who asks
		return err
	}
}

// Clone is a copy of what is on the disk now, as a process finds it that is
// started after another was killed.
func (m *Memory) Clone() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := NewMemory()
	for name, f := range m.names {
		data := bytes.Clone(f.data)
		c.names[name] = &file{data: data, durable: bytes.Clone(data)}
	}
	c.durable = maps.Clone(c.names)
	return c
}

// Crash is what a power cut leaves: each name is as it was at the last SyncDir
// or as it is now, and each file has what was flushed and some of what was
// written since, whole or as zeros. choose(n) decides, 0 to n-1.
func (m *Memory) Crash(choose func(n int) int) *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := NewMemory()
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
		c.names[name] = &file{data: data, durable: bytes.Clone(data)}
	}
	c.durable = maps.Clone(c.names)
	return c
}

// handle is an open file.
type handle struct {
	fs   *Memory
	file *file
	name string
	at   int64 // of Read and Write

	appends bool // Write writes at the end, O_APPEND
}

// Read implements [io.Reader].
func (h *handle) Read(p []byte) (int, error) {
	n, err := h.ReadAt(p, h.at)
	h.at += int64(n)
	if n > 0 {
		return n, nil
	}
	return n, err
}

// Write implements [io.Writer].
func (h *handle) Write(p []byte) (int, error) {
	if h.appends {
		h.at, _ = h.fs.Size(h.name) // one that was removed is written from where it was
	}
	n, err := h.WriteAt(p, h.at)
	h.at += int64(n)
	return n, err
}

// Chmod implements [disk.File]; nobody else can read the memory of a test.
func (h *handle) Chmod(os.FileMode) error { return nil }

// Stat implements [disk.File].
func (h *handle) Stat() (os.FileInfo, error) {
	size, err := h.fs.Size(h.name)
	return info{name: h.name, size: size}, err
}

// info describes a file.
type info struct {
	os.FileInfo // nil: what is not here is not known
	name        string
	size        int64
}

func (i info) Name() string      { return i.name }
func (i info) Size() int64       { return i.size }
func (i info) Mode() os.FileMode { return disk.FileMode }

// ReadAt implements [io.ReaderAt].
func (h *handle) ReadAt(p []byte, off int64) (int, error) {
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

// WriteAt implements [io.WriterAt].
func (h *handle) WriteAt(p []byte, off int64) (int, error) {
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

// Sync implements [disk.File].
func (h *handle) Sync() error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.fs.ask("sync", h.name); err != nil {
		return err
	}
	h.file.durable = bytes.Clone(h.file.data)
	return nil
}

// Truncate implements [disk.File].
func (h *handle) Truncate(size int64) error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.fs.ask("truncate", h.name); err != nil {
		return err
	}
	h.file.data = h.file.data[:size:size]
	return nil
}

// Close implements [io.Closer].
func (h *handle) Close() error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	return h.fs.ask("close", h.name)
}
