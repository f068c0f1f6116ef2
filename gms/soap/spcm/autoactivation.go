package spcm

import "furrow/gms/soap"

// AutoActivation asks for the account configuration code of the person who is
// authenticated by HTTP (MS-GRVSPCM 2.2.3.11.1).
//
//	<AutoActivationRequest AccountGUID=""/>
type AutoActivation struct {
	AccountGUID string
}

// Encode returns the payload.
func (m *AutoActivation) Encode() []byte {
	return soap.Canonical(soap.NewElement("AutoActivationRequest", soap.Attr{Name: "AccountGUID", Value: m.AccountGUID}))
}

// DecodeAutoActivation reads the payload.
func DecodeAutoActivation(payload []byte) (*AutoActivation, error) {
	e, err := soap.ParsePayload(payload, shortRequest, "AutoActivationRequest")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	return &AutoActivation{AccountGUID: a.Name("AccountGUID")}, a.Err()
}

// AutoActivationResponse is the answer to [AutoActivation] (MS-GRVSPCM
// 2.2.3.12.1), one message in another (reading E4):
//
//	<ReturnPayload data="serialized KeyActivation"/>
//	<KeyActivation ActivationKey=""/>
type AutoActivationResponse struct {
	ActivationKey string // the account configuration code
}

// Encode returns the payload.
func (m *AutoActivationResponse) Encode() []byte {
	inner := soap.Canonical(soap.NewElement("KeyActivation", soap.Attr{Name: "ActivationKey", Value: m.ActivationKey}))
	return soap.Canonical(soap.NewElement("ReturnPayload", soap.Attr{Name: "data", Value: soap.EncodeBase64(inner)}))
}

// DecodeAutoActivationResponse reads the payload. The text calls the inner
// message "a XML fragment" and its schema has no fragment around it; both are
// taken.
func DecodeAutoActivationResponse(payload []byte) (*AutoActivationResponse, error) {
	e, err := soap.ParsePayload(payload, shortRequest, "ReturnPayload")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	inner := a.Base64("data")
	if err := a.Err(); err != nil {
		return nil, err
	}
	e, err = soap.ParsePayload(inner, shortRequest)
	if err == nil && soap.Is(e, "fragment") {
		e, err = soap.ParseFragmentPayload(inner, shortRequest, "KeyActivation")
	} else if err == nil && !soap.Is(e, "KeyActivation") {
		err = soap.InvalidParameter("KeyActivation", "another root element")
	}
	if err != nil {
		return nil, err
	}
	a = soap.AttributesOf(e)
	return &AutoActivationResponse{ActivationKey: a.Name("ActivationKey")}, a.Err()
}
