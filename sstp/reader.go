package sstp

import (
	"fmt"
	"io"

	"furrow/sstp/internal/field"
)

const (
	// idleSize is what a Reader holds on to, in octets, while little arrives at a
	// time. Every idle connection costs as much.
	idleSize = 512

	// readerSize is what it holds on to while much arrives: eight Data at a time.
	readerSize = 16 << 10

	// maxEmptyReads is how often a source may return neither octets nor an error
	// before it counts as broken.
	maxEmptyReads = 100
)

// Reader takes one command after the other off a stream. It reads ahead, so the
// stream is its own. It is not safe for concurrent use.
//
// Its memory is idleSize to readerSize, and while a longer command is arriving at
// most twice as much as has arrived of it.
type Reader struct {
	src     io.Reader
	version Version
	err     error // sticks

	buf        []byte
	start, end int // buf[start:end] has been read from src and not been returned
	got        int // octets of the last read

	cursor field.Cursor
	// The commands of which there are many, returned again and again.
	data    Data
	message Message
}

// NewReader returns a Reader of src that reads version 1.5 until SetVersion.
func NewReader(src io.Reader) *Reader {
	return &Reader{src: src, version: Version15, buf: make([]byte, idleSize)}
}

// SetVersion sets the version by which the commands that follow are read, once
// the connection's has been settled.
func (r *Reader) SetVersion(v Version) { r.version = v }

// ReadCommand returns the next command. The command and its byte slices are good
// until the next call; its strings are good for ever.
//
// The error is io.EOF if the stream ends between commands,
// io.ErrUnexpectedEOF if it ends within one, a [*ParseError] if what arrived is
// no command of the version, and otherwise the stream's own. Any error is final.
func (r *Reader) ReadCommand() (Command, error) {
	if r.err != nil {
		return nil, r.err
	}
	cmd, err := r.readCommand()
	if err != nil {
		r.err = err
		return nil, err
	}
	return cmd, nil
}

func (r *Reader) readCommand() (Command, error) {
	r.shrink()
	if err := r.fill(1); err != nil {
		return nil, err
	}
	if CommandID(r.buf[r.start]).kind() == nil {
		// Refused now: whoever speaks another protocol may never send the rest.
		return nil, newCommandError(r.buf[r.start:r.end], 0, errUnknownCommand)
	}
	if err := r.fill(headerSize); err != nil {
		return nil, err
	}
	size, err := commandSize(r.buf[r.start:r.end])
	if err != nil {
		return nil, err
	}
	if err := r.fill(size); err != nil {
		return nil, err
	}
	octets := r.buf[r.start : r.start+size : r.start+size]
	r.start += size
	cmd := r.empty(CommandID(octets[0]))
	if err := decodeCommand(&r.cursor, cmd, octets, r.version); err != nil {
		return nil, err
	}
	return cmd, nil
}

func (r *Reader) empty(id CommandID) Command {
	switch id {
	case IDData:
		r.data = Data{}
		return &r.data
	case IDMessage:
		r.message = Message{}
		return &r.message
	default:
		return id.kind().empty()
	}
}

// fill reads until n octets are there.
func (r *Reader) fill(n int) error {
	for empty := 0; r.end-r.start < n; {
		r.makeRoom(n)
		got, err := r.src.Read(r.buf[r.end:])
		r.end += got
		r.got = got
		switch {
		case got > 0:
			empty = 0 // an error that came with octets will come again
		case err == nil:
			if empty++; empty == maxEmptyReads {
				return fmt.Errorf("sstp: reading a command: %w", io.ErrNoProgress)
			}
		case err != io.EOF:
			return fmt.Errorf("sstp: reading a command: %w", err)
		case r.end > r.start:
			return io.ErrUnexpectedEOF
		default:
			return io.EOF
		}
	}
	return nil
}

// makeRoom makes sure that at least one octet of a command of n octets can be
// read into the buffer. The buffer grows with what arrives, not with n: when it is
// full, and up to readerSize when the last read has filled it.
func (r *Reader) makeRoom(n int) {
	have := r.end - r.start
	more := r.end == len(r.buf) && r.got > 0 && len(r.buf) < readerSize
	switch {
	case have == len(r.buf) || more:
		r.move(min(2*len(r.buf), maxCommandSize))
	case r.start+n > len(r.buf):
		copy(r.buf, r.buf[r.start:r.end])
		r.start, r.end = 0, have
	}
}

// shrink gives up memory that is not needed any more: all beyond readerSize once
// the contents fit, all beyond idleSize when little arrives.
func (r *Reader) shrink() {
	have := r.end - r.start
	if have == 0 {
		r.start, r.end = 0, 0
	}
	switch {
	case have == 0 && r.got <= idleSize && len(r.buf) > idleSize:
		r.move(idleSize)
		r.data, r.message = Data{}, Message{} // they hold on to the other buffer
	case have <= readerSize && len(r.buf) > readerSize:
		r.move(readerSize)
	}
}

// move goes on with a buffer of another size.
func (r *Reader) move(size int) {
	buf := make([]byte, size)
	have := copy(buf, r.buf[r.start:r.end])
	r.buf, r.start, r.end = buf, 0, have
}
