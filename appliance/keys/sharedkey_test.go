package keys

import (
	"bytes"
	"encoding/hex"
	"testing"

	"pgregory.net/rapid"
)

func TestSharedKeyRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Byte(), MinSharedKeySize, MaxSharedKeySize).Draw(t, "key")
		plaintext := rapid.SliceOf(rapid.Byte()).Draw(t, "plaintext")
		key, err := NewSharedKey(raw)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(key.Bytes(), raw) {
			t.Fatal("the key came back changed")
		}
		iv, ciphertext, err := key.Encrypt(plaintext)
		if err != nil {
			t.Fatal(err)
		}
		if len(iv) != len(raw) {
			t.Fatalf("IV of %d bytes for a key of %d", len(iv), len(raw))
		}
		got, err := key.Decrypt(iv, ciphertext)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, plaintext) {
			t.Fatalf("got %x, want %x", got, plaintext)
		}
	})
}

func TestSharedKeyFreshIV(t *testing.T) {
	key := mustSharedKey(t, AccountKeySize)
	first, _, err := key.Encrypt([]byte("message"))
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := key.Encrypt([]byte("message"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(first, second) {
		t.Error("two messages have one IV")
	}
}

func TestSharedKeyDoesNotAlias(t *testing.T) {
	raw := bytes.Repeat([]byte{7}, AccountKeySize)
	key, err := NewSharedKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	raw[0] = 0
	key.Bytes()[1] = 0
	if !bytes.Equal(key.Bytes(), bytes.Repeat([]byte{7}, AccountKeySize)) {
		t.Error("the key was changed from outside")
	}
}

func TestSharedKeySizes(t *testing.T) {
	for _, size := range []int{0, MinSharedKeySize - 1, MaxSharedKeySize + 1} {
		if _, err := NewSharedKey(make([]byte, size)); err == nil {
			t.Errorf("NewSharedKey took %d bytes", size)
		}
		if _, err := GenerateSharedKey(size); err == nil {
			t.Errorf("GenerateSharedKey made %d bytes", size)
		}
	}
}

func TestSharedKeyEqual(t *testing.T) {
	a, b := mustSharedKey(t, 24), mustSharedKey(t, 24)
	same, err := NewSharedKey(a.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	var zero SharedKey
	for _, test := range []struct {
		name string
		x, y SharedKey
		want bool
	}{
		{"same bytes", a, same, true},
		{"other bytes", a, b, false},
		{"zero and a key", zero, a, false},
		{"a key and zero", a, zero, false},
		{"zero and zero", zero, zero, true},
	} {
		if got := test.x.Equal(test.y); got != test.want {
			t.Errorf("%s: Equal is %v", test.name, got)
		}
	}
	if a.IsZero() || !zero.IsZero() {
		t.Error("IsZero is wrong")
	}
}

// The first test case of RFC 2202 section 3, whose key has 20 bytes.
func TestMACAgainstRFC2202(t *testing.T) {
	key, err := NewSharedKey(bytes.Repeat([]byte{0x0b}, 20))
	if err != nil {
		t.Fatal(err)
	}
	want := "b617318655057264e28bc0b6fb378c8ef146be00"
	mac := key.MAC([]byte("Hi "), []byte("There"))
	if got := hex.EncodeToString(mac); got != want {
		t.Errorf("MAC is %s, want %s", got, want)
	}
	if !key.VerifyMAC(mac, []byte("Hi There")) {
		t.Error("the MAC does not verify")
	}
	mac[19] ^= 1
	if key.VerifyMAC(mac, []byte("Hi There")) || key.VerifyMAC(nil, []byte("Hi There")) {
		t.Error("a wrong MAC verifies")
	}
}

func mustSharedKey(t testing.TB, size int) SharedKey {
	t.Helper()
	key, err := GenerateSharedKey(size)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
