package keys

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// testKeys is one key set for all tests: making keys is the slow part.
var testKeys = sync.OnceValues(GenerateKeySet)

func keySet(t testing.TB) *KeySet {
	t.Helper()
	s, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestGeneratedRSAKey(t *testing.T) {
	s := keySet(t)
	for name, k := range map[string]*RSAPrivateKey{"signature": s.Signature, "encryption": s.Encryption} {
		if bits := k.key().N.BitLen(); bits != 2048 {
			t.Errorf("%s key has %d bits", name, bits)
		}
		if k.key().E != 17 {
			t.Errorf("%s key has exponent %d", name, k.key().E)
		}
		if n := len(k.Public().DER()); n != 0x10c {
			t.Errorf("%s key has %#x bytes in DER, want 0x10c as in MS-GRVSPCM 3.1.3", name, n)
		}
		for _, p := range k.key().Primes {
			if !p.ProbablyPrime(20) {
				t.Errorf("%s key has a factor that is not prime", name)
			}
		}
	}
	if s.Signature.Public().Equal(s.Encryption.Public()) {
		t.Error("both keys are the same")
	}
}

func TestRSAPrivateKeyRoundTrip(t *testing.T) {
	key := keySet(t).Signature
	der, err := key.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseRSAPrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	if !again.key().Equal(key.key()) || !again.Public().Equal(key.Public()) {
		t.Error("another key came back")
	}
	if _, err := ParseRSAPrivateKey(der[:len(der)-1]); err == nil {
		t.Error("a cut key was accepted")
	}
	if _, err := ParseRSAPrivateKey(make([]byte, maxPrivateDER+1)); err == nil {
		t.Error("an oversized key was accepted")
	}
	elGamal, err := mustElGamal(t).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseRSAPrivateKey(elGamal); err == nil {
		t.Error("a Diffie-Hellman key was accepted")
	}
}

func TestSignAndVerify(t *testing.T) {
	s := keySet(t)
	d := Sum(2, []byte("header"))
	signature, err := s.Signature.Sign(d)
	if err != nil {
		t.Fatal(err)
	}
	bare, err := rsa.SignPKCS1v15(nil, s.Signature.key(), 0, d[:])
	if err != nil {
		t.Fatal(err)
	}
	pub, other := s.Signature.Public(), s.Encryption.Public()
	altered := bytes.Clone(signature)
	altered[100] ^= 1
	for _, test := range []struct {
		name   string
		verify func(Digest, []byte) error
		digest Digest
		sig    []byte
		ok     bool
	}{
		{"own signature", pub.Verify, d, signature, true},
		{"bare signature", pub.VerifyBare, d, bare, true},
		{"bare for DigestInfo", pub.Verify, d, bare, false},
		{"DigestInfo for bare", pub.VerifyBare, d, signature, false},
		{"other digest", pub.Verify, Sum(1, []byte("header")), signature, false},
		{"other digest, bare", pub.VerifyBare, Sum(1, []byte("header")), bare, false},
		{"other key", other.Verify, d, signature, false},
		{"altered", pub.Verify, d, altered, false},
		{"cut", pub.Verify, d, signature[:255], false},
		{"empty", pub.Verify, d, nil, false},
		{"long", pub.Verify, d, append(bytes.Clone(signature), 0), false},
	} {
		if err := test.verify(test.digest, test.sig); (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// What is signed, written out: sig^e mod n is 00 01 ff .. ff 00, the SHA-1
// DigestInfo and the digest itself.
func TestSignatureForm(t *testing.T) {
	key := keySet(t).Signature
	d := Sum(1, []byte("header"))
	signature, err := key.Sign(d)
	if err != nil {
		t.Fatal(err)
	}
	opened := new(big.Int).Exp(new(big.Int).SetBytes(signature), big.NewInt(17), key.key().N)
	want := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, 256-38)...)
	want = append(want, unhex(t, "003021300906052b0e03021a05000414")...)
	want = append(want, d[:]...)
	if got := opened.FillBytes(make([]byte, 256)); !bytes.Equal(got, want) {
		t.Errorf("the signature opens to %x, want %x", got, want)
	}
}

func TestRSAEncryption(t *testing.T) {
	s := keySet(t)
	rapid.Check(t, func(t *rapid.T) {
		plaintext := rapid.SliceOfN(rapid.Byte(), 0, 256-11).Draw(t, "plaintext")
		ciphertext, err := s.Encryption.Public().Encrypt(plaintext)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Encryption.Decrypt(ciphertext)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, plaintext) {
			t.Fatalf("got %x, want %x", got, plaintext)
		}
	})
	if _, err := s.Encryption.Public().Encrypt(make([]byte, 256-10)); err == nil {
		t.Error("a plaintext that does not fit was encrypted")
	}
	if _, err := s.Encryption.Decrypt(make([]byte, 256)); err == nil {
		t.Error("a wrong padding was accepted")
	}
}

func TestDecryptSharedKey(t *testing.T) {
	key := keySet(t).Encryption
	shared := mustSharedKey(t, AccountKeySize)
	ciphertext, err := key.Public().Encrypt(shared.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	got, err := key.DecryptSharedKey(ciphertext, AccountKeySize)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Equal(shared) {
		t.Error("another key came out")
	}
}

// A peer that sends rubbish gets what a peer with a right key gets: a key.
func TestDecryptSharedKeyIsNoOracle(t *testing.T) {
	key := keySet(t).Encryption
	short, err := key.Public().Encrypt(make([]byte, AccountKeySize-1))
	if err != nil {
		t.Fatal(err)
	}
	for name, ciphertext := range map[string][]byte{
		"wrong padding":   append(make([]byte, 255), 2),
		"zero":            make([]byte, 256),
		"key of 23 bytes": short,
	} {
		first, err := key.DecryptSharedKey(ciphertext, AccountKeySize)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		second, err := key.DecryptSharedKey(ciphertext, AccountKeySize)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(first.Bytes()) != AccountKeySize || first.Equal(second) {
			t.Errorf("%s: the keys %x and %x are not random", name, first.Bytes(), second.Bytes())
		}
	}
	for name, ciphertext := range map[string][]byte{
		"nothing":           nil,
		"short":             make([]byte, 255),
		"long":              make([]byte, 257),
		"above the modulus": bytes.Repeat([]byte{0xff}, 256),
	} {
		if _, err := key.DecryptSharedKey(ciphertext, AccountKeySize); err == nil {
			t.Errorf("%s: accepted, though no ciphertext looks so", name)
		}
	}
	if _, err := key.DecryptSharedKey(make([]byte, 256), 8); err == nil {
		t.Error("a key of 8 bytes was accepted")
	}
}

func TestParseRSAPublicKeyRefuses(t *testing.T) {
	good := keySet(t).Signature.Public()
	n := good.key.N
	encode := func(n *big.Int, e int64) []byte {
		der, err := asn1.Marshal(struct{ N, E *big.Int }{n, big.NewInt(e)})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	odd := func(bits uint) *big.Int { return new(big.Int).SetBit(big.NewInt(1), int(bits)-1, 1) }
	long := bytes.Clone(good.DER())
	long = append([]byte{0x30, 0x83, 0x00}, long[2:]...) // one length byte too many
	for name, der := range map[string][]byte{
		"nothing":              nil,
		"cut":                  good.DER()[:200],
		"trailing byte":        append(good.DER(), 0),
		"length not minimal":   long,
		"number not minimal":   unhex(t, "3006020200010201"+"11"),
		"1023 bits":            encode(odd(1023), 17),
		"8193 bits":            encode(odd(8193), 17),
		"even modulus":         encode(new(big.Int).Add(n, big.NewInt(1)), 17),
		"negative modulus":     encode(new(big.Int).Neg(n), 17),
		"exponent 1":           encode(n, 1),
		"even exponent":        encode(n, 16),
		"negative exponent":    encode(n, -17),
		"exponent of 33 bits":  encode(n, 1<<32+1),
		"SubjectPublicKeyInfo": mustPKIX(t, good),
		"oversized":            make([]byte, maxKeyDER+1),
	} {
		if _, err := ParseRSAPublicKey(der); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	for name, der := range map[string][]byte{
		"exponent 3":      encode(n, 3),
		"exponent 65537":  encode(n, 65537),
		"exponent 2^31-1": encode(n, 1<<31-1),
		"1024 bits":       encode(odd(1024), 17),
		"8192 bits":       encode(odd(8192), 17),
	} {
		key, err := ParseRSAPublicKey(der)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !bytes.Equal(key.DER(), der) {
			t.Errorf("%s: came back as %x", name, key.DER())
		}
	}
}

func mustPKIX(t *testing.T, k *RSAPublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(k.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// A key of a foreign maker: exponent 65537, 1024 bits.
func TestForeignRSAKey(t *testing.T) {
	foreign, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	key, err := newRSAPrivateKey(foreign)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := ParseRSAPublicKey(key.Public().DER())
	if err != nil {
		t.Fatal(err)
	}
	d := Sum(1, []byte("x"))
	signature, err := key.Sign(d)
	if err != nil {
		t.Fatal(err)
	}
	if err := pub.Verify(d, signature); err != nil {
		t.Error(err)
	}
}

func FuzzParseRSAPublicKey(f *testing.F) {
	for _, sample := range sampleCertificates {
		f.Add(unhex(f, sample.publicKey))
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		key, err := ParseRSAPublicKey(der)
		if err != nil {
			return
		}
		if !bytes.Equal(key.DER(), der) {
			t.Errorf("%x came back as %x", der, key.DER())
		}
		if err := key.Verify(Digest{}, make([]byte, key.key.Size())); err == nil {
			t.Error("a signature of zeros verifies")
		}
	})
}

// BenchmarkRSAPrivate is the bare private-key operation that services are
// measured against.
func BenchmarkRSAPrivate(b *testing.B) {
	key := keySet(b).Signature
	d := Sum(1, []byte("message"))
	for b.Loop() {
		if _, err := key.Sign(d); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecryptSharedKey(b *testing.B) {
	key := keySet(b).Encryption
	ciphertext, err := key.Public().Encrypt(mustSharedKey(b, AccountKeySize).Bytes())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := key.DecryptSharedKey(ciphertext, AccountKeySize); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGenerateRSAKey(b *testing.B) {
	for b.Loop() {
		if _, err := GenerateRSAKey(); err != nil {
			b.Fatal(err)
		}
	}
}
