package spcm

import "furrow/gms/soap"

// KeyActivation asks for what a member needs to join a domain (MS-GRVSPCM
// 2.2.3.36.1). The fragment's KeyID names the member.
//
//	<Payload GrooveVersion=""/>
type KeyActivation struct {
	GrooveVersion string // "" if absent
}

// Encode returns the payload.
func (m *KeyActivation) Encode() []byte {
	e := soap.NewElement("Payload")
	if m.GrooveVersion != "" {
		e.CreateAttr("GrooveVersion", m.GrooveVersion)
	}
	return soap.Canonical(e)
}

// DecodeKeyActivation reads the payload.
func DecodeKeyActivation(payload []byte) (*KeyActivation, error) {
	e, err := soap.ParsePayload(payload, shortRequest, "Payload")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	m := &KeyActivation{}
	if a.Has("GrooveVersion") {
		m.GrooveVersion = a.Text("GrooveVersion")
	}
	return m, a.Err()
}

// KeyActivationResponse is the answer to [KeyActivation] (MS-GRVSPCM
// 2.2.3.37.1, 2.2.2.2.1):
//
//	<g:fragment xmlns:g="urn:groove.net">
//	  <KeyActivation ActivationKey="" ServerURL="">
//	    <g:ManagementDomain .../>
//	    <ManagedObjects Count=""><ManagedObject .../>...</ManagedObjects>
//	  </KeyActivation>
//	</g:fragment>
type KeyActivationResponse struct {
	ActivationKey string // the account configuration code
	ServerURL     string
	Domain        ManagementDomain
	Objects       []ManagedObject
}

// Encode returns the payload.
func (m *KeyActivationResponse) Encode() []byte {
	e := soap.NewElement("KeyActivation",
		soap.Attr{Name: "ActivationKey", Value: m.ActivationKey},
		soap.Attr{Name: "ServerURL", Value: m.ServerURL})
	e.AddChild(m.Domain.Element())
	e.AddChild(countedObjects(m.Objects))
	return soap.Canonical(soap.NewFragmentElement(e))
}

// DecodeKeyActivationResponse reads the payload.
func DecodeKeyActivationResponse(payload []byte) (*KeyActivationResponse, error) {
	e, err := soap.ParseFragmentPayload(payload, MaxResponseSize, "KeyActivation")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	m := &KeyActivationResponse{ActivationKey: a.Name("ActivationKey"), ServerURL: a.Name("ServerURL")}
	if err := a.Err(); err != nil {
		return nil, err
	}
	domain, err := DecodeManagementDomain(e)
	if err != nil {
		return nil, err
	}
	m.Domain = *domain
	if m.Objects, err = decodeCountedObjects(e); err != nil {
		return nil, err
	}
	return m, nil
}
