package auditlog

import (
	"fmt"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

// maxToken bounds a serialized token, in bytes.
const maxToken = 8 << 10

// SealToken returns the token of a file with this hash (MS-GRVSPCM 2.2.3.30.1):
//
//	<TK _body="" _iv="" _key="" _mac=""/>
//
// It is built like a BH, and its body, which is not published, is
//
//	<File _ha=""/>
func SealToken(domain keys.EncryptionKey, hash keys.Digest) ([]byte, error) {
	key, err := NewKey()
	if err != nil {
		return nil, fmt.Errorf("making a token's key: %w", err)
	}
	sealed, err := domain.Encrypt(key.Bytes())
	if err != nil {
		return nil, fmt.Errorf("encrypting a token's key to the domain: %w", err)
	}
	e := soap.NewElement("TK", soap.Attr{Name: attrKey, Value: soap.EncodeBase64(sealed)})
	body := soap.Canonical(soap.NewElement("File", soap.Attr{Name: "_ha", Value: soap.EncodeBase64(hash[:])}))
	if err := sealElement(e, key, body); err != nil {
		return nil, fmt.Errorf("sealing a token: %w", err)
	}
	return soap.Canonical(e), nil
}

// OpenToken returns the hash in a token, false if it is a token of another
// making. It fails with fault 204 for what is no token.
func OpenToken(domain *keys.RSAPrivateKey, token []byte) (hash keys.Digest, ok bool, err error) {
	e, err := soap.ParsePayload(token, maxToken, "TK")
	if err != nil {
		return hash, false, err
	}
	a := soap.AttributesOf(e)
	a.Base64(attrBody, "body")
	a.Base64(attrIV)
	a.Base64(attrKey)
	a.Base64(attrMAC)
	if err := a.Err(); err != nil {
		return hash, false, err
	}
	body, ok := openWith(e, sessionKey(e, domain))
	if !ok {
		return hash, false, nil
	}
	file, err := soap.ParsePayload(body, maxToken, "File")
	if err != nil {
		return hash, false, nil // sealed well, but of another making
	}
	b := soap.AttributesOf(file).Base64("_ha")
	if len(b) != len(hash) {
		return hash, false, nil
	}
	copy(hash[:], b)
	return hash, true, nil
}
