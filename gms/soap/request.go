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
	name, err := ServiceName(body)
	if err != nil {
		return nil, err
	}
	known, ok := rule(name)
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

// ServiceName returns the name of the service element of a request, the third
// start tag, without building a tree. The start of the body suffices, as long
// as that tag is whole. It fails with fault 105.
func ServiceName(body []byte) (string, error) {
	m := markup{data: body}
	for started := 0; ; {
		_, tag, err := m.next()
		if err != nil {
			return "", NewFault(CodeMalformed, err)
		}
		if tag.start == tag.end {
			return "", NewFault(CodeMalformed, errors.New("no service element"))
		}
		if c := body[tag.start+1]; c == '?' || c == '/' {
			continue
		}
		if started++; started < 3 {
			continue
		}
		name := tagName(body[tag.start:tag.end])
		if len(name) > MaxNameSize {
			return "", NewFault(CodeMalformed, errors.New("service element with an overlong name"))
		}
		return string(name), nil
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
