package directory

import (
	"fmt"

	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/policy"
)

// A client that forgets a passphrase gets its account's two master keys back
// through the domain's data recovery key, to which it encrypted them while it
// had them. The private half never leaves its seal but to open those.

// recoverySet returns the private keys behind a domain's data recovery
// certificate.
func (d *Directory) recoverySet(row domainRow) (*keys.KeySet, error) {
	purpose := recoveryKeysPurpose(row.GUID)
	return d.keySets.get(purpose, func() (*keys.KeySet, error) {
		plain, err := d.vault.Open(purpose, row.SealedRecoveryKeys)
		if err != nil {
			return nil, fmt.Errorf("opening recovery keys of domain %s: %w", row.GUID, err)
		}
		set, err := keys.ParseKeySet(plain)
		if err != nil {
			return nil, fmt.Errorf("reading recovery keys of domain %s: %w", row.GUID, err)
		}
		return set, nil
	})
}

// recoveryKey returns the private key whose public half has this hash: the
// encryption key of the data recovery certificate. For manual resets it may be
// that of the domain certificate too, which is "the domain's encryption key" of
// MS-GRVSPCM 3.2.1 and 3.2.5.1.6 by their letter (reading B12).
func (d *Directory) recoveryKey(domain domainRow, hash keys.Digest, manual bool) (*keys.RSAPrivateKey, error) {
	set, err := d.recoverySet(domain)
	if err != nil {
		return nil, err
	}
	if set.Encryption.Public().Hash() == hash {
		return set.Encryption, nil
	}
	if manual {
		if set, err = d.keySet(domain); err != nil {
			return nil, err
		}
		if set.Encryption.Public().Hash() == hash {
			return set.Encryption, nil
		}
	}
	return nil, ErrOtherRecoveryKey
}

// recoveryPolicy is what the member's identity template says about forgotten
// passphrases.
func (d *Directory) recoveryPolicy(r state.Reader, domain domainRow, m memberRow) (policy.DataRecovery, error) {
	t, err := d.membersTemplate(r, &domain.Domain, &m.Member)
	return t.DataRecovery.Settings, err
}

// activeMember returns the active member with the lowest identity URL that is
// bound to an account, by which an administrator knows whose account it is.
func (d *Directory) activeMember(r state.Reader, domain, account string) (memberRow, error) {
	for row := range d.t.membersByIdentity.Range(r, joinKey(domain, account, ""), joinKey(domain, account)+"\x01") {
		if row.Status == Active {
			return row, nil
		}
	}
	return memberRow{}, fmt.Errorf("%w: none is active with account %q", ErrMemberNotFound, account)
}
