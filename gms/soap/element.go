package soap

import (
	"errors"
	"slices"

	"github.com/beevik/etree"
)

// Namespace is that of fragments and of what secures them (MS-GRVSPCM 2.2.1).
const Namespace = "urn:groove.net"

// namespacePrefix is the one prefix that stands for Namespace; the digests
// cover it (MS-GRVSPCM 3.1.5.2).
const namespacePrefix = "g"

// Attr is one attribute for [NewElement].
type Attr struct{ Name, Value string }

// NewElement makes an element without parent. A prefix is part of the name, as
// in "g:Contact".
func NewElement(name string, attrs ...Attr) *etree.Element {
	e := etree.NewElement(name)
	e.Attr = make([]etree.Attr, 0, len(attrs))
	for _, a := range attrs {
		e.CreateAttr(a.Name, a.Value)
	}
	return e
}

// NewFragmentElement returns <g:fragment xmlns:g="urn:groove.net"> around
// content.
func NewFragmentElement(content *etree.Element) *etree.Element {
	root := NewElement("g:fragment", Attr{"xmlns:g", Namespace})
	root.AddChild(content)
	return root
}

// Is reports whether e has the given local name and either no prefix or g.
// Inside payloads the published schemas and examples disagree on which of the
// two it is (readings B4, E3), so readers take both. Where a digest depends on
// it, in the header of a [Fragment], only the published form is taken.
//
// The Select methods of etree are no substitute: without a prefix in the name
// they match any.
func Is(e *etree.Element, local string) bool {
	return e.Tag == local && (e.Space == "" || e.Space == namespacePrefix)
}

// Child returns the one child of e for which [Is] holds, nil if there is none,
// and fault 204 if there are several.
func Child(e *etree.Element, local string) (*etree.Element, error) {
	var found *etree.Element
	for child := range e.ChildElementsSeq() {
		if !Is(child, local) {
			continue
		}
		if found != nil {
			return nil, InvalidParameter(e.Tag+"/"+local, "given twice")
		}
		found = child
	}
	return found, nil
}

// RequiredChild is [Child] with fault 204 if there is none.
func RequiredChild(e *etree.Element, local string) (*etree.Element, error) {
	child, err := Child(e, local)
	if err == nil && child == nil {
		err = InvalidParameter(e.Tag+"/"+local, "missing")
	}
	return child, err
}

// Children returns the children of e for which [Is] holds.
func Children(e *etree.Element, local string) []*etree.Element {
	var found []*etree.Element
	for child := range e.ChildElementsSeq() {
		if Is(child, local) {
			found = append(found, child)
		}
	}
	return found
}

// ParsePayload reads a payload, the plaintext of secured content or what an
// attribute holds in base64, and returns its root, which must have one of the
// names if there are any. It fails with fault 204.
func ParsePayload(data []byte, limit int, names ...string) (*etree.Element, error) {
	root, err := Parse(data, limit)
	if err != nil {
		return nil, invalidParameter("payload", err)
	}
	if len(names) > 0 && !slices.ContainsFunc(names, func(name string) bool { return Is(root, name) }) {
		return nil, InvalidParameter(names[0], "another root element")
	}
	return root, nil
}

// ParseFragmentPayload reads a payload whose root is g:fragment and returns the
// element of the given name in it. It fails with fault 204.
func ParseFragmentPayload(data []byte, limit int, name string) (*etree.Element, error) {
	root, err := ParsePayload(data, limit, "fragment")
	if err != nil {
		return nil, err
	}
	if root.NamespaceURI() != Namespace {
		return nil, invalidParameter("fragment", errors.New("in no namespace or another"))
	}
	return RequiredChild(root, name)
}
