package auth

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"furrow/appliance/keys"
	"furrow/sstp"
)

// maxRefused bounds the refused registrations of a connection: see openNewAccount.
// An honest client has no use for so many.
const maxRefused = 8

// Register judges the token of a Register ([MS-GRVSSTPS] 3.3.5.5; wire profile 1).
// A device that is not registered has one attempt on a connection; whatever
// comes of it, it connects anew. A device that has proved itself may register a
// further account or an identity and goes on.
func (g *Gate) Register(token []byte) sstp.Verdict {
	if g.state != StateUnregistered && g.state != StateAuthenticated {
		return g.violation(fmt.Errorf("auth: Register: %w", errState))
	}
	first := g.state == StateUnregistered
	if first {
		g.state = StateFailed
	}
	parsed, err := Parse(token)
	if err != nil {
		return refuse(RefusedMalformed, err)
	}
	var key keys.SharedKey
	var refusal *sstp.Verdict
	switch t := parsed.(type) {
	case *DeviceAccountRegister:
		key, refusal = g.registerDevice(t)
	case *IdentityRegister:
		if first {
			return g.violation(fmt.Errorf("auth: Register with %v: %w", t.ID(), errState))
		}
		key, refusal = g.registerIdentity(t)
	default:
		return refuse(RefusedMalformed, fmt.Errorf("%w: %v", errUnexpectedID, t.ID()))
	}
	if refusal != nil {
		if g.refused++; g.refused == maxRefused {
			return g.violation(fmt.Errorf("auth: %d registrations refused, the last: %w", maxRefused, refusal.Err))
		}
		return *refusal
	}
	if first {
		g.state = StateRegistered
	}
	iv := make([]byte, KeySize)
	rand.Read(iv) // never fails: crypto/rand ends the process instead
	return answer(sstp.ResponseOk, &RegisterResponse{IV: iv, MAC: key.MAC(registeredInput(token)...)}, nil)
}

// refused and closed make the verdicts of the steps below, which return nil when
// the registration may go on.
func refused(reason RefusalReason, err error) *sstp.Verdict {
	v := refuse(reason, err)
	return &v
}

func closed(reason sstp.Reason, err error) *sstp.Verdict {
	v := closeSession(reason, fmt.Errorf("auth: registration: %w", err))
	return &v
}

// registerDevice returns the device key under which success is answered.
//
// What costs little is checked before what costs an exponentiation, and whether
// the user is known before any of those: strangers get no work out of the relay.
func (g *Gate) registerDevice(t *DeviceAccountRegister) (keys.SharedKey, *sstp.Verdict) {
	var none keys.SharedKey
	if t.DeviceURL != g.deviceURL {
		return none, refused(RefusedMalformed, errors.New("DeviceURL is not that of the connection"))
	}
	nested, err := Parse(t.Nested)
	if err != nil {
		return none, closed(sstp.ReasonProtocolError, err)
	}
	registration := Registration{DeviceURL: t.DeviceURL, DevicePublicKeys: t.PublicKeys.clone()}
	switch n := nested.(type) {
	case *AccountRegister:
		if r := g.checkNewAccount(n); r != nil {
			return none, r
		}
	case *AccountOnNewDeviceRegister:
		if r := g.checkKnownAccount(n, t.DeviceURL); r != nil {
			return none, r
		}
		registration.AccountURL = n.AccountURL
	default:
		return none, closed(sstp.ReasonProtocolError, fmt.Errorf("nested %v: %w", n.ID(), errUnexpectedID))
	}
	if err := checkSigned(&t.PublicKeys, &t.seal); err != nil {
		return none, refused(RefusedKey, err)
	}
	if registration.DeviceKey, err = g.openDeviceKey(t.EncryptedDeviceKey); err != nil {
		return none, refused(RefusedKey, err)
	}
	if n, ok := nested.(*AccountRegister); ok {
		registration.AccountURL = n.AccountURL
		var r *sstp.Verdict
		if registration.NewAccount, r = g.openNewAccount(n); r != nil {
			return none, r
		}
	}
	if err := g.registry.Register(registration); err != nil {
		return none, notRegistered(err)
	}
	return registration.DeviceKey, nil
}

// openDeviceKey decrypts the device key. It must be the key that the device has
// used in its SecConnect on this connection: that proves possession, and it
// leaves no padding oracle, since a ciphertext that does not decrypt and one
// whose key the sender does not know come to the same.
func (g *Gate) openDeviceKey(encrypted []byte) (keys.SharedKey, error) {
	key, err := g.private.DecryptSharedKey(encrypted, KeySize)
	if err != nil {
		return keys.SharedKey{}, err
	}
	c := &g.challenge
	if _, ok := openNonce(key, c.IV, c.MAC, c.EncryptedNonce, challengeInput); !ok {
		return keys.SharedKey{}, fmt.Errorf("device key: %w", errProof)
	}
	return key, nil
}

