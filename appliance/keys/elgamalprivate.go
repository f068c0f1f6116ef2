package keys

import (
	encodingasn1 "encoding/asn1"
	"errors"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// modp2048 is the prime of the 2048-bit MODP group (RFC 3526 section 3). It is
// a safe prime, so MS-GRVSPCM 3.1.2 leaves q out; the generator is 2.
const modp2048 = "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74" +
	"020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437" +
	"4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed" +
	"ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf05" +
	"98da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb" +
	"9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b" +
	"e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf695581718" +
	"3995497cea956ae515d2261898fa051015728e5a8aacaa68ffffffffffffffff"

// dhKeyAgreement is the algorithm of a PKCS #3 key.
var dhKeyAgreement = encodingasn1.ObjectIdentifier{1, 2, 840, 113549, 1, 3, 1}

// ElGamalPrivateKey is the private half of an [ElGamalPublicKey], as a client
// has it. It is immutable and safe for concurrent use. It prints redacted.
// Its arithmetic is not in constant time.
type ElGamalPrivateKey struct {
	redacted
	x   hidden[*big.Int]
	pub *ElGamalPublicKey
}

// GenerateElGamalKey makes a key in the 2048-bit MODP group of RFC 3526.
func GenerateElGamalKey() (*ElGamalPrivateKey, error) {
	p, ok := new(big.Int).SetString(modp2048, 16)
	if !ok {
		return nil, errors.New("the MODP prime is not a number")
	}
	x, err := randomExponent(p)
	if err != nil {
		return nil, err
	}
	return newElGamalPrivateKey(p, big.NewInt(2), x)
}

func newElGamalPrivateKey(p, g, x *big.Int) (*ElGamalPrivateKey, error) {
	if x.Sign() <= 0 || x.Cmp(p) >= 0 {
		return nil, errors.New("private number of an ElGamal key is out of range")
	}
	if p.BitLen() > maxElGamalBits || p.Bit(0) == 0 {
		return nil, errors.New("prime of an ElGamal key is out of range")
	}
	pub, err := newElGamalPublicKey(p, nil, g, new(big.Int).Exp(g, x, p))
	if err != nil {
		return nil, err
	}
	return &ElGamalPrivateKey{x: hide(x), pub: pub}, nil
}

// ParseElGamalPrivateKey reads what [ElGamalPrivateKey.Marshal] wrote.
func ParseElGamalPrivateKey(der []byte) (*ElGamalPrivateKey, error) {
	if len(der) > maxPrivateDER {
		return nil, fmt.Errorf("private key of %d bytes, at most %d are read", len(der), maxPrivateDER)
	}
	var (
		input                           = cryptobyte.String(der)
		body, algorithm, params, octets cryptobyte.String
		version                         int
		oid                             encodingasn1.ObjectIdentifier
		p, g, x                         = new(big.Int), new(big.Int), new(big.Int)
	)
	if !input.ReadASN1(&body, asn1.SEQUENCE) || !input.Empty() ||
		!body.ReadASN1Integer(&version) || version != 0 ||
		!body.ReadASN1(&algorithm, asn1.SEQUENCE) ||
		!body.ReadASN1(&octets, asn1.OCTET_STRING) || !body.Empty() ||
		!algorithm.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(dhKeyAgreement) ||
		!algorithm.ReadASN1(&params, asn1.SEQUENCE) || !algorithm.Empty() ||
		!params.ReadASN1Integer(p) || !params.ReadASN1Integer(g) || !params.Empty() ||
		!octets.ReadASN1Integer(x) || !octets.Empty() {
		return nil, errors.New("not a PKCS #8 Diffie-Hellman private key")
	}
	return newElGamalPrivateKey(p, g, x)
}

// Marshal returns the key in PKCS #8 form with the parameters of PKCS #3, to
// be sealed.
func (k *ElGamalPrivateKey) Marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(dhKeyAgreement)
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1BigInt(k.pub.p)
				b.AddASN1BigInt(k.pub.g)
			})
		})
		b.AddASN1(asn1.OCTET_STRING, func(b *cryptobyte.Builder) {
			b.AddASN1BigInt(k.x())
		})
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encoding ElGamal private key: %w", err)
	}
	return der, nil
}

// Public returns the public half.
func (k *ElGamalPrivateKey) Public() *ElGamalPublicKey { return k.pub }

// EncryptionKey returns the public half.
func (k *ElGamalPrivateKey) EncryptionKey() EncryptionKey { return k.pub }

// Decrypt opens what [ElGamalPublicKey.Encrypt] made. A ciphertext may also
// come as SEQUENCE { c1, c2 }, since its layout is published nowhere. The
// error tells right padding from wrong.
func (k *ElGamalPrivateKey) Decrypt(ciphertext []byte) ([]byte, error) {
	c1, c2, err := k.split(ciphertext)
	if err != nil {
		return nil, err
	}
	for _, c := range []*big.Int{c1, c2} {
		if c.Sign() <= 0 || c.Cmp(k.pub.p) >= 0 {
			return nil, errors.New("ElGamal ciphertext is out of range")
		}
	}
	shared := new(big.Int).Exp(c1, k.x(), k.pub.p)
	if shared.ModInverse(shared, k.pub.p) == nil {
		return nil, errors.New("ElGamal ciphertext shares a factor with the modulus")
	}
	m := shared.Mul(shared, c2)
	m.Mod(m, k.pub.p)
	plaintext, ok := unpadPKCS1(m.FillBytes(make([]byte, k.pub.width())))
	if !ok {
		return nil, errors.New("ElGamal ciphertext has wrong padding")
	}
	return plaintext, nil
}

func (k *ElGamalPrivateKey) split(ciphertext []byte) (c1, c2 *big.Int, err error) {
	width := k.pub.width()
	if len(ciphertext) == 2*width {
		return new(big.Int).SetBytes(ciphertext[:width]), new(big.Int).SetBytes(ciphertext[width:]), nil
	}
	// A DER frame and two signs of zero add less than 16 bytes.
	if len(ciphertext) > 2*width+16 {
		return nil, nil, fmt.Errorf("ElGamal ciphertext of %d bytes, want %d", len(ciphertext), 2*width)
	}
	numbers, err := readIntegers(ciphertext, 2)
	if err != nil || len(numbers) != 2 {
		return nil, nil, fmt.Errorf("ElGamal ciphertext of %d bytes, want %d", len(ciphertext), 2*width)
	}
	return numbers[0], numbers[1], nil
}
