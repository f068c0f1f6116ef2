package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sync"
	"time"

	"furrow/appliance/disk"
)

// Message is one message open for reading. It is the io.Reader and io.ReaderAt
// of its body, each octet of which is checked before it is handed out. It holds
// a file open until Close, so the message can be read to its end whatever
// happens to it in the spool meanwhile, and takes 16 KiB from the first read on.
type Message struct {
	Envelope Envelope
	Item     Item

	spool  *Spool
	file   disk.File
	name   string // of file
	base   int64  // where the body begins in file
	bodyID uint64

	reading sync.Mutex
	offset  int64  // of the next Read
	block   int64  // the one in data
	data    []byte // checked; nil before the first read
	buf     *[]byte
}

// Message opens the message at p. The error is ErrGone if nobody waits for it,
// and ErrDamaged if it cannot be read; it is then taken out of every queue.
// After another error it may be tried again.
func (s *Spool) Message(p Position) (*Message, error) {
	r, f, err := s.openRecord(p)
	if errors.Is(err, ErrGone) {
		return nil, err
	}
	d := &Damage{File: r.segment.name, Offset: r.offset, Bytes: r.extent(), Position: p}
	if err != nil {
		return nil, s.readError(d, err)
	}
	e, err := readEnvelope(f, &r)
	if err != nil {
		return nil, errors.Join(s.readError(d, err), f.Close())
	}
	m := &Message{
		Envelope: e,
		Item:     r.item(),
		spool:    s,
		file:     f,
		name:     r.segment.name,
		base:     r.offset + headerBytes + int64(r.envelope),
		bodyID:   r.bodyID,
	}
	if !r.ownFile {
		return m, nil
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("close %s: %w", r.segment.name, err)
	}
	m.name, m.base = bodyName(r.bodyID), 0
	m.file, err = s.files.OpenFile(s.path(m.name), os.O_RDONLY, 0)
	if err != nil {
		return nil, s.readError(&Damage{File: m.name, Bytes: bodySpan(r.body), Position: p}, err)
	}
	return m, nil
}

// openRecord returns a copy of a record and its segment's file, opened before
// the record can move to another segment.
func (s *Spool) openRecord(p Position) (record, disk.File, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.index.records[p]
	if r == nil {
		return record{}, nil, fmt.Errorf("message %d: %w", p, ErrGone)
	}
	f, err := s.shelf.lend(s.path(r.segment.name))
	return record{header: r.header, segment: r.segment, offset: r.offset}, f, err
}

// readError turns a failed read of a record into the damage d, unless it may
// work later.
func (s *Spool) readError(d *Damage, err error) error {
	if !errors.Is(err, ErrDamaged) && !lasting(err) {
		return fmt.Errorf("read message %d: %w", d.Position, err)
	}
	d.Reason = err.Error()
	if !s.lose(d) {
		return fmt.Errorf("message %d: %w", d.Position, ErrGone)
	}
	return d
}

// readEnvelope reads a record's header and envelope and checks both.
func readEnvelope(f io.ReaderAt, r *record) (Envelope, error) {
	data := make([]byte, headerBytes+int(r.envelope))
	if n, err := f.ReadAt(data, r.offset); n < len(data) {
		return Envelope{}, err
	}
	h, _, ok := parseHeader(data, r.segment.marker)
	if !ok || h != r.header {
		return Envelope{}, fmt.Errorf("header: %w", ErrDamaged)
	}
	e, ok := decodeEnvelope(data[headerBytes:])
	if !ok || crc32.Checksum(data[headerBytes:], castagnoli()) != r.envelopeSum {
		return Envelope{}, fmt.Errorf("envelope: %w", ErrDamaged)
	}
	e.Flags, e.Lifetime = r.flags, time.Duration(r.lifetime)*time.Second
	return e, nil
}

// Read is io.Reader from where the last Read ended. Its errors are those of
// ReadAt.
func (m *Message) Read(p []byte) (int, error) {
	m.reading.Lock()
	defer m.reading.Unlock()
	if m.offset >= m.Item.Size {
		return 0, io.EOF
	}
	n, err := m.readAt(p, m.offset)
	m.offset += int64(n)
	if err == io.EOF {
		err = nil // the next Read says it
	}
	return n, err
}

// ReadAt is io.ReaderAt. After ErrDamaged the message is in no queue any more,
// and delivery that has begun cannot be completed.
func (m *Message) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, fmt.Errorf("read message %d at %d: %w", m.Item.Position, offset, os.ErrInvalid)
	}
	m.reading.Lock()
	defer m.reading.Unlock()
	return m.readAt(p, offset)
}

func (m *Message) readAt(p []byte, offset int64) (int, error) {
	n := 0
	for n < len(p) {
		if offset >= m.Item.Size {
			return n, io.EOF
		}
		if err := m.load(offset / blockBytes); err != nil {
			return n, err
		}
		c := copy(p[n:], m.data[offset%blockBytes:])
		n += c
		offset += int64(c)
	}
	return n, nil
}

// load reads and checks one block, if it is not the one at hand.
func (m *Message) load(block int64) error {
	if m.data != nil && m.block == block {
		return nil
	}
	if m.buf == nil {
		m.buf, _ = m.spool.blocks.Get().(*[]byte)
	}
	m.data = nil
	size := min(blockBytes, m.Item.Size-block*blockBytes)
	at, buf := m.base+block*blockSpan, (*m.buf)[:size+sumBytes]
	if n, err := m.file.ReadAt(buf, at); n < len(buf) {
		return m.damage(at, len(buf), err)
	}
	if binary.BigEndian.Uint32(buf[size:]) != blockSum(m.bodyID, uint64(block), buf[:size]) {
		return m.damage(at, len(buf), fmt.Errorf("block %d of the body: %w", block, ErrDamaged))
	}
	m.block, m.data = block, buf[:size]
	return nil
}

// damage is readError for a body: bad data is damage to this reader even when
// the message has left the spool meanwhile.
func (m *Message) damage(offset int64, size int, err error) error {
	d := &Damage{File: m.name, Offset: offset, Bytes: int64(size), Position: m.Item.Position}
	if err := m.spool.readError(d, err); !errors.Is(err, ErrGone) {
		return err
	}
	return d
}

// Close ends reading.
func (m *Message) Close() error {
	m.reading.Lock()
	defer m.reading.Unlock()
	if m.buf != nil {
		m.spool.blocks.Put(m.buf)
		m.buf, m.data = nil, nil
	}
	if err := m.file.Close(); err != nil {
		return fmt.Errorf("close %s: %w", m.name, err)
	}
	return nil
}
