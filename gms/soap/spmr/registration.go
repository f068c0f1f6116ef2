package spmr

import (
	"errors"
	"fmt"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

// Registration gives a relay the key that a management server shares with it
// (MS-GRVSPMR 2.2.3.4.1, 3.2.4.1.1). The fragment is signed:
//
//	<g:fragment xmlns:g="urn:groove.net">
//	  <Payload ManagementServer="" Method="Registration">
//	    <g:SE EncryptedKey="">
//	      <g:Cert EPKAlgo="RSA" EPubKey="" EncAlgo="RSA" SPKAlgo="RSA" SPubKey="" SigAlgo="RSA"/>
//	      <g:Enc EC="" IV=""/>
//	      <g:Auth Sig=""/>
//	    </g:SE>
//	  </Payload>
//	</g:fragment>
//
// The encrypted content is an empty Payload element.
type Registration struct {
	ManagementServer string
	EncryptedKey     []byte // to the relay's encryption key
	Certificate      soap.Certificate

	fragment *soap.Fragment
}

// SealRegistration returns the fragment that registers the management server of
// this name and these keys with the relay whose encryption key is given
// (MS-GRVSPMR 3.3.4.1.1.1 to 3.3.4.1.1.8).
func SealRegistration(name string, own *keys.KeySet, relay keys.EncryptionKey, key keys.SharedKey) ([]byte, error) {
	encrypted, err := relay.Encrypt(key.Bytes())
	if err != nil {
		return nil, fmt.Errorf("spmr: Registration of %s: %w", name, err)
	}
	f := soap.NewFragment(Header{name, MethodRegistration}.element(),
		soap.Attr{Name: "EncryptedKey", Value: soap.EncodeBase64(encrypted)})
	certificate := certificateOf(own)
	f.Security().AddChild(certificate.Element())
	payload := soap.Canonical(soap.NewElement("Payload"))
	if err := f.Encrypt(key, payload); err != nil {
		return nil, fmt.Errorf("spmr: Registration of %s: %w", name, err)
	}
	signed, err := f.Sign(own.Signature, soap.RegistrationSignatures()[0].Rounds, payload)
	if err != nil {
		return nil, fmt.Errorf("spmr: Registration of %s: %w", name, err)
	}
	return signed, nil
}

// DecodeRegistration reads the fragment (MS-GRVSPMR 3.2.4.1.3.1, 3.2.4.1.3.2). It
// verifies nothing. It fails with faults 310 and 312.
func DecodeRegistration(fragment []byte) (*Registration, error) {
	f, err := soap.ParseFragment(fragment, shortRequest, soap.WrapperRelay)
	if err != nil {
		return nil, invalid(err)
	}
	header, err := decodeHeader(f.Wrapper())
	if err != nil {
		return nil, err
	}
	if header.Method != MethodRegistration {
		return nil, NewFault(CodeMethod, errors.New("fragment names another method"))
	}
	if err := present(f.Security(), "EncryptedKey"); err != nil {
		return nil, err
	}
	a := soap.AttributesOf(f.Security())
	m := &Registration{ManagementServer: header.ManagementServer, EncryptedKey: a.Base64("EncryptedKey"), fragment: f}
	if err := a.Err(); err != nil {
		return nil, invalid(err)
	}
	certificate, err := decodeCertificate(f)
	if err != nil {
		return nil, err
	}
	m.Certificate = *certificate
	return m, nil
}

// decodeCertificate narrows what soap.DecodeCertificate takes: every algorithm is
// RSA here.
func decodeCertificate(f *soap.Fragment) (*soap.Certificate, error) {
	e, err := soap.Child(f.Security(), "Cert")
	if err != nil {
		return nil, invalid(err)
	}
	if e == nil {
		return nil, NewFault(CodeMissingInput, errors.New("SE/Cert missing"))
	}
	if err := present(e, "EPKAlgo", "EPubKey", "EncAlgo", "SPKAlgo", "SPubKey", "SigAlgo"); err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	a.OneOf("EPKAlgo", keys.KeyAlgorithmRSA)
	a.OneOf("EncAlgo", keys.AlgorithmRSA)
	if err := a.Err(); err != nil {
		return nil, invalid(err)
	}
	certificate, err := soap.DecodeCertificate(f.Security())
	return certificate, invalid(err)
}

// Verify verifies the signature and the content under the key that EncryptedKey
// holds (MS-GRVSPMR 3.2.4.1.3.6 to 3.2.4.1.3.8). That the certificate is the
// right one is for the caller. It fails with fault 305.
func (m *Registration) Verify(key keys.SharedKey) error {
	payload, err := m.fragment.Decrypt(key)
	if err != nil {
		return NewFault(CodeDecryption, err)
	}
	if _, err := m.fragment.VerifySignature(m.Certificate.Signature, soap.RegistrationSignatures(), payload); err != nil {
		return NewFault(CodeDecryption, err)
	}
	_, err = parse(payload, shortRequest, "Payload")
	return err
}

// registered is the text of a Registration that succeeded (MS-GRVSPMR 3.2.4.1.2).
const registered = "Success Registration."

// RegistrationResponse is the answer to [Registration] (MS-GRVSPMR 2.2.3.5.1):
//
//	<Registration epoch="">
//	  <Registration ErrorMessage="Success Registration." Status="0"/>
//	</Registration>
type RegistrationResponse struct {
	Epoch int32 // 0: the user database must be built
}

// Encode returns the payload.
func (m *RegistrationResponse) Encode() []byte {
	e := soap.NewElement("Registration", soap.Attr{Name: "epoch", Value: soap.FormatInt(m.Epoch)})
	e.AddChild(soap.NewElement("Registration",
		soap.Attr{Name: "ErrorMessage", Value: registered},
		soap.Attr{Name: "Status", Value: "0"}))
	return soap.Canonical(e)
}

// DecodeRegistrationResponse reads the payload. A status other than 0 is an error
// that says what the relay said.
func DecodeRegistrationResponse(payload []byte) (*RegistrationResponse, error) {
	e, err := parse(payload, MaxResponseSize, "Registration")
	if err != nil {
		return nil, err
	}
	inner, err := only(e, "Registration")
	if err != nil {
		return nil, err
	}
	a, status := soap.AttributesOf(e), soap.AttributesOf(inner)
	m := &RegistrationResponse{Epoch: a.Int("epoch")}
	message, code := status.Text("ErrorMessage"), status.Int("Status")
	if err := errors.Join(a.Err(), status.Err()); err != nil {
		return nil, invalid(err)
	}
	if code != 0 {
		return nil, fmt.Errorf("spmr: relay answers Registration with status %d, %q", code, message)
	}
	return m, nil
}
