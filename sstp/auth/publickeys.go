package auth

import (
	"bytes"
	"fmt"

	"furrow/appliance/keys"
	"furrow/sstp/internal/field"
)

// PublicKeys is the public-key information of a device or an account, in the
// terms of the CreateAccount certificate element ([MS-GRVSPCM] 2.2.3.19.1). Its
// layout is in profile.go.
type PublicKeys struct {
	EncryptionKeyAlgorithm string // EPKAlgo; says nothing, see [keys.ParseEncryptionKey]
	EncryptionKey          []byte // EPubKey, DER
	EncryptionAlgorithm    string // EncAlgo, "RSA" or "ELGAMAL"
	SignatureKeyAlgorithm  string // SPKAlgo, "RSA"
	SignatureKey           []byte // SPubKey, DER
	SignatureAlgorithm     string // SigAlgo, "RSA"
}

// NewPublicKeys describes a pair of keys.
func NewPublicKeys(encryption keys.EncryptionKey, signature *keys.RSAPublicKey) PublicKeys {
	return PublicKeys{
		EncryptionKeyAlgorithm: encryption.KeyAlgorithm(),
		EncryptionKey:          encryption.DER(),
		EncryptionAlgorithm:    encryption.Algorithm(),
		SignatureKeyAlgorithm:  signature.KeyAlgorithm(),
		SignatureKey:           signature.DER(),
		SignatureAlgorithm:     signature.Algorithm(),
	}
}

// Check returns the signature key, or an error if either key is not what its
// algorithm says.
func (p *PublicKeys) Check() (*keys.RSAPublicKey, error) {
	if p.SignatureKeyAlgorithm != keys.KeyAlgorithmRSA || p.SignatureAlgorithm != keys.AlgorithmRSA {
		return nil, fmt.Errorf("auth: signature algorithm %.20q with a key for %.20q, want RSA",
			p.SignatureAlgorithm, p.SignatureKeyAlgorithm)
	}
	if _, err := keys.ParseEncryptionKey(p.EncryptionAlgorithm, p.EncryptionKey); err != nil {
		return nil, fmt.Errorf("auth: public encryption key: %w", err)
	}
	signature, err := keys.ParseRSAPublicKey(p.SignatureKey)
	if err != nil {
		return nil, fmt.Errorf("auth: public signature key: %w", err)
	}
	return signature, nil
}

// Equal reports whether both describe the same keys.
func (p *PublicKeys) Equal(other *PublicKeys) bool {
	return bytes.Equal(p.EncryptionKey, other.EncryptionKey) &&
		p.EncryptionAlgorithm == other.EncryptionAlgorithm &&
		bytes.Equal(p.SignatureKey, other.SignatureKey)
}

// clone returns a copy that shares no memory with a token.
func (p PublicKeys) clone() PublicKeys {
	p.EncryptionKey = bytes.Clone(p.EncryptionKey)
	p.SignatureKey = bytes.Clone(p.SignatureKey)
	return p
}

// seal is the signature at the end of a registration message. It covers every
// octet before it.
type seal struct {
	Signature []byte
	signed    []byte // the octets covered, of a token that was read
}

func (s *seal) layout(c *field.Cursor) {
	if c.Reading() {
		s.signed = c.Sofar()
	}
	c.Blob(&s.Signature)
}

// verify reports whether the token that was read is signed with key.
func (s *seal) verify(key *keys.RSAPublicKey) error {
	return key.Verify(keys.Sum(1, s.signed), s.Signature)
}

// appendSigned appends a token whose signature, at its end, is made with key.
func appendSigned(t Token, s *seal, key *keys.RSAPrivateKey) ([]byte, error) {
	s.Signature = nil
	octets, err := Append(nil, t)
	if err != nil {
		return nil, err
	}
	signed := octets[:len(octets)-field.EmptyBlob]
	if s.Signature, err = key.Sign(keys.Sum(1, signed)); err != nil {
		return nil, fmt.Errorf("auth: signing %v: %w", t.ID(), err)
	}
	return Append(nil, t)
}
