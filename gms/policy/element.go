package policy

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/beevik/etree"

	"furrow/gms/soap"
)

// element makes an element of an object: all of them have the prefix g
// (MS-GRVSPCM 3.2.5.1.3).
func element(name string, attrs ...soap.Attr) *etree.Element {
	return soap.NewElement("g:"+name, attrs...)
}

// add appends a new element to parent and returns it.
func add(parent *etree.Element, name string, attrs ...soap.Attr) *etree.Element {
	e := element(name, attrs...)
	parent.AddChild(e)
	return e
}

// set gives e one more attribute.
func set(e *etree.Element, a soap.Attr) { e.CreateAttr(a.Name, a.Value) }

func text(name, value string) soap.Attr { return soap.Attr{Name: name, Value: value} }

func number(name string, n int) soap.Attr { return soap.Attr{Name: name, Value: strconv.Itoa(n)} }

func binary(name string, b []byte) soap.Attr {
	return soap.Attr{Name: name, Value: soap.EncodeBase64(b)}
}

func millis(name string, d time.Duration) soap.Attr {
	return soap.Attr{Name: name, Value: soap.FormatMillis(d.Milliseconds())}
}

func seconds(name string, d time.Duration) soap.Attr { return number(name, int(d/time.Second)) }

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// option is one bit of a Flags attribute and the field that shows it. The list
// of a type's options serves both directions.
type option struct {
	bit   int
	field *bool
}

func joinFlags(flags []option) int {
	n := 0
	for _, f := range flags {
		if *f.field {
			n |= f.bit
		}
	}
	return n
}

// decoder reads the elements of an object and keeps the first failure, so that
// the code of each type reads like its schema. An attribute that is missing
// reads as zero: which ones must be there, validation knows. Where a method
// takes several names, they are spellings of the same thing.
type decoder struct{ err error }

func (d *decoder) result() error { return d.err }

func (d *decoder) check(err error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *decoder) fail(e *etree.Element, format string, args ...any) {
	d.check(fmt.Errorf("element %s: %s", e.Tag, fmt.Sprintf(format, args...)))
}

// child returns the one child with one of the names, or nil.
func (d *decoder) child(e *etree.Element, names ...string) *etree.Element {
	var found *etree.Element
	for _, name := range names {
		switch c, err := soap.Child(e, name); {
		case err != nil:
			d.check(err)
		case c != nil && found != nil:
			d.fail(e, "%s given twice", name)
		case c != nil:
			found = c
		}
	}
	return found
}

// children returns the children with any of the names. Their number is bounded
// by the size of the object.
func (d *decoder) children(e *etree.Element, names ...string) []*etree.Element {
	var found []*etree.Element
	for _, name := range names {
		found = append(found, soap.Children(e, name)...)
	}
	return found
}

// required returns the one child with one of the names, an empty one if there
// is none.
func (d *decoder) required(e *etree.Element, names ...string) *etree.Element {
	if c := d.child(e, names...); c != nil {
		return c
	}
	d.fail(e, "%s missing", names[0])
	return element(names[0])
}

// text returns an attribute. It is not judged: validation does so.
func (d *decoder) text(e *etree.Element, names ...string) string {
	for _, a := range e.Attr {
		if a.Space == "" && slices.Contains(names, a.Key) {
			return a.Value
		}
	}
	return ""
}

func (d *decoder) exactly(e *etree.Element, name, want string) {
	if got := d.text(e, name); got != want {
		d.fail(e, "%s is %.64q, want %q", name, got, want)
	}
}

// only fails unless an attribute has the one number that is allowed.
func (d *decoder) only(e *etree.Element, name string, want int) {
	if got := d.number(e, name); got != want {
		d.fail(e, "%s is %d, want %d", name, got, want)
	}
}

// attribute applies read to an attribute if it is present.
func attribute[T any](d *decoder, e *etree.Element, name string, read func(*soap.Attributes, ...string) T) T {
	a := soap.AttributesOf(e)
	if !a.Has(name) {
		var zero T
		return zero
	}
	v := read(a, name)
	d.check(a.Err())
	return v
}

func (d *decoder) number(e *etree.Element, name string) int {
	return int(attribute(d, e, name, (*soap.Attributes).Int))
}

func (d *decoder) bytes(e *etree.Element, name string) []byte {
	return attribute(d, e, name, (*soap.Attributes).Base64)
}

// instant returns a time in milliseconds since 1970.
func (d *decoder) instant(e *etree.Element, name string) time.Time {
	return time.UnixMilli(attribute(d, e, name, (*soap.Attributes).Millis)).UTC()
}

// period returns an interval in milliseconds, an xs:int or an xs:double.
func (d *decoder) period(e *etree.Element, name string) time.Duration {
	ms := attribute(d, e, name, (*soap.Attributes).Millis)
	if ms < 0 || ms > maxPeriod.Milliseconds() {
		d.fail(e, "%s of %d ms", name, ms)
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}

// seconds returns an interval in seconds, an xs:int.
func (d *decoder) seconds(e *etree.Element, name string) time.Duration {
	return time.Duration(d.number(e, name)) * time.Second
}

func (d *decoder) flags(e *etree.Element, flags []option) { d.split(e, d.number(e, "Flags"), flags) }

// split sets the fields of the bits in n. A bit that has no field is refused:
// it stands for a rule that the typed form would hide.
func (d *decoder) split(e *etree.Element, n int, flags []option) {
	for _, f := range flags {
		*f.field = n&f.bit != 0
		n &^= f.bit
	}
	if n != 0 {
		d.fail(e, "unknown flags %#x", uint32(n))
	}
}
