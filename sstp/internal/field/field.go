// Package field holds the encodings that the fields of SSTP commands and of SSTP
// Security tokens share: little-endian integers, ASCII strings ended by one
// 0x00 octet, blobs behind a 16-bit length, and octets up to the end. Fields are
// packed without padding or alignment ([MS-GRVSSTP] 2.2, [MS-GRVSSTPS] 2.2.2).
//
// A layout is written once, as a function that hands its fields to a [Cursor]
// one after the other. The same function reads and appends: the Cursor knows
// which of the two is going on. The first failure sticks and turns every later
// call into nothing, so a layout checks no errors.
//
// Reading never copies octets and never allocates by a length that the input
// only announces: counts and lengths are checked against what is there.
package field

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// Reasons why octets do not fit a layout. They are wrapped or returned as they
// are by [Cursor.Finish].
var (
	ErrTruncated    = errors.New("field goes beyond the end")
	ErrTrailing     = errors.New("octets left after the last field")
	ErrUnterminated = errors.New("string without its final 0x00")
	ErrNotASCII     = errors.New("string holds an octet that is not ASCII, or a 0x00")
	ErrTooLong      = errors.New("value too long for its length field")
)

// Cursor walks over the fields of one command or token, either reading them
// from octets or appending them. The zero value must be started first.
type Cursor struct {
	octets  []byte // reading: the whole input; appending: the output so far
	at      int    // reading: offset of the next field
	reading bool
	err     error
}

// Read starts reading octets. What is read from them afterwards shares their
// memory, except strings.
func (c *Cursor) Read(octets []byte) { *c = Cursor{octets: octets, reading: true} }

// Append starts appending to dst.
func (c *Cursor) Append(dst []byte) { *c = Cursor{octets: dst} }

// Reading reports whether fields are read, not appended.
func (c *Cursor) Reading() bool { return c.reading }

// Offset is the number of octets read. After a failure it is where the field
// that failed begins.
func (c *Cursor) Offset() int { return c.at }

// Remaining is the number of octets not read yet; zero after a failure and
// when appending.
func (c *Cursor) Remaining() int {
	if !c.reading || c.err != nil {
		return 0
	}
	return len(c.octets) - c.at
}

// Sofar returns the octets read, or everything that was appended to and
// appended. They share the Cursor's memory.
func (c *Cursor) Sofar() []byte {
	if c.reading {
		return c.octets[:c.at:c.at]
	}
	return c.octets
}

// Fail makes the walk fail at the current field, if it has not failed yet.
func (c *Cursor) Fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// Failed reports whether the walk has failed.
func (c *Cursor) Failed() bool { return c.err != nil }

// Finish ends the walk and returns its first failure. A read that leaves octets
// is one: lengths are exact. When appending it returns the output.
func (c *Cursor) Finish() ([]byte, error) {
	if c.reading && c.Remaining() > 0 {
		c.Fail(fmt.Errorf("%w: %d", ErrTrailing, c.Remaining()))
	}
	if c.err != nil {
		return nil, c.err
	}
	return c.octets, nil
}

// take returns the next n octets, or nil after a failure.
func (c *Cursor) take(n int) []byte {
	if c.err != nil {
		return nil
	}
	if n > len(c.octets)-c.at {
		c.err = ErrTruncated
		return nil
	}
	taken := c.octets[c.at : c.at+n : c.at+n]
	c.at += n
	return taken
}

// SmallestText is the size of the shortest Text in octets, its final 0x00.
const SmallestText = 1

// EmptyBlob is the size of an empty Blob in octets.
const EmptyBlob = 2

// Octet is an integer of one octet. It is a function because methods have no
// type parameters and most such fields are enumerations.
func Octet[T ~uint8](c *Cursor, v *T) {
	if !c.reading {
		c.octets = append(c.octets, byte(*v))
	} else if b := c.take(1); b != nil {
		*v = T(b[0])
	}
}

// Uint16 is an integer of two octets.
func (c *Cursor) Uint16(v *uint16) {
	if !c.reading {
		c.octets = binary.LittleEndian.AppendUint16(c.octets, *v)
	} else if b := c.take(2); b != nil {
		*v = binary.LittleEndian.Uint16(b)
	}
}

