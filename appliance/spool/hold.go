package spool

import (
	"bytes"
	"io"
	"os"
	"sync"
)

// Hold keeps the files of a spool on the disk while they are copied. Messages
// come and go meanwhile as ever; the room of those that go comes back after
// Release, so a Hold should not last longer than the copying takes.
type Hold struct {
	spool   *Spool
	release sync.Once
}

// Hold begins one. It must be released.
func (s *Spool) Hold() *Hold {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holds++
	return &Hold{spool: s}
}

// Release lets Maintain remove files again.
func (h *Hold) Release() error {
	h.release.Do(func() {
		h.spool.mu.Lock()
		defer h.spool.mu.Unlock()
		h.spool.holds--
		h.spool.dirty = true // there may be segments to remove
	})
	return nil
}

// Size is about how many octets Each visits, or less.
func (h *Hold) Size() int64 { return h.spool.Stats().DiskBytes }

// Each visits the files of which a copy of the spool is made, as they are when
// it is called: Open finds in a folder with these files every message that
// waited then, and no other. Of a file that is open for writing size octets
// belong to the copy. What the disk does not give cannot be copied and is left
// out. The files can be opened until Release.
func (h *Hold) Each(visit func(name string, size int64, open func() (io.ReadCloser, error)) error) error {
	point, bodies := h.spool.copyable()
	data := point.encode()
	err := visit(checkpointName, int64(len(data)), func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	})
	if err != nil {
		return err
	}
	file := func(name string, size int64) error {
		return visit(name, size, func() (io.ReadCloser, error) {
			return h.spool.files.OpenFile(h.spool.path(name), os.O_RDONLY, 0)
		})
	}
	for _, seg := range point.segments {
		if err := file(seg.name, seg.size); err != nil {
			return err
		}
	}
	for _, body := range bodies {
		if err := file(bodyName(body.id), body.span); err != nil {
			return err
		}
	}
	return nil
}

// copyable is the checkpoint of this moment with the segments that have what
// somebody waits for, and the body files of these.
func (s *Spool) copyable() (*checkpoint, []bodyFile) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var segments []*segment
	for _, seg := range s.segments {
		if seg.live > 0 && !seg.unreadable {
			segments = append(segments, seg)
		}
	}
	var bodies []bodyFile
	for _, r := range s.index.records {
		if r.ownFile && !r.segment.unreadable {
			bodies = append(bodies, bodyFile{id: r.bodyID, span: bodySpan(r.body)})
		}
	}
	return s.point(segments), bodies
}
