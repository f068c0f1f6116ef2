package keys

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

const (
	// minElGamalBits and maxElGamalBits bound the prime of keys that are
	// accepted. Encrypting costs two exponentiations as long as the prime,
	// which a peer chooses: 4096 bits cost tens of milliseconds.
	minElGamalBits = 1024
	maxElGamalBits = 4096
)

// ElGamalPublicKey is a Diffie-Hellman public key used for ElGamal encryption.
// It is immutable and safe for concurrent use.
//
// That p is prime and g of large order is not checked: a peer who sends a weak
// key weakens only what is encrypted to that peer.
type ElGamalPublicKey struct {
	p, g, y *big.Int
	q       *big.Int // nil when absent
}

// ParseElGamalPublicKey reads SEQUENCE { p, q OPTIONAL, g, y } (MS-GRVSPCM
// 3.1.2). It fails if the encoding is not DER, if something follows it, if p
// is even or has fewer than 1024 or more than 4096 bits, or if q, g or y is
// not between 2 and p-2.
func ParseElGamalPublicKey(der []byte) (*ElGamalPublicKey, error) {
	if len(der) > maxKeyDER {
		return nil, fmt.Errorf("ElGamal public key of %d bytes, at most %d are read", len(der), maxKeyDER)
	}
	numbers, err := readIntegers(der, 4)
	if err != nil {
		return nil, fmt.Errorf("parsing ElGamal public key: %w", err)
	}
	switch len(numbers) {
	case 3:
		return newElGamalPublicKey(numbers[0], nil, numbers[1], numbers[2])
	case 4:
		return newElGamalPublicKey(numbers[0], numbers[1], numbers[2], numbers[3])
	default:
		return nil, fmt.Errorf("ElGamal public key of %d numbers, want 3 or 4", len(numbers))
	}
}

// readIntegers reads a SEQUENCE of at most limit INTEGERs and nothing else.
func readIntegers(der []byte, limit int) ([]*big.Int, error) {
	input := cryptobyte.String(der)
	var body cryptobyte.String
	if !input.ReadASN1(&body, asn1.SEQUENCE) || !input.Empty() {
		return nil, errors.New("not one DER SEQUENCE")
	}
	var numbers []*big.Int
	for !body.Empty() {
		if len(numbers) == limit {
			return nil, fmt.Errorf("more than %d numbers", limit)
		}
		n := new(big.Int)
		if !body.ReadASN1Integer(n) {
			return nil, errors.New("not a DER INTEGER")
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

func newElGamalPublicKey(p, q, g, y *big.Int) (*ElGamalPublicKey, error) {
	if bits := p.BitLen(); p.Sign() < 0 || bits < minElGamalBits || bits > maxElGamalBits {
		return nil, fmt.Errorf("ElGamal prime of %d bits, want %d to %d", bits, minElGamalBits, maxElGamalBits)
	}
	if p.Bit(0) == 0 {
		return nil, errors.New("ElGamal modulus is even")
	}
	one := big.NewInt(1)
	last := new(big.Int).Sub(p, one)
	for _, n := range []*big.Int{q, g, y} {
		// 0, 1 and p-1 would leave the plaintext all but open.
		if n != nil && (n.Cmp(one) <= 0 || n.Cmp(last) >= 0) {
			return nil, errors.New("number of an ElGamal key is out of range")
		}
	}
	return &ElGamalPublicKey{p: p, q: q, g: g, y: y}, nil
}

// Algorithm returns [AlgorithmElGamal].
func (*ElGamalPublicKey) Algorithm() string { return AlgorithmElGamal }

// KeyAlgorithm returns [KeyAlgorithmDH].
func (*ElGamalPublicKey) KeyAlgorithm() string { return KeyAlgorithmDH }

// DER returns SEQUENCE { p, q OPTIONAL, g, y } (MS-GRVSPCM 3.1.2).
func (k *ElGamalPublicKey) DER() []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(k.p)
		if k.q != nil {
			b.AddASN1BigInt(k.q)
		}
		b.AddASN1BigInt(k.g)
		b.AddASN1BigInt(k.y)
	})
	return b.BytesOrPanic() // fails only for lengths no big.Int here has
}

// Hash returns the SHA-1 digest of DER.
func (k *ElGamalPublicKey) Hash() Digest { return Sum(1, k.DER()) }

// width is the length of p, and of each half of a ciphertext, in bytes.
func (k *ElGamalPublicKey) width() int { return (k.p.BitLen() + 7) / 8 }

// Encrypt encrypts a plaintext at least 11 bytes shorter than p: c1 || c2,
// each as wide as p, where c1 = g^k and c2 = m*y^k mod p for a fresh random k
// and m the plaintext with the padding of RSAES-PKCS1-v1_5. The published
// texts give no layout; this is the usual one.
func (k *ElGamalPublicKey) Encrypt(plaintext []byte) ([]byte, error) {
	padded, err := padPKCS1(plaintext, k.width())
	if err != nil {
		return nil, err
	}
	secret, err := randomExponent(k.p)
	if err != nil {
		return nil, err
	}
	c1 := new(big.Int).Exp(k.g, secret, k.p)
	c2 := new(big.Int).Exp(k.y, secret, k.p)
	c2.Mul(c2, new(big.Int).SetBytes(padded)).Mod(c2, k.p)

	ciphertext := make([]byte, 2*k.width())
	c1.FillBytes(ciphertext[:k.width()])
	c2.FillBytes(ciphertext[k.width():])
	return ciphertext, nil
}

// randomExponent returns a random number from 1 to p-2.
func randomExponent(p *big.Int) (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Sub(p, big.NewInt(2)))
	if err != nil {
		return nil, fmt.Errorf("drawing an ElGamal exponent: %w", err)
	}
	return n.Add(n, big.NewInt(1)), nil
}

// minPadding is the padding of RSAES-PKCS1-v1_5: 00 02, eight bytes that are
// not zero, 00.
const minPadding = 11

func padPKCS1(plaintext []byte, width int) ([]byte, error) {
	if len(plaintext) > width-minPadding {
		return nil, fmt.Errorf("%d bytes are too many for an ElGamal key of %d", len(plaintext), width)
	}
	padded := make([]byte, width)
	padded[1] = 2
	fill := padded[2 : width-len(plaintext)-1]
	rand.Read(fill) // never fails: crypto/rand ends the process instead
	for i := range fill {
		for fill[i] == 0 {
			rand.Read(fill[i : i+1])
		}
	}
	copy(padded[width-len(plaintext):], plaintext)
	return padded, nil
}

func unpadPKCS1(padded []byte) ([]byte, bool) {
	if len(padded) < minPadding || padded[0] != 0 || padded[1] != 2 {
		return nil, false
	}
	end := bytes.IndexByte(padded[2:], 0)
	if end < minPadding-3 {
		return nil, false
	}
	return padded[2+end+1:], true
}
