package spool

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"sync/atomic"

	"furrow/appliance/disk"
)

// Writer takes one message as it comes in. It is used by one goroutine.
type Writer struct {
	spool      *Spool
	header     header
	envelope   []byte
	recipients []string
	blocks     blockEncoder
	buf        []byte    // blocks not yet written
	held       int64     // how much of the buffers' budget buf takes
	file       disk.File // the body's own; nil while all of it is in buf
	span       int64     // octets written to file
	err        error     // the first failure, or ErrDone
}

const (
	// firstBuffer holds a short note without growing.
	firstBuffer = 4 << 10
	// A body file is written in pieces of this size.
	flushBytes = 64 << 10
)

// budget bounds the memory of a kind.
type budget struct {
	limit int64
	used  atomic.Int64
}

func (b *budget) take(n int64) bool {
	if b.used.Add(n) > b.limit {
		b.used.Add(-n)
		return false
	}
	return true
}

func (b *budget) give(n int64) { b.used.Add(-n) }

// Begin starts a message. It fails with ErrFull, ErrFailed, ErrClosed,
// ErrEnvelope or ErrTooLarge. The caller ends the Writer with Commit or Abort.
func (s *Spool) Begin(e Envelope) (*Writer, error) {
	select {
	case <-s.quit:
		return nil, ErrClosed
	default:
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	envelope, err := e.encode()
	if err != nil {
		return nil, err
	}
	if err := s.admit(headerBytes + int64(len(envelope))); err != nil {
		return nil, err
	}
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	w := &Writer{
		spool: s,
		header: header{
			lifetime:    uint32(e.Lifetime.Seconds()),
			flags:       e.Flags,
			envelope:    uint32(len(envelope)),
			envelopeSum: crc32.Checksum(envelope, castagnoli()),
			bodyID:      binary.BigEndian.Uint64(id[:]),
		},
		envelope:   envelope,
		recipients: make([]string, len(e.Recipients)),
	}
	for i, r := range e.Recipients {
		w.recipients[i] = r.Key
	}
	w.blocks.bodyID = w.header.bodyID
	s.writers.Add(1)
	return w, nil
}

// Write adds to the body. After an error, which can be ErrFull, ErrWrite or
// ErrFailed, the message can only be aborted.
func (w *Writer) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 && w.err == nil {
		n := min(len(p), w.blocks.room())
		if w.file == nil && !w.fits(n+sumBytes) {
			w.err = w.spill()
		}
		if w.file != nil && w.err == nil && len(w.buf)+n+sumBytes > cap(w.buf) {
			w.err = w.flush()
		}
		if w.err != nil {
			break
		}
		w.buf = w.blocks.add(w.buf, p[:n])
		written += n
		p = p[n:]
	}
	return written, w.err
}

// fits makes room for n more octets in memory, if they may stay there.
func (w *Writer) fits(n int) bool {
	need := len(w.buf) + n
	if need <= cap(w.buf) {
		return true
	}
	most := int(bodySpan(w.spool.options.InlineBytes)) + sumBytes
	if need > most {
		return false
	}
	size := min(max(2*cap(w.buf), need, firstBuffer), most)
	if !w.spool.buffers.take(int64(size) - w.held) {
		return false
	}
	w.held = int64(size)
	w.buf = append(make([]byte, 0, size), w.buf...)
	return true
}

// spill gives the body a file of its own.
func (w *Writer) spill() error {
	name := bodyName(w.header.bodyID)
	f, err := w.spool.files.OpenFile(w.spool.path(name), os.O_RDWR|os.O_CREATE|os.O_EXCL, disk.FileMode)
	if err != nil {
		return fmt.Errorf("begin %s: %w", name, writeError(err))
	}
	w.file = f
	w.header.ownFile = true
	if err := w.flush(); err != nil {
		return err
	}
	w.buf = make([]byte, 0, flushBytes+blockSpan)
	w.release()
	return nil
}

func (w *Writer) release() {
	w.spool.buffers.give(w.held)
	w.held = 0
}

