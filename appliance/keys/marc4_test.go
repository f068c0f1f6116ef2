package keys

import (
	"bytes"
	"crypto/rc4"
	"encoding/hex"
	"testing"

	"pgregory.net/rapid"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// With an IV of zeros MARC4 is RC4 from its 257th byte on, which RFC 6229
// lists under offset 256.
func TestMARC4AgainstRFC6229(t *testing.T) {
	for _, test := range []struct {
		name, key     string
		at256, at1008 string
	}{
		{"128 bits", "0102030405060708090a0b0c0d0e0f10", "d39d566bc6bce3010768151549f3873f", "e7a72574f8782ae26aabcf9ebcd66065"},
		{"192 bits", "0102030405060708090a0b0c0d0e0f101112131415161718", "6bd2378ec341c9a42f37ba79f88a32ff", ""},
		{"256 bits", "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20", "02e1e7056b0f623900496422943e97b6", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			key := unhex(t, test.key)
			stream, err := NewMARC4(key, make([]byte, len(key)))
			if err != nil {
				t.Fatal(err)
			}
			keystream := make([]byte, 1024-256)
			stream.XORKeyStream(keystream, keystream)
			if got := hex.EncodeToString(keystream[:16]); got != test.at256 {
				t.Errorf("first bytes are %s, want %s", got, test.at256)
			}
			if got := hex.EncodeToString(keystream[1008-256:][:16]); test.at1008 != "" && got != test.at1008 {
				t.Errorf("bytes at 1008 are %s, want %s", got, test.at1008)
			}
		})
	}
}

// The steps of MS-GRVSPCM 3.1.1 by hand, for every size of key.
func TestMARC4StepByStep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(MinSharedKeySize, MaxSharedKeySize).Draw(t, "size")
		key := rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "key")
		iv := rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "iv")
		plaintext := rapid.SliceOf(rapid.Byte()).Draw(t, "plaintext")

		mixed := make([]byte, size)
		for i := range mixed {
			mixed[i] = key[i] ^ iv[i]
		}
		plain, err := rc4.NewCipher(mixed)
		if err != nil {
			t.Fatal(err)
		}
		long := append(make([]byte, 256), plaintext...)
		plain.XORKeyStream(long, long)

		stream, err := NewMARC4(key, iv)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(plaintext))
		stream.XORKeyStream(got, plaintext)
		if !bytes.Equal(got, long[256:]) {
			t.Fatalf("got %x, want %x", got, long[256:])
		}
	})
}

func TestMARC4RefusesSizes(t *testing.T) {
	for _, sizes := range [][2]int{{0, 0}, {15, 15}, {33, 33}, {24, 20}, {20, 24}, {24, 0}, {300, 300}} {
		if _, err := NewMARC4(make([]byte, sizes[0]), make([]byte, sizes[1])); err == nil {
			t.Errorf("a key of %d bytes with an IV of %d was accepted", sizes[0], sizes[1])
		}
	}
}
