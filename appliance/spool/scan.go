package spool

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// scanner walks the records of one segment: headers and envelopes, no bodies.
// Behind damage it looks for the next place where a sound header begins; the
// whole walk reads no octet more than twice.
type scanner struct {
	file   io.ReaderAt
	size   int64
	marker marker

	window []byte // file contents at base
	base   int64
}

// scanWindow is what is read at once: several small records, little of a large
// body.
const scanWindow = 16 << 10

// scan calls visit for each sound record and lost for each damaged place, in
// the order of the file. Its error says that the file cannot be read, or was
// written by a newer version.
func (s *scanner) scan(visit func(offset int64, h header, e Envelope), lost func(Damage)) error {
	for offset := int64(0); offset < s.size; {
		h, sound, err := s.header(offset)
		if err != nil {
			return err
		}
		if !sound {
			next, err := s.resync(offset + 1)
			if err != nil {
				return err
			}
			lost(Damage{Offset: offset, Bytes: next - offset, Reason: "no record header"})
			offset = next
			continue
		}
		if h.extent() > s.size-offset {
			// The header is sound, so its lengths are: the file was cut.
			lost(Damage{Offset: offset, Bytes: s.size - offset, Position: h.position, Reason: "cut short"})
			return nil
		}
		data, err := s.read(offset+headerBytes, int(h.envelope))
		if err != nil {
			return err
		}
		e, ok := decodeEnvelope(data)
		if ok && crc32.Checksum(data, castagnoli()) == h.envelopeSum {
			visit(offset, h, e)
		} else {
			lost(Damage{Offset: offset, Bytes: h.extent(), Position: h.position, Reason: "envelope does not match its checksum"})
		}
		offset += h.extent()
	}
	return nil
}

// header reads the header at offset, if there is a sound one.
func (s *scanner) header(offset int64) (header, bool, error) {
	if s.size-offset < headerBytes {
		return header{}, false, nil
	}
	data, err := s.read(offset, headerBytes)
	if err != nil {
		return header{}, false, err
	}
	h, newer, ok := parseHeader(data, s.marker)
	if newer {
		return header{}, false, fmt.Errorf("record at %d: %w", offset, ErrNewer)
	}
	return h, ok, nil
}

// resync finds the first sound header at or behind from, or the end of the
// file.
func (s *scanner) resync(from int64) (int64, error) {
	for s.size-from >= headerBytes {
		data, err := s.read(from, int(min(scanWindow, s.size-from)))
		if err != nil {
			return 0, err
		}
		at := 0
		for len(data)-at >= headerBytes {
			i := bytes.Index(data[at:], s.marker[:])
			if i < 0 {
				break
			}
			at += i
			if _, newer, sound := parseHeader(data[at:], s.marker); newer || sound {
				return from + int64(at), nil
			}
			if len(data)-at < headerBytes {
				break // it may be whole in the next window
			}
			at++
		}
		// What is left in this window is too short for a header.
		from += max(int64(at), int64(len(data)-headerBytes+1))
	}
	return s.size, nil
}

// read returns n octets at offset, which are valid until the next read. The
// caller has checked that the file has them.
func (s *scanner) read(offset int64, n int) ([]byte, error) {
	if offset < s.base || offset+int64(n) > s.base+int64(len(s.window)) {
		want := int(min(max(int64(n), scanWindow), s.size-offset))
		if cap(s.window) < want {
			s.window = make([]byte, want)
		}
		s.window, s.base = s.window[:want], offset
		if got, err := s.file.ReadAt(s.window, offset); got < want {
			s.window = s.window[:0]
			return nil, fmt.Errorf("read %d octets at %d: %w", want, offset, errors.Join(err, io.ErrUnexpectedEOF))
		}
	}
	start := offset - s.base
	return s.window[start : start+int64(n)], nil
}