// flush writes the buffer to the body's file.
func (w *Writer) flush() error {
	n := int64(len(w.buf))
	if err := w.spool.Err(); err != nil {
		return err
	}
	if err := w.spool.admit(n); err != nil {
		return err
	}
	w.spool.disk.Add(n) // before the write: many write at once
	w.span += n
	if _, err := w.file.WriteAt(w.buf, w.span-n); err != nil {
		return fmt.Errorf("write %s: %w", bodyName(w.header.bodyID), writeError(err))
	}
	w.buf = w.buf[:0]
	return nil
}

// Order keeps the order of messages that are submitted before those in front of
// them are durable: behind one that could not be stored, none is. The zero value
// is ready for use.
type Order struct {
	broken bool // the committer's
}

// Commit makes the message durable and puts it in its queues. It returns when
// that is so. Its errors are those of Write, ErrClosed, and that of ctx, which
// is heeded until the committer takes the message. After any error nothing of the
// message is left, except as ErrFailed says.
func (w *Writer) Commit(ctx context.Context) (Position, error) {
	p, err := w.Submit(ctx, nil)
	if err != nil {
		return 0, err
	}
	return p.Wait(ctx)
}

// Pending is a message that has been handed to the committer.
type Pending struct {
	writer *Writer
	commit *commit
}

// Submit is the first part of Commit, up to where messages that are submitted
// later are stored later; Wait is the rest. With an order, which may be nil, the
// message is refused with ErrBehind if one before it in that order was.
func (w *Writer) Submit(ctx context.Context, order *Order) (*Pending, error) {
	c, err := w.finish()
	if err == nil {
		c.order = order
		err = w.submit(ctx, c)
	}
	if err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	return &Pending{w, c}, nil
}

// Wait returns when the message is durable and in its queues. It is called once.
func (p *Pending) Wait(ctx context.Context) (Position, error) {
	err := p.outcome(ctx)
	if err != nil {
		return 0, errors.Join(err, p.writer.Abort())
	}
	p.writer.end()
	return p.commit.header.position, nil
}

// end makes w of no further use.
func (w *Writer) end() {
	w.err = ErrDone
	w.buf = nil
	w.release()
	w.spool.writers.Add(-1)
}

// finish completes the body, and flushes its file if it has one.
func (w *Writer) finish() (*commit, error) {
	if w.err != nil {
		return nil, w.err
	}
	if w.blocks.length > maxBodyBytes {
		return nil, fmt.Errorf("%w: body of %d octets", ErrTooLarge, w.blocks.length)
	}
	w.buf = w.blocks.finish(w.buf)
	w.header.body = w.blocks.length
	c := &commit{header: w.header, envelope: w.envelope, recipients: w.recipients, done: make(chan error, 1)}
	if w.file == nil {
		c.blocks = w.buf
		return c, w.spool.admit(c.header.extent())
	}
	if err := w.flush(); err != nil {
		return nil, err
	}
	name := bodyName(w.header.bodyID)
	if err := w.spool.sync(w.file, name); err != nil {
		return nil, err
	}
	err := w.file.Close()
	w.file = nil
	if err != nil {
		return nil, fmt.Errorf("close %s: %w", name, writeError(err))
	}
	return c, nil
}

// outcome withdraws the message when ctx ends or the committer has, unless that
// has taken it.
func (p *Pending) outcome(ctx context.Context) error {
	var err error
	select {
	case err := <-p.commit.done:
		return err
	case <-p.writer.spool.stopped:
		err = ErrClosed
	case <-ctx.Done():
		err = fmt.Errorf("commit: %w", context.Cause(ctx))
	}
	if !p.commit.claimed.CompareAndSwap(false, true) {
		return <-p.commit.done
	}
	return err
}

func (w *Writer) submit(ctx context.Context, c *commit) error {
	select {
	case w.spool.commits <- c:
		return nil
	case <-w.spool.quit:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("commit: %w", context.Cause(ctx))
	}
}

// Abort gives the message up. It does nothing after Commit or Abort, so it can
// be deferred. Its error says that a file could not be closed or removed; the
// next Open removes it.
func (w *Writer) Abort() error {
	if errors.Is(w.err, ErrDone) {
		return nil
	}
	w.end()
	var err error
	if w.file != nil {
		err = w.file.Close()
	}
	if w.header.ownFile {
		err = errors.Join(err, w.spool.files.Remove(w.spool.path(bodyName(w.header.bodyID))))
		w.spool.disk.Add(-w.span)
	}
	return err
}
