package auth

import (
	"fmt"

	"furrow/appliance/keys"
	"furrow/sstp"
)

// Principal is a device or an account as its client has it.
type Principal struct {
	// URL is the device URL or account URL.
	URL string
	// Key is the secret key to be shared with the relay, KeySize octets long.
	Key keys.SharedKey
	// Signature is the private key that signs registrations.
	Signature *keys.RSAPrivateKey
	// Encryption is the public key that others encrypt to.
	Encryption keys.EncryptionKey
}

func (p *Principal) publicKeys() PublicKeys {
	return NewPublicKeys(p.Encryption, p.Signature.Public())
}

// sealKey encrypts the secret key to a relay.
func (p *Principal) sealKey(relay *keys.RSAPublicKey) ([]byte, error) {
	secret := p.Key.Bytes()
	if len(secret) != KeySize {
		return nil, fmt.Errorf("auth: key of %s has %d bytes, want %d", p.URL, len(secret), KeySize)
	}
	encrypted, err := relay.Encrypt(secret)
	if err != nil {
		return nil, fmt.Errorf("auth: encrypting the key of %s to the relay: %w", p.URL, err)
	}
	return encrypted, nil
}

// RefusedError is a registration that the relay refuses.
type RefusedError struct {
	Reason RefusalReason
}

// Error tells the reason.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("auth: the relay refuses the registration: %v", e.Reason)
}

// Registering is a client's side of one registration.
type Registering struct {
	key   keys.SharedKey // that the relay's answer proves
	token []byte
}

// Token returns the token for Register.
func (r *Registering) Token() []byte { return r.token }

// Receive takes the relay's answer, from RegisterResponse. It returns nil if the
// relay has registered what was sent, and proves it; a [*RefusedError],
// ErrNotGenuine, a [*sstp.ParseError], or an error that says that the response
// was none of these. After a device has been registered the client connects
// anew.
func (r *Registering) Receive(response sstp.ResponseID, token []byte) error {
	parsed, err := Parse(token)
	if err != nil {
		return err
	}
	switch t := parsed.(type) {
	case *RegisterFailed:
		return &RefusedError{t.Reason}
	case *RegisterResponse:
		if response != sstp.ResponseOk {
			break
		}
		if !r.key.VerifyMAC(t.MAC, registeredInput(r.token)...) {
			return ErrNotGenuine
		}
		return nil
	}
	return fmt.Errorf("auth: the relay answers a registration %v with %v: %w", response, parsed.ID(), errOutOfOrder)
}

// RegisterAccount starts the registration of a device and an account new to the
// relay ([MS-GRVSSTPS] 3.2.4.3.1). relay is the encryption key of the relay's SSTP
// certificate, userToken the pre-authentication token of one of the identities.
func RegisterAccount(relay *keys.RSAPublicKey, device, account Principal, userToken string, identityURLs []string) (*Registering, error) {
	encrypted, err := account.sealKey(relay)
	if err != nil {
		return nil, err
	}
	t := &AccountRegister{
		AccountURL:          account.URL,
		EncryptedAccountKey: encrypted,
		PublicKeys:          account.publicKeys(),
		UserPreAuthToken:    userToken,
		IdentityURLs:        identityURLs,
	}
	nested, err := appendSigned(t, &t.seal, account.Signature)
	if err != nil {
		return nil, err
	}
	return registerDevice(relay, device, nested)
}

// RegisterAccountOnDevice starts the registration of a device for an account
// that the relay knows.
func RegisterAccountOnDevice(relay *keys.RSAPublicKey, device, account Principal) (*Registering, error) {
	_, iv, mac, encrypted, err := sealNonce(account.Key, proofInput(device.URL))
	if err != nil {
		return nil, err
	}
	nested, err := Append(nil, &AccountOnNewDeviceRegister{
		AccountURL:     account.URL,
		IV:             iv,
		MAC:            mac,
		EncryptedNonce: encrypted,
	})
	if err != nil {
		return nil, err
	}
	return registerDevice(relay, device, nested)
}

func registerDevice(relay *keys.RSAPublicKey, device Principal, nested []byte) (*Registering, error) {
	encrypted, err := device.sealKey(relay)
	if err != nil {
		return nil, err
	}
	t := &DeviceAccountRegister{
		DeviceURL:          device.URL,
		EncryptedDeviceKey: encrypted,
		PublicKeys:         device.publicKeys(),
		Nested:             nested,
	}
	token, err := appendSigned(t, &t.seal, device.Signature)
	if err != nil {
		return nil, err
	}
	return &Registering{key: device.Key, token: token}, nil
}

// RegisterIdentity starts the registration of an identity of an account that the
// relay knows, from an authenticated device. userToken is the identity's
// pre-authentication token.
func RegisterIdentity(account Principal, identityURL, userToken string) (*Registering, error) {
	_, iv, mac, encrypted, err := sealNonce(account.Key, proofInput(identityURL))
	if err != nil {
		return nil, err
	}
	token, err := Append(nil, &IdentityRegister{
		AccountURL:       account.URL,
		IdentityURL:      identityURL,
		UserPreAuthToken: userToken,
		IV:               iv,
		MAC:              mac,
		EncryptedNonce:   encrypted,
	})
	if err != nil {
		return nil, err
	}
	return &Registering{key: account.Key, token: token}, nil
}
