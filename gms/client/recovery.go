package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"furrow/appliance/keys"
)

const (
	// recoveryFile holds the master keys of the account and a password reset that was asked for, sealed.
	recoveryFile = "recovery.json"
	// recoveryVersion is the version of the file's form.
	recoveryVersion = 1

	purposeMaster       = "master key"
	purposeSecretMaster = "secret master key"
	purposeTemporary    = "password reset"
)

// Recovery is what a home keeps beside the profile for a forgotten passphrase.
type Recovery struct {
	Keys  MasterKeys
	Reset *PasswordReset // nil unless one was asked for
}

type recoveryForm struct {
	Version      int        `json:"version"`
	Master       []byte     `json:"master"`       // sealed
	SecretMaster []byte     `json:"secretMaster"` // sealed
	Reset        *resetForm `json:"reset,omitempty"`
}

type resetForm struct {
	Automatic bool                   `json:"automatic"`
	Temporary *pairForm              `json:"temporary,omitempty"`
	Sealed    keys.SealedStorageKeys `json:"sealed"` // under the temporary password
	Email     string                 `json:"email,omitempty"`
}

// LoadRecovery returns what the home keeps, or new master keys if it keeps none; they are stored by SaveRecovery.
func (h *Home) LoadRecovery() (*Recovery, error) {
	path := filepath.Join(h.dir, recoveryFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &Recovery{Keys: NewMasterKeys()}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the master keys: %w", err)
	}
	var f recoveryForm
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("reading the master keys %s: %w", path, err)
	}
	if f.Version != recoveryVersion {
		return nil, fmt.Errorf("reading the master keys %s: version %d, want %d", path, f.Version, recoveryVersion)
	}
	r := &Recovery{}
	if r.Keys.Master, err = h.openStorageKey(purposeMaster, f.Master); err != nil {
		return nil, err
	}
	if r.Keys.SecretMaster, err = h.openStorageKey(purposeSecretMaster, f.SecretMaster); err != nil {
		return nil, err
	}
	if f.Reset == nil {
		return r, nil
	}
	r.Reset = &PasswordReset{Automatic: f.Reset.Automatic, Sealed: f.Reset.Sealed, Email: f.Reset.Email}
	if f.Reset.Temporary != nil {
		r.Reset.Temporary, err = h.openPair(purposeTemporary, *f.Reset.Temporary)
	}
	return r, err
}

// SaveRecovery replaces what the home keeps; a crash leaves the old or the new.
func (h *Home) SaveRecovery(r *Recovery) error {
	f := recoveryForm{Version: recoveryVersion}
	var err error
	if f.Master, err = h.vault.Seal(purposeMaster, r.Keys.Master.Bytes()); err != nil {
		return err
	}
	if f.SecretMaster, err = h.vault.Seal(purposeSecretMaster, r.Keys.SecretMaster.Bytes()); err != nil {
		return err
	}
	if r.Reset != nil {
		f.Reset = &resetForm{Automatic: r.Reset.Automatic, Sealed: r.Reset.Sealed, Email: r.Reset.Email}
		if !r.Reset.Automatic {
			pair, err := h.sealPair(purposeTemporary, r.Reset.Temporary)
			if err != nil {
				return err
			}
			f.Reset.Temporary = &pair
		}
	}
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("storing the master keys: %w", err)
	}
	if err := renameio.WriteFile(filepath.Join(h.dir, recoveryFile), data, 0o600); err != nil {
		return fmt.Errorf("storing the master keys: %w", err)
	}
	return nil
}

func (h *Home) openStorageKey(purpose string, sealed []byte) (keys.StorageKey, error) {
	plain, err := h.vault.Open(purpose, sealed)
	if err != nil {
		return keys.StorageKey{}, err
	}
	return keys.NewStorageKey(plain)
}
