package keys

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	// sealVersion is the first byte of everything sealed:
	//
	//	version 1 | key id 8 | nonce 24 | XChaCha20-Poly1305 ciphertext and tag
	sealVersion = 1

	keyIDSize  = 8
	headerSize = 1 + keyIDSize
	sealedMin  = headerSize + chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead

	// SealOverhead is the number of bytes by which sealing lengthens.
	SealOverhead = sealedMin

	// maxPurpose bounds a purpose, in bytes: it names a kind of thing and the
	// thing, such as "domain keys/" and a GUID.
	maxPurpose = 255
)

var (
	// ErrOtherMasterKey is returned by [Vault.Open] for what was sealed under
	// another master key: the data is from another machine, or the master
	// key of this one was lost and made anew.
	ErrOtherMasterKey = errors.New("sealed under another master key")

	// ErrSealBroken is returned by [Vault.Open] for what was altered, cut, or
	// sealed for another purpose.
	ErrSealBroken = errors.New("seal is broken")
)

// Vault seals secrets for storage under a master key. It is safe for
// concurrent use and prints redacted. It has nothing to close: the master key
// lives as long as the process.
type Vault struct {
	redacted
	master hidden[*[masterKeySize]byte]
	keyID  [keyIDSize]byte
}

func newVault(master *[masterKeySize]byte) (*Vault, error) {
	id, err := hkdf.Key(sha256.New, master[:], nil, "furrow vault key id", keyIDSize)
	if err != nil {
		return nil, fmt.Errorf("deriving the id of the master key: %w", err)
	}
	return &Vault{master: hide(master), keyID: [keyIDSize]byte(id)}, nil
}

// MasterKey returns a copy of the master key, for a backup that is encrypted:
// written to [MasterKeyFile] it opens on another machine what was sealed here.
func (v *Vault) MasterKey() []byte { return append([]byte(nil), v.master()[:]...) }

// aead returns the cipher of one purpose. Each purpose has its own key, so
// that nonces count per purpose and no two kinds of secrets share one.
func (v *Vault) aead(purpose string) (cipher.AEAD, error) {
	if purpose == "" || len(purpose) > maxPurpose {
		return nil, fmt.Errorf("purpose of %d bytes, want 1 to %d", len(purpose), maxPurpose)
	}
	key, err := hkdf.Key(sha256.New, v.master()[:], nil, "furrow vault seal\x00"+purpose, chacha20poly1305.KeySize)
	if err != nil {
		return nil, fmt.Errorf("deriving the key for %q: %w", purpose, err)
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("starting the cipher for %q: %w", purpose, err)
	}
	return aead, nil
}

// header is what precedes the nonce.
func (v *Vault) header() []byte { return append([]byte{sealVersion}, v.keyID[:]...) }

// Seal encrypts and authenticates plaintext for one purpose, such as "domain
// keys/" and the domain's GUID. Only [Vault.Open] with the same purpose opens
// it, so that a sealed value put in the place of another is noticed. The
// purpose itself is not kept in what is returned.
func (v *Vault) Seal(purpose string, plaintext []byte) ([]byte, error) {
	aead, err := v.aead(purpose)
	if err != nil {
		return nil, err
	}
	sealed := make([]byte, headerSize+aead.NonceSize(), len(plaintext)+SealOverhead)
	copy(sealed, v.header())
	nonce := sealed[headerSize:]
	rand.Read(nonce) // never fails: crypto/rand ends the process instead
	return aead.Seal(sealed, nonce, plaintext, associated(sealed[:headerSize], purpose)), nil
}

// Open returns what was sealed for the purpose. Its errors are
// [ErrOtherMasterKey], [ErrSealBroken], or say that the version is not known.
func (v *Vault) Open(purpose string, sealed []byte) ([]byte, error) {
	aead, err := v.aead(purpose)
	if err != nil {
		return nil, err
	}
	if len(sealed) < sealedMin {
		return nil, fmt.Errorf("opening %q: %w: only %d bytes", purpose, ErrSealBroken, len(sealed))
	}
	header, rest := sealed[:headerSize], sealed[headerSize:]
	if header[0] != sealVersion {
		return nil, fmt.Errorf("opening %q: sealed form of version %d, want %d", purpose, header[0], sealVersion)
	}
	if [keyIDSize]byte(header[1:]) != v.keyID {
		return nil, fmt.Errorf("opening %q: %w", purpose, ErrOtherMasterKey)
	}
	nonce, ciphertext := rest[:aead.NonceSize()], rest[aead.NonceSize():]
	plaintext, err := aead.Open(nil, nonce, ciphertext, associated(header, purpose))
	if err != nil {
		return nil, fmt.Errorf("opening %q: %w", purpose, ErrSealBroken)
	}
	return plaintext, nil
}

// associated is the data that is authenticated beside the plaintext. The
// header has a fixed size, so the two parts cannot be mistaken for each other.
func associated(header []byte, purpose string) []byte {
	return append(append(make([]byte, 0, len(header)+len(purpose)), header...), purpose...)
}
