package client

import (
	"errors"
	"fmt"

	"furrow/appliance/keys"
	"furrow/gms/policy"
)

// MasterKeys are the two keys under which a client stores its account (MS-GRVSPCM 3.3.1). A passphrase guards them in
// the products; here the home folder's own key does.
type MasterKeys struct {
	Master, SecretMaster keys.StorageKey
}

// NewMasterKeys makes the master keys of an account.
func NewMasterKeys() MasterKeys {
	return MasterKeys{Master: keys.GenerateStorageKey(), SecretMaster: keys.GenerateStorageKey()}
}

// Equal reports in constant time whether both are the same keys.
func (k MasterKeys) Equal(other MasterKeys) bool {
	return k.Master.Equal(other.Master) && k.SecretMaster.Equal(other.SecretMaster)
}

// Escrow is what a client puts aside while it has its master keys, to ask for them when the passphrase is forgotten:
// both keys, encrypted to the domain's recovery key for either way of asking.
type Escrow struct {
	RecoveryKeyHash   keys.Digest
	Manual, Automatic EscrowedKeys
}

// EscrowedKeys are the two master keys, encrypted.
type EscrowedKeys struct{ Master, SecretMaster []byte }

// Escrow encrypts master keys to the recovery key that the domain's signed policy names.
func (p *Profile) Escrow(k MasterKeys) (*Escrow, error) {
	recovery, err := p.dataRecovery()
	if err != nil {
		return nil, err
	}
	if recovery.Recovery != policy.RecoveryFull {
		return nil, errors.New("the domain does not recover forgotten passphrases")
	}
	certificate, err := keys.ParseCertificate(recovery.Certificate)
	if err != nil {
		return nil, fmt.Errorf("recovery certificate of the domain: %w", err)
	}
	to := certificate.EncryptionKey()
	e := &Escrow{RecoveryKeyHash: to.Hash()}
	if e.Manual, err = k.escrow(to, p.User.GUID); err != nil {
		return nil, err
	}
	e.Automatic, err = k.escrow(to, p.User.GUID, p.IdentityURL)
	return e, err
}

func (k MasterKeys) escrow(to keys.EncryptionKey, binding ...string) (e EscrowedKeys, err error) {
	if e.Master, err = k.Master.Escrow(to, binding...); err != nil {
		return e, fmt.Errorf("encrypting the master key: %w", err)
	}
	if e.SecretMaster, err = k.SecretMaster.Escrow(to, binding...); err != nil {
		return e, fmt.Errorf("encrypting the secret master key: %w", err)
	}
	return e, nil
}

// dataRecovery is the identity's policy for forgotten passphrases. What is held was verified when it came.
func (p *Profile) dataRecovery() (policy.DataRecovery, error) {
	for guid, held := range p.Objects {
		parsed, err := policy.Parse(held.Data)
		if err != nil {
			return policy.DataRecovery{}, fmt.Errorf("held object %s: %w", guid, err)
		}
		if recovery, ok := parsed.Unverified().Body.(policy.DataRecovery); ok {
			return recovery, nil
		}
	}
	return policy.DataRecovery{}, errors.New("no data recovery policy is held")
}
