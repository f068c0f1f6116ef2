package directory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/policy"
)

// DefaultResetLifetime is how long a request for a manual password reset waits
// for an administrator, and then its answer for the client: "short" (MS-GRVSPCM
// 3.2.5.6), and past a night.
const DefaultResetLifetime = 24 * time.Hour

// ResetStatus is the state of a password reset. Its text form is its name.
type ResetStatus int

// The states. The protocol's numbers, which its sections do not agree on, are in
// package spcm.
const (
	ResetPending ResetStatus = iota + 1
	ResetApproved
	ResetDenied
	// ResetFailed: approved, but the keys were not those of the account.
	ResetFailed
)

// String returns the name: pending, approved, denied or failed.
func (s ResetStatus) String() string {
	switch s {
	case ResetPending:
		return "pending"
	case ResetApproved:
		return "approved"
	case ResetDenied:
		return "denied"
	case ResetFailed:
		return "failed"
	}
	return fmt.Sprintf("ResetStatus(%d)", int(s))
}

func parseResetStatus(name string) (ResetStatus, error) {
	return parseName(name, "password reset status", ResetPending, ResetApproved, ResetDenied, ResetFailed)
}

// MarshalText returns the name.
func (s ResetStatus) MarshalText() ([]byte, error) { return marshalName(s, parseResetStatus) }

// UnmarshalText reads the name.
func (s *ResetStatus) UnmarshalText(text []byte) (err error) {
	*s, err = parseResetStatus(string(text))
	return err
}

// PasswordReset is a request for a manual password reset, as an administrator
// sees it (MS-GRVSPCM 3.2.1). An account has one at most.
type PasswordReset struct {
	// ID names this request, not one that has come in its place.
	ID      string `json:"id"`
	Domain  string `json:"domain"`
	Account string `json:"account"`
	// Member is the GUID of an active member with the account.
	Member string `json:"member"`
	// Requester is the GUID of the account that asked, usually the device's;
	// DeviceName is the name it gives its computer.
	Requester  string      `json:"requester"`
	DeviceName string      `json:"deviceName"`
	Status     ResetStatus `json:"status"`
	Requested  time.Time   `json:"requested"`
	Expires    time.Time   `json:"expires"`
}

// resetRow holds no secret in the clear: what came is encrypted to the domain's
// recovery key, what goes back to the client's temporary key.
type resetRow struct {
	PasswordReset
	KeyHash         []byte `json:"keyHash"` // of the recovery key
	MasterKey       []byte `json:"masterKey"`
	SecretMasterKey []byte `json:"secretMasterKey"`
	// AnswerAlgorithm and AnswerKey are the temporary contact's encryption key.
	AnswerAlgorithm string `json:"answerAlgorithm"`
	AnswerKey       []byte `json:"answerKey"`
	// Answer is there once the request is approved.
	Answer *ResetAnswer `json:"answer,omitempty"`
}

// ResetAnswer is an account's two master keys encrypted to the temporary
// contact of a request (MS-GRVSPCM 3.2.5.1.6).
type ResetAnswer struct {
	MasterKey       []byte `json:"masterKey"`
	SecretMasterKey []byte `json:"secretMasterKey"`
}

// over reports whether nothing waits for the request any more.
func (r *resetRow) over(now time.Time) bool {
	return !now.Before(r.Expires) || r.Status == ResetDenied || r.Status == ResetFailed
}

// ResetRequest is an opened PassphraseResetRequest (MS-GRVSPCM 2.2.3.42).
type ResetRequest struct {
	Domain, Account       string
	Requester, DeviceName string
	KeyHash               keys.Digest
	MasterKey             []byte
	SecretMasterKey       []byte
	AnswerKey             keys.EncryptionKey
}