// checkNewAccount does what needs no private or public key.
func (g *Gate) checkNewAccount(t *AccountRegister) *sstp.Verdict {
	if err := sstp.CheckURL(t.AccountURL, AccountScheme); err != nil {
		return refused(RefusedMalformed, err)
	}
	for _, url := range t.IdentityURLs {
		if err := sstp.CheckIdentityURL(url); err != nil {
			return refused(RefusedMalformed, err)
		}
	}
	return g.checkUser(t.UserPreAuthToken)
}

func (g *Gate) checkUser(token string) *sstp.Verdict {
	enabled, err := g.registry.UserEnabled(HashUser(token))
	if err != nil {
		return closed(sstp.ReasonInternalError, fmt.Errorf("looking up a user: %w", err))
	}
	if !enabled {
		return refused(RefusedUser, errUnknown)
	}
	return nil
}

// openNewAccount verifies and decrypts an account. Nothing proves that the sender
// possesses the account key, so the answer to one that does not decrypt is a
// padding oracle, which the profile asks for. It is kept narrow: only KeySize
// octets exactly are right, a question takes an enabled user and two signatures,
// and a connection has room for few of the millions of questions that are needed.
func (g *Gate) openNewAccount(t *AccountRegister) (*NewAccount, *sstp.Verdict) {
	if err := checkSigned(&t.PublicKeys, &t.seal); err != nil {
		return nil, refused(RefusedKey, err)
	}
	secret, err := g.private.Decrypt(t.EncryptedAccountKey)
	if err == nil && len(secret) != KeySize {
		err = fmt.Errorf("account key of %d octets", len(secret))
	}
	if err != nil {
		return nil, refused(RefusedKey, err)
	}
	key, err := keys.NewSharedKey(secret)
	if err != nil {
		return nil, refused(RefusedKey, err)
	}
	return &NewAccount{
		Key:          key,
		PublicKeys:   t.PublicKeys.clone(),
		User:         HashUser(t.UserPreAuthToken),
		IdentityURLs: slices.Clone(t.IdentityURLs),
	}, nil
}

// checkKnownAccount verifies that whoever registers a device holds the key of an
// account known to the relay.
func (g *Gate) checkKnownAccount(t *AccountOnNewDeviceRegister, deviceURL string) *sstp.Verdict {
	_, r := g.proveAccount(t.AccountURL, t.IV, t.MAC, t.EncryptedNonce, deviceURL)
	return r
}

// proveAccount verifies a proof of an account's key that is bound to url.
func (g *Gate) proveAccount(accountURL string, iv, mac, encrypted []byte, url string) (keys.SharedKey, *sstp.Verdict) {
	account, err := g.registry.Account(accountURL)
	switch {
	case err != nil:
		return keys.SharedKey{}, closed(sstp.ReasonInternalError, fmt.Errorf("looking up account %s: %w", accountURL, err))
	case account.Key.IsZero():
		return keys.SharedKey{}, refused(RefusedUser, fmt.Errorf("account %s: %w", accountURL, errUnknown))
	case account.LockedOut:
		return keys.SharedKey{}, refused(RefusedUser, fmt.Errorf("account %s: %w", accountURL, errLockedOut))
	}
	if _, ok := openNonce(account.Key, iv, mac, encrypted, proofInput(url)); !ok {
		return keys.SharedKey{}, refused(RefusedKey, fmt.Errorf("account %s: %w", accountURL, errProof))
	}
	return account.Key, nil
}

// registerIdentity returns the account key under which success is answered.
func (g *Gate) registerIdentity(t *IdentityRegister) (keys.SharedKey, *sstp.Verdict) {
	var none keys.SharedKey
	if err := sstp.CheckIdentityURL(t.IdentityURL); err != nil {
		return none, refused(RefusedMalformed, err)
	}
	if r := g.checkUser(t.UserPreAuthToken); r != nil {
		return none, r
	}
	key, r := g.proveAccount(t.AccountURL, t.IV, t.MAC, t.EncryptedNonce, t.IdentityURL)
	if r != nil {
		return none, r
	}
	err := g.registry.RegisterIdentity(IdentityRegistration{
		AccountURL:  t.AccountURL,
		IdentityURL: t.IdentityURL,
		User:        HashUser(t.UserPreAuthToken),
	})
	if err != nil {
		return none, notRegistered(err)
	}
	return key, nil
}

func notRegistered(err error) *sstp.Verdict {
	if errors.Is(err, ErrBound) {
		return refused(RefusedBound, err)
	}
	return closed(sstp.ReasonInternalError, err)
}

func checkSigned(p *PublicKeys, s *seal) error {
	signature, err := p.Check()
	if err != nil {
		return err
	}
	return s.verify(signature)
}
