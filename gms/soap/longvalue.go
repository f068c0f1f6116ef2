package soap

import "github.com/beevik/etree"

// minLongValue is the size in bytes from which on a value is kept away from the
// XML decoder. Shorter ones are not worth it; the base64 that fills most of
// every message is longer.
const minLongValue = 96

// longValues keeps long base64 away from the XML decoder, which takes some
// thirty times as long over a byte as a copy does: a skeleton of the document
// is decoded, and the values are put back into the tree. A message has three
// layers of base64 that would otherwise each be decoded at that price.
//
// Values are found again by their number in document order, which a peer cannot
// forge: nothing stands in for them that could also stand for itself.
type longValues struct {
	data   []byte
	values []longValue
}

// longValue is the text or the attribute value with this number.
type longValue struct {
	span
	text   bool
	number int
}

func (l *longValues) noteText(number int, s span) {
	if l.isLong(s) {
		l.values = append(l.values, longValue{s, true, number})
	}
}

func (l *longValues) noteAttribute(number int, s span) {
	if l.isLong(s) {
		l.values = append(l.values, longValue{s, false, number})
	}
}

// isLong reports whether s is long and of base64 digits only, in which a
// decoder has nothing to check or to translate.
func (l *longValues) isLong(s span) bool {
	if s.end-s.start < minLongValue {
		return false
	}
	for _, c := range l.data[s.start:s.end] {
		if !base64Digit[c] {
			return false
		}
	}
	return true
}

// base64Digit marks the digits of base64 and its padding (RFC 4648).
var base64Digit = func() (t [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=" {
		t[c] = true
	}
	return t
}()

// skeleton returns the document with one digit in place of each long value, so
// that a text remains one.
func (l *longValues) skeleton() []byte {
	if len(l.values) == 0 {
		return l.data
	}
	size := len(l.data)
	for _, v := range l.values {
		size -= v.end - v.start - 1
	}
	skeleton := make([]byte, 0, size)
	copied := 0
	for _, v := range l.values {
		skeleton = append(skeleton, l.data[copied:v.start+1]...)
		copied = v.end
	}
	return append(skeleton, l.data[copied:]...)
}

// restore puts the long values into the tree of the skeleton.
func (l *longValues) restore(doc *etree.Document) {
	if len(l.values) > 0 {
		r := restorer{rest: l.values, data: l.data}
		r.visit(&doc.Element)
	}
}

// restorer counts texts and attributes in document order.
type restorer struct {
	texts, attributes int
	rest              []longValue
	data              []byte
}

func (r *restorer) visit(e *etree.Element) {
	for i := range e.Attr {
		if v, ok := r.take(false, r.attributes); ok {
			e.Attr[i].Value = v
		}
		r.attributes++
	}
	for _, token := range e.Child {
		switch t := token.(type) {
		case *etree.Element:
			r.visit(t)
		case *etree.CharData:
			if v, ok := r.take(true, r.texts); ok {
				t.SetData(v)
			}
			r.texts++
		}
	}
}

// take returns the next long value if it is the text or attribute with this
// number.
func (r *restorer) take(text bool, number int) (string, bool) {
	if len(r.rest) == 0 || r.rest[0].text != text || r.rest[0].number != number {
		return "", false
	}
	v := r.rest[0]
	r.rest = r.rest[1:]
	return string(r.data[v.start:v.end]), true
}
