package spcm

import (
	"fmt"

	"github.com/beevik/etree"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

// The answers of the audit services are signed with the domain's key
// (MS-GRVSPCM 3.1.4), beside being secured with the account's. What _sig
// covers is not published: it is taken to be SHA-1 of the serialized element
// without it (reading D5).

const signatureAttr = "_sig"

// signAnswer adds the signature and returns the payload.
func signAnswer(e *etree.Element, signer *keys.RSAPrivateKey) ([]byte, error) {
	signature, err := signer.Sign(keys.Sum(1, soap.Canonical(e)))
	if err != nil {
		return nil, fmt.Errorf("signing %s: %w", e.Tag, err)
	}
	e.CreateAttr(signatureAttr, soap.EncodeBase64(signature))
	return soap.Canonical(e), nil
}

// parseAnswer reads a signed answer whose element has one of the names, and
// verifies its signature.
func parseAnswer(payload []byte, domain *keys.RSAPublicKey, names ...string) (*soap.Attributes, error) {
	e, err := soap.ParsePayload(payload, shortRequest, names...)
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	checkServiceVersion(a)
	signature := a.Base64(signatureAttr, "sig")
	if err := a.Err(); err != nil {
		return nil, err
	}
	bare := e.Copy()
	bare.RemoveAttr(signatureAttr)
	bare.RemoveAttr("sig")
	if err := domain.Verify(keys.Sum(1, soap.Canonical(bare)), signature); err != nil {
		return nil, fmt.Errorf("signature of %s: %w", e.Tag, err)
	}
	return a, nil
}

// digest reads a SHA-1 digest.
func digest(a *soap.Attributes, names ...string) (d keys.Digest) {
	b := a.Base64(names...)
	if a.Err() == nil && len(b) != len(d) {
		a.Reject(names[0], "not as long as a digest")
	}
	copy(d[:], b)
	return d
}
