package spcm

import (
	"github.com/beevik/etree"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

// Fixed algorithm names of CSecurity (MS-GRVSPCM 2.2.2.2.6).
const (
	cipherAlgorithm    = "MARC4-BM"
	digestAlgorithm    = "SHA1"
	secretKeyAlgorithm = "ARC4"
)

// CSecurity holds the public keys of a contact (MS-GRVSPCM 2.2.2.2.6):
//
//	<g:CSecurity EPubKey="DER" SPubKey="DER" SelfSignature="">
//	  <g:Algos EncAlgo="ELGAMAL" EncKeyAlgo="DH" SigAlgo="RSA" SigKeyAlgo="RSA"/>
//	  <g:Settings CipherAlgo="MARC4-BM" DigestAlgo="SHA1" Encrypted="1" SKeyAlgo="ARC4"/>
//	</g:CSecurity>
type CSecurity struct {
	Encryption    keys.EncryptionKey
	Signature     *keys.RSAPublicKey
	SelfSignature []byte // any bytes; servers ignore it
}

// Element returns the g:CSecurity element. EncKeyAlgo is always DH, as the
// schema fixes it (reading B3).
func (c *CSecurity) Element() *etree.Element {
	e := soap.NewElement("g:CSecurity",
		soap.Attr{Name: "EPubKey", Value: soap.EncodeBase64(c.Encryption.DER())},
		soap.Attr{Name: "SPubKey", Value: soap.EncodeBase64(c.Signature.DER())},
		soap.Attr{Name: "SelfSignature", Value: soap.EncodeBase64(c.SelfSignature)})
	e.AddChild(soap.NewElement("g:Algos",
		soap.Attr{Name: "EncAlgo", Value: c.Encryption.Algorithm()},
		soap.Attr{Name: "EncKeyAlgo", Value: keys.KeyAlgorithmDH},
		soap.Attr{Name: "SigAlgo", Value: keys.AlgorithmRSA},
		soap.Attr{Name: "SigKeyAlgo", Value: keys.KeyAlgorithmRSA}))
	e.AddChild(soap.NewElement("g:Settings",
		soap.Attr{Name: "CipherAlgo", Value: cipherAlgorithm},
		soap.Attr{Name: "DigestAlgo", Value: digestAlgorithm},
		soap.Attr{Name: "Encrypted", Value: soap.FormatBool(true)},
		soap.Attr{Name: "SKeyAlgo", Value: secretKeyAlgorithm}))
	return e
}

// DecodeCSecurity reads the CSecurity child of parent, checks the names of the
// algorithms and parses the keys. EncKeyAlgo may be RSA beside EncAlgo RSA
// (reading B3).
func DecodeCSecurity(parent *etree.Element) (*CSecurity, error) {
	e, err := soap.RequiredChild(parent, "CSecurity")
	if err != nil {
		return nil, err
	}
	encAlgo, err := decodeAlgorithms(e)
	if err != nil {
		return nil, err
	}
	if err := checkSettings(e); err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	encryption, signature := a.Base64("EPubKey"), a.Base64("SPubKey")
	c := &CSecurity{SelfSignature: a.Base64("SelfSignature")}
	if err := a.Err(); err != nil {
		return nil, err
	}
	if c.Encryption, err = keys.ParseEncryptionKey(encAlgo, encryption); err != nil {
		a.Reject("EPubKey", err.Error())
	}
	if c.Signature, err = keys.ParseRSAPublicKey(signature); err != nil {
		a.Reject("SPubKey", err.Error())
	}
	return c, a.Err()
}

// decodeAlgorithms checks the Algos child and returns EncAlgo.
func decodeAlgorithms(parent *etree.Element) (string, error) {
	e, err := soap.RequiredChild(parent, "Algos")
	if err != nil {
		return "", err
	}
	a := soap.AttributesOf(e)
	encAlgo := a.OneOf("EncAlgo", keys.AlgorithmElGamal, keys.AlgorithmRSA)
	if encAlgo == keys.AlgorithmRSA {
		a.OneOf("EncKeyAlgo", keys.KeyAlgorithmDH, keys.KeyAlgorithmRSA)
	} else {
		a.OneOf("EncKeyAlgo", keys.KeyAlgorithmDH)
	}
	a.OneOf("SigAlgo", keys.AlgorithmRSA)
	a.OneOf("SigKeyAlgo", keys.KeyAlgorithmRSA)
	return encAlgo, a.Err()
}

// checkSettings checks the Settings child, all of whose values are fixed.
func checkSettings(parent *etree.Element) error {
	e, err := soap.RequiredChild(parent, "Settings")
	if err != nil {
		return err
	}
	a := soap.AttributesOf(e)
	a.OneOf("CipherAlgo", cipherAlgorithm)
	a.OneOf("DigestAlgo", digestAlgorithm)
	a.OneOf("Encrypted", "1")
	a.OneOf("SKeyAlgo", secretKeyAlgorithm)
	return a.Err()
}