// RequestPasswordReset lays a request before the administrators (MS-GRVSPCM
// 3.2.5.6.1). One that the same requester made before is replaced.
//
// Beyond the section's rows, the account must belong to an active member, or
// nobody could tell whose it is (ErrMemberNotFound), the member's policy must
// provide for recovery (ErrResetNotAllowed), the keys must be encrypted to a key
// of the domain (ErrOtherRecoveryKey), and nobody else may have a request for
// the account that is still of use (ErrResetElsewhere): any device can ask, and
// must not push out who has asked.
func (d *Directory) RequestPasswordReset(ctx context.Context, q ResetRequest) (PasswordReset, error) {
	now := d.now().UTC()
	row := resetRow{
		PasswordReset: PasswordReset{
			ID: newGUID(), Domain: q.Domain, Account: q.Account, Requester: q.Requester, DeviceName: q.DeviceName,
			Status: ResetPending, Requested: now, Expires: now.Add(d.lifetime),
		},
		KeyHash: q.KeyHash[:], MasterKey: q.MasterKey, SecretMasterKey: q.SecretMasterKey,
		AnswerAlgorithm: q.AnswerKey.Algorithm(), AnswerKey: q.AnswerKey.DER(),
	}
	err := d.store.Update(ctx, func(tx *state.Tx) error {
		domain, err := d.domainAt(tx, q.Domain)
		if err != nil {
			return err
		}
		if _, err := d.accountAt(tx, q.Domain, q.Account); err != nil {
			return err
		}
		member, err := d.activeMember(tx, q.Domain, q.Account)
		if err != nil {
			return err
		}
		row.Member = member.GUID
		recovery, err := d.recoveryPolicy(tx, domain, member)
		if err != nil {
			return err
		}
		if recovery.Recovery != policy.RecoveryFull {
			return ErrResetNotAllowed
		}
		if _, err := d.recoveryKey(domain, q.KeyHash, true); err != nil {
			return err
		}
		old, exists := d.t.passwordResets.Get(tx, joinKey(q.Domain, q.Account))
		if exists && old.Requester != q.Requester && !old.over(now) {
			return ErrResetElsewhere
		}
		return d.t.passwordResets.Put(tx, row)
	})
	if err != nil {
		return PasswordReset{}, fmt.Errorf("requesting a password reset for account %q: %w", q.Account, err)
	}
	d.log.Info("password reset requested", "domain", q.Domain, "account", q.Account, "member", row.Member, "requester", q.Requester)
	return row.PasswordReset, nil
}

// PasswordResets returns the requests that have not expired, the oldest first.
func (d *Directory) PasswordResets() []PasswordReset {
	now := d.now()
	var resets []PasswordReset
	for row := range d.t.passwordResets.All(d.store.Snapshot()) {
		if now.Before(row.Expires) {
			resets = append(resets, row.PasswordReset)
		}
	}
	slices.SortStableFunc(resets, func(a, b PasswordReset) int { return a.Requested.Compare(b.Requested) })
	return resets
}

// PasswordReset returns how the request for an account stands, and the answer
// if it is approved (MS-GRVSPCM 3.2.5.6.2). There is none, ErrResetNotFound,
// also when it has expired and while the account has no active member.
func (d *Directory) PasswordReset(domain, account string) (PasswordReset, *ResetAnswer, error) {
	view := d.store.Snapshot()
	row, ok := d.t.passwordResets.Get(view, joinKey(domain, account))
	if !ok || !d.now().Before(row.Expires) {
		return PasswordReset{}, nil, ErrResetNotFound
	}
	if _, err := d.activeMember(view, domain, account); err != nil {
		return PasswordReset{}, nil, ErrResetNotFound
	}
	return row.PasswordReset, row.Answer, nil
}

// ApprovePasswordReset opens the account's master keys with the recovery key,
// and encrypts them to the temporary contact (MS-GRVSPCM 3.2.5.1.6). If they are
// not bound to the account, the request has failed, for its client as well, and
// the error is keys.ErrEscrow. Others are ErrResetNotFound, ErrResetDecided and
// ErrMemberNotFound if the account has no active member any more.
func (d *Directory) ApprovePasswordReset(ctx context.Context, id string) (PasswordReset, error) {
	pending, err := d.pendingReset(d.store.Snapshot(), id)
	if err != nil {
		return PasswordReset{}, fmt.Errorf("approving password reset %q: %w", id, err)
	}
	// Outside of the transaction: it takes a dozen exponentiations.
	answer, refused := d.reencrypt(pending)
	if refused != nil && !errors.Is(refused, keys.ErrEscrow) {
		return PasswordReset{}, fmt.Errorf("approving password reset %q: %w", id, refused)
	}
	status := ResetApproved
	if refused != nil {
		status = ResetFailed
	}
	reset, err := d.decideReset(ctx, id, status, answer)
	if err = cmp.Or(err, refused); err != nil {
		return PasswordReset{}, fmt.Errorf("approving password reset %q: %w", id, err)
	}
	return reset, nil
}

