package spcm

import "furrow/gms/soap"

// Enrollment has a contact signed again, after fault 210 (MS-GRVSPCM
// 2.2.3.25.1). The answer is a return code.
//
//	<Payload Contact=""/>
type Enrollment struct {
	Contact []byte // for DecodeContact
}

// Encode returns the payload.
func (m *Enrollment) Encode() []byte {
	return soap.Canonical(soap.NewElement("Payload", soap.Attr{Name: "Contact", Value: soap.EncodeBase64(m.Contact)}))
}

// DecodeEnrollment reads the payload.
func DecodeEnrollment(payload []byte) (*Enrollment, error) {
	e, err := soap.ParsePayload(payload, contactRequest, "Payload")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	return &Enrollment{Contact: a.Base64("Contact")}, a.Err()
}
