package keys

import (
	"bytes"
	"testing"
)

// TestCTR uses the AES-192 vector of NIST SP 800-38A, F.5.3.
func TestCTR(t *testing.T) {
	key, err := NewSharedKey(unhex(t, "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b"))
	if err != nil {
		t.Fatal(err)
	}
	iv := unhex(t, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
	plain := unhex(t, "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
	want := unhex(t, "1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e94")
	if got, err := key.DecryptCTR(iv, plain); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, %v; want %x", got, err, want)
	}
	iv1, sealed, err := key.EncryptCTR(plain)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := key.DecryptCTR(iv1, sealed); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("decrypted to %x, %v", got, err)
	}
	if _, err := key.DecryptCTR(iv[1:], plain); err == nil {
		t.Error("a short counter was taken")
	}
	odd, err := NewSharedKey(make([]byte, 20))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := odd.EncryptCTR(plain); err == nil {
		t.Error("a key of 20 bytes was taken")
	}
}
