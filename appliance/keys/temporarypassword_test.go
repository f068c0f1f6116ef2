package keys

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"errors"
	"regexp"
	"testing"
)

func TestTemporaryPassword(t *testing.T) {
	form := regexp.MustCompile(`^([a-km-np-z2-9]{5}-){6}[a-km-np-z2-9]{5}$`)
	seen := map[string]bool{}
	for range 100 {
		password := NewTemporaryPassword()
		if !form.MatchString(password) || seen[password] {
			t.Fatalf("password %q", password)
		}
		seen[password] = true
	}
}

// TestSealedStorageKeys follows MS-GRVSPCM 3.2.5.6.3 steps 10 to 13 by hand:
// with one iteration PBKDF2 is the HMAC of the block's number.
func TestSealedStorageKeys(t *testing.T) {
	const password = "abcde-fghij"
	master, secretMaster := GenerateStorageKey(), GenerateStorageKey()
	s, err := SealStorageKeys(password, master, secretMaster)
	if err != nil {
		t.Fatal(err)
	}

	mac := func(key []byte, parts ...[]byte) []byte {
		h := hmac.New(sha1.New, key)
		for _, p := range parts {
			h.Write(p)
		}
		return h.Sum(nil)
	}
	key := append(mac([]byte(password), []byte{0, 0, 0, 1}), mac([]byte(password), []byte{0, 0, 0, 2})...)[:32]
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []struct {
		key            StorageKey
		ciphertext, iv []byte
	}{{master, s.MasterKey, s.MasterKeyIV}, {secretMaster, s.SecretMasterKey, s.SecretMasterKeyIV}} {
		plaintext := make([]byte, len(part.ciphertext))
		cipher.NewCTR(block, part.iv).XORKeyStream(plaintext, part.ciphertext)
		if !bytes.Equal(plaintext, part.key.Bytes()) {
			t.Error("another plaintext")
		}
	}
	digest := sha1.Sum(bytes.Join([][]byte{s.MasterKey, s.MasterKeyIV, s.SecretMasterKey, s.SecretMasterKeyIV}, nil))
	if !bytes.Equal(s.MAC, mac(key, digest[:])) {
		t.Error("another MAC")
	}
	if bytes.Equal(s.MasterKeyIV, s.SecretMasterKeyIV) {
		t.Error("one counter for both keys")
	}

	gotMaster, gotSecret, err := s.Open(password)
	if err != nil || !gotMaster.Equal(master) || !gotSecret.Equal(secretMaster) {
		t.Errorf("opened %v, %v, %v", gotMaster, gotSecret, err)
	}
	if _, _, err := s.Open(password + "k"); !errors.Is(err, ErrTemporaryPassword) {
		t.Errorf("another password: %v", err)
	}
	for name, part := range map[string]*[]byte{
		"master key": &s.MasterKey, "its counter": &s.MasterKeyIV,
		"secret master key": &s.SecretMasterKey, "its other counter": &s.SecretMasterKeyIV, "MAC": &s.MAC,
	} {
		(*part)[0] ^= 1
		if _, _, err := s.Open(password); !errors.Is(err, ErrTemporaryPassword) {
			t.Errorf("altered %s: %v", name, err)
		}
		(*part)[0] ^= 1
	}
	s.MasterKeyIV = s.MasterKeyIV[1:]
	s.MAC = s.mac(key)
	if _, _, err := s.Open(password); err == nil {
		t.Error("a short counter was used")
	}
}
