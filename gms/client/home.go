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
	"furrow/gms/soap/spcm"
)

const (
	// profileFile holds the profile in a home folder, its secrets sealed with the folder's master key.
	profileFile = "profile.json"
	// profileVersion is the version of the file's form.
	profileVersion = 1
)

// ErrNoProfile is returned by Home.Load for a folder without a profile.
var ErrNoProfile = errors.New("no profile in the home folder")

// Home is a folder that keeps one profile.
type Home struct {
	dir   string
	vault *keys.Vault
}

// OpenHome opens a home folder, and makes it when it is not there.
func OpenHome(dir string) (*Home, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("home folder: %w", err)
	}
	vault, err := keys.OpenVault(dir)
	if err != nil {
		return nil, fmt.Errorf("home folder %s: %w", dir, err)
	}
	return &Home{dir: dir, vault: vault}, nil
}

// profileForm is a profile as it is stored.
type profileForm struct {
	Version       int                   `json:"version"`
	Server        string                `json:"server"`
	CodeID        string                `json:"codeID"`
	Domain        spcm.ManagementDomain `json:"domain"`
	MemberGUID    string                `json:"memberGUID"`
	FullName      string                `json:"fullName"`
	VCard         []byte                `json:"vCard"`
	User          accountForm           `json:"user"`
	Device        accountForm           `json:"device"`
	DeviceName    string                `json:"deviceName"`
	DeviceURL     string                `json:"deviceURL"`
	IdentityURL   string                `json:"identityURL"`
	Identity      pairForm              `json:"identity"`
	RelayDevice   []byte                `json:"relayDeviceKey"`  // sealed
	RelayAccount  []byte                `json:"relayAccountKey"` // sealed
	KnownToRelays []string              `json:"knownToRelays"`
	Joined        bool                  `json:"joined"`
	ManagesDevice bool                  `json:"managesDevice"`
	UnusedCode    []byte                `json:"unusedCode,omitempty"` // sealed
	Objects       map[string]Held       `json:"objects"`
	DeviceObjects map[string]Held       `json:"deviceObjects"`

	AuditKey   []byte                  `json:"auditKey,omitempty"` // sealed
	AuditFiles map[string]FileProgress `json:"auditFiles,omitempty"`
}

type accountForm struct {
	GUID string `json:"guid"`
	Key  []byte `json:"key"` // sealed
	pairForm
}

type pairForm struct {
	Signature  []byte `json:"signature"`  // sealed
	Encryption []byte `json:"encryption"` // sealed
}

// The purposes for which the secrets of a profile are sealed.
const (
	purposeUser     = "user account"
	purposeDevice   = "device account"
	purposeIdentity = "identity"

	purposeUnusedCode = "unused configuration code"

	purposeRelayDevice  = "relay device key"
	purposeRelayAccount = "relay account key"
	purposeAudit        = "audit log key"
)

// Load returns the profile, or ErrNoProfile.
func (h *Home) Load() (*Profile, error) {
	path := filepath.Join(h.dir, profileFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", h.dir, ErrNoProfile)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the profile: %w", err)
	}
	var f profileForm
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("reading the profile %s: %w", path, err)
	}
	if f.Version != profileVersion {
		return nil, fmt.Errorf("reading the profile %s: version %d, want %d", path, f.Version, profileVersion)
	}
	p := &Profile{
		Server: f.Server, CodeID: f.CodeID, Domain: f.Domain, MemberGUID: f.MemberGUID, FullName: f.FullName,
		VCard: f.VCard, DeviceName: f.DeviceName, DeviceURL: f.DeviceURL, IdentityURL: f.IdentityURL,
		Joined: f.Joined, ManagesDevice: f.ManagesDevice, Objects: f.Objects, DeviceObjects: f.DeviceObjects,
		KnownToRelays: f.KnownToRelays, AuditFiles: f.AuditFiles,
	}
	if f.AuditKey != nil {
		if p.AuditKey, err = h.openKey(purposeAudit, f.AuditKey); err != nil {
			return nil, err
		}
	}
	if p.User, err = h.openAccount(purposeUser, f.User); err != nil {
		return nil, err
	}
	if p.Device, err = h.openAccount(purposeDevice, f.Device); err != nil {
		return nil, err
	}
	p.Device.Device = true
	if p.RelayKeys.Device, err = h.openKey(purposeRelayDevice, f.RelayDevice); err != nil {
		return nil, err
	}
	if p.RelayKeys.Account, err = h.openKey(purposeRelayAccount, f.RelayAccount); err != nil {
		return nil, err
	}
	if f.UnusedCode != nil {
		code, err := h.vault.Open(purposeUnusedCode, f.UnusedCode)
		if err != nil {
			return nil, err
		}
		p.UnusedCode = string(code)
	}
	p.Identity, err = h.openPair(purposeIdentity, f.Identity)
	return p, err
}

