package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"errors"
	"fmt"
)

const (
	// passwordAlphabet has the 32 characters of the protocol's GUIDs: no l and
	// o, no 0 and 1, so that nobody reads one for another. It is ASCII, because
	// how other characters would be encoded is not published (reading D6).
	passwordAlphabet = "abcdefghijkmnpqrstuvwxyz23456789"

	// A temporary password has 35 random characters of five bits, 175 in all;
	// MS-GRVSPCM 3.2.5.6.3 step 3 wants 168. They stand in groups, as people
	// copy it from a mail by eye.
	passwordGroups    = 7
	passwordGroupSize = 5

	// passwordKeySize and passwordIterations are those of MS-GRVSPCM 3.2.5.6.3
	// step 10. One iteration without salt is enough for a password of this
	// entropy, and for no other.
	passwordKeySize    = 32
	passwordIterations = 1
)

// ErrTemporaryPassword is returned by [SealedStorageKeys.Open] for another
// password or keys that were altered.
var ErrTemporaryPassword = errors.New("the temporary password does not fit")

// NewTemporaryPassword makes the password of an automatic reset (MS-GRVSPCM
// 3.2.5.6.3 step 3), seven groups of five characters with dashes between. The
// dashes are part of it.
func NewTemporaryPassword() string {
	random := make([]byte, passwordGroups*passwordGroupSize)
	rand.Read(random) // never fails: crypto/rand ends the process instead
	password := make([]byte, 0, len(random)+passwordGroups)
	for i, v := range random {
		if i > 0 && i%passwordGroupSize == 0 {
			password = append(password, '-')
		}
		password = append(password, passwordAlphabet[v%byte(len(passwordAlphabet))]) // 32 divides 256: no bias
	}
	return string(password)
}

// SealedStorageKeys are an account's two storage keys under a temporary
// password (MS-GRVSPCM 3.2.5.6.3 steps 10 to 13).
type SealedStorageKeys struct {
	MasterKey, MasterKeyIV             []byte
	SecretMasterKey, SecretMasterKeyIV []byte
	MAC                                []byte
}

// SealStorageKeys encrypts both keys with AES-256 in counter mode, each from a
// random counter of its own, under the key that PBKDF2 makes of the password.
func SealStorageKeys(password string, master, secretMaster StorageKey) (SealedStorageKeys, error) {
	key, err := passwordKey(password)
	if err != nil {
		return SealedStorageKeys{}, err
	}
	s := SealedStorageKeys{MasterKeyIV: make([]byte, aes.BlockSize), SecretMasterKeyIV: make([]byte, aes.BlockSize)}
	rand.Read(s.MasterKeyIV) // never fails: crypto/rand ends the process instead
	rand.Read(s.SecretMasterKeyIV)
	if s.MasterKey, err = counterMode(key, s.MasterKeyIV, master.secret()); err != nil {
		return SealedStorageKeys{}, err
	}
	if s.SecretMasterKey, err = counterMode(key, s.SecretMasterKeyIV, secretMaster.secret()); err != nil {
		return SealedStorageKeys{}, err
	}
	s.MAC = s.mac(key)
	return s, nil
}

// Open returns the keys, or [ErrTemporaryPassword].
func (s SealedStorageKeys) Open(password string) (master, secretMaster StorageKey, err error) {
	key, err := passwordKey(password)
	if err != nil {
		return StorageKey{}, StorageKey{}, err
	}
	if !hmac.Equal(s.MAC, s.mac(key)) {
		return StorageKey{}, StorageKey{}, ErrTemporaryPassword
	}
	if master, err = openCounterMode(key, s.MasterKeyIV, s.MasterKey); err != nil {
		return StorageKey{}, StorageKey{}, err
	}
	if secretMaster, err = openCounterMode(key, s.SecretMasterKeyIV, s.SecretMasterKey); err != nil {
		return StorageKey{}, StorageKey{}, err
	}
	return master, secretMaster, nil
}

// mac is the HMAC-SHA1 of the digest of keys and counters (MS-GRVSPCM 3.2.5.6.3
// steps 12 and 13, reading A6).
func (s SealedStorageKeys) mac(key []byte) []byte {
	digest := Sum(1, s.MasterKey, s.MasterKeyIV, s.SecretMasterKey, s.SecretMasterKeyIV)
	h := hmac.New(sha1.New, key)
	h.Write(digest[:])
	return h.Sum(nil)
}

func passwordKey(password string) ([]byte, error) {
	key, err := pbkdf2.Key(sha1.New, password, nil, passwordIterations, passwordKeySize)
	if err != nil {
		return nil, fmt.Errorf("deriving the key of a temporary password: %w", err)
	}
	return key, nil
}

func openCounterMode(key, iv, ciphertext []byte) (StorageKey, error) {
	plaintext, err := counterMode(key, iv, ciphertext)
	if err != nil {
		return StorageKey{}, err
	}
	return NewStorageKey(plaintext)
}

// counterMode encrypts and decrypts; the IV is the first counter (reading D6).
func counterMode(key, iv, text []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("starting AES: %w", err)
	}
	if len(iv) != aes.BlockSize {
		return nil, fmt.Errorf("AES counter of %d bytes, want %d", len(iv), aes.BlockSize)
	}
	result := make([]byte, len(text))
	cipher.NewCTR(block, iv).XORKeyStream(result, text)
	return result, nil
}
