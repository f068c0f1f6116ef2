package keys

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
)

const (
	// MinRSABits and MaxRSABits bound the modulus of RSA keys that are
	// accepted. Below 1024 bits crypto/rsa refuses to work; above 8192 bits a
	// peer's key would be a way to make us compute.
	MinRSABits = 1024
	MaxRSABits = 8192

	// maxKeyDER bounds any DER public key, in bytes: enough for the three
	// numbers of the largest ElGamal key and for the largest RSA key.
	maxKeyDER = 4 << 10
)

// RSAPublicKey is a public key for signatures or for encryption. It is
// immutable and safe for concurrent use.
type RSAPublicKey struct {
	key *rsa.PublicKey
}

// ParseRSAPublicKey reads SEQUENCE { n, e } (MS-GRVSPCM 3.1.2). Any odd public
// exponent from 3 to 2^31-1 is accepted. It fails if the encoding is not DER,
// if something follows it, or if the modulus is even or has not [MinRSABits]
// to [MaxRSABits].
func ParseRSAPublicKey(der []byte) (*RSAPublicKey, error) {
	if len(der) > maxKeyDER {
		return nil, fmt.Errorf("RSA public key of %d bytes, at most %d are read", len(der), maxKeyDER)
	}
	key, err := x509.ParsePKCS1PublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("parsing RSA public key: %w", err)
	}
	pub, err := newRSAPublicKey(key)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(der, pub.DER()) {
		return nil, errors.New("RSA public key is not in DER")
	}
	return pub, nil
}

func newRSAPublicKey(key *rsa.PublicKey) (*RSAPublicKey, error) {
	if bits := key.N.BitLen(); bits < MinRSABits || bits > MaxRSABits {
		return nil, fmt.Errorf("RSA modulus of %d bits, want %d to %d", bits, MinRSABits, MaxRSABits)
	}
	if key.N.Bit(0) == 0 {
		return nil, errors.New("RSA modulus is even")
	}
	if key.E < 3 || key.E&1 == 0 {
		return nil, fmt.Errorf("RSA public exponent %d", key.E)
	}
	return &RSAPublicKey{key}, nil
}

// Algorithm returns [AlgorithmRSA].
func (*RSAPublicKey) Algorithm() string { return AlgorithmRSA }

// KeyAlgorithm returns [KeyAlgorithmRSA].
func (*RSAPublicKey) KeyAlgorithm() string { return KeyAlgorithmRSA }

// DER returns SEQUENCE { n, e } (MS-GRVSPCM 3.1.2).
func (k *RSAPublicKey) DER() []byte { return x509.MarshalPKCS1PublicKey(k.key) }

// Hash returns the SHA-1 digest of DER: what the protocols call SignerKeyHash,
// CertificatePublicKeyHash and the like. It is not the "Key Id Hash" of
// certificate tools, which covers the SubjectPublicKeyInfo.
func (k *RSAPublicKey) Hash() Digest { return Sum(1, k.DER()) }

// Equal reports whether both are the same key.
func (k *RSAPublicKey) Equal(other *RSAPublicKey) bool { return k.key.Equal(other.key) }

// Verify checks an RSASSA-PKCS1-v1_5 signature over the SHA-1 DigestInfo of d.
func (k *RSAPublicKey) Verify(d Digest, signature []byte) error {
	if err := rsa.VerifyPKCS1v15(k.key, crypto.SHA1, d[:], signature); err != nil {
		return fmt.Errorf("verifying RSA signature: %w", err)
	}
	return nil
}

// VerifyBare checks a signature over the padded digest without a DigestInfo
// around it, which "RSA as in PKCS1" could also be read to mean. To accept it
// beside [RSAPublicKey.Verify] lets in nobody new: the padding is as strict,
// only the holder of the private key can make either, and the one digest
// algorithm of the protocols leaves nothing to confuse.
func (k *RSAPublicKey) VerifyBare(d Digest, signature []byte) error {
	if err := rsa.VerifyPKCS1v15(k.key, crypto.Hash(0), d[:], signature); err != nil {
		return fmt.Errorf("verifying bare RSA signature: %w", err)
	}
	return nil
}

// Encrypt encrypts with RSAES-PKCS1-v1_5. OAEP is not offered, nor tried when
// decrypting: to fall back to it would tell by its time that the first padding
// was wrong.
func (k *RSAPublicKey) Encrypt(plaintext []byte) ([]byte, error) {
	//lint:ignore SA1019 MS-GRVSPCM 3.3.5.2.2.3 demands PKCS #1 encryption
	ciphertext, err := rsa.EncryptPKCS1v15(rand.Reader, k.key, plaintext)
	if err != nil {
		return nil, fmt.Errorf("encrypting %d bytes with RSA: %w", len(plaintext), err)
	}
	return ciphertext, nil
}