// Uint32 is an integer of four octets.
func (c *Cursor) Uint32(v *uint32) {
	if !c.reading {
		c.octets = binary.LittleEndian.AppendUint32(c.octets, *v)
	} else if b := c.take(4); b != nil {
		*v = binary.LittleEndian.Uint32(b)
	}
}

// Reserved is n octets that are sent as zero and ignored on receipt.
func (c *Cursor) Reserved(n int) {
	if c.reading {
		c.take(n)
		return
	}
	for range n {
		c.octets = append(c.octets, 0)
	}
}

// Block is exactly len(v) octets without a length; reading copies them.
func (c *Cursor) Block(v []byte) {
	if c.reading {
		copy(v, c.take(len(v)))
		return
	}
	c.octets = append(c.octets, v...)
}

// Tail is all octets up to the end; no octets read as nil.
func (c *Cursor) Tail(v *[]byte) {
	if !c.reading {
		c.octets = append(c.octets, *v...)
		return
	}
	if n := c.Remaining(); n > 0 {
		*v = c.take(n)
	}
}

// Blob is octets behind a 16-bit length; an empty one reads as nil.
func (c *Cursor) Blob(v *[]byte) {
	if !c.reading {
		if len(*v) > math.MaxUint16 {
			c.Fail(fmt.Errorf("%w: blob of %d octets", ErrTooLong, len(*v)))
			return
		}
		c.octets = binary.LittleEndian.AppendUint16(c.octets, uint16(len(*v)))
		c.octets = append(c.octets, *v...)
		return
	}
	start := c.at
	var n uint16
	c.Uint16(&n)
	if b := c.take(int(n)); b == nil {
		c.at = start
	} else if n > 0 {
		*v = b
	}
}

// Text is an ASCII string ended by 0x00 ([MS-GRVSSTP] 2.2.1.1).
func (c *Cursor) Text(v *string) {
	if !c.reading {
		if !isText(*v) {
			c.Fail(fmt.Errorf("%w: %q", ErrNotASCII, *v))
			return
		}
		c.octets = append(append(c.octets, *v...), 0)
		return
	}
	if c.err != nil {
		return
	}
	rest := c.octets[c.at:]
	end := bytes.IndexByte(rest, 0)
	if end < 0 {
		c.err = ErrUnterminated
		return
	}
	for _, b := range rest[:end] {
		if b >= utf8.RuneSelf {
			c.err = ErrNotASCII
			return
		}
	}
	*v = string(rest[:end])
	c.at += end + 1
}

func isText(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r == 0 || r >= utf8.RuneSelf }) < 0
}

// List8 is a list behind its number of items in one octet, each item with the
// layout item. smallest is the least size of an item in octets: when reading, it
// makes sure that the items can be there before memory is taken for them. No
// items read as nil.
func List8[T any](c *Cursor, items *[]T, smallest int, item func(*T)) {
	if !c.reading && len(*items) > math.MaxUint8 {
		c.Fail(fmt.Errorf("%w: list of %d items", ErrTooLong, len(*items)))
	}
	count := uint8(len(*items))
	Octet(c, &count)
	list(c, items, int(count), smallest, item)
}

// List16 is like List8 with the number in two octets.
func List16[T any](c *Cursor, items *[]T, smallest int, item func(*T)) {
	if !c.reading && len(*items) > math.MaxUint16 {
		c.Fail(fmt.Errorf("%w: list of %d items", ErrTooLong, len(*items)))
	}
	count := uint16(len(*items))
	c.Uint16(&count)
	list(c, items, int(count), smallest, item)
}

func list[T any](c *Cursor, items *[]T, count, smallest int, item func(*T)) {
	if c.err != nil || count == 0 {
		return
	}
	if c.reading {
		if count > c.Remaining()/smallest {
			c.Fail(fmt.Errorf("%w: %d items of at least %d octets in %d", ErrTruncated, count, smallest, c.Remaining()))
			return
		}
		*items = make([]T, count)
	}
	for i := range *items {
		item(&(*items)[i])
		if c.err != nil {
			return
		}
	}
}
