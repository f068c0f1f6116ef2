package keys

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

func TestEscrow(t *testing.T) {
	recovery, err := GenerateRSAKey()
	if err != nil {
		t.Fatal(err)
	}
	other, err := GenerateRSAKey()
	if err != nil {
		t.Fatal(err)
	}
	const account, identity = "a6afv5ms7sxxpkzpzfvwbra83av34at3mz6ytds", "grooveIdentity://w7e552zcd2us7uhc7upitakem5j9ezxk@"
	key := GenerateStorageKey()
	sealed, err := key.Escrow(recovery.Public(), account, identity)
	if err != nil {
		t.Fatal(err)
	}

	// MS-GRVSPCM 3.2.5.6.3 steps 5 to 7, by hand.
	plaintext, err := recovery.Decrypt(sealed)
	if err != nil {
		t.Fatal(err)
	}
	verifier := Sum(1, UTF16LE(account), UTF16LE(identity), key.Bytes())
	if !bytes.Equal(plaintext, append(verifier[:], key.Bytes()...)) {
		t.Errorf("escrow holds %x", plaintext)
	}

	if opened, err := recovery.OpenEscrow(sealed, account, identity); err != nil || !opened.Equal(key) {
		t.Errorf("opened %v, %v", opened, err)
	}
	encrypt := func(plaintext []byte) []byte {
		ciphertext, err := recovery.Public().Encrypt(plaintext)
		if err != nil {
			t.Fatal(err)
		}
		return ciphertext
	}
	bound := func(size int) []byte {
		secret := make([]byte, size)
		verifier := Sum(1, UTF16LE(account), secret)
		return append(verifier[:], secret...)
	}
	flipped := bytes.Clone(plaintext)
	flipped[0] ^= 1
	for name, test := range map[string]struct {
		key        *RSAPrivateKey
		ciphertext []byte
		binding    []string
	}{
		"another account":         {recovery, sealed, []string{"b" + account[1:], identity}},
		"the manual binding":      {recovery, sealed, []string{account}},
		"another recovery key":    {other, sealed, []string{account, identity}},
		"altered ciphertext":      {recovery, append(bytes.Clone(sealed[:len(sealed)-1]), sealed[len(sealed)-1]^1), []string{account, identity}},
		"short ciphertext":        {recovery, sealed[1:], []string{account, identity}},
		"no ciphertext":           {recovery, nil, []string{account, identity}},
		"altered verifier":        {recovery, encrypt(flipped), []string{account, identity}},
		"no room for a verifier":  {recovery, encrypt(plaintext[:19]), []string{account, identity}},
		"verifier of a short key": {recovery, encrypt(bound(15)), []string{account}},
		"verifier of a long key":  {recovery, encrypt(bound(129)), []string{account}},
	} {
		if opened, err := test.key.OpenEscrow(test.ciphertext, test.binding...); !errors.Is(err, ErrEscrow) || err.Error() != ErrEscrow.Error() {
			t.Errorf("%s: %v, %v", name, opened, err)
		}
	}
	for _, size := range []int{16, 128} {
		if _, err := recovery.OpenEscrow(encrypt(bound(size)), account); err != nil {
			t.Errorf("key of %d bytes: %v", size, err)
		}
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %x %s", key, key, key, key, &key)} {
		if bytes.Contains([]byte(text), key.Bytes()) || text != "[redacted] [redacted] [redacted] [redacted] [redacted]" {
			t.Errorf("a key prints as %q", text)
		}
	}
}

func FuzzOpenEscrow(f *testing.F) {
	recovery, err := GenerateRSAKey()
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := GenerateStorageKey().Escrow(recovery.Public(), "other")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Fuzz(func(t *testing.T, ciphertext []byte) {
		if _, err := recovery.OpenEscrow(ciphertext, "account"); !errors.Is(err, ErrEscrow) {
			t.Fatalf("opened with %v", err)
		}
	})
}
