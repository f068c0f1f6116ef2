package soap

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/beevik/etree"
)

// MaxTextSize bounds, in bytes, an attribute that is text: names, GUIDs, URLs,
// versions. Nothing of this kind in the published examples has a tenth of it.
const MaxTextSize = 1024

// Attributes reads the attributes of one element. The methods return zero for
// what is missing or invalid; Err returns fault 204 naming the first of them,
// so that a decoder checks once, at its end. All are of no namespace.
//
// Where a method takes several names, they are spellings of one attribute, the
// first as in the schema, the others as in the tables (reading B17); the first
// that is present is read.
type Attributes struct {
	element *etree.Element
	fault   *Fault
}

// AttributesOf returns a reader for the attributes of e.
func AttributesOf(e *etree.Element) *Attributes { return &Attributes{element: e} }

// Err returns a *[Fault] for the first attribute that was missing or invalid,
// or nil.
func (a *Attributes) Err() error {
	if a.fault == nil {
		return nil // not a nil *Fault in an error
	}
	return a.fault
}

// Reject makes the named attribute invalid, for checks of its meaning.
func (a *Attributes) Reject(name, reason string) { a.fail(name, errors.New(reason)) }

func (a *Attributes) fail(name string, cause error) {
	if a.fault == nil {
		a.fault = invalidParameter(a.element.Tag+"/@"+name, cause)
	}
}

// Has reports whether an attribute of this name is present.
func (a *Attributes) Has(name string) bool {
	_, ok := a.lookup(name)
	return ok
}

func (a *Attributes) lookup(name string) (string, bool) {
	for i := range a.element.Attr {
		if at := &a.element.Attr[i]; at.Key == name && at.Space == "" {
			return at.Value, true
		}
	}
	return "", false
}

func (a *Attributes) required(names []string) (string, bool) {
	for _, name := range names {
		if v, ok := a.lookup(name); ok {
			return v, true
		}
	}
	a.fail(names[0], errors.New("missing"))
	return "", false
}

// Text returns a required text of at most [MaxTextSize] bytes without control
// characters. It may be empty.
func (a *Attributes) Text(names ...string) string {
	v, ok := a.required(names)
	switch {
	case !ok:
		return ""
	case len(v) > MaxTextSize:
		a.fail(names[0], fmt.Errorf("%d bytes", len(v)))
		return ""
	case strings.ContainsFunc(v, unicode.IsControl):
		a.fail(names[0], errors.New("control character"))
		return ""
	}
	return v
}

// Name returns a required text as Text does, which must not be empty.
func (a *Attributes) Name(names ...string) string {
	v := a.Text(names...)
	if v == "" {
		a.fail(names[0], errors.New("empty"))
	}
	return v
}

// OneOf returns a required text that must be one of the values.
func (a *Attributes) OneOf(name string, values ...string) string {
	v, ok := a.required([]string{name})
	if !ok {
		return ""
	}
	for _, want := range values {
		if v == want {
			return v
		}
	}
	a.fail(name, errors.New("not one of the published values"))
	return ""
}

// Int returns a required xs:int.
func (a *Attributes) Int(names ...string) int32 {
	v, ok := a.required(names)
	if !ok {
		return 0
	}
	n, err := parseInt(v)
	if err != nil {
		a.fail(names[0], err)
	}
	return n
}

// parseInt reads an xs:int: 32 bits, white space around it allowed.
func parseInt(s string) (int32, error) {
	n, err := strconv.ParseInt(strings.Trim(s, whiteSpace), 10, 32)
	if err != nil {
		return 0, errors.New("not an xs:int") // err would quote the peer's text
	}
	return int32(n), nil
}

// Bool returns a required BooleanType, 0 or 1 (MS-GRVSPCM 2.2.2.2.3).
func (a *Attributes) Bool(name string) bool {
	return a.OneOf(name, "0", "1") == "1"
}

// Base64 returns the bytes of a required xs:base64Binary.
func (a *Attributes) Base64(names ...string) []byte {
	v, ok := a.required(names)
	if !ok {
		return nil
	}
	b, err := DecodeBase64(v)
	if err != nil {
		a.fail(names[0], err)
	}
	return b
}

// Millis returns a required time in milliseconds since 1970, which the schemas
// make an xs:double (MS-GRVSPCM 2.2.2.2.12). Fractions are cut off. It must be
// within the integers that a double holds exactly.
func (a *Attributes) Millis(names ...string) int64 {
	v, ok := a.required(names)
	if !ok {
		return 0
	}
	ms, err := parseMillis(v)
	if err != nil {
		a.fail(names[0], err)
	}
	return ms
}

// maxMillis is the end of the integers that a double holds exactly: the year
// 287396.
const maxMillis = 1 << 53

func parseMillis(s string) (int64, error) {
	s = strings.Trim(s, whiteSpace)
	if s == "" || strings.Trim(s, "+-.0123456789eE") != "" {
		// ParseFloat would take hexadecimal, underscores, Inf and NaN too.
		return 0, errors.New("not an xs:double")
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.Abs(f) > maxMillis {
		return 0, errors.New("not an xs:double within the range of times")
	}
	return int64(f), nil
}

// FormatMillis writes a time in milliseconds since 1970 as an xs:double without
// an exponent.
func FormatMillis(ms int64) string { return strconv.FormatInt(ms, 10) }

// FormatInt writes an xs:int.
func FormatInt(n int32) string { return strconv.FormatInt(int64(n), 10) }

// FormatBool writes a BooleanType, 0 or 1 (MS-GRVSPCM 2.2.2.2.3).
func FormatBool(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
