package auth

import (
	"errors"

	"furrow/appliance/keys"
)

// ErrBound is what a [Registry] returns for a device, account or identity URL
// that is bound to other keys. Only an administrator can undo that.
var ErrBound = errors.New("auth: URL is bound to other keys")

// DeviceRecord is what a relay knows of a device ([MS-GRVSSTPS] 3.3.1).
type DeviceRecord struct {
	// Key is the device key; the zero value for a device that has not registered.
	Key keys.SharedKey
	// AccountURLs are the accounts on the device.
	AccountURLs []string
	// LockedOut says that the device may not connect ([MS-GRVSSTP] 3.1.5.1).
	LockedOut bool
}

// AccountRecord is what a relay knows of an account ([MS-GRVSSTPS] 3.3.1).
type AccountRecord struct {
	// Key is the account key; the zero value for an account that has not
	// registered.
	Key keys.SharedKey
	// LockedOut says that none of the account's users may use the relay.
	LockedOut bool
}

// Registry is what a relay knows and remembers. It is safe for concurrent use;
// many Gates share one. A URL it does not know has the zero record. An error of a
// lookup means that the relay cannot tell.
type Registry interface {
	Device(deviceURL string) (DeviceRecord, error)
	Account(accountURL string) (AccountRecord, error)

	// UserEnabled reports whether the management server has announced a user
	// with this pre-authentication token and not disabled it.
	UserEnabled(user UserHash) (bool, error)

	// Register remembers a device and its account, all or nothing, and returns
	// when they are durable. It adds the account to those on the device. What is
	// known already with the same keys is confirmed; with other keys the error is
	// ErrBound.
	Register(Registration) error

	// RegisterIdentity does the same for an identity of a known account; one
	// that belongs to another account is ErrBound.
	RegisterIdentity(IdentityRegistration) error
}

// Registration is a device and an account on it that have proved themselves.
type Registration struct {
	DeviceURL        string
	DeviceKey        keys.SharedKey
	DevicePublicKeys PublicKeys
	AccountURL       string
	// NewAccount is nil for an account that the relay knows.
	NewAccount *NewAccount
}

// NewAccount is what registers an account.
type NewAccount struct {
	Key          keys.SharedKey
	PublicKeys   PublicKeys
	User         UserHash
	IdentityURLs []string
}

// IdentityRegistration is an identity whose account has proved itself.
type IdentityRegistration struct {
	AccountURL  string
	IdentityURL string
	User        UserHash
}
