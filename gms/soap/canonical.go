package soap

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"
)

// Prolog opens every serialized fragment and payload, and the envelopes of
// requests (MS-GRVSPCM 3.1.5.2, 3.1.5.3).
const Prolog = `<?xml version='1.0'?><?groove.net version='1.0'?>`

// Canonical returns the prolog and e in the serialization that digests,
// signatures and MACs are computed over (MS-GRVSPCM 3.1.5.2): attributes in
// code point order of their whole name, no white space between tags, an empty
// element closed by "/>" without a space, UTF-8. Names, prefixes and namespace
// declarations are written as they stand in e.
//
// Text that is white space only is left out. Characters that XML cannot carry
// become U+FFFD. Escapes are those of reading D2.
func Canonical(e *etree.Element) []byte {
	dst := append(make([]byte, 0, 1024), Prolog...) // most headers and payloads fit
	return AppendCanonical(dst, e)
}

// AppendCanonical appends to dst what [Canonical] returns, without the prolog.
func AppendCanonical(dst []byte, e *etree.Element) []byte {
	dst = append(dst, '<')
	dst = appendName(dst, e.Space, e.Tag)
	dst = appendAttributes(dst, e.Attr)

	empty := true
	for _, token := range e.Child {
		switch t := token.(type) {
		case *etree.Element:
			if empty {
				dst, empty = append(dst, '>'), false
			}
			dst = AppendCanonical(dst, t)
		case *etree.CharData:
			if strings.Trim(t.Data, whiteSpace) == "" {
				continue
			}
			if empty {
				dst, empty = append(dst, '>'), false
			}
			dst = appendEscaped(dst, t.Data, false)
		}
	}
	if empty {
		return append(dst, "/>"...)
	}
	dst = append(dst, "</"...)
	dst = appendName(dst, e.Space, e.Tag)
	return append(dst, '>')
}

const whiteSpace = " \t\r\n"

func appendName(dst []byte, prefix, local string) []byte {
	if prefix != "" {
		dst = append(dst, prefix...)
		dst = append(dst, ':')
	}
	return append(dst, local...)
}

func appendAttributes(dst []byte, attrs []etree.Attr) []byte {
	if !slices.IsSortedFunc(attrs, compareAttrs) {
		attrs = slices.SortedFunc(slices.Values(attrs), compareAttrs)
	}
	for _, a := range attrs {
		dst = append(dst, ' ')
		dst = appendName(dst, a.Space, a.Key)
		dst = append(dst, '=', '"')
		dst = appendEscaped(dst, a.Value, true)
		dst = append(dst, '"')
	}
	return dst
}

// compareAttrs orders by the code points of the whole name, prefix and colon
// included, which in UTF-8 is the order of its bytes (reading D7).
func compareAttrs(a, b etree.Attr) int {
	if a.Space == "" && b.Space == "" {
		return strings.Compare(a.Key, b.Key)
	}
	return strings.Compare(a.FullKey(), b.FullKey())
}

// appendEscaped writes s with the escapes of reading D2. A carriage return is
// escaped in text too, where a parser would turn it into a line feed.
func appendEscaped(dst []byte, s string, attribute bool) []byte {
	start := 0 // of the run not yet copied
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf && !special[c] {
			i++
			continue
		}
		r, width := utf8.DecodeRuneInString(s[i:])
		if escape, ok := escapeOf(r, width, attribute); ok {
			dst = append(dst, s[start:i]...)
			dst = append(dst, escape...)
			start = i + width
		}
		i += width
	}
	return append(dst, s[start:]...)
}

// special marks the ASCII characters that appendEscaped looks at twice.
var special = func() (t [utf8.RuneSelf]bool) {
	for c := range ' ' {
		t[c] = true
	}
	for _, c := range `&<>"` {
		t[c] = true
	}
	return t
}()

func escapeOf(r rune, width int, attribute bool) (string, bool) {
	switch r {
	case '&':
		return "&amp;", true
	case '<':
		return "&lt;", true
	case '>':
		return "&gt;", true
	case '"':
		return "&quot;", attribute
	case '\t':
		return "&#9;", attribute
	case '\n':
		return "&#10;", attribute
	case '\r':
		return "&#13;", true
	}
	return "\uFFFD", !isXMLChar(r) || r == utf8.RuneError && width == 1
}

// isXMLChar reports whether XML 1.0 allows r (its section 2.2).
func isXMLChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' ||
		r >= ' ' && r <= 0xD7FF ||
		r >= 0xE000 && r <= 0xFFFD ||
		r >= 0x10000 && r <= utf8.MaxRune
}
