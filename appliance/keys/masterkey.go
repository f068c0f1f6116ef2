package keys

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"furrow/appliance/disk"
)

const (
	masterKeySize = 32

	// MasterKeyFile is the name of the master key in a data directory.
	MasterKeyFile = "master.key"

	// MasterKeyCredential is the name of the systemd credential that holds the
	// master key: 32 bytes, as they are.
	MasterKeyCredential = "furrow-master-key"
)

// OpenVault opens the vault whose master key is the file [MasterKeyFile] in
// dir, and makes the file on the first start: 32 random bytes, mode 0600, on
// disk with its directory entry before OpenVault returns. It fails if the file
// is not a regular file of that mode and size; it never replaces one.
func OpenVault(dir string) (*Vault, error) {
	path := filepath.Join(dir, MasterKeyFile)
	master, err := readMasterKey(path, checkOwnOnly)
	if errors.Is(err, fs.ErrNotExist) {
		if err := createMasterKey(dir, path); err != nil {
			return nil, err
		}
		master, err = readMasterKey(path, checkOwnOnly)
	}
	if err != nil {
		return nil, err
	}
	return newVault(master)
}

// OpenCredentialVault opens the vault whose master key is the systemd
// credential [MasterKeyCredential] in dir, the directory that systemd names in
// $CREDENTIALS_DIRECTORY. It makes none: the error is fs.ErrNotExist if the
// unit was given no such credential.
func OpenCredentialVault(dir string) (*Vault, error) {
	master, err := readMasterKey(filepath.Join(dir, MasterKeyCredential), checkNotForOthers)
	if err != nil {
		return nil, err
	}
	return newVault(master)
}

// checkOwnOnly wants exactly the mode we create with: any other was set by
// somebody, and who read the key meanwhile cannot be known.
func checkOwnOnly(mode fs.FileMode) error {
	if mode.Perm() != 0o600 {
		return fmt.Errorf("mode is %04o, want 0600", mode.Perm())
	}
	return nil
}

// checkNotForOthers leaves the group bits alone: systemd lets the unit's user
// in by an access control list, whose mask shows in their place.
func checkNotForOthers(mode fs.FileMode) error {
	if mode.Perm()&0o007 != 0 {
		return fmt.Errorf("mode is %04o, which lets everybody in", mode.Perm())
	}
	return nil
}

func readMasterKey(path string, checkMode func(fs.FileMode) error) (_ *[masterKeySize]byte, err error) {
	// Not through a symbolic link, and not waiting for a writer if it is a pipe.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("opening master key: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()

	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("examining master key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("master key %s is not a regular file", path)
	}
	if err := checkMode(info.Mode()); err != nil {
		return nil, fmt.Errorf("master key %s: %w", path, err)
	}
	if info.Size() != masterKeySize {
		return nil, fmt.Errorf("master key %s has %d bytes, want %d", path, info.Size(), masterKeySize)
	}
	var master [masterKeySize]byte
	if _, err := io.ReadFull(f, master[:]); err != nil {
		return nil, fmt.Errorf("reading master key %s: %w", path, err)
	}
	return &master, nil
}

// createMasterKey writes a new key under another name and links it to path, so
// that path is never seen half written and an existing key is never replaced.
func createMasterKey(dir, path string) error {
	temporary, err := writeNewKey(dir)
	if err != nil {
		return fmt.Errorf("writing new master key: %w", err)
	}
	err = os.Link(temporary, path)
	if errors.Is(err, fs.ErrExist) {
		err = nil // another process was first: its key is the one
	}
	if err = errors.Join(err, os.Remove(temporary)); err != nil {
		return fmt.Errorf("putting new master key in place: %w", err)
	}
	return disk.OS{}.SyncDir(dir)
}

// writeNewKey writes a random key to a new file in dir and flushes it.
func writeNewKey(dir string) (name string, err error) {
	f, err := os.CreateTemp(dir, MasterKeyFile+".*") // creates with mode 0600
	if err != nil {
		return "", err
	}
	var master [masterKeySize]byte
	rand.Read(master[:]) // never fails: crypto/rand ends the process instead
	_, err = f.Write(master[:])
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}
