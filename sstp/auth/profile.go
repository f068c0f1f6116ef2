package auth

import (
	"crypto/sha256"
	"strings"

	"furrow/sstp"
	"furrow/sstp/internal/field"
)

// Everything in this file is wire profile 1: choices this project makes where
// the text of [MS-GRVSSTPS] could not be had. None of it is known to be what the
// original products do. A capture that shows otherwise is obeyed here, and
// nowhere else in the package.

// Wire profile 1: the identifiers of the messages.
const (
	IDConnect                     MessageID = 1
	IDConnectResponse             MessageID = 2
	IDConnectRegistrationNeeded   MessageID = 3
	IDConnectAuthenticationFailed MessageID = 4
	IDConnectAuthenticate         MessageID = 5
	IDAttach                      MessageID = 6
	IDAttachResponse              MessageID = 7
	IDAttachAuthenticationFailed  MessageID = 8
	IDAttachAuthenticate          MessageID = 9
	IDAttachRegistrationNeeded    MessageID = 10
	IDDeviceAccountRegister       MessageID = 12
	IDRegisterResponse            MessageID = 13
	IDAccountRegister             MessageID = 14
	IDAccountOnNewDeviceRegister  MessageID = 15
	IDIdentityRegister            MessageID = 16
	IDRegisterFailed              MessageID = 18
)

// Wire profile 1: the reasons of SecRegisterFailed.
const (
	RefusedUser      RefusalReason = 1 // token or account not known, or user disabled
	RefusedKey       RefusalReason = 2 // bad signature, key or proof
	RefusedBound     RefusalReason = 3 // device or account URL already bound to other keys
	RefusedMalformed RefusalReason = 4
)

const (
	// KeySize is the size of device keys and account keys in octets: wire
	// profile 1.
	KeySize = 24

	// nonceSize is the size of nonces in octets: wire profile 1.
	nonceSize = 20

	// majorVersion is the one that exists: wire profile 1.
	majorVersion = 1

	// AccountScheme is the scheme of account URLs: wire profile 1.
	AccountScheme = "grooveAccount://"
)

// minorVersion is that of the sender of the message. Clients send 3 in the device
// layer and 4 in the account layer, relays always 4 ([MS-GRVSSTPS] 6 <1>); which
// registration messages belong to which layer is wire profile 1.
func (id MessageID) minorVersion() byte {
	switch id {
	case IDConnect, IDConnectAuthenticate, IDDeviceAccountRegister:
		return 3
	default:
		return 4
	}
}

// Wire profile 1: IV blob, HMAC blob, EncryptedNonce blob.
func (t *Challenge) layout(c *field.Cursor) {
	c.Blob(&t.IV)
	c.Blob(&t.MAC)
	c.Blob(&t.EncryptedNonce)
}

// Wire profile 1: HMAC blob, RelayNonce blob.
func (t *Answer) layout(c *field.Cursor) {
	c.Blob(&t.MAC)
	c.Blob(&t.RelayNonce)
}

// Wire profile 1: nothing.
func (*AuthenticationFailed) layout(*field.Cursor) {}

// Wire profile 1: nothing.
func (*RegistrationNeeded) layout(*field.Cursor) {}

// Wire profile 1: EPKAlgo string, EPubKey blob, EncAlgo string, SPKAlgo string,
// SPubKey blob, SigAlgo string.
func (p *PublicKeys) layout(c *field.Cursor) {
	c.Text(&p.EncryptionKeyAlgorithm)
	c.Blob(&p.EncryptionKey)
	c.Text(&p.EncryptionAlgorithm)
	c.Text(&p.SignatureKeyAlgorithm)
	c.Blob(&p.SignatureKey)
	c.Text(&p.SignatureAlgorithm)
}

// Wire profile 1: DeviceURL string, EncryptedDeviceKey blob, PublicKeys, Nested
// blob, Signature blob.
func (t *DeviceAccountRegister) layout(c *field.Cursor) {
	c.Text(&t.DeviceURL)
	c.Blob(&t.EncryptedDeviceKey)
	t.PublicKeys.layout(c)
	c.Blob(&t.Nested)
	t.seal.layout(c)
}

// Wire profile 1: AccountURL string, EncryptedAccountKey blob, PublicKeys,
// UserPreAuthToken string, number of identities 1, that many IdentityURL string,
// Signature blob.
func (t *AccountRegister) layout(c *field.Cursor) {
	c.Text(&t.AccountURL)
	c.Blob(&t.EncryptedAccountKey)
	t.PublicKeys.layout(c)
	c.Text(&t.UserPreAuthToken)
	field.List8(c, &t.IdentityURLs, field.SmallestText, c.Text)
	t.seal.layout(c)
}

// Wire profile 1: AccountURL string, IV blob, HMAC blob, EncryptedNonce blob.
func (t *AccountOnNewDeviceRegister) layout(c *field.Cursor) {
	c.Text(&t.AccountURL)
	c.Blob(&t.IV)
	c.Blob(&t.MAC)
	c.Blob(&t.EncryptedNonce)
}

// Wire profile 1: AccountURL string, IdentityURL string, UserPreAuthToken
// string, IV blob, HMAC blob, EncryptedNonce blob.
func (t *IdentityRegister) layout(c *field.Cursor) {
	c.Text(&t.AccountURL)
	c.Text(&t.IdentityURL)
	c.Text(&t.UserPreAuthToken)
	c.Blob(&t.IV)
	c.Blob(&t.MAC)
	c.Blob(&t.EncryptedNonce)
}

// Wire profile 1: IV blob, HMAC blob.
func (t *RegisterResponse) layout(c *field.Cursor) {
	c.Blob(&t.IV)
	c.Blob(&t.MAC)
}

// Wire profile 1: Reason 1.
func (t *RegisterFailed) layout(c *field.Cursor) {
	field.Octet(c, &t.Reason)
}

// Wire profile 1: the MAC of a Challenge covers the client's nonce.
func challengeInput(nonce []byte) [][]byte { return [][]byte{nonce} }

// Wire profile 1: the MAC of a Response covers the client's and the relay's nonce.
func responseInput(nonce []byte) func(relayNonce []byte) [][]byte {
	return func(relayNonce []byte) [][]byte { return [][]byte{nonce, relayNonce} }
}

// Wire profile 1: the MAC of an Answer covers the relay's nonce.
func answerInput(relayNonce []byte) [][]byte { return [][]byte{relayNonce} }

// Wire profile 1: the MAC that registers an account on a new device, or an
// identity, covers the nonce and the URL of the device or identity.
func proofInput(url string) func(nonce []byte) [][]byte {
	return func(nonce []byte) [][]byte { return [][]byte{nonce, []byte(url)} }
}

// Wire profile 1: the MAC of a RegisterResponse covers the whole token answered.
func registeredInput(token []byte) [][]byte { return [][]byte{token} }

// Wire profile 1: responses that carry the tokens by which a relay refuses.
const (
	authenticationFailed = sstp.ResponseAuthenticationFailed
	registrationRefused  = sstp.ResponseConnectRejected
)

// UserHash stands for a pre-authentication token where tokens are looked up, so
// that the time of a lookup says nothing about a token nearly guessed.
type UserHash [sha256.Size]byte

// HashUser returns the hash of a pre-authentication token or of a userId that a
// management server announced. Wire profile 1: letter case does not count.
func HashUser(token string) UserHash { return sha256.Sum256([]byte(strings.ToLower(token))) }
