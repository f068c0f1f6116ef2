package auth

import (
	"crypto/rand"
	"fmt"

	"furrow/appliance/keys"
	"furrow/sstp/internal/field"
)

// Challenge is SecConnect or SecAttach, client to relay: the client's nonce,
// encrypted under the key it claims to hold ([MS-GRVSSTPS] 2.2.1). Its layout is
// in profile.go.
type Challenge struct {
	Layer          Layer
	IV             []byte // as long as the key
	MAC            []byte
	EncryptedNonce []byte
}

// Response is SecConnectResponse or SecAttachResponse, relay to client: the
// client's nonce, which proves the relay's knowledge of the key, and a challenge
// in turn ([MS-GRVSSTPS] 2.2.2).
//
//	header
//	IV                  length 2, octets
//	HMAC                length 2, octets
//	DeviceNonce         length 2, octets; AccountNonce in the account layer
//	EncryptedRelayNonce length 2, octets
type Response struct {
	Layer               Layer
	IV                  []byte // of EncryptedRelayNonce
	MAC                 []byte
	Nonce               []byte
	EncryptedRelayNonce []byte
}

func (t *Response) layout(c *field.Cursor) {
	c.Blob(&t.IV)
	c.Blob(&t.MAC)
	c.Blob(&t.Nonce)
	c.Blob(&t.EncryptedRelayNonce)
}

// Answer is SecConnectAuthenticate or SecAttachAuthenticate, client to relay: the
// relay's nonce, which proves the client's knowledge of the key. Its layout, and
// that of the next two, is in profile.go.
type Answer struct {
	Layer      Layer
	MAC        []byte
	RelayNonce []byte
}

// AuthenticationFailed is SecConnectResponseAuthenticationFailed or
// SecAttachResponseAuthenticationFailed, relay to client.
type AuthenticationFailed struct {
	Layer Layer
}

// RegistrationNeeded is SecConnectResponseDeviceRegistrationNeeded or
// SecAttachResponseRegistrationNeeded, relay to client: the relay has no key.
type RegistrationNeeded struct {
	Layer Layer
}

// ID returns the identifier for the layer.
func (t *Challenge) ID() MessageID { return t.Layer.pick(IDConnect, IDAttach) }

// ID returns the identifier for the layer.
func (t *Response) ID() MessageID { return t.Layer.pick(IDConnectResponse, IDAttachResponse) }

// ID returns the identifier for the layer.
func (t *Answer) ID() MessageID { return t.Layer.pick(IDConnectAuthenticate, IDAttachAuthenticate) }

// ID returns the identifier for the layer.
func (t *AuthenticationFailed) ID() MessageID {
	return t.Layer.pick(IDConnectAuthenticationFailed, IDAttachAuthenticationFailed)
}

// ID returns the identifier for the layer.
func (t *RegistrationNeeded) ID() MessageID {
	return t.Layer.pick(IDConnectRegistrationNeeded, IDAttachRegistrationNeeded)
}

func (l Layer) pick(device, account MessageID) MessageID {
	if l == DeviceLayer {
		return device
	}
	return account
}

func newNonce() []byte {
	nonce := make([]byte, nonceSize)
	rand.Read(nonce) // never fails: crypto/rand ends the process instead
	return nonce
}

// sealNonce encrypts a new nonce and authenticates it with the MAC of what
// input makes of it.
func sealNonce(key keys.SharedKey, input func(nonce []byte) [][]byte) (nonce, iv, mac, encrypted []byte, err error) {
	nonce = newNonce()
	iv, encrypted, err = key.Encrypt(nonce)
	if err != nil {
		return nil, nil, nil, nil, fmt.Errorf("auth: encrypting a nonce: %w", err)
	}
	return nonce, iv, key.MAC(input(nonce)...), encrypted, nil
}

// openNonce returns the nonce that sealNonce encrypted, and false if it was not
// made with this key: an iv of another size than the key, a nonce of the wrong
// size, a MAC that does not verify.
func openNonce(key keys.SharedKey, iv, mac, encrypted []byte, input func(nonce []byte) [][]byte) ([]byte, bool) {
	if len(encrypted) != nonceSize {
		return nil, false
	}
	nonce, err := key.Decrypt(iv, encrypted)
	if err != nil || !key.VerifyMAC(mac, input(nonce)...) {
		return nil, false
	}
	return nonce, true
}
