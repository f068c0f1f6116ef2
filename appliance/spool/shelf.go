package spool

import (
	"errors"
	"os"
	"sync"

	"furrow/appliance/disk"
)

// shelf lends the segments' files to those who read messages, each to any number
// of them at a time. Who reads one message mostly reads the next, so the file that
// was lent last is kept open until another is.
type shelf struct {
	files disk.FS

	mu     sync.Mutex
	open   map[string]*lent // by name
	kept   *lent            // nil, or one that is counted for it
	closed bool             // none is kept any more
}

// lent is a file and how many have it.
type lent struct {
	disk.File
	name  string
	count int
}

// loan is a lent file in the hands of one reader.
type loan struct {
	*lent
	shelf    *shelf
	returned bool // guarded by shelf.mu
}

// lend opens a file for reading.
func (s *shelf) lend(name string) (disk.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.open[name]
	if l == nil {
		f, err := s.files.OpenFile(name, os.O_RDONLY, 0)
		if err != nil {
			return nil, err
		}
		l = &lent{File: f, name: name}
		if s.open == nil {
			s.open = make(map[string]*lent)
		}
		s.open[name] = l
	}
	l.count++
	if s.kept == l || s.closed {
		return &loan{lent: l, shelf: s}, nil
	}
	if err := s.unkeep(); err != nil {
		return nil, errors.Join(err, s.release(l))
	}
	s.kept = l
	l.count++
	return &loan{lent: l, shelf: s}, nil
}

// release takes a file back from one who had it. The caller holds mu.
func (s *shelf) release(l *lent) error {
	if l == nil {
		return nil
	}
	if l.count--; l.count > 0 {
		return nil
	}
	delete(s.open, l.name)
	return l.File.Close()
}

// Close ends the reading of one reader.
func (l *loan) Close() error {
	l.shelf.mu.Lock()
	defer l.shelf.mu.Unlock()
	if l.returned {
		return os.ErrClosed
	}
	l.returned = true
	return l.shelf.release(l.lent)
}

// forget ends to keep a file that is to be removed: the disk has its room again
// when nobody reads it any more.
func (s *shelf) forget(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil || s.kept.name != name {
		return nil
	}
	return s.unkeep()
}

// close ends to keep any file. What is lent stays open.
func (s *shelf) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return s.unkeep()
}

func (s *shelf) unkeep() error {
	kept := s.kept
	s.kept = nil
	return s.release(kept)
}