// DenyPasswordReset refuses a request. The errors are ErrResetNotFound and
// ErrResetDecided.
func (d *Directory) DenyPasswordReset(ctx context.Context, id string) (PasswordReset, error) {
	reset, err := d.decideReset(ctx, id, ResetDenied, nil)
	if err != nil {
		return PasswordReset{}, fmt.Errorf("denying password reset %q: %w", id, err)
	}
	return reset, nil
}

// decideReset ends a pending request. What came with it is not kept.
func (d *Directory) decideReset(ctx context.Context, id string, status ResetStatus, answer *ResetAnswer) (PasswordReset, error) {
	var row resetRow
	err := d.store.Update(ctx, func(tx *state.Tx) (err error) {
		if row, err = d.pendingReset(tx, id); err != nil {
			return err
		}
		row.Status, row.Answer = status, answer
		row.KeyHash, row.MasterKey, row.SecretMasterKey, row.AnswerKey = nil, nil, nil, nil
		return d.t.passwordResets.Put(tx, row)
	})
	if err != nil {
		return PasswordReset{}, err
	}
	d.log.Info("password reset decided", "domain", row.Domain, "account", row.Account, "member", row.Member, "status", status.String())
	return row.PasswordReset, nil
}

func (d *Directory) pendingReset(r state.Reader, id string) (resetRow, error) {
	row, ok := d.t.passwordResetByID.First(r, id)
	switch {
	case !ok || !d.now().Before(row.Expires):
		return resetRow{}, ErrResetNotFound
	case row.Status != ResetPending:
		return resetRow{}, fmt.Errorf("%w: %s", ErrResetDecided, row.Status)
	}
	return row, nil
}

// reencrypt follows the rules 1 to 9 of MS-GRVSPCM 3.2.5.1.6 for each of the two
// keys: both come with a verifier. Everything that the client could have done
// otherwise is keys.ErrEscrow.
func (d *Directory) reencrypt(row resetRow) (*ResetAnswer, error) {
	view := d.store.Snapshot()
	domain, err := d.domainAt(view, row.Domain)
	if err != nil {
		return nil, err
	}
	if _, err := d.activeMember(view, row.Domain, row.Account); err != nil {
		return nil, err
	}
	recovery, err := d.recoveryKey(domain, keys.Digest(row.KeyHash), true)
	if err != nil {
		return nil, err
	}
	to, err := keys.ParseEncryptionKey(row.AnswerAlgorithm, row.AnswerKey)
	if err != nil {
		return nil, err
	}
	master, err := recovery.OpenEscrow(row.MasterKey, row.Account)
	if err != nil {
		return nil, err
	}
	secretMaster, err := recovery.OpenEscrow(row.SecretMasterKey, row.Account)
	if err != nil {
		return nil, err
	}
	answer := &ResetAnswer{}
	if answer.MasterKey, err = to.Encrypt(master.Bytes()); err != nil {
		return nil, fmt.Errorf("%w: %w", keys.ErrEscrow, err) // too long for the client's own key
	}
	if answer.SecretMasterKey, err = to.Encrypt(secretMaster.Bytes()); err != nil {
		return nil, fmt.Errorf("%w: %w", keys.ErrEscrow, err)
	}
	return answer, nil
}

// DeleteExpiredResets deletes the requests whose lifetime is over, "and the
// request data" with them (MS-GRVSPCM 3.2.5.6).
func (d *Directory) DeleteExpiredResets(ctx context.Context) error {
	expired := func(r state.Reader) (names []string) {
		for row := range d.t.passwordResets.All(r) {
			if !d.now().Before(row.Expires) {
				names = append(names, joinKey(row.Domain, row.Account))
			}
		}
		return names
	}
	if len(expired(d.store.Snapshot())) == 0 {
		return nil
	}
	err := d.store.Update(ctx, func(tx *state.Tx) error {
		for _, name := range expired(tx) {
			d.t.passwordResets.Delete(tx, name)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("deleting expired password resets: %w", err)
	}
	return nil
}
