package directory

import (
	"context"
	"fmt"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/policy"
)

// automaticReset is when a member last got its keys back by itself.
type automaticReset struct {
	Member string `json:"member"` // GUID
	// Signed is the created attribute of the request's event, in seconds since
	// 1970, no later than At: a client whose clock was once ahead must not be
	// shut out until then.
	Signed int64     `json:"signed"`
	At     time.Time `json:"at"`
}

// AutomaticReset is an opened AutomaticPasswordReset (MS-GRVSPCM 2.2.3.13).
type AutomaticReset struct {
	Domain, Account, IdentityURL string
	KeyHash                      keys.Digest
	MasterKey, SecretMasterKey   []byte
	Signed                       int64 // the event's created attribute
}

// Recovered is what an automatic reset gives back.
type Recovered struct {
	Member                  Member
	MasterKey, SecretMaster keys.StorageKey
}

// RecoverMasterKeys opens an account's master keys with the domain's recovery
// key for the active member with this account and identity (MS-GRVSPCM
// 3.2.5.6.3 steps 1 to 9), and records that.
//
// It fails with ErrAccountNotFound or ErrMemberNotFound, ErrResetNotAllowed,
// ErrOtherRecoveryKey, keys.ErrEscrow, and with ErrOutdated for a request that
// is not newer than the last: each leads to a mail, and an old recording must
// not.
func (d *Directory) RecoverMasterKeys(ctx context.Context, q AutomaticReset) (Recovered, error) {
	recovered, err := d.recoverMasterKeys(ctx, q)
	if err != nil {
		return Recovered{}, fmt.Errorf("resetting the password of account %q: %w", q.Account, err)
	}
	d.log.Info("password reset automatically", "domain", q.Domain, "account", q.Account, "member", recovered.Member.GUID)
	return recovered, nil
}

func (d *Directory) recoverMasterKeys(ctx context.Context, q AutomaticReset) (Recovered, error) {
	view := d.store.Snapshot()
	if _, err := d.accountAt(view, q.Domain, q.Account); err != nil {
		return Recovered{}, err
	}
	member, recovery, err := d.automaticRecovery(view, q)
	if err != nil {
		return Recovered{}, err
	}
	r := Recovered{Member: member}
	if r.MasterKey, err = recovery.OpenEscrow(q.MasterKey, q.Account, q.IdentityURL); err != nil {
		return Recovered{}, err
	}
	if r.SecretMaster, err = recovery.OpenEscrow(q.SecretMasterKey, q.Account, q.IdentityURL); err != nil {
		return Recovered{}, err
	}
	now := d.now().UTC()
	err = d.store.Update(ctx, func(tx *state.Tx) error {
		if _, _, err := d.automaticRecovery(tx, q); err != nil { // an administrator may have come between
			return err
		}
		if last, ok := d.t.automaticResets.Get(tx, member.GUID); ok && q.Signed <= last.Signed {
			return ErrOutdated
		}
		return d.t.automaticResets.Put(tx, automaticReset{member.GUID, min(q.Signed, now.Unix()), now})
	})
	return r, err
}

// automaticRecovery returns the member of a request and the key to open its
// keys with, if the policy allows that.
func (d *Directory) automaticRecovery(r state.Reader, q AutomaticReset) (Member, *keys.RSAPrivateKey, error) {
	domain, err := d.domainAt(r, q.Domain)
	if err != nil {
		return Member{}, nil, err
	}
	row, err := d.identityAt(r, q.Domain, q.Account, q.IdentityURL)
	if err != nil {
		return Member{}, nil, err
	}
	if row.Status != Active {
		return Member{}, nil, &StatusError{row.GUID, row.Status, "reset the password of"}
	}
	settings, err := d.recoveryPolicy(r, domain, row)
	if err != nil {
		return Member{}, nil, err
	}
	if settings.Recovery != policy.RecoveryFull || !settings.AutomaticReset {
		return Member{}, nil, ErrResetNotAllowed
	}
	key, err := d.recoveryKey(domain, q.KeyHash, false)
	return row.Member, key, err
}
