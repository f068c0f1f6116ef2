package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"furrow/appliance/keys"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// The words of the mail with a temporary password. Its instructions are the policy's, if it has any.
const (
	resetSubject      = "Your temporary Groove password"
	resetInstructions = "With this temporary password you can open your Groove account and choose a new one:"
)

// What AskPasswordReset answers while there are no keys.
var (
	ErrResetPending = errors.New("no administrator has decided about the password reset yet")
	ErrResetRefused = errors.New("the password reset was refused, or its time is over")
)

// PasswordReset is a password reset that was asked for. Its way is the policy's: an administrator approves it, and the
// answer is encrypted to the temporary keys; or the server has answered with keys under a temporary password.
type PasswordReset struct {
	Automatic bool
	Temporary KeyPair                // of a manual reset
	Sealed    keys.SealedStorageKeys // of an automatic one
	Email     string                 // to which the server has mailed the temporary password
}

// RequestPasswordReset asks for the account's master keys, in the way that the policy names (MS-GRVSPCM 3.3.4). The
// request comes from the device's account, because that of the user is locked (3.3.5.1.2).
func (c *Client) RequestPasswordReset(ctx context.Context, e *Escrow, newKeyPair func() (KeyPair, error)) (*PasswordReset, error) {
	recovery, err := c.profile.dataRecovery()
	if err != nil {
		return nil, err
	}
	if recovery.AutomaticReset {
		return c.requestAutomaticReset(ctx, e, cmp.Or(recovery.ResetInstructions, resetInstructions))
	}
	return c.requestManualReset(ctx, e, newKeyPair)
}

// requestManualReset is MS-GRVSPCM 3.3.5.6.1.
func (c *Client) requestManualReset(ctx context.Context, e *Escrow, newKeyPair func() (KeyPair, error)) (*PasswordReset, error) {
	temporary, err := newKeyPair()
	if err != nil {
		return nil, err
	}
	payload := (&spcm.PassphraseResetRequest{
		AccountGUID:     c.profile.User.GUID,
		RecoveryKeyHash: e.RecoveryKeyHash,
		MasterKey:       e.Manual.Master,
		SecretMasterKey: e.Manual.SecretMaster,
		Contact: spcm.TemporaryContact{
			URL:      c.profile.IdentityURL,
			Security: spcm.CSecurity{Encryption: temporary.Encryption.Public(), Signature: temporary.Signature.Public()},
		},
	}).Encode()
	device := &c.profile.Device
	err = c.insist(ctx, device, func() error { return c.report(ctx, spcm.ServicePassphraseResetRequest, device, payload) })
	if err != nil {
		return nil, err
	}
	return &PasswordReset{Temporary: temporary}, nil
}

// requestAutomaticReset is MS-GRVSPCM 3.3.5.6.3.
func (c *Client) requestAutomaticReset(ctx context.Context, e *Escrow, instructions string) (*PasswordReset, error) {
	p := c.profile
	payload := (&spcm.AutomaticPasswordReset{
		AccountGUID:     p.User.GUID,
		IdentityURL:     p.IdentityURL,
		RecoveryKeyHash: e.RecoveryKeyHash,
		MasterKey:       e.Automatic.Master,
		SecretMasterKey: e.Automatic.SecretMaster,
		Subject:         resetSubject,
		Salutation:      "Hello " + p.FullName + ",",
		Body:            instructions,
		DisplayName:     p.FullName,
	}).Encode()
	answer, err := c.ask(ctx, spcm.ServiceAutomaticPasswordReset, &p.Device, payload)
	if err != nil {
		return nil, err
	}
	response, err := spcm.DecodeAutomaticPasswordResetResponse(answer)
	if err != nil {
		return nil, fmt.Errorf("%s: reading the answer: %w", spcm.ServiceAutomaticPasswordReset, err)
	}
	if response.IdentityURL != p.IdentityURL {
		return nil, fmt.Errorf("%s: the answer belongs to another identity", spcm.ServiceAutomaticPasswordReset)
	}
	return &PasswordReset{Automatic: true, Sealed: response.Keys, Email: response.Email}, nil
}

// AskPasswordReset returns the master keys of a manual reset once it is approved (MS-GRVSPCM 3.3.5.6.2); until then the
// error is ErrResetPending, and ErrResetRefused if it never will be. A server that found other keys than the account's
// answers with fault 218.
func (c *Client) AskPasswordReset(ctx context.Context, r *PasswordReset) (MasterKeys, error) {
	payload := (&spcm.PassphraseResetStatus{AccountGUID: c.profile.User.GUID}).Encode()
	answer, err := c.ask(ctx, spcm.ServicePassphraseResetStatus, &c.profile.Device, payload)
	if err != nil {
		return MasterKeys{}, err
	}
	status, err := spcm.DecodePassphraseResetStatusResponse(answer)
	switch {
	case err != nil:
		return MasterKeys{}, fmt.Errorf("%s: reading the answer: %w", spcm.ServicePassphraseResetStatus, err)
	case status.AccountGUID != c.profile.User.GUID:
		return MasterKeys{}, fmt.Errorf("%s: the answer belongs to another account", spcm.ServicePassphraseResetStatus)
	case status.Status == spcm.ResetPending:
		return MasterKeys{}, ErrResetPending
	case status.Status != spcm.ResetApproved:
		return MasterKeys{}, ErrResetRefused
	}
	var k MasterKeys
	if k.Master, err = r.decrypt(status.MasterKey); err != nil {
		return MasterKeys{}, err
	}
	k.SecretMaster, err = r.decrypt(status.SecretMasterKey)
	return k, err
}

func (r *PasswordReset) decrypt(ciphertext []byte) (keys.StorageKey, error) {
	plain, err := r.Temporary.Encryption.Decrypt(ciphertext)
	if err != nil {
		return keys.StorageKey{}, fmt.Errorf("decrypting the answer with the temporary key: %w", err)
	}
	return keys.NewStorageKey(plain)
}

// Open returns the master keys of an automatic reset, given the temporary password from the mail. Another password is
// keys.ErrTemporaryPassword.
func (r *PasswordReset) Open(password string) (k MasterKeys, err error) {
	k.Master, k.SecretMaster, err = r.Sealed.Open(password)
	return k, err
}

// IsResetFailed reports whether the server found that the keys it was sent are not the account's.
func IsResetFailed(err error) bool { return hasCode(err, soap.CodePasswordReset) }
