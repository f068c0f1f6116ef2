package keys

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"fmt"
)

const (
	// AccountKeySize is the size in bytes of the secret key that a client
	// makes for an account: 192 bits (MS-GRVSPCM 3.3.5.2.2.1).
	AccountKeySize = 24

	// MinSharedKeySize and MaxSharedKeySize bound, in bytes, the shared keys
	// that are accepted. The protocols use 20 (MS-GRVSPMR 3.3.4.1.1.1 and keys
	// derived from a configuration code) and 24; the sizes of the SSTP device
	// and account keys are not published, so the range leaves room for the
	// usual ones and shuts out what can be searched.
	MinSharedKeySize = 16
	MaxSharedKeySize = 32
)

func checkSharedKeySize(n int) error {
	if n < MinSharedKeySize || n > MaxSharedKeySize {
		return fmt.Errorf("shared key of %d bytes, want %d to %d", n, MinSharedKeySize, MaxSharedKeySize)
	}
	return nil
}

// SharedKey is a symmetric key that two parties of the protocols share. It
// serves MARC4 and HMAC-SHA1 alike, as the protocols want it. A SharedKey is
// immutable and safe for concurrent use. The zero value holds no key; only
// its IsZero and Equal methods may be called.
type SharedKey struct {
	redacted
	secret hidden[[]byte]
}

// GenerateSharedKey makes a random key of size bytes, [AccountKeySize] for an
// account.
func GenerateSharedKey(size int) (SharedKey, error) {
	if err := checkSharedKeySize(size); err != nil {
		return SharedKey{}, err
	}
	b := make([]byte, size)
	rand.Read(b) // never fails: crypto/rand ends the process instead
	return SharedKey{secret: hide(b)}, nil
}

// NewSharedKey returns the key with a copy of the given bytes. It fails if
// they are fewer than [MinSharedKeySize] or more than [MaxSharedKeySize].
func NewSharedKey(b []byte) (SharedKey, error) {
	if err := checkSharedKeySize(len(b)); err != nil {
		return SharedKey{}, err
	}
	b = bytes.Clone(b)
	return SharedKey{secret: hide(b)}, nil
}

// IsZero reports whether k is the zero value.
func (k SharedKey) IsZero() bool { return k.secret == nil }

// Equal reports in constant time whether both hold the same key.
func (k SharedKey) Equal(other SharedKey) bool {
	if k.IsZero() || other.IsZero() {
		return k.IsZero() && other.IsZero()
	}
	return subtle.ConstantTimeCompare(k.secret(), other.secret()) == 1
}

// Bytes returns a copy of the key, to be sealed or encrypted to a peer.
func (k SharedKey) Bytes() []byte { return bytes.Clone(k.secret()) }

// ID returns the SHA-1 digest of the key, the KeyID by which a request names
// it (MS-GRVSPCM 3.3.5.1.1.3).
func (k SharedKey) ID() Digest { return Sum(1, k.secret()) }

// Encrypt encrypts plaintext with MARC4 under a fresh random iv as long as the
// key. The result is not authenticated; the protocols add a MAC.
func (k SharedKey) Encrypt(plaintext []byte) (iv, ciphertext []byte, err error) {
	iv = make([]byte, len(k.secret()))
	rand.Read(iv) // never fails: crypto/rand ends the process instead
	ciphertext, err = k.Decrypt(iv, plaintext)
	if err != nil {
		return nil, nil, err
	}
	return iv, ciphertext, nil
}

// Decrypt decrypts ciphertext with MARC4. It fails only if the iv is not as
// long as the key: what it returns is worth nothing until its MAC is verified.
func (k SharedKey) Decrypt(iv, ciphertext []byte) ([]byte, error) {
	stream, err := NewMARC4(k.secret(), iv)
	if err != nil {
		return nil, err
	}
	plaintext := make([]byte, len(ciphertext))
	stream.XORKeyStream(plaintext, ciphertext)
	return plaintext, nil
}

// MAC returns the HMAC-SHA1 of the concatenated parts (MS-GRVSPCM 3.1.5.6).
func (k SharedKey) MAC(parts ...[]byte) []byte {
	h := hmac.New(sha1.New, k.secret())
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// VerifyMAC reports in constant time whether mac is the MAC of the parts.
func (k SharedKey) VerifyMAC(mac []byte, parts ...[]byte) bool {
	return hmac.Equal(mac, k.MAC(parts...))
}
