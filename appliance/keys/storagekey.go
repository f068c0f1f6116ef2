package keys

import (
	"bytes"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"errors"
	"fmt"
)

const (
	// StorageKeySize is the size in bytes of the storage keys that we make,
	// the 192 bits of the protocol's other secret keys; none is published.
	StorageKeySize = 24

	// minStorageKey and maxStorageKey bound the storage keys that are
	// accepted, in bytes. The largest still fits, with its verifier, into the
	// padding of a 2048-bit key, and without it into that of a 1200-bit one.
	minStorageKey = 16
	maxStorageKey = 128
)

// ErrEscrow is returned by [RSAPrivateKey.OpenEscrow] for everything that is
// not a storage key bound to what the caller says, whatever the cause.
var ErrEscrow = errors.New("escrow does not hold a storage key of this account")

// StorageKey is one of the two keys under which a client stores an account, the
// master key or the secret master key (MS-GRVSPCM 3.3.1). The client forgets it
// with the user's passphrase, and gets it back through a domain's data recovery
// key. It is immutable and prints redacted. The zero value holds no key and
// must not be used.
type StorageKey struct {
	redacted
	secret hidden[[]byte]
}

// GenerateStorageKey makes a random key of [StorageKeySize].
func GenerateStorageKey() StorageKey {
	b := make([]byte, StorageKeySize)
	rand.Read(b) // never fails: crypto/rand ends the process instead
	return StorageKey{secret: hide(b)}
}

// NewStorageKey returns the key with a copy of the given 16 to 128 bytes.
func NewStorageKey(b []byte) (StorageKey, error) {
	if len(b) < minStorageKey || len(b) > maxStorageKey {
		return StorageKey{}, fmt.Errorf("storage key of %d bytes, want %d to %d", len(b), minStorageKey, maxStorageKey)
	}
	b = bytes.Clone(b)
	return StorageKey{secret: hide(b)}, nil
}

// Bytes returns a copy of the key, to be sealed or encrypted to a peer.
func (k StorageKey) Bytes() []byte { return bytes.Clone(k.secret()) }

// Equal reports in constant time whether both are the same key.
func (k StorageKey) Equal(other StorageKey) bool {
	return subtle.ConstantTimeCompare(k.secret(), other.secret()) == 1
}

// Escrow encrypts the key to a domain's data recovery key, for a day when the
// passphrase is forgotten: verifier || key, where the verifier is the SHA-1
// digest of the binding's strings and the key. The binding is the account GUID
// for a manual reset (MS-GRVSPCM 3.2.5.1.6), account GUID and identity URL for
// an automatic one (3.2.5.6.3).
func (k StorageKey) Escrow(recovery EncryptionKey, binding ...string) ([]byte, error) {
	verifier := escrowVerifier(k.secret(), binding)
	return recovery.Encrypt(append(verifier[:], k.secret()...))
}

// OpenEscrow returns the key that [StorageKey.Escrow] encrypted with the same
// binding, and [ErrEscrow] for anything else.
//
// Peers who need not be members choose the ciphertext, so this is no padding
// oracle: what cannot be decrypted goes the way of what was decrypted to a key
// that nobody has, through the same digest and comparison to the same error.
func (k *RSAPrivateKey) OpenEscrow(ciphertext []byte, binding ...string) (StorageKey, error) {
	decoy := make([]byte, sha1.Size+StorageKeySize)
	rand.Read(decoy) // never fails: crypto/rand ends the process instead
	plaintext, err := k.Decrypt(ciphertext)
	if err != nil || len(plaintext) < sha1.Size {
		plaintext = decoy
	}
	verifier, secret := plaintext[:sha1.Size], plaintext[sha1.Size:]
	want := escrowVerifier(secret, binding)
	if subtle.ConstantTimeCompare(verifier, want[:]) != 1 {
		return StorageKey{}, ErrEscrow
	}
	key, err := NewStorageKey(secret)
	if err != nil {
		return StorageKey{}, ErrEscrow
	}
	return key, nil
}

// escrowVerifier takes the strings in UTF-16LE without terminator (reading A9).
func escrowVerifier(secret []byte, binding []string) Digest {
	parts := make([][]byte, 0, len(binding)+1)
	for _, s := range binding {
		parts = append(parts, UTF16LE(s))
	}
	return Sum(1, append(parts, secret)...)
}
