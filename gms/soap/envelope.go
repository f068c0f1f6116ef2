package soap

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// Namespaces of envelopes (MS-GRVSPCM 2.2.1).
const (
	namespaceEnvelope = "http://schemas.xmlsoap.org/soap/envelope/"
	namespaceEncoding = "http://schemas.xmlsoap.org/soap/encoding/"
	namespaceXSD1999  = "http://www.w3.org/1999/XMLSchema"
	namespaceXSI1999  = "http://www.w3.org/1999/XMLSchema-instance"
)

// Namespaces of schemas that are accepted: those that are sent, and the ones of
// the final recommendation, which the schemas use beside them.
var (
	namespacesXSD = []string{namespaceXSD1999, "http://www.w3.org/2001/XMLSchema"}
	namespacesXSI = []string{namespaceXSI1999, "http://www.w3.org/2001/XMLSchema-instance"}
)

// What stands around the service element, as the examples have it (MS-GRVSPCM
// 4.1.1, MS-GRVSPMR 3.1.1.2).
const (
	envelopeStart = `<SOAP-ENV:Envelope SOAP-ENV:encodingStyle="` + namespaceEncoding + `"` +
		` xmlns:SOAP-ENC="` + namespaceEncoding + `"` +
		` xmlns:SOAP-ENV="` + namespaceEnvelope + `"` +
		` xmlns:xsd="` + namespaceXSD1999 + `"` +
		` xmlns:xsi="` + namespaceXSI1999 + `"><SOAP-ENV:Body>`
	faultStart = `<SOAP-ENV:Envelope SOAP-ENV:encodingStyle="` + namespaceEncoding + `"` +
		` xmlns:SOAP-ENV="` + namespaceEnvelope + `"><SOAP-ENV:Body>`
	envelopeEnd = `</SOAP-ENV:Body></SOAP-ENV:Envelope>`
)

// bodyContent returns the one element in the Body of an envelope.
func bodyContent(envelope *etree.Element) (*etree.Element, error) {
	if envelope.Tag != "Envelope" || envelope.NamespaceURI() != namespaceEnvelope {
		return nil, errors.New("root is no SOAP envelope")
	}
	if !slices.ContainsFunc(envelope.Attr, func(a etree.Attr) bool {
		return a.Key == "encodingStyle" && namespaceOf(envelope, a.Space) == namespaceEnvelope
	}) {
		return nil, errors.New("envelope without encodingStyle")
	}
	children := envelope.ChildElements()
	if len(children) != 1 || children[0].Tag != "Body" || children[0].NamespaceURI() != namespaceEnvelope {
		return nil, errors.New("envelope without Body, or with more")
	}
	content := children[0].ChildElements()
	if len(content) != 1 {
		return nil, fmt.Errorf("%d elements in the Body", len(content))
	}
	return content[0], nil
}

// serviceChild returns the child of a service element with this name, nil if
// there is none. What else there is, is ignored.
func serviceChild(service *etree.Element, name string) (*etree.Element, error) {
	var found *etree.Element
	for child := range service.ChildElementsSeq() {
		if child.Tag != name || child.Space != "" {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("%s given twice", name)
		}
		found = child
	}
	return found, nil
}

// numberIn reads a required NumericType child (MS-GRVSPCM 2.2.2.2.11).
func numberIn(service *etree.Element, name string) (int32, error) {
	e, err := serviceChild(service, name)
	if err != nil {
		return 0, err
	}
	if e == nil {
		return 0, fmt.Errorf("%s missing", name)
	}
	if err := checkType(e, func(prefix, local string) bool {
		return local == "int" && slices.Contains(namespacesXSD, namespaceOf(e, prefix))
	}); err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	n, err := parseInt(e.Text())
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return n, nil
}

// payloadIn reads a payload child in either form (reading B16). It returns nil
// if there is none.
func payloadIn(service *etree.Element, name string) ([]byte, error) {
	e, err := serviceChild(service, name)
	if e == nil || err != nil {
		return nil, err
	}
	if err := checkType(e, func(prefix, local string) bool {
		return prefix == "" && (local == "base64" || local == "binary")
	}); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	text := e.Text()
	if data, ok := AttributesOf(e).lookup("data"); ok {
		if text != "" {
			return nil, fmt.Errorf("%s has both data and content", name)
		}
		text = data
	}
	payload, err := DecodeBase64(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(payload) == 0 {
		return nil, fmt.Errorf("%s is empty", name)
	}
	return payload, nil
}

// checkType checks the xsi:type of e, which is required.
func checkType(e *etree.Element, accept func(prefix, local string) bool) error {
	for _, a := range e.Attr {
		if a.Key != "type" || !slices.Contains(namespacesXSI, namespaceOf(e, a.Space)) {
			continue
		}
		prefix, local := cutName(a.Value)
		if !accept(prefix, local) {
			return errors.New("xsi:type of another value")
		}
		return nil
	}
	return errors.New("xsi:type missing")
}

// namespaceOf returns the namespace that a prefix is bound to at e, "" if it is
// bound to none.
func namespaceOf(e *etree.Element, prefix string) string {
	for ; e != nil && prefix != ""; e = e.Parent() {
		for i := range e.Attr {
			if a := &e.Attr[i]; a.Space == xmlnsPrefix && a.Key == prefix {
				return a.Value
			}
		}
	}
	return ""
}

// cutName splits a qualified name into its prefix, "" if there is none, and its
// local part.
func cutName(name string) (prefix, local string) {
	if prefix, local, ok := strings.Cut(name, ":"); ok {
		return prefix, local
	}
	return "", name
}
