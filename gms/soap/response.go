package soap

import (
	"errors"
	"fmt"
	"strings"

	"github.com/beevik/etree"
)

// Response is what the envelope of a response carries: a fault, or the rest.
type Response struct {
	Service    string // name of the service, as in the request
	ReturnCode int32  // 0 for success; 0 in shapes that have it not
	Payload    []byte // base64 removed; nil in shapes that have it not, or where it may be absent
	Fault      *Fault // as the peer sent it, nil for an answer that is none
}

// Encode returns the envelope of a response that is no fault.
func (r *Response) Encode(shape ResponseShape) []byte {
	layout := shape.layout()
	dst := make([]byte, 0, len(envelopeStart)+len(r.Payload)*4/3+512)
	dst = append(dst, envelopeStart...)
	dst = fmt.Appendf(dst, "<%s%s>", r.Service, layout.suffix)
	if layout.returnCode {
		dst = appendNumber(dst, elementReturnCode, r.ReturnCode)
	}
	if layout.payload != "" && !(layout.optional && r.Payload == nil) {
		dst = appendPayload(dst, layout.payload, attributePayload, r.Payload)
	}
	dst = fmt.Appendf(dst, "</%s%s>", r.Service, layout.suffix)
	return append(dst, envelopeEnd...)
}

// Encode returns the envelope of the fault (MS-GRVSPMR 3.1.1.2). The cause is
// not part of it.
func (f *Fault) Encode() []byte {
	dst := append(make([]byte, 0, 512), faultStart...)
	dst = fmt.Appendf(dst, "<SOAP-ENV:Fault><faultCode>%d</faultCode><faultString>", int32(f.Code))
	dst = appendEscaped(dst, f.Text, false)
	dst = append(dst, "</faultString></SOAP-ENV:Fault>"...)
	return append(dst, envelopeEnd...)
}

// DecodeResponse reads the envelope of the response to a request of the named
// service, at most limit bytes long. A fault of the peer is in the result; an
// error says that the response is bad.
func DecodeResponse(body []byte, limit int, service string, shape ResponseShape) (*Response, error) {
	root, err := Parse(body, limit)
	if err != nil {
		return nil, fmt.Errorf("soap: reading the response to %s: %w", service, err)
	}
	content, err := bodyContent(root)
	if err != nil {
		return nil, fmt.Errorf("soap: reading the response to %s: %w", service, err)
	}
	r := &Response{Service: service}
	if content.Tag == "Fault" && content.NamespaceURI() == namespaceEnvelope {
		r.Fault, err = readFault(content)
	} else {
		err = r.read(content, shape.layout())
	}
	if err != nil {
		return nil, fmt.Errorf("soap: reading the response to %s: %w", service, err)
	}
	return r, nil
}

func (r *Response) read(content *etree.Element, layout responseLayout) (err error) {
	if content.Space != "" || content.Tag != r.Service+layout.suffix {
		return errors.New("response of another service")
	}
	if layout.returnCode {
		if r.ReturnCode, err = numberIn(content, elementReturnCode); err != nil {
			return err
		}
	}
	if layout.payload == "" {
		return nil
	}
	r.Payload, err = payloadIn(content, layout.payload)
	if err == nil && r.Payload == nil && !layout.optional {
		err = fmt.Errorf("%s missing", layout.payload)
	}
	return err
}

// maxFaultText bounds, in bytes, what is kept of a peer's fault string.
const maxFaultText = 512

// readFault reads the children of a Fault with any prefix (reading E6).
func readFault(e *etree.Element) (*Fault, error) {
	f := &Fault{}
	seen := false
	for child := range e.ChildElementsSeq() {
		switch child.Tag {
		case "faultCode":
			n, err := parseInt(child.Text())
			if err != nil {
				return nil, fmt.Errorf("faultCode: %w", err)
			}
			f.Code, seen = Code(n), true
		case "faultString":
			text := child.Text()
			if len(text) > maxFaultText {
				text = strings.ToValidUTF8(text[:maxFaultText], "")
			}
			f.Text = text
		}
	}
	if !seen {
		return nil, errors.New("fault without faultCode")
	}
	return f, nil
}
