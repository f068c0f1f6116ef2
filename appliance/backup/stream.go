package backup

import (
	"bufio"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

// The stream is a run of chunks of one length, each sealed with XChaCha20-Poly1305 under its number and whether it is the
// last (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015), so that none can be left out, repeated
// or put elsewhere. A chunk holds the length of its contents, 4 octets, big-endian, then these, then zeros up to its
// length; only the last has fewer than fit. As all have one length, a stream that was cut, one that was changed and one
// that goes on behind its last chunk are three different findings.
const (
	chunkBytes    = 64 << 10 // sealed
	plainBytes    = chunkBytes - chacha20poly1305.Overhead
	lengthBytes   = 4
	contentsBytes = plainBytes - lengthBytes
)

// nonce is that of one chunk: the key is of this file alone, so a number suffices.
func nonce(number uint64, last bool) []byte {
	n := make([]byte, chacha20poly1305.NonceSizeX)
	if last {
		n[0] = 1
	}
	binary.BigEndian.PutUint64(n[len(n)-8:], number)
	return n
}

// sealer writes a stream. Without Close it has no end.
type sealer struct {
	w      io.Writer
	aead   cipher.AEAD
	header []byte
	number uint64
	plain  []byte // of the present chunk, from its length on
	sealed []byte // scratch
}

func newSealer(w io.Writer, aead cipher.AEAD, header []byte) *sealer {
	return &sealer{
		w: w, aead: aead, header: header,
		plain: make([]byte, lengthBytes, plainBytes), sealed: make([]byte, 0, chunkBytes),
	}
}

func (s *sealer) Write(p []byte) (written int, err error) {
	for len(p) > 0 {
		if len(s.plain) == plainBytes { // and it is not the last
			if err := s.flush(false); err != nil {
				return written, err
			}
		}
		n := min(len(p), plainBytes-len(s.plain))
		s.plain = append(s.plain, p[:n]...)
		p, written = p[n:], written+n
	}
	return written, nil
}

// Close writes the last chunk.
func (s *sealer) Close() error { return s.flush(true) }

func (s *sealer) flush(last bool) error {
	binary.BigEndian.PutUint32(s.plain, uint32(len(s.plain)-lengthBytes))
	used := len(s.plain)
	s.plain = s.plain[:plainBytes]
	clear(s.plain[used:])
	s.sealed = s.aead.Seal(s.sealed[:0], nonce(s.number, last), s.plain, s.header)
	s.plain = s.plain[:lengthBytes]
	s.number++
	_, err := s.w.Write(s.sealed)
	return err
}

// opener reads a stream. It gives out nothing that is not authentic, and io.EOF only where the stream ended and nothing
// follows.
type opener struct {
	r        *bufio.Reader
	aead     cipher.AEAD
	header   []byte
	number   uint64
	sealed   []byte
	plain    []byte // scratch
	contents []byte // not yet given out
	last     bool
	err      error // of all further reads
}

func newOpener(r io.Reader, aead cipher.AEAD, header []byte) *opener {
	return &opener{
		r: bufio.NewReaderSize(r, chunkBytes), aead: aead, header: header,
		sealed: make([]byte, chunkBytes), plain: make([]byte, 0, plainBytes),
	}
}

func (o *opener) Read(p []byte) (int, error) {
	for len(o.contents) == 0 && o.err == nil {
		o.err = o.next()
	}
	if len(o.contents) == 0 {
		return 0, o.err
	}
	n := copy(p, o.contents)
	o.contents = o.contents[n:]
	return n, nil
}

// next opens the next chunk.
func (o *opener) next() error {
	if o.last {
		switch _, err := o.r.ReadByte(); {
		case err == nil:
			return ErrTrailing
		default:
			return err
		}
	}
	switch _, err := io.ReadFull(o.r, o.sealed); {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return ErrTruncated
	case err != nil:
		return err
	}
	plain, err := o.aead.Open(o.plain[:0], nonce(o.number, false), o.sealed, o.header)
	if err != nil {
		if plain, err = o.aead.Open(o.plain[:0], nonce(o.number, true), o.sealed, o.header); err != nil {
			return fmt.Errorf("%w from octet %d on", ErrDamaged, uint64(headerBytes)+o.number*chunkBytes)
		}
		o.last = true
	}
	o.number++
	length := binary.BigEndian.Uint32(plain)
	if length > contentsBytes || !o.last && length != contentsBytes {
		return fmt.Errorf("%w: a chunk of %d octets", ErrDamaged, length)
	}
	o.contents = plain[lengthBytes:][:length]
	return nil
}
