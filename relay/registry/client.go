package registry

import (
	"context"
	"fmt"
	"slices"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/sstp"
	"furrow/sstp/auth"
)

// What one enabled user could fill the tables with is bounded: each number is far
// above what a person has.
const (
	maxAccountsOnDevice     = 16
	maxDevicesOfAccount     = 64
	maxIdentitiesOfAccount  = 256 // a registration brings up to 255
	maxUsersOfAccount       = 256 // each identity may be of another domain
	maxAccountsOfUser       = 16  // a client that lost its account makes a new one
	deviceKeyPurposePrefix  = "relay device key/"
	accountKeyPurposePrefix = "relay account key/"
)

var _ auth.Registry = (*Registry)(nil)

// publicKeys is [auth.PublicKeys] with its stored names.
type publicKeys struct {
	EncryptionKeyAlgorithm string `json:"epkAlgo"`
	EncryptionKey          []byte `json:"epubKey"`
	EncryptionAlgorithm    string `json:"encAlgo"`
	SignatureKeyAlgorithm  string `json:"spkAlgo"`
	SignatureKey           []byte `json:"spubKey"`
	SignatureAlgorithm     string `json:"sigAlgo"`
}

func (p publicKeys) equal(o auth.PublicKeys) bool {
	own := auth.PublicKeys(p)
	return own.Equal(&o)
}

type deviceRow struct {
	URL        string     `json:"url"`
	SealedKey  []byte     `json:"sealedKey"`
	PublicKeys publicKeys `json:"publicKeys"`
	Accounts   []string   `json:"accounts"` // URLs
	Added      time.Time  `json:"added"`
}

type accountRow struct {
	URL        string     `json:"url"`
	SealedKey  []byte     `json:"sealedKey"`
	PublicKeys publicKeys `json:"publicKeys"`
	Users      []string   `json:"users"` // keys of users who registered it or an identity of it
	Added      time.Time  `json:"added"`
}

type identityRow struct {
	URL     string    `json:"url"`
	Account string    `json:"account"` // URL
	User    string    `json:"user"`    // key
	Added   time.Time `json:"added"`
}

// purpose bounds what goes into the vault's purpose, whatever a URL's length.
func purpose(prefix, url string) string { return prefix + keys.Sum(1, []byte(url)).String() }

// Device implements [auth.Registry].
func (r *Registry) Device(deviceURL string) (auth.DeviceRecord, error) {
	view := r.store.Snapshot()
	row, ok := r.t.devices.Get(view, deviceURL)
	if !ok {
		return auth.DeviceRecord{}, nil
	}
	key, err := r.openKey(purpose(deviceKeyPurposePrefix, deviceURL), row.SealedKey)
	if err != nil {
		return auth.DeviceRecord{}, fmt.Errorf("device %s: %w", deviceURL, err)
	}
	return auth.DeviceRecord{Key: key, AccountURLs: slices.Clone(row.Accounts), LockedOut: r.deviceLockedOut(view, row)}, nil
}

// Account implements [auth.Registry].
func (r *Registry) Account(accountURL string) (auth.AccountRecord, error) {
	view := r.store.Snapshot()
	row, ok := r.t.accounts.Get(view, accountURL)
	if !ok {
		return auth.AccountRecord{}, nil
	}
	key, err := r.openKey(purpose(accountKeyPurposePrefix, accountURL), row.SealedKey)
	if err != nil {
		return auth.AccountRecord{}, fmt.Errorf("account %s: %w", accountURL, err)
	}
	return auth.AccountRecord{Key: key, LockedOut: !r.accountEnabled(view, row)}, nil
}

// accountEnabled reports whether one of the account's users is enabled.
func (r *Registry) accountEnabled(reader state.Reader, row accountRow) bool {
	return slices.ContainsFunc(row.Users, func(user string) bool { return r.userEnabled(reader, user) })
}

// deviceLockedOut reports whether no account on the device is enabled.
func (r *Registry) deviceLockedOut(reader state.Reader, row deviceRow) bool {
	return !slices.ContainsFunc(row.Accounts, func(url string) bool {
		account, ok := r.t.accounts.Get(reader, url)
		return ok && r.accountEnabled(reader, account)
	})
}

// Register implements [auth.Registry].
func (r *Registry) Register(reg auth.Registration) error {
	sealedDevice, err := r.vault.Seal(purpose(deviceKeyPurposePrefix, reg.DeviceURL), reg.DeviceKey.Bytes())
	if err != nil {
		return fmt.Errorf("sealing the key of device %s: %w", reg.DeviceURL, err)
	}
	var sealedAccount []byte
	if reg.NewAccount != nil {
		sealedAccount, err = r.vault.Seal(purpose(accountKeyPurposePrefix, reg.AccountURL), reg.NewAccount.Key.Bytes())
		if err != nil {
			return fmt.Errorf("sealing the key of account %s: %w", reg.AccountURL, err)
		}
	}
	err = r.store.Update(context.Background(), func(tx *state.Tx) error {
		if reg.NewAccount != nil {
			if err := r.putAccount(tx, reg.AccountURL, reg.NewAccount, sealedAccount); err != nil {
				return err
			}
		} else if _, ok := r.t.accounts.Get(tx, reg.AccountURL); !ok {
			return ErrAccountUnknown
		}
		return r.putDevice(tx, reg, sealedDevice)
	})
	if err != nil {
		return fmt.Errorf("registering device %s with account %s: %w", reg.DeviceURL, reg.AccountURL, err)
	}
	r.log.Info("device registered", "device", reg.DeviceURL, "account", reg.AccountURL, "newAccount", reg.NewAccount != nil)
	r.changed()
	return nil
}

