package auth

import "fmt"

// DeviceAccountRegister is SecDeviceAccountRegister, client to relay: the secret
// key and public keys of a device and, nested, a message about an account
// ([MS-GRVSSTPS] 2.2.12, 3.2.4.3.1). The layouts of this file's messages are in
// profile.go.
type DeviceAccountRegister struct {
	DeviceURL string
	// EncryptedDeviceKey is the device key under the relay's encryption key.
	EncryptedDeviceKey []byte
	PublicKeys         PublicKeys
	// Nested is a whole AccountRegister or AccountOnNewDeviceRegister.
	Nested []byte
	// The signature is made with the device's signature key.
	seal
}

// AccountRegister is SecAccountRegister, nested: an account new to the relay
// ([MS-GRVSSTPS] 2.2.14, 3.2.4.3.1).
type AccountRegister struct {
	AccountURL string
	// EncryptedAccountKey is the account key under the relay's encryption key.
	EncryptedAccountKey []byte
	PublicKeys          PublicKeys
	// UserPreAuthToken is the token that the management server gave the user and
	// announced to the relay.
	UserPreAuthToken string
	// IdentityURLs are the identities of the account, at most 255.
	IdentityURLs []string
	// The signature is made with the account's signature key.
	seal
}

// AccountOnNewDeviceRegister is SecAccountOnNewDeviceRegister, nested: an account
// that the relay knows, arriving on a new device ([MS-GRVSSTPS] 3.3.5.5).
type AccountOnNewDeviceRegister struct {
	AccountURL     string
	IV             []byte
	MAC            []byte
	EncryptedNonce []byte
}

// IdentityRegister is SecIdentityRegister, client to relay: an identity of an
// account that the relay knows.
type IdentityRegister struct {
	AccountURL       string
	IdentityURL      string
	UserPreAuthToken string
	IV               []byte
	MAC              []byte
	EncryptedNonce   []byte
}

// RegisterResponse answers a registration that was accepted, relay to client.
type RegisterResponse struct {
	IV  []byte // random, of no use
	MAC []byte
}

// RegisterFailed answers a registration that was refused, relay to client.
type RegisterFailed struct {
	Reason RefusalReason
}

// ID returns IDDeviceAccountRegister.
func (*DeviceAccountRegister) ID() MessageID { return IDDeviceAccountRegister }

// ID returns IDAccountRegister.
func (*AccountRegister) ID() MessageID { return IDAccountRegister }

// ID returns IDAccountOnNewDeviceRegister.
func (*AccountOnNewDeviceRegister) ID() MessageID { return IDAccountOnNewDeviceRegister }

// ID returns IDIdentityRegister.
func (*IdentityRegister) ID() MessageID { return IDIdentityRegister }

// ID returns IDRegisterResponse.
func (*RegisterResponse) ID() MessageID { return IDRegisterResponse }

// ID returns IDRegisterFailed.
func (*RegisterFailed) ID() MessageID { return IDRegisterFailed }

// RefusalReason says why a registration is refused. The numbers are in
// profile.go.
type RefusalReason uint8

// String returns the meaning of the reason.
func (r RefusalReason) String() string {
	switch r {
	case RefusedUser:
		return "token not known or user disabled"
	case RefusedKey:
		return "bad signature or key"
	case RefusedBound:
		return "URL already bound to other keys"
	case RefusedMalformed:
		return "malformed"
	default:
		return fmt.Sprintf("reason %d", uint8(r))
	}
}
