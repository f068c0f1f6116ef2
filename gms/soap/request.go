package soap

import (
	"errors"
	"fmt"

	"github.com/beevik/etree"
)

// Request is what the envelope of a request carries.
type Request struct {
	Service string // name of the element in the Body
	Payload []byte // base64 removed: the serialized fragment
	Version int32  // 4 in the examples of MS-GRVSPCM, 1 in those of MS-GRVSPMR

	// LastBroadcastProcessed is the last server command that the client has
	// executed. MessageSequenceNumber is ignored by servers (MS-GRVSPCM
	// 2.2.2.1.5, 2.2.2.1.7). Zero in the shapes that have them not.
	LastBroadcastProcessed int32
	MessageSequenceNumber  int32
}

// RequestRule is what the receiver of requests knows of one service.
type RequestRule struct {
	Shape RequestShape
	Limit int // greatest size in bytes of a whole request
}

// Encode returns the envelope.
func (r *Request) Encode(shape RequestShape) []byte {
	layout := shape.layout()
	dst := make([]byte, 0, len(envelopeStart)+len(r.Payload)*4/3+512)
	if layout.prolog {
		dst = append(dst, Prolog...)
	}
	dst = append(dst, envelopeStart...)
	dst = fmt.Appendf(dst, "<%s>", r.Service)
	for _, name := range layout.order {
		switch name {
		case elementPayload:
			dst = appendPayload(dst, name, layout.payload, r.Payload)
		case elementVersion:
			dst = appendNumber(dst, name, r.Version)
		case elementBroadcast:
			dst = appendNumber(dst, name, r.LastBroadcastProcessed)
		case elementSequence:
			dst = appendNumber(dst, name, r.MessageSequenceNumber)
		}
	}
	dst = fmt.Appendf(dst, "</%s>", r.Service)
	return append(dst, envelopeEnd...)
}

// DecodeRequest reads the envelope of a request. The rule function tells the
// shape and the limit of a service, false for a service that is not there; it
// is asked before anything is allocated. DecodeRequest fails with fault 105.
func DecodeRequest(body []byte, rule func(service string) (RequestRule, bool)) (*Request, error) {
	name, err := peekService(body)
	if err != nil {
		return nil, NewFault(CodeMalformed, err)
	}
	known, ok := rule(string(name))
	if !ok {
		return nil, NewFault(CodeMalformed, errors.New("unknown service"))
	}
	root, err := Parse(body, known.Limit)
	if err != nil {
		return nil, NewFault(CodeMalformed, err)
	}
	service, err := bodyContent(root)
	if err != nil {
		return nil, NewFault(CodeMalformed, err)
	}
	r, err := readRequest(service, known.Shape.layout())
	if err != nil {
		return nil, NewFault(CodeMalformed, fmt.Errorf("%s: %w", service.Tag, err))
	}
	return r, nil
}

func readRequest(service *etree.Element, layout requestLayout) (*Request, error) {
	if service.Space != "" {
		return nil, errors.New("service element with a prefix")
	}
	r := &Request{Service: service.Tag}
	var err error
	for _, name := range layout.order {
		switch name {
		case elementPayload:
			r.Payload, err = payloadIn(service, name)
			if err == nil && r.Payload == nil {
				err = fmt.Errorf("%s missing", name)
			}
		case elementVersion:
			r.Version, err = numberIn(service, name)
		case elementBroadcast:
			r.LastBroadcastProcessed, err = numberIn(service, name)
		case elementSequence:
			r.MessageSequenceNumber, err = numberIn(service, name)
		}
		if err != nil {
			return nil, err
		}
	}
	return r, nil
}

// peekService returns the name of the third start tag, the service element of
// an envelope, without building a tree.
func peekService(body []byte) ([]byte, error) {
	m := markup{body}
	for started := 0; ; {
		tag, ok, err := m.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, errors.New("no service element")
		}
		switch tag[1] {
		case '!':
			return nil, errDeclaration
		case '?', '/':
		default:
			if started++; started < 3 {
				continue
			}
			if name := tagName(tag); len(name) <= MaxNameSize {
				return name, nil
			}
			return nil, errors.New("service element with an overlong name")
		}
	}
}

func appendPayload(dst []byte, name string, form payloadForm, payload []byte) []byte {
	if form == contentPayload {
		dst = fmt.Appendf(dst, `<%s xsi:type="base64">`, name)
		dst = base64Encoding.AppendEncode(dst, payload)
		return fmt.Appendf(dst, `</%s>`, name)
	}
	dst = fmt.Appendf(dst, `<%s data="`, name)
	dst = base64Encoding.AppendEncode(dst, payload)
	return append(dst, `" xsi:type="binary"/>`...)
}

func appendNumber(dst []byte, name string, n int32) []byte {
	return fmt.Appendf(dst, `<%s xsi:type="xsd:int">%d</%s>`, name, n, name)
}
