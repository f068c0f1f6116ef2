package keys

import "fmt"

// Names of encryption algorithms and of the keys they use, as they stand in
// attributes EncAlgo and EPKAlgo or EncKeyAlgo (MS-GRVSPCM 3.2.5.2.2.2) and in
// certificates (MS-GRVSPCM 3.1.3).
const (
	AlgorithmRSA     = "RSA"
	AlgorithmElGamal = "ELGAMAL"
	KeyAlgorithmRSA  = "RSA"
	KeyAlgorithmDH   = "DH"
)

// EncryptionKey is a public key to encrypt short secrets to: [*RSAPublicKey]
// or [*ElGamalPublicKey].
type EncryptionKey interface {
	// Algorithm returns AlgorithmRSA or AlgorithmElGamal.
	Algorithm() string
	// KeyAlgorithm returns KeyAlgorithmRSA or KeyAlgorithmDH.
	KeyAlgorithm() string
	// DER returns the key in its form of MS-GRVSPCM 3.1.2.
	DER() []byte
	// Hash returns the SHA-1 digest of DER.
	Hash() Digest
	// Encrypt encrypts a plaintext at least 11 bytes shorter than the modulus.
	Encrypt(plaintext []byte) ([]byte, error)
}

// DecryptionKey is the private half of an [EncryptionKey]: [*RSAPrivateKey] or
// [*ElGamalPrivateKey].
type DecryptionKey interface {
	// EncryptionKey returns the public half.
	EncryptionKey() EncryptionKey
	// Decrypt opens what the Encrypt method of the public half made. It tells
	// right padding from wrong, so it must not answer an unauthenticated peer.
	Decrypt(ciphertext []byte) ([]byte, error)
	// Marshal returns the private key in PKCS #8 form, to be sealed.
	Marshal() ([]byte, error)
}

// ParseEncryptionKey reads the DER form of MS-GRVSPCM 3.1.2 that belongs to
// the named encryption algorithm. The name of the key algorithm is not asked
// for: the published schemas fix it to DH even beside RSA (MS-GRVSPCM
// 2.2.2.2.6), so it says nothing.
func ParseEncryptionKey(algorithm string, der []byte) (EncryptionKey, error) {
	switch algorithm {
	case AlgorithmRSA:
		return parsedKey(ParseRSAPublicKey(der))
	case AlgorithmElGamal:
		return parsedKey(ParseElGamalPublicKey(der))
	default:
		return nil, fmt.Errorf("unknown encryption algorithm %q", algorithm)
	}
}

// parsedKey keeps a nil pointer from becoming a non-nil interface.
func parsedKey[K EncryptionKey](k K, err error) (EncryptionKey, error) {
	if err != nil {
		return nil, err
	}
	return k, nil
}
