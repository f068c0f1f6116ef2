package soap

import (
	"bytes"
	"errors"
	"fmt"
)

// maxInstructions bounds the processing instructions in front of the root. The
// protocols write two (MS-GRVSPCM 3.1.5.2).
const maxInstructions = 4

var errDeclaration = errors.New("declaration, comment or CDATA section")

// markup walks over the tags of a document without allocating. It need not
// judge whether the document is well-formed, which the XML decoder does after
// it; but where the decoder finds a tag, a text or an attribute, it finds the
// same.
type markup struct {
	data []byte
	pos  int
}

// span is a part of a document.
type span struct{ start, end int }

// next returns the text in front of the next tag and the tag from its '<' to
// its '>', both included. At the end of the document the tag is empty.
func (m *markup) next() (text, tag span, err error) {
	rest := m.data[m.pos:]
	start := bytes.IndexByte(rest, '<')
	if start < 0 {
		text = span{m.pos, len(m.data)}
		m.pos = len(m.data)
		return text, span{m.pos, m.pos}, nil
	}
	text = span{m.pos, m.pos + start}
	length, err := tagLength(rest[start:])
	if err != nil {
		return span{}, span{}, err
	}
	m.pos = text.end + length
	return text, span{text.end, m.pos}, nil
}

// tagLength returns the length of the tag that s begins with. A '>' between
// quotes does not end it.
func tagLength(s []byte) (int, error) {
	if len(s) < 2 {
		return 0, errOpenTag
	}
	switch s[1] {
	case '!':
		return 0, errDeclaration
	case '?':
		if end := bytes.Index(s[2:], []byte("?>")); end >= 0 {
			return end + len("<??>"), nil
		}
		return 0, errOpenTag
	}
	for i := 1; i < len(s); i++ {
		switch c := s[i]; c {
		case '>':
			return i + 1, nil
		case '"', '\'':
			length := bytes.IndexByte(s[i+1:], c)
			if length < 0 {
				return 0, errOpenTag
			}
			i += length + 1
		}
	}
	return 0, errOpenTag
}

var errOpenTag = errors.New("ends inside a tag")

// tagName returns the name of a start tag with its prefix.
func tagName(tag []byte) []byte {
	name := tag[1:]
	if end := bytes.IndexAny(name, whiteSpace+"/>"); end >= 0 {
		name = name[:end]
	}
	return name
}

// outline counts what a document would make the decoder allocate, and notes
// its long values.
type outline struct {
	elements, attributes, instructions, texts int
	longValues
}

// readOutline refuses a document that holds more than limit bytes buy, or
// constructs that the protocols have no use for.
func readOutline(data []byte, limit int) (*outline, error) {
	m := markup{data: data}
	o := &outline{longValues: longValues{data: data}}
	for {
		text, tag, err := m.next()
		if err != nil {
			return nil, err
		}
		if text.start < text.end {
			o.noteText(o.texts, text)
			o.texts++
		}
		if tag.start == tag.end {
			return o, nil
		}
		if err := o.readTag(tag, limit); err != nil {
			return nil, err
		}
	}
}

func (o *outline) readTag(tag span, limit int) error {
	switch o.data[tag.start+1] {
	case '?':
		if o.instructions++; o.instructions > maxInstructions {
			return fmt.Errorf("more than %d processing instructions", maxInstructions)
		}
		if o.elements > 0 {
			return errors.New("processing instruction after the start of the root")
		}
		return nil
	case '/':
		return nil
	}
	if o.elements++; o.elements > minTokens+limit/bytesPerElement {
		return fmt.Errorf("more than %d elements", o.elements-1)
	}
	if err := o.readAttributes(tag); err != nil {
		return err
	}
	if o.attributes > minTokens+limit/bytesPerAttribute {
		return errors.New("too many attributes")
	}
	return nil
}

// readAttributes counts the quoted values in a start tag and refuses too many
// of them and names that are too long.
func (o *outline) readAttributes(tag span) error {
	before, name := o.attributes, 0
	for i := tag.start + 1; i < tag.end; i++ {
		switch c := o.data[i]; c {
		case '"', '\'':
			value := span{i + 1, i + 1 + bytes.IndexByte(o.data[i+1:tag.end], c)}
			o.noteAttribute(o.attributes, value)
			o.attributes++
			i, name = value.end, 0
		case ' ', '\t', '\r', '\n', '=', '/', '>':
			name = 0
		default:
			name++
		}
		if name > MaxNameSize {
			return fmt.Errorf("name of more than %d bytes", MaxNameSize)
		}
		if o.attributes-before > MaxElementAttributes {
			return fmt.Errorf("more than %d attributes in an element", MaxElementAttributes)
		}
	}
	return nil
}