// Save replaces the stored profile; a crash leaves the old or the new one.
func (h *Home) Save(p *Profile) error {
	f := profileForm{
		Version: profileVersion,
		Server:  p.Server, CodeID: p.CodeID, Domain: p.Domain, MemberGUID: p.MemberGUID, FullName: p.FullName,
		VCard: p.VCard, DeviceName: p.DeviceName, DeviceURL: p.DeviceURL, IdentityURL: p.IdentityURL,
		Joined: p.Joined, ManagesDevice: p.ManagesDevice, Objects: p.Objects, DeviceObjects: p.DeviceObjects,
		KnownToRelays: p.KnownToRelays, AuditFiles: p.AuditFiles,
	}
	var err error
	if !p.AuditKey.IsZero() {
		if f.AuditKey, err = h.vault.Seal(purposeAudit, p.AuditKey.Bytes()); err != nil {
			return err
		}
	}
	if f.User, err = h.sealAccount(purposeUser, p.User); err != nil {
		return err
	}
	if f.Device, err = h.sealAccount(purposeDevice, p.Device); err != nil {
		return err
	}
	if f.Identity, err = h.sealPair(purposeIdentity, p.Identity); err != nil {
		return err
	}
	if f.RelayDevice, err = h.vault.Seal(purposeRelayDevice, p.RelayKeys.Device.Bytes()); err != nil {
		return err
	}
	if f.RelayAccount, err = h.vault.Seal(purposeRelayAccount, p.RelayKeys.Account.Bytes()); err != nil {
		return err
	}
	if p.UnusedCode != "" {
		if f.UnusedCode, err = h.vault.Seal(purposeUnusedCode, []byte(p.UnusedCode)); err != nil {
			return err
		}
	}
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("storing the profile: %w", err)
	}
	if err := renameio.WriteFile(filepath.Join(h.dir, profileFile), data, 0o600); err != nil {
		return fmt.Errorf("storing the profile: %w", err)
	}
	return nil
}

func (h *Home) sealAccount(purpose string, a Account) (f accountForm, err error) {
	f.GUID = a.GUID
	if f.Key, err = h.vault.Seal(purpose+" key", a.Key.Bytes()); err != nil {
		return f, err
	}
	f.pairForm, err = h.sealPair(purpose, a.KeyPair)
	return f, err
}

func (h *Home) openAccount(purpose string, f accountForm) (a Account, err error) {
	a.GUID = f.GUID
	if a.Key, err = h.openKey(purpose+" key", f.Key); err != nil {
		return a, err
	}
	a.KeyPair, err = h.openPair(purpose, f.pairForm)
	return a, err
}

func (h *Home) openKey(purpose string, sealed []byte) (keys.SharedKey, error) {
	plain, err := h.vault.Open(purpose, sealed)
	if err != nil {
		return keys.SharedKey{}, err
	}
	return keys.NewSharedKey(plain)
}

func (h *Home) sealPair(purpose string, k KeyPair) (f pairForm, err error) {
	plain, err := k.Signature.Marshal()
	if err != nil {
		return f, err
	}
	if f.Signature, err = h.vault.Seal(purpose+" signature key", plain); err != nil {
		return f, err
	}
	if plain, err = k.Encryption.Marshal(); err != nil {
		return f, err
	}
	f.Encryption, err = h.vault.Seal(purpose+" encryption key", plain)
	return f, err
}

func (h *Home) openPair(purpose string, f pairForm) (k KeyPair, err error) {
	plain, err := h.vault.Open(purpose+" signature key", f.Signature)
	if err != nil {
		return k, err
	}
	if k.Signature, err = keys.ParseRSAPrivateKey(plain); err != nil {
		return k, err
	}
	if plain, err = h.vault.Open(purpose+" encryption key", f.Encryption); err != nil {
		return k, err
	}
	k.Encryption, err = keys.ParseElGamalPrivateKey(plain)
	return k, err
}
