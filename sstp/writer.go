package sstp

import (
	"fmt"
	"io"

	"furrow/sstp/internal/field"
)

// writerSize is what a Writer holds on to once it has been used, in octets. It
// takes two Data of full size to one write of the stream.
const writerSize = 6 << 10

// Writer puts commands on a stream. It gathers them until Flush, or until there
// is no room for another one of usual size. It is not safe for concurrent use.
type Writer struct {
	dst     io.Writer
	version Version
	err     error // of dst; sticks
	buf     []byte
	cursor  field.Cursor
}

// NewWriter returns a Writer to dst that writes version 1.5 until SetVersion.
func NewWriter(dst io.Writer) *Writer {
	return &Writer{dst: dst, version: Version15}
}

// SetVersion sets the version by which the commands that follow are written,
// once the connection's has been settled.
func (w *Writer) SetVersion(v Version) { w.version = v }

// Buffered returns the number of octets that wait for Flush.
func (w *Writer) Buffered() int { return len(w.buf) }

// WriteCommand adds a command. One that cannot be encoded, as [Append] says,
// leaves no trace, and the Writer usable. Any other error is the stream's, and
// final.
func (w *Writer) WriteCommand(cmd Command) error {
	if w.err != nil {
		return w.err
	}
	if w.buf == nil {
		w.buf = make([]byte, 0, writerSize)
	}
	out, err := appendCommand(&w.cursor, w.buf, cmd, w.version)
	if err != nil {
		return err
	}
	w.buf = out
	if len(w.buf)+maxPlainSize > writerSize {
		return w.Flush()
	}
	return nil
}

// Flush writes everything that is buffered.
func (w *Writer) Flush() error {
	if w.err != nil || len(w.buf) == 0 {
		return w.err
	}
	n, err := w.dst.Write(w.buf)
	if err == nil && n < len(w.buf) {
		err = io.ErrShortWrite
	}
	if err != nil {
		w.err = fmt.Errorf("sstp: writing commands: %w", err)
		return w.err
	}
	w.buf = w.buf[:0]
	if cap(w.buf) > writerSize {
		w.buf = nil
	}
	return nil
}
