package spcm

import (
	"fmt"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

// CreateAccount registers an account and its key with a domain (MS-GRVSPCM
// 2.2.3.19.1). It has no secured content; the fragment is signed with the key
// that it shows.
//
//	<g:fragment xmlns:g="urn:groove.net">
//	  <Event DomainGUID="" Encrypted="1" GUID="" IsDeviceAccount="" created="">
//	    <g:SE CSMKey="">
//	      <g:Cert .../>
//	      <g:Auth Sig=""/>
//	    </g:SE>
//	  </Event>
//	</g:fragment>
type CreateAccount struct {
	DomainGUID      string
	GUID            string // of the account
	IsDeviceAccount bool
	Created         int32  // seconds since 1970, UTC
	EncryptedKey    []byte // CSMKey: the account's key, encrypted to the domain
	Certificate     soap.Certificate
}

// Encode returns the fragment signed with the account's signature key, which
// must be the one in the certificate.
func (m *CreateAccount) Encode(signer *keys.RSAPrivateKey) ([]byte, error) {
	event := soap.NewElement(soap.WrapperEvent,
		soap.Attr{Name: "DomainGUID", Value: m.DomainGUID},
		soap.Attr{Name: "Encrypted", Value: soap.FormatBool(true)},
		soap.Attr{Name: "GUID", Value: m.GUID},
		soap.Attr{Name: "IsDeviceAccount", Value: soap.FormatBool(m.IsDeviceAccount)},
		soap.Attr{Name: "created", Value: soap.FormatInt(m.Created)})
	f := soap.NewFragment(event, soap.Attr{Name: "CSMKey", Value: soap.EncodeBase64(m.EncryptedKey)})
	f.Security().AddChild(m.Certificate.Element())
	signed, err := f.Sign(signer, soap.CreateAccountSignatures()[0].Rounds)
	if err != nil {
		return nil, fmt.Errorf("spcm: CreateAccount of %s: %w", m.GUID, err)
	}
	return signed, nil
}

// DecodeCreateAccount reads the fragment and verifies its signature. It fails
// with fault 105 for what is no XML, 204 for what is missing or invalid, 205 if
// the signature does not verify. Encrypted must be 1 (MS-GRVSPCM
// 3.3.5.2.2.1).
func DecodeCreateAccount(fragment []byte) (*CreateAccount, error) {
	f, err := soap.ParseFragment(fragment, keyRequest, soap.WrapperEvent)
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(f.Wrapper())
	m := &CreateAccount{
		DomainGUID:      a.Name("DomainGUID", "DomainGuid"),
		GUID:            a.Name("GUID"),
		IsDeviceAccount: a.Bool("IsDeviceAccount"),
		Created:         a.Int("created"),
	}
	a.OneOf("Encrypted", "1")
	if err := a.Err(); err != nil {
		return nil, err
	}
	a = soap.AttributesOf(f.Security())
	m.EncryptedKey = a.Base64("CSMKey")
	if len(m.EncryptedKey) == 0 {
		a.Reject("CSMKey", "empty") // MS-GRVSPCM 3.2.5.2.2
	}
	if err := a.Err(); err != nil {
		return nil, err
	}
	certificate, err := soap.DecodeCertificate(f.Security())
	if err != nil {
		return nil, err
	}
	m.Certificate = *certificate
	if _, err := f.VerifySignature(m.Certificate.Signature, soap.CreateAccountSignatures()); err != nil {
		return nil, err
	}
	return m, nil
}
