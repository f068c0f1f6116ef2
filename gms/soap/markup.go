package soap

import (
	"bytes"
	"errors"
	"fmt"
)

// markup walks over the tags of a document without allocating. It need not
// judge whether the document is well-formed, which the parser does after it;
// but where the parser would find a tag or an attribute, it finds one too.
type markup struct {
	rest []byte
}

// maxInstructions bounds the processing instructions in front of the root. The
// protocols write two (MS-GRVSPCM 3.1.5.2).
const maxInstructions = 4

// checkMarkup refuses a document that holds more than limit bytes buy, or
// constructs that the protocols have no use for.
func checkMarkup(data []byte, limit int) error {
	m := markup{data}
	elements, attributes, instructions := 0, 0, 0
	for {
		tag, ok, err := m.next()
		if err != nil || !ok {
			return err
		}
		switch tag[1] {
		case '!':
			return errDeclaration
		case '?':
			if elements > 0 {
				return errors.New("processing instruction after the start of the root")
			}
			if instructions++; instructions > maxInstructions {
				return fmt.Errorf("more than %d processing instructions", maxInstructions)
			}
		case '/':
		default:
			elements++
			n, err := countAttributes(tag)
			if err != nil {
				return err
			}
			attributes += n
		}
		if elements > minTokens+limit/bytesPerElement {
			return fmt.Errorf("more than %d elements", elements-1)
		}
		if attributes > minTokens+limit/bytesPerAttribute {
			return fmt.Errorf("more than %d attributes", attributes-1)
		}
	}
}

var errDeclaration = errors.New("declaration, comment or CDATA section")

// next returns the next tag from its '<' to its '>', both included, and false
// at the end of the document.
func (m *markup) next() (tag []byte, ok bool, err error) {
	start := bytes.IndexByte(m.rest, '<')
	if start < 0 {
		return nil, false, nil
	}
	m.rest = m.rest[start:]
	if len(m.rest) < 2 {
		return nil, false, errors.New("ends inside a tag")
	}
	end := 0
	switch m.rest[1] {
	case '!':
		end = 2
	case '?':
		end = bytes.Index(m.rest, []byte("?>")) + 2
		if end < len("<??>") {
			return nil, false, errors.New("ends inside a processing instruction")
		}
	default:
		end = tagLength(m.rest)
		if end < 0 {
			return nil, false, errors.New("ends inside a tag")
		}
	}
	tag, m.rest = m.rest[:end], m.rest[end:]
	return tag, true, nil
}

// tagLength returns the length of the tag that s begins with, or -1. A '>'
// between quotes does not end it.
func tagLength(s []byte) int {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '>':
			return i + 1
		case '"', '\'':
			length := bytes.IndexByte(s[i+1:], c)
			if length < 0 {
				return -1
			}
			i += length + 1
		}
	}
	return -1
}

// countAttributes returns the number of quoted values in a start tag and
// refuses too many of them and names that are too long.
func countAttributes(tag []byte) (int, error) {
	n, name := 0, 0
	for i := 1; i < len(tag); i++ {
		switch c := tag[i]; c {
		case '"', '\'':
			n++
			i += bytes.IndexByte(tag[i+1:], c) + 1
			name = 0
		case ' ', '\t', '\r', '\n', '=', '/', '>':
			name = 0
		default:
			name++
		}
		if name > MaxNameSize {
			return 0, fmt.Errorf("name of more than %d bytes", MaxNameSize)
		}
		if n > MaxElementAttributes {
			return 0, fmt.Errorf("more than %d attributes in an element", MaxElementAttributes)
		}
	}
	return n, nil
}

// tagName returns the name of a start tag with its prefix.
func tagName(tag []byte) []byte {
	name := tag[1:]
	if end := bytes.IndexAny(name, whiteSpace+"/>"); end >= 0 {
		name = name[:end]
	}
	return name
}
