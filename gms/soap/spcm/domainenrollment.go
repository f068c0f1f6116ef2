package spcm

import (
	"fmt"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

// DomainEnrollment binds a client's identity to the member that the fragment's
// KeyID names (MS-GRVSPCM 2.2.3.21.1):
//
//	<Payload AccountGuid="" ActivationKeySignature="" Contact="" GrooveVersion=""/>
type DomainEnrollment struct {
	AccountGUID            string
	ActivationKeySignature []byte // see SignActivationKey; nil if absent
	Contact                []byte // for DecodeContact
	GrooveVersion          string // "" if absent
}

// Encode returns the payload.
func (m *DomainEnrollment) Encode() []byte {
	e := soap.NewElement("Payload",
		soap.Attr{Name: "AccountGuid", Value: m.AccountGUID},
		soap.Attr{Name: "Contact", Value: soap.EncodeBase64(m.Contact)})
	if m.ActivationKeySignature != nil {
		e.CreateAttr("ActivationKeySignature", soap.EncodeBase64(m.ActivationKeySignature))
	}
	if m.GrooveVersion != "" {
		e.CreateAttr("GrooveVersion", m.GrooveVersion)
	}
	return soap.Canonical(e)
}

// DecodeDomainEnrollment reads the payload. The schema requires none of the
// attributes; the service cannot do without AccountGuid and Contact, and a
// signature that is not there does not verify.
func DecodeDomainEnrollment(payload []byte) (*DomainEnrollment, error) {
	e, err := soap.ParsePayload(payload, contactRequest, "Payload")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	m := &DomainEnrollment{
		AccountGUID: a.Name("AccountGuid", "AccountGUID"),
		Contact:     a.Base64("Contact"),
	}
	if a.Has("ActivationKeySignature") {
		m.ActivationKeySignature = a.Base64("ActivationKeySignature")
	}
	if a.Has("GrooveVersion") {
		m.GrooveVersion = a.Text("GrooveVersion")
	}
	return m, a.Err()
}

// activationKeyText is what the signature covers (MS-GRVSPCM 3.3.5.2.3).
func activationKeyText(code string) []byte { return keys.UTF16LE("Activation Key: " + code) }

// activationSignatures are the readings of MS-GRVSPCM 3.3.5.2.3 steps 3 and 4,
// which the server's side, 3.2.5.2.3, does not mention (A5, A7): twice hashed,
// as is sent, then once.
func activationSignatures() []soap.SignatureReading {
	return []soap.SignatureReading{{Rounds: 2}, {Rounds: 1}, {Rounds: 2, Bare: true}, {Rounds: 1, Bare: true}}
}

// SignActivationKey returns the ActivationKeySignature for an account
// configuration code, made with the identity's signature key (MS-GRVSPCM
// 3.3.5.2.3).
func SignActivationKey(key *keys.RSAPrivateKey, code string) ([]byte, error) {
	signature, err := key.Sign(keys.Sum(activationSignatures()[0].Rounds, activationKeyText(code)))
	if err != nil {
		return nil, fmt.Errorf("spcm: signing the activation key: %w", err)
	}
	return signature, nil
}

// VerifyActivationKey checks an ActivationKeySignature with the signature key
// of the contact in the request (MS-GRVSPCM 3.2.5.2.3). It fails with fault
// 403.
func VerifyActivationKey(key *keys.RSAPublicKey, code string, signature []byte) error {
	var err error
	for _, r := range activationSignatures() {
		if err = r.Verify(key, signature, activationKeyText(code)); err == nil {
			return nil
		}
	}
	return soap.NewFault(soap.CodeEnrollmentSignature, err)
}

// DomainEnrollmentResponse is the answer to [DomainEnrollment] (MS-GRVSPCM
// 2.2.3.22.1):
//
//	<g:fragment xmlns:g="urn:groove.net">
//	  <DomainEnrollment>
//	    <g:ManagementDomain .../>
//	    <ManagedObjects Count=""><ManagedObject .../>...</ManagedObjects>
//	  </DomainEnrollment>
//	</g:fragment>
type DomainEnrollmentResponse struct {
	Domain  ManagementDomain
	Objects []ManagedObject
}

// Encode returns the payload.
func (m *DomainEnrollmentResponse) Encode() []byte {
	e := soap.NewElement("DomainEnrollment")
	e.AddChild(m.Domain.Element())
	e.AddChild(countedObjects(m.Objects))
	return soap.Canonical(soap.NewFragmentElement(e))
}

// DecodeDomainEnrollmentResponse reads the payload.
func DecodeDomainEnrollmentResponse(payload []byte) (*DomainEnrollmentResponse, error) {
	e, err := soap.ParseFragmentPayload(payload, MaxResponseSize, "DomainEnrollment")
	if err != nil {
		return nil, err
	}
	domain, err := DecodeManagementDomain(e)
	if err != nil {
		return nil, err
	}
	objects, err := decodeCountedObjects(e)
	if err != nil {
		return nil, err
	}
	return &DomainEnrollmentResponse{Domain: *domain, Objects: objects}, nil
}
