package keys

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestOpenVaultMakesTheKeyOnce(t *testing.T) {
	dir := t.TempDir()
	first, err := OpenVault(dir)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := first.Seal("purpose", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != MasterKeyFile {
		t.Fatalf("the directory holds %v, want %s only", entries, MasterKeyFile)
	}
	info, err := entries[0].Info()
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 || info.Size() != masterKeySize {
		t.Errorf("mode %v, %d bytes", info.Mode(), info.Size())
	}
	second, err := OpenVault(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := second.Open("purpose", sealed); err != nil || string(got) != "secret" {
		t.Errorf("after reopening: %q, %v", got, err)
	}
	other, err := OpenVault(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Open("purpose", sealed); !errors.Is(err, ErrOtherMasterKey) {
		t.Errorf("in another directory: %v", err)
	}
}

// Whoever comes first makes the key; the others take it.
func TestOpenVaultAtOnce(t *testing.T) {
	dir := t.TempDir()
	vaults := make([]*Vault, 8)
	errs := make([]error, len(vaults))
	var group sync.WaitGroup
	for i := range vaults {
		group.Go(func() { vaults[i], errs[i] = OpenVault(dir) })
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for _, v := range vaults[1:] {
		if v.keyID != vaults[0].keyID {
			t.Fatal("two vaults of one directory have two keys")
		}
	}
}

func TestOpenVaultRefuses(t *testing.T) {
	key := make([]byte, masterKeySize)
	write := func(mode fs.FileMode, content []byte) func(t *testing.T, path string) error {
		return func(t *testing.T, path string) error {
			return errors.Join(os.WriteFile(path, content, 0o600), os.Chmod(path, mode))
		}
	}
	for _, test := range []struct {
		name string
		make func(t *testing.T, path string) error
		want string
	}{
		{"readable by the group", write(0o640, key), "0640, want 0600"},
		{"readable by all", write(0o604, key), "0604, want 0600"},
		{"read-only", write(0o400, key), "0400, want 0600"},
		{"empty", write(0o600, nil), "0 bytes, want 32"},
		{"short", write(0o600, key[:31]), "31 bytes, want 32"},
		{"long", write(0o600, append(key, '\n')), "33 bytes, want 32"},
		{"directory", func(_ *testing.T, path string) error { return os.Mkdir(path, 0o600) }, "not a regular file"},
		{"pipe", func(_ *testing.T, path string) error { return syscall.Mkfifo(path, 0o600) }, "not a regular file"},
		{"symbolic link", func(t *testing.T, path string) error {
			target := filepath.Join(t.TempDir(), "key")
			return errors.Join(os.WriteFile(target, key, 0o600), os.Symlink(target, path))
		}, "symbolic link"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, MasterKeyFile)
			if err := test.make(t, path); err != nil {
				t.Fatal(err)
			}
			before, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := OpenVault(dir); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error is %v, want one with %q and the path", err, test.want)
			}
			after, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			if !os.SameFile(before, after) || before.Size() != after.Size() || before.Mode() != after.Mode() {
				t.Error("the file was replaced or changed")
			}
		})
	}
	if _, err := OpenVault(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a missing directory: %v", err)
	}
}

func TestOpenCredentialVault(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, MasterKeyCredential)
	if _, err := OpenCredentialVault(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("without the credential: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("a credential was made: %v", err)
	}
	if err := os.WriteFile(path, make([]byte, masterKeySize), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, ok := range map[fs.FileMode]bool{0o400: true, 0o440: true, 0o600: true, 0o444: false, 0o604: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenCredentialVault(dir); (err == nil) != ok {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
	if err := errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, make([]byte, 16), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCredentialVault(dir); err == nil {
		t.Error("a credential of 16 bytes was accepted")
	}
}
