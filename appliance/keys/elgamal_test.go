package keys

import (
	"bytes"
	"encoding/asn1"
	"math/big"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

var testElGamal = sync.OnceValues(GenerateElGamalKey)

func mustElGamal(t testing.TB) *ElGamalPrivateKey {
	t.Helper()
	k, err := testElGamal()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// The group of RFC 3526 section 3: a safe prime whose formula is given there,
// and 2 as the generator of its large subgroup.
func TestElGamalGroup(t *testing.T) {
	pub := mustElGamal(t).Public()
	half := new(big.Int).Rsh(pub.p, 1)
	if pub.p.BitLen() != 2048 || !pub.p.ProbablyPrime(10) || !half.ProbablyPrime(10) {
		t.Error("p is not a safe prime of 2048 bits")
	}
	if pub.g.Int64() != 2 || new(big.Int).Exp(pub.g, half, pub.p).Cmp(big.NewInt(1)) != 0 {
		t.Error("g is not a generator of the subgroup of order (p-1)/2")
	}
	if got := pub.p.Text(16); got[:16] != "ffffffffffffffff" || got[len(got)-16:] != "ffffffffffffffff" {
		t.Error("p has not the form of the RFC")
	}
}

func TestElGamalRoundTrip(t *testing.T) {
	key := mustElGamal(t)
	for _, size := range []int{0, 1, 24, 44, 256 - 11} {
		plaintext := bytes.Repeat([]byte{0, 0xa5}, size)[:size]
		ciphertext, err := key.Public().Encrypt(plaintext)
		if err != nil {
			t.Fatal(err)
		}
		if len(ciphertext) != 512 {
			t.Fatalf("ciphertext of %d bytes, want 512", len(ciphertext))
		}
		got, err := key.Decrypt(ciphertext)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, plaintext) {
			t.Errorf("%d bytes came back as %x", size, got)
		}
		again, err := key.Public().Encrypt(plaintext)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(ciphertext, again) {
			t.Error("encryption is not random")
		}
	}
	if _, err := key.Public().Encrypt(make([]byte, 256-10)); err == nil {
		t.Error("a plaintext that does not fit was encrypted")
	}
}

func TestElGamalCiphertextForms(t *testing.T) {
	key := mustElGamal(t)
	plaintext := []byte("storage master key")
	ciphertext, err := key.Public().Encrypt(plaintext)
	if err != nil {
		t.Fatal(err)
	}
	c1, c2 := new(big.Int).SetBytes(ciphertext[:256]), new(big.Int).SetBytes(ciphertext[256:])
	p := key.Public().p
	encode := func(numbers ...*big.Int) []byte {
		der, err := asn1.Marshal(numbers)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	got, err := key.Decrypt(encode(c1, c2))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, plaintext) {
		t.Errorf("the DER form came back as %x", got)
	}

	padding := new(big.Int).Mul(c2, big.NewInt(3)) // three times the padded plaintext starts with 00 06
	padding.Mod(padding, p)
	for name, ciphertext := range map[string][]byte{
		"nothing":       nil,
		"cut":           ciphertext[:511],
		"long":          append(bytes.Clone(ciphertext), make([]byte, 40)...),
		"one number":    encode(c1),
		"three numbers": encode(c1, c2, c2),
		"c1 is 0":       encode(new(big.Int), c2),
		"c1 is p":       encode(p, c2),
		"c2 is p":       encode(c1, p),
		"negative":      encode(c1, new(big.Int).Neg(c2)),
		"wrong padding": append(bytes.Clone(ciphertext[:256]), padding.FillBytes(make([]byte, 256))...),
	} {
		if _, err := key.Decrypt(ciphertext); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestPKCS1Padding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plaintext := rapid.SliceOfN(rapid.Byte(), 0, 128-minPadding).Draw(t, "plaintext")
		padded, err := padPKCS1(plaintext, 128)
		if err != nil {
			t.Fatal(err)
		}
		end := 128 - len(plaintext) - 1
		if padded[0] != 0 || padded[1] != 2 || padded[end] != 0 || bytes.IndexByte(padded[2:end], 0) >= 0 || end < 10 {
			t.Fatalf("padding is %x", padded)
		}
		got, ok := unpadPKCS1(padded)
		if !ok || !bytes.Equal(got, plaintext) {
			t.Fatalf("%x came back as %x", plaintext, got)
		}
	})
	for name, padded := range map[string][]byte{
		"short":       {0, 2, 1, 1, 1, 1, 1, 1, 1, 1},
		"7 of fill":   {0, 2, 1, 1, 1, 1, 1, 1, 1, 0, 5},
		"no end":      {0, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1},
		"type 1":      {0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0},
		"first octet": {1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 0},
	} {
		if _, ok := unpadPKCS1(padded); ok {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestElGamalPublicKeyForms(t *testing.T) {
	pub := mustElGamal(t).Public()
	p, g, y := pub.p, pub.g, pub.y
	q := new(big.Int).Rsh(p, 1)
	num := big.NewInt
	encode := func(numbers ...*big.Int) []byte {
		der, err := asn1.Marshal(numbers)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	odd := func(bits int) *big.Int { return new(big.Int).SetBit(num(1), bits-1, 1) }
	last := new(big.Int).Sub(p, num(1))
	for _, test := range []struct {
		name string
		der  []byte
		ok   bool
	}{
		{"p, g, y", encode(p, g, y), true},
		{"p, q, g, y", encode(p, q, g, y), true},
		{"1024 bits", encode(odd(1024), g, num(9)), true},
		{"4096 bits", encode(odd(4096), g, num(9)), true},
		{"nothing", nil, false},
		{"trailing byte", append(encode(p, g, y), 0), false},
		{"two numbers", encode(p, y), false},
		{"five numbers", encode(p, q, g, y, y), false},
		{"1023 bits", encode(odd(1023), g, num(9)), false},
		{"4097 bits", encode(odd(4097), g, num(9)), false},
		{"even p", encode(last, g, num(9)), false},
		{"negative p", encode(new(big.Int).Neg(p), g, y), false},
		{"g is 1", encode(p, num(1), y), false},
		{"y is 0", encode(p, g, num(0)), false},
		{"y is 1", encode(p, g, num(1)), false},
		{"y is p-1", encode(p, g, last), false},
		{"y is above p", encode(p, g, new(big.Int).Add(p, num(2))), false},
		{"y is negative", encode(p, g, num(-5)), false},
		{"q is above p", encode(p, new(big.Int).Add(p, num(2)), g, y), false},
		{"oversized", make([]byte, maxKeyDER+1), false},
	} {
		key, err := ParseElGamalPublicKey(test.der)
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if test.ok && !bytes.Equal(key.DER(), test.der) {
			t.Errorf("%s came back as %x", test.name, key.DER())
		}
	}
}

func TestElGamalPrivateKeyRoundTrip(t *testing.T) {
	key := mustElGamal(t)
	der, err := key.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseElGamalPrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	if again.x().Cmp(key.x()) != 0 || !bytes.Equal(again.Public().DER(), key.Public().DER()) {
		t.Error("another key came back")
	}
	for i := range der {
		if _, err := ParseElGamalPrivateKey(der[:i]); err == nil {
			t.Fatalf("a key cut to %d bytes was accepted", i)
		}
	}
}

func TestElGamalPrivateKeyBounds(t *testing.T) {
	p, two := mustElGamal(t).Public().p, big.NewInt(2)
	even, wide := new(big.Int).Add(p, big.NewInt(1)), new(big.Int).SetBit(big.NewInt(1), maxElGamalBits, 1)
	for _, test := range []struct {
		name    string
		p, g, x *big.Int
	}{
		{"x is 0", p, two, new(big.Int)},
		{"x is negative", p, two, big.NewInt(-3)},
		{"x is p", p, two, p},
		{"p is even", even, two, big.NewInt(3)},
		{"p is too wide", wide, two, big.NewInt(3)},
		{"p is too narrow", big.NewInt(23), big.NewInt(5), big.NewInt(3)},
		{"g is 1", p, big.NewInt(1), big.NewInt(3)},
	} {
		if _, err := newElGamalPrivateKey(test.p, test.g, test.x); err == nil {
			t.Errorf("%s: accepted", test.name)
		}
	}
}

func TestParseEncryptionKey(t *testing.T) {
	rsaKey, elGamal := keySet(t).Encryption, mustElGamal(t)
	for _, private := range []DecryptionKey{rsaKey, elGamal} {
		public := private.EncryptionKey()
		key, err := ParseEncryptionKey(public.Algorithm(), public.DER())
		if err != nil {
			t.Fatal(err)
		}
		if key.Hash() != Sum(1, public.DER()) || key.KeyAlgorithm() != public.KeyAlgorithm() {
			t.Errorf("%s: another key came back", public.Algorithm())
		}
		ciphertext, err := key.Encrypt([]byte("secret"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := private.Decrypt(ciphertext)
		if err != nil || string(got) != "secret" {
			t.Errorf("%s: %q, %v", public.Algorithm(), got, err)
		}
	}
	for _, test := range []struct {
		algorithm string
		der       []byte
	}{
		{AlgorithmRSA, elGamal.Public().DER()},
		{AlgorithmElGamal, rsaKey.Public().DER()},
		{"rsa", rsaKey.Public().DER()},
		{"", rsaKey.Public().DER()},
	} {
		if key, err := ParseEncryptionKey(test.algorithm, test.der); err == nil || key != nil {
			t.Errorf("%q: got %v, %v", test.algorithm, key, err)
		}
	}
}

func FuzzParseElGamalPublicKey(f *testing.F) {
	f.Add(mustElGamal(f).Public().DER())
	f.Fuzz(func(t *testing.T, der []byte) {
		key, err := ParseElGamalPublicKey(der)
		if err == nil && !bytes.Equal(key.DER(), der) {
			t.Errorf("%x came back as %x", der, key.DER())
		}
	})
}

func FuzzParseElGamalPrivateKey(f *testing.F) {
	der, err := mustElGamal(f).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Fuzz(func(t *testing.T, der []byte) {
		key, err := ParseElGamalPrivateKey(der)
		if err != nil {
			return
		}
		again, err := key.Marshal()
		if err != nil || !bytes.Equal(again, der) {
			t.Errorf("%x came back as %x, %v", der, again, err)
		}
	})
}

func FuzzElGamalDecrypt(f *testing.F) {
	// Fuzzing runs in several processes, so what they share must be fixed; a
	// small exponent makes it quick.
	key, err := newElGamalPrivateKey(mustElGamal(f).Public().p, big.NewInt(2), big.NewInt(65537))
	if err != nil {
		f.Fatal(err)
	}
	ciphertext, err := key.Public().Encrypt([]byte("secret"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(ciphertext)
	f.Fuzz(func(t *testing.T, ciphertext []byte) {
		plaintext, err := key.Decrypt(ciphertext)
		if err == nil && len(plaintext) > 256-minPadding {
			t.Errorf("a plaintext of %d bytes came out", len(plaintext))
		}
	})
}
