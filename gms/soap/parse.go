package soap

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"
)

const (
	// MaxDepth bounds the nesting of elements. The deepest published layout,
	// a PKI policy inside a device policy object (MS-GRVSPCM 2.2.2.2.10.4,
	// 2.2.2.2.14), has ten levels.
	MaxDepth = 24

	// MaxElementAttributes bounds the attributes of one element. The largest
	// published element, a policy's, has fewer than forty.
	MaxElementAttributes = 96

	// MaxNameSize bounds, in bytes, the name of an element or attribute with
	// its prefix. The longest is "D" and a domain GUID (MS-GRVSPCM
	// 2.2.3.40.1).
	MaxNameSize = 128

	// maxPrefixes bounds the namespace declarations in scope of one element:
	// envelopes have four (MS-GRVSPCM 4.1.1), and every name is looked up in
	// them.
	maxPrefixes = 16

	// bytesPerElement and bytesPerAttribute say how many bytes of the limit
	// given to Parse buy one element or attribute. A tree takes some 300 bytes
	// for either, so that without this a text of "<a/>" would allocate eighty
	// times its size. Real messages have more bytes to each: base64 sees to
	// that.
	bytesPerElement   = 32
	bytesPerAttribute = 16

	// minTokens is the number of elements, and of attributes, that any limit
	// buys, so that a small limit does not refuse a short ordinary message.
	minTokens = 64

	// AllocationFactor bounds what Parse allocates in all, freed or not: for a
	// limit of at least 16 KiB no input makes it allocate more than this many
	// times the limit, in bytes.
	AllocationFactor = 32
)

// ErrMalformed is wrapped by the errors of [Parse].
var ErrMalformed = errors.New("malformed XML")

// Parse reads one XML document of at most limit bytes and returns its root.
//
// It accepts what the protocols exchange and nothing else of XML: elements,
// attributes, text, the five named and the numeric character references, and
// processing instructions in front of the root. Document type declarations,
// comments, CDATA sections, encodings other than UTF-8, prefixes not bound to
// a namespace and attributes given twice are refused, as is whatever exceeds
// the limits above. Sizes and counts are checked on the bytes, before a tree is
// built.
func Parse(data []byte, limit int) (*etree.Element, error) {
	if len(data) > limit {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are read", ErrMalformed, len(data), limit)
	}
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrMalformed)
	}
	outline, err := readOutline(data, limit)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	doc := etree.NewDocument()
	doc.ReadSettings = etree.ReadSettings{
		CharsetReader:          refuseCharset,
		PreserveDuplicateAttrs: true, // or the second would silently win
		MaxDepth:               MaxDepth,
	}
	if err := doc.ReadFromBytes(outline.skeleton()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	outline.restore(doc)
	root, err := onlyRoot(doc)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if err := checkNames(root, nil); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return root, nil
}

func refuseCharset(charset string, _ io.Reader) (io.Reader, error) {
	return nil, fmt.Errorf("encoding %.20q", charset)
}

// onlyRoot returns the root element of doc, which etree lets have several, or
// none, and text between them.
func onlyRoot(doc *etree.Document) (*etree.Element, error) {
	var root *etree.Element
	for _, token := range doc.Child {
		switch t := token.(type) {
		case *etree.Element:
			if root != nil {
				return nil, errors.New("more than one root element")
			}
			root = t
		case *etree.CharData:
			if strings.Trim(t.Data, whiteSpace) != "" {
				return nil, errors.New("text outside the root element")
			}
		}
	}
	if root == nil {
		return nil, errors.New("no root element")
	}
	return root, nil
}

// checkNames refuses, in e and below, names that namespaces make ambiguous:
// prefixes that no declaration in scope binds, colons elsewhere, and
// attributes given twice. The bound slice holds the prefixes in scope.
func checkNames(e *etree.Element, bound []string) error {
	for i, a := range e.Attr {
		if slices.ContainsFunc(e.Attr[:i], func(b etree.Attr) bool { return a.Space == b.Space && a.Key == b.Key }) {
			return fmt.Errorf("attribute %s given twice", a.FullKey())
		}
		if a.Space == xmlnsPrefix {
			if a.Value == "" || a.Key == xmlPrefix || a.Key == xmlnsPrefix {
				return fmt.Errorf("declaration of prefix %s", a.Key)
			}
			bound = append(bound, a.Key)
		}
	}
	if len(bound) > maxPrefixes {
		return fmt.Errorf("more than %d prefixes", maxPrefixes)
	}
	if err := checkPrefix(e.Space, e.Tag, bound); err != nil {
		return err
	}
	for _, a := range e.Attr {
		if a.Space == xmlnsPrefix {
			continue
		}
		if err := checkPrefix(a.Space, a.Key, bound); err != nil {
			return err
		}
	}
	for child := range e.ChildElementsSeq() {
		if err := checkNames(child, bound); err != nil {
			return err
		}
	}
	return nil
}

// Prefixes that XML reserves: xmlns for declarations, xml bound without one.
const (
	xmlnsPrefix = "xmlns"
	xmlPrefix   = "xml"
)

func checkPrefix(prefix, local string, bound []string) error {
	if strings.Contains(local, ":") {
		return fmt.Errorf("name %q has a colon at its end", local)
	}
	if prefix != "" && prefix != xmlPrefix && !slices.Contains(bound, prefix) {
		return fmt.Errorf("prefix %s is not bound", prefix)
	}
	return nil
}
