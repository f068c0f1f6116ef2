package spcm

import "furrow/gms/soap"

// IdentityPublish puts an identity's vCard into the domain's contact directory
// (MS-GRVSPCM 2.2.3.34.1). The answer is a return code. The section has
// contacts unpublished too but gives no form for it; an empty vCard is the one
// that the schema leaves.
//
//	<g:fragment xmlns:g="urn:groove.net"><g:vCard Data=""/></g:fragment>
type IdentityPublish struct {
	VCard []byte // nil to withdraw it
}

// Encode returns the payload.
func (m *IdentityPublish) Encode() []byte {
	return soap.Canonical(soap.NewFragmentElement(
		soap.NewElement("g:vCard", soap.Attr{Name: "Data", Value: soap.EncodeBase64(m.VCard)})))
}

// DecodeIdentityPublish reads the payload.
func DecodeIdentityPublish(payload []byte) (*IdentityPublish, error) {
	e, err := parseWrapped(payload, contactRequest, "vCard")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	m := &IdentityPublish{VCard: a.Base64("Data", "data")} // reading B17
	if len(m.VCard) > MaxContact {
		a.Reject("Data", "too long")
	}
	return m, a.Err()
}