func (r *Registry) putAccount(tx *state.Tx, url string, n *auth.NewAccount, sealed []byte) error {
	row, known := r.t.accounts.Get(tx, url)
	if known {
		key, err := r.openKey(purpose(accountKeyPurposePrefix, url), row.SealedKey)
		if err != nil {
			return err
		}
		if !key.Equal(n.Key) || !row.PublicKeys.equal(n.PublicKeys) {
			return fmt.Errorf("account: %w", auth.ErrBound)
		}
	} else {
		row = accountRow{URL: url, SealedKey: sealed, PublicKeys: publicKeys(n.PublicKeys), Added: r.now().UTC()}
	}
	user := userKey(n.User)
	if err := r.bindUser(tx, &row, user); err != nil {
		return err
	}
	for _, identity := range n.IdentityURLs {
		if err := r.putIdentity(tx, identity, url, user); err != nil {
			return err
		}
	}
	return nil
}

// bindUser stores row with user among its users.
func (r *Registry) bindUser(tx *state.Tx, row *accountRow, user string) error {
	if slices.Contains(row.Users, user) {
		return nil
	}
	if len(row.Users) >= maxUsersOfAccount {
		return tooMany("users of an account", maxUsersOfAccount)
	}
	if count(r.t.accountsByUser.Find(tx, user)) >= maxAccountsOfUser {
		return tooMany("accounts of a user", maxAccountsOfUser)
	}
	row.Users = append(slices.Clone(row.Users), user)
	return r.t.accounts.Put(tx, *row)
}

func (r *Registry) putIdentity(tx *state.Tx, url, account, user string) error {
	row, known := r.t.identities.Get(tx, url)
	switch {
	case known && row.Account != account:
		return fmt.Errorf("identity: %w", auth.ErrBound)
	case known && row.User == user:
		return nil
	case !known:
		if count(r.t.identitiesByOwner.Find(tx, account)) >= maxIdentitiesOfAccount {
			return tooMany("identities of an account", maxIdentitiesOfAccount)
		}
		row = identityRow{URL: url, Account: account, Added: r.now().UTC()}
	}
	row.User = user
	return r.t.identities.Put(tx, row)
}

func (r *Registry) putDevice(tx *state.Tx, reg auth.Registration, sealed []byte) error {
	row, known := r.t.devices.Get(tx, reg.DeviceURL)
	if known {
		key, err := r.openKey(purpose(deviceKeyPurposePrefix, reg.DeviceURL), row.SealedKey)
		if err != nil {
			return err
		}
		if !key.Equal(reg.DeviceKey) || !row.PublicKeys.equal(reg.DevicePublicKeys) {
			return fmt.Errorf("device: %w", auth.ErrBound)
		}
		if slices.Contains(row.Accounts, reg.AccountURL) {
			return nil
		}
	} else {
		if err := r.checkSpellings(tx, reg); err != nil {
			return err
		}
		row = deviceRow{URL: reg.DeviceURL, SealedKey: sealed, PublicKeys: publicKeys(reg.DevicePublicKeys), Added: r.now().UTC()}
	}
	if len(row.Accounts) >= maxAccountsOnDevice {
		return tooMany("accounts on a device", maxAccountsOnDevice)
	}
	if count(r.t.devicesByAccount.Find(tx, reg.AccountURL)) >= maxDevicesOfAccount {
		return tooMany("devices of an account", maxDevicesOfAccount)
	}
	row.Accounts = append(slices.Clone(row.Accounts), reg.AccountURL)
	return r.t.devices.Put(tx, row)
}

// checkSpellings refuses a device that another device is under another spelling of
// its URL: it could pass for the other where only the GUID counts, as in presence.
func (r *Registry) checkSpellings(tx *state.Tx, reg auth.Registration) error {
	for other := range r.t.devicesByGUID.Find(tx, sstp.DeviceGUID(reg.DeviceURL)) {
		key, err := r.openKey(purpose(deviceKeyPurposePrefix, other.URL), other.SealedKey)
		if err != nil {
			return err
		}
		if !key.Equal(reg.DeviceKey) || !other.PublicKeys.equal(reg.DevicePublicKeys) {
			return fmt.Errorf("device, as %s: %w", other.URL, auth.ErrBound)
		}
	}
	return nil
}

// RegisterIdentity implements [auth.Registry].
func (r *Registry) RegisterIdentity(reg auth.IdentityRegistration) error {
	err := r.store.Update(context.Background(), func(tx *state.Tx) error {
		account, ok := r.t.accounts.Get(tx, reg.AccountURL)
		if !ok {
			return ErrAccountUnknown
		}
		user := userKey(reg.User)
		if err := r.bindUser(tx, &account, user); err != nil {
			return err
		}
		return r.putIdentity(tx, reg.IdentityURL, reg.AccountURL, user)
	})
	if err != nil {
		return fmt.Errorf("registering identity %s of account %s: %w", reg.IdentityURL, reg.AccountURL, err)
	}
	r.log.Info("identity registered", "identity", reg.IdentityURL, "account", reg.AccountURL)
	r.changed()
	return nil
}

func count[R any](rows func(func(R) bool)) (n int) {
	for range rows {
		n++
	}
	return n
}
