package field

import (
	"bytes"
	"errors"
	"testing"
)

// one is a layout with a field of every kind.
type one struct {
	octet  uint8
	short  uint16
	long   uint32
	text   string
	blob   []byte
	block  [2]byte
	few    []uint16
	many   []string
	tail   []byte
	prefix int
}

func (o *one) layout(c *Cursor) {
	Octet(c, &o.octet)
	c.Uint16(&o.short)
	c.Uint32(&o.long)
	c.Text(&o.text)
	c.Blob(&o.blob)
	c.Block(o.block[:])
	c.Reserved(1)
	List8(c, &o.few, 2, c.Uint16)
	List16(c, &o.many, SmallestText, c.Text)
	o.prefix = len(c.Sofar())
	c.Tail(&o.tail)
}

var (
	sample = one{
		octet: 1, short: 0x0203, long: 0x04050607, text: "ab", blob: []byte{8},
		block: [2]byte{9, 10}, few: []uint16{11}, many: []string{"", "c"}, tail: []byte{12, 13},
	}
	sampleOctets = []byte("\x01\x03\x02\x07\x06\x05\x04ab\x00\x01\x00\x08\x09\x0a\x00\x01\x0b\x00\x02\x00\x00c\x00\x0c\x0d")
)

const tailAt = 24

func read(octets []byte) (one, *Cursor, error) {
	var c Cursor
	var o one
	c.Read(octets)
	o.layout(&c)
	_, err := c.Finish()
	return o, &c, err
}

func TestEveryKindOfField(t *testing.T) {
	var c Cursor
	c.Append([]byte("kept"))
	o := sample
	o.layout(&c)
	got, err := c.Finish()
	if want := "kept" + string(sampleOctets); err != nil || string(got) != want {
		t.Errorf("%x, %v, want %x", got, err, want)
	}
	o, _, err = read(sampleOctets)
	if err != nil || o.prefix != tailAt || o.text != "ab" || o.long != 0x04050607 ||
		!bytes.Equal(o.tail, sample.tail) || o.few[0] != 11 || o.many[1] != "c" || o.block != sample.block {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestFailureKeepsTheOffsetOfItsField(t *testing.T) {
	starts := []int{0, 1, 3, 7, 10, 13, 15, 16, 17, 19, 21, 22, tailAt}
	for n := range tailAt {
		_, c, err := read(sampleOctets[:n])
		if err == nil {
			t.Fatalf("cut at %d: no error", n)
		}
		at := -1
		for _, start := range starts {
			if c.Offset() == start {
				at = start
			}
		}
		if at < 0 || at > n {
			t.Errorf("cut at %d: offset %d begins no field", n, c.Offset())
		}
		if c.Remaining() != 0 || !c.Failed() {
			t.Errorf("cut at %d: %d octets remain, failed %v", n, c.Remaining(), c.Failed())
		}
	}
}

func TestReasons(t *testing.T) {
	for _, tt := range []struct {
		name   string
		octets string
		layout func(*Cursor)
		want   error
	}{
		{"no final zero", "ab", func(c *Cursor) { c.Text(new(string)) }, ErrUnterminated},
		{"not ASCII", "\x80\x00", func(c *Cursor) { c.Text(new(string)) }, ErrNotASCII},
		{"long blob", "\xff\xff", func(c *Cursor) { c.Blob(new([]byte)) }, ErrTruncated},
		{"short block", "a", func(c *Cursor) { c.Block(make([]byte, 2)) }, ErrTruncated},
		{"long list", "\xff\x00", func(c *Cursor) { List8(c, new([]string), 1, c.Text) }, ErrTruncated},
		{"longer list", "\xff\xff\x00", func(c *Cursor) { List16(c, new([]string), 1, c.Text) }, ErrTruncated},
		{"something left", "a", func(*Cursor) {}, ErrTrailing},
	} {
		var c Cursor
		c.Read([]byte(tt.octets))
		tt.layout(&c)
		if _, err := c.Finish(); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}
