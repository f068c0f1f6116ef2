package keys

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
)

const (
	// rsaBits is the size of the keys we make (MS-GRVSPCM 3.1.3).
	rsaBits = 2048

	// rsaExponent is the public exponent of the keys we make. All four keys
	// in the published sample certificates have it (MS-GRVSPCM 3.1.3,
	// MS-GRVSPMR 3.2.3.1.2), and it makes the key extension 0x10c bytes long
	// as there; whether every Groove client reads another is not known.
	rsaExponent = 17

	// maxPrivateDER bounds a PKCS #8 private key, in bytes; one of MaxRSABits
	// has less than five.
	maxPrivateDER = 8 << 10
)

// RSAPrivateKey is the private half of an [RSAPublicKey]. It is immutable and
// safe for concurrent use. It prints redacted.
type RSAPrivateKey struct {
	redacted
	key hidden[*rsa.PrivateKey]
	pub *RSAPublicKey
}

// GenerateRSAKey makes a key of 2048 bits with public exponent 17.
//
// crypto/rsa makes keys with exponent 65537 only, so the primes are drawn here
// and crypto/rsa checks the result.
func GenerateRSAKey() (*RSAPrivateKey, error) {
	p, err := rsaPrime()
	if err != nil {
		return nil, err
	}
	q, err := rsaPrime()
	if err != nil {
		return nil, err
	}
	key, err := rsaFromPrimes(p, q)
	if err != nil {
		return nil, err
	}
	return newRSAPrivateKey(key)
}

// rsaPrime draws a prime p of half the modulus' size whose p-1 has no factor
// in common with the public exponent. The two highest bits of p are set, so
// the product of two has exactly rsaBits.
func rsaPrime() (*big.Int, error) {
	exponent := big.NewInt(rsaExponent)
	for {
		p, err := rand.Prime(rand.Reader, rsaBits/2)
		if err != nil {
			return nil, fmt.Errorf("drawing an RSA prime: %w", err)
		}
		// The exponent is prime, so sharing a factor is being divided by it.
		if new(big.Int).Mod(p, exponent).Int64() != 1 {
			return p, nil
		}
	}
}

func rsaFromPrimes(p, q *big.Int) (*rsa.PrivateKey, error) {
	one := big.NewInt(1)
	p1, q1 := new(big.Int).Sub(p, one), new(big.Int).Sub(q, one)
	lambda := new(big.Int).Mul(p1, q1)
	lambda.Div(lambda, new(big.Int).GCD(nil, nil, p1, q1))
	d := new(big.Int).ModInverse(big.NewInt(rsaExponent), lambda)
	if d == nil {
		return nil, errors.New("RSA public exponent has no inverse")
	}
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: rsaExponent},
		D:         d,
		Primes:    []*big.Int{p, q},
	}
	key.Precompute()
	if err := key.Validate(); err != nil {
		return nil, fmt.Errorf("checking a new RSA key: %w", err)
	}
	return key, nil
}

// ParseRSAPrivateKey reads what [RSAPrivateKey.Marshal] wrote.
func ParseRSAPrivateKey(der []byte) (*RSAPrivateKey, error) {
	if len(der) > maxPrivateDER {
		return nil, fmt.Errorf("private key of %d bytes, at most %d are read", len(der), maxPrivateDER)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("parsing RSA private key: %w", err)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("private key is a %T, want RSA", parsed)
	}
	return newRSAPrivateKey(key)
}

func newRSAPrivateKey(key *rsa.PrivateKey) (*RSAPrivateKey, error) {
	pub, err := newRSAPublicKey(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	return &RSAPrivateKey{key: hide(key), pub: pub}, nil
}

// Public returns the public half.
func (k *RSAPrivateKey) Public() *RSAPublicKey { return k.pub }

// EncryptionKey returns the public half.
func (k *RSAPrivateKey) EncryptionKey() EncryptionKey { return k.pub }

// Marshal returns the key in PKCS #8 form, to be sealed.
func (k *RSAPrivateKey) Marshal() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.key())
	if err != nil {
		return nil, fmt.Errorf("encoding RSA private key: %w", err)
	}
	return der, nil
}

// Sign makes an RSASSA-PKCS1-v1_5 signature over the SHA-1 DigestInfo of d.
// The digest is signed as it is given, not hashed again.
func (k *RSAPrivateKey) Sign(d Digest) ([]byte, error) {
	signature, err := rsa.SignPKCS1v15(rand.Reader, k.key(), crypto.SHA1, d[:])
	if err != nil {
		return nil, fmt.Errorf("signing with RSA: %w", err)
	}
	return signature, nil
}

// DecryptSharedKey decrypts a shared key of size bytes that a peer, who need
// not be authenticated, has encrypted with RSAES-PKCS1-v1_5 (MS-GRVSPCM
// 3.2.5.2.2.3).
//
// It is no padding oracle: for a ciphertext with wrong padding or of another
// size it returns, in the same time, a random key, and whatever the peer sends
// under the key it believes in will fail its MAC. It fails only for what the
// peer knows anyway: a ciphertext that is not as long as the modulus, or not
// below it.
func (k *RSAPrivateKey) DecryptSharedKey(ciphertext []byte, size int) (SharedKey, error) {
	key, err := GenerateSharedKey(size)
	if err != nil {
		return SharedKey{}, err
	}
	if n := k.pub.key.Size(); len(ciphertext) != n {
		return SharedKey{}, fmt.Errorf("RSA ciphertext of %d bytes, want %d", len(ciphertext), n)
	}
	//lint:ignore SA1019 MS-GRVSPCM 3.2.5.2.2.3 demands PKCS #1 encryption
	if err := rsa.DecryptPKCS1v15SessionKey(rand.Reader, k.key(), ciphertext, key.secret()); err != nil {
		return SharedKey{}, fmt.Errorf("decrypting a shared key with RSA: %w", err)
	}
	return key, nil
}

// Decrypt decrypts RSAES-PKCS1-v1_5. Its error tells right padding from wrong,
// so its outcome must not show, by answer or by time, to a peer who is not
// authenticated; [RSAPrivateKey.DecryptSharedKey] is for those.
func (k *RSAPrivateKey) Decrypt(ciphertext []byte) ([]byte, error) {
	//lint:ignore SA1019 MS-GRVSPCM 3.2.5.1.6 demands PKCS #1 encryption
	plaintext, err := rsa.DecryptPKCS1v15(rand.Reader, k.key(), ciphertext)
	if err != nil {
		return nil, fmt.Errorf("decrypting with RSA: %w", err)
	}
	return plaintext, nil
}
