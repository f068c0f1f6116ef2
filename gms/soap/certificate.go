package soap

import (
	"fmt"

	"github.com/beevik/etree"

	"furrow/appliance/keys"
)

// Certificate is the g:Cert element by which an account or a server shows its
// public keys beside the signature made with one of them (MS-GRVSPCM
// 2.2.3.19.1, MS-GRVSPMR 2.2.3.4.1):
//
//	<g:Cert EPKAlgo="DH" EPubKey="DER" EncAlgo="ELGAMAL"
//	        SPKAlgo="RSA" SPubKey="DER" SigAlgo="RSA"/>
type Certificate struct {
	Encryption keys.EncryptionKey
	Signature  *keys.RSAPublicKey
}

// Element returns the g:Cert element.
func (c *Certificate) Element() *etree.Element {
	return NewElement("g:Cert",
		Attr{"EPKAlgo", c.Encryption.KeyAlgorithm()},
		Attr{"EPubKey", EncodeBase64(c.Encryption.DER())},
		Attr{"EncAlgo", c.Encryption.Algorithm()},
		Attr{"SPKAlgo", keys.AlgorithmRSA},
		Attr{"SPubKey", EncodeBase64(c.Signature.DER())},
		Attr{"SigAlgo", keys.AlgorithmRSA})
}

// DecodeCertificate reads the g:Cert child of a fragment's security element and
// parses its keys. It fails with fault 204.
//
// MS-GRVSPCM 3.2.5.2.2.2 pairs ELGAMAL with DH and RSA with RSA, while the
// schema fixes the key algorithm to DH: beside RSA either is accepted (reading
// B3), beside ELGAMAL only DH.
func DecodeCertificate(security *etree.Element) (*Certificate, error) {
	e, err := RequiredChild(security, "Cert")
	if err != nil {
		return nil, err
	}
	a := AttributesOf(e)
	keyAlgorithm := a.OneOf("EPKAlgo", keys.KeyAlgorithmDH, keys.KeyAlgorithmRSA)
	algorithm := a.OneOf("EncAlgo", keys.AlgorithmElGamal, keys.AlgorithmRSA)
	if algorithm == keys.AlgorithmElGamal && keyAlgorithm == keys.KeyAlgorithmRSA {
		a.Reject("EPKAlgo", "RSA beside ELGAMAL")
	}
	a.OneOf("SPKAlgo", keys.AlgorithmRSA)
	a.OneOf("SigAlgo", keys.AlgorithmRSA)
	encryption, signature := a.Base64("EPubKey"), a.Base64("SPubKey")
	if err := a.Err(); err != nil {
		return nil, err
	}
	c := &Certificate{}
	if c.Encryption, err = keys.ParseEncryptionKey(algorithm, encryption); err != nil {
		return nil, invalidParameter("Cert/@EPubKey", fmt.Errorf("reading encryption key: %w", err))
	}
	if c.Signature, err = keys.ParseRSAPublicKey(signature); err != nil {
		return nil, invalidParameter("Cert/@SPubKey", fmt.Errorf("reading signature key: %w", err))
	}
	return c, nil
}
