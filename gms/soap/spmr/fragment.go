package spmr

import (
	"cmp"
	"fmt"

	"github.com/beevik/etree"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

// Header is what of a message travels in the clear (MS-GRVSPMR 2.2.2.1.2):
//
//	<g:fragment xmlns:g="urn:groove.net">
//	  <Payload ManagementServer="" Method="">
//	    <g:SE>...</g:SE>
//	  </Payload>
//	</g:fragment>
type Header struct {
	ManagementServer string // hostname/gms.dll
	Method           string
}

func (h Header) element() *etree.Element {
	return soap.NewElement(soap.WrapperRelay,
		soap.Attr{Name: "ManagementServer", Value: h.ManagementServer},
		soap.Attr{Name: "Method", Value: h.Method})
}

func decodeHeader(e *etree.Element) (Header, error) {
	if err := present(e, "ManagementServer", "Method"); err != nil {
		return Header{}, err
	}
	a := soap.AttributesOf(e)
	h := Header{ManagementServer: a.Name("ManagementServer"), Method: a.Name("Method")}
	return h, invalid(a.Err())
}

// Secure returns the serialized fragment of an application message or a response
// (MS-GRVSPMR 3.1.2.2).
func Secure(h Header, key keys.SharedKey, payload []byte, reading soap.MACReading) ([]byte, error) {
	secured, err := soap.NewFragment(h.element()).Secure(key, payload, reading)
	if err != nil {
		return nil, fmt.Errorf("spmr: securing %s: %w", h.Method, err)
	}
	return secured, nil
}

// Fragment is a secured message, of which nothing is to be believed before Open
// has succeeded.
type Fragment struct {
	Header
	// IV is that of the secured content. A sender makes a new one for each
	// message (MS-GRVSPMR 3.1.2.2.5), so it tells a message from a copy of it. It
	// is not covered by the MAC: copies with another IV can be made by who knows
	// the key stream of that one.
	IV []byte

	fragment *soap.Fragment
}

// ParseFragment reads a secured message of the method's size. It fails with faults
// 310 and 312.
func ParseFragment(data []byte, limit int) (*Fragment, error) {
	f, err := soap.ParseFragment(data, limit, soap.WrapperRelay)
	if err != nil {
		return nil, invalid(err)
	}
	header, err := decodeHeader(f.Wrapper())
	if err != nil {
		return nil, err
	}
	iv, err := readIV(data, limit)
	return &Fragment{Header: header, IV: iv, fragment: f}, err
}

// readIV reads the IV, which package soap keeps to itself.
func readIV(data []byte, limit int) ([]byte, error) {
	root, err := soap.Parse(data, limit)
	if err != nil {
		return nil, invalid(err)
	}
	enc := root.FindElement("Payload/g:SE/g:Enc")
	if enc == nil {
		return nil, NewFault(CodeMissingInput, fmt.Errorf("SE/Enc missing"))
	}
	if err := present(enc, "EC", "IV"); err != nil {
		return nil, err
	}
	a := soap.AttributesOf(enc)
	iv := a.Base64("IV")
	return iv, invalid(a.Err())
}

// Open returns the payload and the reading of what the MAC covers, with which to
// answer (MS-GRVSPMR 3.1.2.3). It fails with fault 305.
func (f *Fragment) Open(key keys.SharedKey) ([]byte, soap.MACReading, error) {
	payload, reading, err := f.fragment.Open(key, soap.RelayMACs())
	if err != nil {
		return nil, 0, NewFault(CodeDecryption, err)
	}
	return payload, reading, nil
}

// OpenResponse opens the fragment of a response to a message with this header and
// returns its payload.
func OpenResponse(fragment []byte, h Header, key keys.SharedKey) ([]byte, error) {
	f, err := soap.ParseFragment(fragment, MaxResponseSize, soap.WrapperRelay)
	if err != nil {
		return nil, err
	}
	answered, err := decodeHeader(f.Wrapper())
	if err != nil {
		return nil, err
	}
	payload, _, err := f.Open(key, soap.RelayMACs())
	if err != nil {
		return nil, err
	}
	// After opening, so that it is the relay's word (MS-GRVSPMR 3.2.4.2.4).
	if answered != h {
		return nil, fmt.Errorf("spmr: response is of %.40q to %.40q", answered.Method, answered.ManagementServer)
	}
	return payload, nil
}

// Response is the answer to any method but Registration (MS-GRVSPMR 3.1.1.3):
//
//	<method epoch=""/>
type Response struct {
	Method string
	Epoch  int32 // 0: the user database must be built
}

// Encode returns the payload.
func (m *Response) Encode() []byte {
	return soap.Canonical(soap.NewElement(m.Method, soap.Attr{Name: "epoch", Value: soap.FormatInt(m.Epoch)}))
}

// DecodeResponse reads the payload of the response to a method.
func DecodeResponse(payload []byte, method string) (*Response, error) {
	e, err := parse(payload, MaxResponseSize, method)
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	m := &Response{Method: method, Epoch: a.Int("epoch")}
	return m, cmp.Or(present(e, "epoch"), invalid(a.Err()))
}
