package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
)

// EncryptCTR encrypts plaintext with AES in counter mode under a fresh random
// iv of 16 bytes, which is the first counter (MS-GRVSPCM 3.1.4). The key must
// have 16, 24 or 32 bytes. The result is not authenticated.
func (k SharedKey) EncryptCTR(plaintext []byte) (iv, ciphertext []byte, err error) {
	iv = make([]byte, aes.BlockSize)
	rand.Read(iv) // never fails: crypto/rand ends the process instead
	ciphertext, err = k.DecryptCTR(iv, plaintext)
	if err != nil {
		return nil, nil, err
	}
	return iv, ciphertext, nil
}

// DecryptCTR decrypts what EncryptCTR has encrypted. It fails only for a key or
// iv of the wrong size: what it returns is worth nothing until its MAC is
// verified.
func (k SharedKey) DecryptCTR(iv, ciphertext []byte) ([]byte, error) {
	block, err := aes.NewCipher(k.secret())
	if err != nil {
		return nil, fmt.Errorf("starting AES: %w", err)
	}
	if len(iv) != aes.BlockSize {
		return nil, fmt.Errorf("AES counter of %d bytes, want %d", len(iv), aes.BlockSize)
	}
	plaintext := make([]byte, len(ciphertext))
	cipher.NewCTR(block, iv).XORKeyStream(plaintext, ciphertext)
	return plaintext, nil
}
