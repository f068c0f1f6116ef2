package keys

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"
)

// keySetVersion is the version in the encoding of a KeySet.
const keySetVersion = 1

// KeySet is the two private RSA keys behind a [Certificate]: what a management
// domain (MS-GRVSPCM 3.2.1), a relay (MS-GRVSPMR 3.2.3) or a management server
// towards a relay (MS-GRVSPMR 3.3.3) has. It prints redacted.
type KeySet struct {
	redacted
	Signature  *RSAPrivateKey
	Encryption *RSAPrivateKey
}

// GenerateKeySet makes two new keys; see [GenerateRSAKey]. It takes part of a
// second, on a small machine some seconds.
func GenerateKeySet() (*KeySet, error) {
	signature, err := GenerateRSAKey()
	if err != nil {
		return nil, err
	}
	encryption, err := GenerateRSAKey()
	if err != nil {
		return nil, err
	}
	return &KeySet{Signature: signature, Encryption: encryption}, nil
}

// keySetDER is SEQUENCE { version, signature key, encryption key }, the keys
// in PKCS #8 form.
type keySetDER struct {
	Version    int
	Signature  []byte
	Encryption []byte
}

// Marshal returns both keys in one piece, to be sealed.
func (s *KeySet) Marshal() ([]byte, error) {
	signature, err := s.Signature.Marshal()
	if err != nil {
		return nil, err
	}
	encryption, err := s.Encryption.Marshal()
	if err != nil {
		return nil, err
	}
	der, err := asn1.Marshal(keySetDER{keySetVersion, signature, encryption})
	if err != nil {
		return nil, fmt.Errorf("encoding key set: %w", err)
	}
	return der, nil
}

// ParseKeySet reads what [KeySet.Marshal] wrote.
func ParseKeySet(der []byte) (*KeySet, error) {
	if limit := 2*maxPrivateDER + 32; len(der) > limit {
		return nil, fmt.Errorf("key set of %d bytes, at most %d are read", len(der), limit)
	}
	var parsed keySetDER
	rest, err := asn1.Unmarshal(der, &parsed)
	if err != nil {
		return nil, fmt.Errorf("parsing key set: %w", err)
	}
	if len(rest) > 0 {
		return nil, errors.New("key set has something behind it")
	}
	if parsed.Version != keySetVersion {
		return nil, fmt.Errorf("key set of version %d, want %d", parsed.Version, keySetVersion)
	}
	signature, err := ParseRSAPrivateKey(parsed.Signature)
	if err != nil {
		return nil, fmt.Errorf("signature key of key set: %w", err)
	}
	encryption, err := ParseRSAPrivateKey(parsed.Encryption)
	if err != nil {
		return nil, fmt.Errorf("encryption key of key set: %w", err)
	}
	return &KeySet{Signature: signature, Encryption: encryption}, nil
}

// Matches reports whether the certificate is of these keys.
func (s *KeySet) Matches(c *Certificate) bool {
	return s.Signature.pub.Equal(c.signature) &&
		bytes.Equal(s.Encryption.pub.DER(), c.encryption.DER())
}
