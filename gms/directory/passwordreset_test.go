package directory

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"furrow/appliance/keys"
	"furrow/gms/policy"
)

// forgetful is an account whose client has encrypted its master keys to the
// recovery key of its domain.
type forgetful struct {
	domain         Domain
	member         Member
	master, secret keys.StorageKey
	answer         keys.DecryptionKey
	request        ResetRequest
}

func (f *fixture) forgetful(t *testing.T, answer keys.DecryptionKey) *forgetful {
	t.Helper()
	domain := f.domain(t, "Contoso")
	_, err := f.RegisterAccount(t.Context(), registration(t, domain))
	must(t, err)
	a := &forgetful{
		domain: domain, member: f.active(t, domain, "Anna", accountA, identityA), answer: answer,
		master: keys.GenerateStorageKey(), secret: keys.GenerateStorageKey(),
	}
	recovery := recoveryKeyOf(t, domain)
	master, err := a.master.Escrow(recovery, accountA)
	must(t, err)
	secret, err := a.secret.Escrow(recovery, accountA)
	must(t, err)
	a.request = ResetRequest{
		Domain: domain.GUID, Account: accountA, Requester: "device", DeviceName: "LAPTOP",
		KeyHash: recovery.Hash(), MasterKey: master, SecretMasterKey: secret, AnswerKey: answer.EncryptionKey(),
	}
	return a
}

func recoveryKeyOf(t *testing.T, domain Domain) keys.EncryptionKey {
	t.Helper()
	certificate, err := keys.ParseCertificate(domain.RecoveryCertificate)
	must(t, err)
	return certificate.EncryptionKey()
}

// smallRSA is a 1024-bit key, which takes no more than 117 bytes.
func smallRSA(t *testing.T) keys.EncryptionKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, keys.MinRSABits)
	must(t, err)
	parsed, err := keys.ParseRSAPublicKey(x509.MarshalPKCS1PublicKey(&key.PublicKey))
	must(t, err)
	return parsed
}

func TestManualPasswordReset(t *testing.T) {
	elGamal, err := keys.GenerateElGamalKey()
	must(t, err)
	for _, answer := range []keys.DecryptionKey{elGamal, testSets()[0].Signature} {
		t.Run(answer.EncryptionKey().Algorithm(), func(t *testing.T) {
			f, ctx := newFixture(t), t.Context()
			a := f.forgetful(t, answer)
			asked, err := f.RequestPasswordReset(ctx, a.request)
			must(t, err)
			if asked.Member != a.member.GUID || asked.Status != ResetPending || asked.Expires.Sub(asked.Requested) != DefaultResetLifetime {
				t.Fatalf("asked %+v", asked)
			}
			if _, got, err := f.PasswordReset(a.domain.GUID, accountA); err != nil || got != nil {
				t.Fatalf("before the approval there is %v, %v", got, err)
			}
			f.reopen(t)
			approved, err := f.ApprovePasswordReset(ctx, asked.ID)
			must(t, err)
			f.reopen(t)
			reset, got, err := f.PasswordReset(a.domain.GUID, accountA)
			must(t, err)
			if reset != approved || reset.Status != ResetApproved {
				t.Fatalf("after the approval it is %+v, was %+v", reset, approved)
			}
			master, err := answer.Decrypt(got.MasterKey)
			must(t, err)
			secret, err := answer.Decrypt(got.SecretMasterKey)
			must(t, err)
			if !bytes.Equal(master, a.master.Bytes()) || !bytes.Equal(secret, a.secret.Bytes()) {
				t.Error("the answer holds other keys")
			}
			for _, again := range []func() (PasswordReset, error){
				func() (PasswordReset, error) { return f.ApprovePasswordReset(ctx, asked.ID) },
				func() (PasswordReset, error) { return f.DenyPasswordReset(ctx, asked.ID) },
			} {
				if _, err := again(); !errors.Is(err, ErrResetDecided) {
					t.Errorf("decided again: %v", err)
				}
			}
			if bytes.Contains(f.log.Bytes(), master) || bytes.Contains(f.log.Bytes(), got.MasterKey) {
				t.Error("the log shows a key")
			}
		})
	}
}

// TestManualPasswordResetRefuses alters what a client sends; the approval then
// gives nothing out.
func TestManualPasswordResetRefuses(t *testing.T) {
	answer := testSets()[0].Signature
	flip := func(b []byte) []byte {
		b = bytes.Clone(b)
		b[len(b)/2] ^= 1
		return b
	}
	for name, edit := range map[string]func(t *testing.T, f *fixture, a *forgetful){
		"master key altered": func(_ *testing.T, _ *fixture, a *forgetful) { a.request.MasterKey = flip(a.request.MasterKey) },
		"secret master key altered": func(_ *testing.T, _ *fixture, a *forgetful) {
			a.request.SecretMasterKey = flip(a.request.SecretMasterKey)
		},
		"keys of another account": func(t *testing.T, _ *fixture, a *forgetful) {
			var err error
			a.request.MasterKey, err = a.master.Escrow(recoveryKeyOf(t, a.domain), "another")
			must(t, err)
		},
		"keys of an automatic reset": func(t *testing.T, _ *fixture, a *forgetful) {
			var err error
			a.request.MasterKey, err = a.master.Escrow(recoveryKeyOf(t, a.domain), accountA, identityA)
			must(t, err)
		},
		"too long for the answer's key": func(t *testing.T, _ *fixture, a *forgetful) {
			long, err := keys.NewStorageKey(make([]byte, 128))
			must(t, err)
			a.request.MasterKey, err = long.Escrow(recoveryKeyOf(t, a.domain), accountA)
			must(t, err)
			a.request.AnswerKey = smallRSA(t)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			a := f.forgetful(t, answer)
			edit(t, f, a)
			asked, err := f.RequestPasswordReset(t.Context(), a.request)
			must(t, err)
			if _, err := f.ApprovePasswordReset(t.Context(), asked.ID); !errors.Is(err, keys.ErrEscrow) {
				t.Errorf("approved: %v", err)
			}
			reset, got, err := f.PasswordReset(a.domain.GUID, accountA)
			if err != nil || reset.Status != ResetFailed || got != nil {
				t.Errorf("it is %+v, %v, %v", reset, got, err)
			}
			// The account may ask again, from anywhere.
			a.request.Requester = "another device"
			if _, err := f.RequestPasswordReset(t.Context(), a.request); err != nil {
				t.Errorf("asked again: %v", err)
			}
		})
	}
}

func TestRequestPasswordReset(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	a := f.forgetful(t, testSets()[0].Signature)
	for name, test := range map[string]struct {
		edit func(q *ResetRequest)
		want error
	}{
		"domain":  {func(q *ResetRequest) { q.Domain = "nowhere" }, ErrDomainNotFound},
		"account": {func(q *ResetRequest) { q.Account = "nobody" }, ErrAccountNotFound},
		"key":     {func(q *ResetRequest) { q.KeyHash[0] ^= 1 }, ErrOtherRecoveryKey},
	} {
		q := a.request
		test.edit(&q)
		if _, err := f.RequestPasswordReset(ctx, q); !errors.Is(err, test.want) {
			t.Errorf("another %s: %v, want %v", name, err, test.want)
		}
	}
	f.policy(t, a.domain, func(s *IdentitySettings) { s.DataRecovery.Recovery = policy.RecoveryNone })
	if _, err := f.RequestPasswordReset(ctx, a.request); !errors.Is(err, ErrResetNotAllowed) {
		t.Errorf("against the policy: %v", err)
	}
	f.policy(t, a.domain, func(s *IdentitySettings) { s.DataRecovery.Recovery = policy.RecoveryFull })

	first, err := f.RequestPasswordReset(ctx, a.request)
	must(t, err)
	elsewhere := a.request
	elsewhere.Requester = "another device"
	if _, err := f.RequestPasswordReset(ctx, elsewhere); !errors.Is(err, ErrResetElsewhere) {
		t.Errorf("another device: %v", err)
	}
	f.now = f.now.Add(time.Minute)
	second, err := f.RequestPasswordReset(ctx, a.request)
	must(t, err)
	if _, err := f.ApprovePasswordReset(ctx, first.ID); !errors.Is(err, ErrResetNotFound) {
		t.Errorf("the replaced request: %v", err)
	}
	if all := f.PasswordResets(); len(all) != 1 || all[0] != second {
		t.Errorf("there are %+v, want %+v", all, second)
	}
	denied, err := f.DenyPasswordReset(ctx, second.ID)
	if err != nil || denied.Status != ResetDenied {
		t.Errorf("denied: %+v, %v", denied, err)
	}
	if _, err := f.RequestPasswordReset(ctx, elsewhere); err != nil {
		t.Errorf("another device after that: %v", err)
	}

	// The domain's own encryption key (reading B12).
	certificate, err := keys.ParseCertificate(a.domain.Certificate)
	must(t, err)
	other := elsewhere
	other.KeyHash = certificate.EncryptionKey().Hash()
	other.MasterKey, err = a.master.Escrow(certificate.EncryptionKey(), accountA)
	must(t, err)
	other.SecretMasterKey, err = a.secret.Escrow(certificate.EncryptionKey(), accountA)
	must(t, err)
	third, err := f.RequestPasswordReset(ctx, other)
	must(t, err)
	_, err = f.ApprovePasswordReset(ctx, third.ID)
	must(t, err)

	_, err = f.DisableMember(ctx, a.member.GUID)
	must(t, err)
	if _, _, err := f.PasswordReset(a.domain.GUID, accountA); !errors.Is(err, ErrResetNotFound) {
		t.Errorf("answer for a disabled member: %v", err)
	}
	if _, err := f.RequestPasswordReset(ctx, elsewhere); !errors.Is(err, ErrMemberNotFound) {
		t.Errorf("disabled member asks: %v", err)
	}
}

func TestPasswordResetsExpire(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	a := f.forgetful(t, testSets()[0].Signature)
	asked, err := f.RequestPasswordReset(ctx, a.request)
	must(t, err)
	f.now = asked.Expires.Add(-time.Millisecond)
	must(t, f.DeleteExpiredResets(ctx))
	if len(f.PasswordResets()) != 1 {
		t.Fatal("the request has gone before its time")
	}
	f.now = asked.Expires
	if _, err := f.ApprovePasswordReset(ctx, asked.ID); !errors.Is(err, ErrResetNotFound) {
		t.Errorf("approved after its time: %v", err)
	}
	if _, _, err := f.PasswordReset(a.domain.GUID, accountA); !errors.Is(err, ErrResetNotFound) {
		t.Errorf("shown after its time: %v", err)
	}
	if rows := f.t.passwordResets.Len(f.store.Snapshot()); rows != 1 || len(f.PasswordResets()) != 0 {
		t.Errorf("%d rows, %d requests", rows, len(f.PasswordResets()))
	}
	must(t, f.DeleteExpiredResets(ctx))
	if rows := f.t.passwordResets.Len(f.store.Snapshot()); rows != 0 {
		t.Error("the request's data stays")
	}
	elsewhere := a.request
	elsewhere.Requester = "another device"
	if _, err := f.RequestPasswordReset(ctx, elsewhere); err != nil {
		t.Errorf("another device after that: %v", err)
	}
}

func TestRecoverMasterKeys(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	a := f.forgetful(t, testSets()[0].Signature)
	recovery := recoveryKeyOf(t, a.domain)
	escrow := func(key keys.StorageKey, to keys.EncryptionKey, binding ...string) []byte {
		sealed, err := key.Escrow(to, binding...)
		must(t, err)
		return sealed
	}
	q := AutomaticReset{
		Domain: a.domain.GUID, Account: accountA, IdentityURL: identityA, KeyHash: recovery.Hash(), Signed: 1000,
		MasterKey: escrow(a.master, recovery, accountA, identityA), SecretMasterKey: escrow(a.secret, recovery, accountA, identityA),
	}
	if _, err := f.RecoverMasterKeys(ctx, q); !errors.Is(err, ErrResetNotAllowed) {
		t.Errorf("against the policy: %v", err)
	}
	f.policy(t, a.domain, func(s *IdentitySettings) { s.DataRecovery.AutomaticReset = true })

	certificate, err := keys.ParseCertificate(a.domain.Certificate)
	must(t, err)
	sequence := f.store.Snapshot().Sequence()
	for name, test := range map[string]struct {
		edit func(q *AutomaticReset)
		want error
	}{
		"another domain":             {func(q *AutomaticReset) { q.Domain = "nowhere" }, ErrDomainNotFound},
		"another account":            {func(q *AutomaticReset) { q.Account = "nobody" }, ErrAccountNotFound},
		"another identity":           {func(q *AutomaticReset) { q.IdentityURL = "nobody" }, ErrMemberNotFound},
		"another key":                {func(q *AutomaticReset) { q.KeyHash[0] ^= 1 }, ErrOtherRecoveryKey},
		"the domain's key":           {func(q *AutomaticReset) { q.KeyHash = certificate.EncryptionKey().Hash() }, ErrOtherRecoveryKey},
		"master key altered":         {func(q *AutomaticReset) { q.MasterKey = append([]byte{0}, q.MasterKey[1:]...) }, keys.ErrEscrow},
		"secret master key missing":  {func(q *AutomaticReset) { q.SecretMasterKey = nil }, keys.ErrEscrow},
		"binding of a manual reset":  {func(q *AutomaticReset) { q.MasterKey = escrow(a.master, recovery, accountA) }, keys.ErrEscrow},
		"binding of another account": {func(q *AutomaticReset) { q.SecretMasterKey = escrow(a.secret, recovery, "b", identityA) }, keys.ErrEscrow},
	} {
		q := q
		test.edit(&q)
		if _, err := f.RecoverMasterKeys(ctx, q); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	if after := f.store.Snapshot().Sequence(); after != sequence {
		t.Error("a refused request has changed something")
	}

	got, err := f.RecoverMasterKeys(ctx, q)
	must(t, err)
	if got.Member.GUID != a.member.GUID || !got.MasterKey.Equal(a.master) || !got.SecretMaster.Equal(a.secret) {
		t.Errorf("recovered for %s", got.Member.GUID)
	}
	f.reopen(t)
	if _, err := f.RecoverMasterKeys(ctx, q); !errors.Is(err, ErrOutdated) {
		t.Errorf("the same recording again: %v", err)
	}
	// A clock that was once ahead does not shut its client out.
	q.Signed = f.now.Unix() + 1_000_000
	_, err = f.RecoverMasterKeys(ctx, q)
	must(t, err)
	f.now = f.now.Add(time.Minute)
	q.Signed = f.now.Unix()
	_, err = f.RecoverMasterKeys(ctx, q)
	must(t, err)

	_, err = f.DisableMember(ctx, a.member.GUID)
	must(t, err)
	q.Signed++
	if _, err := f.RecoverMasterKeys(ctx, q); !errors.Is(err, ErrStatus) {
		t.Errorf("disabled member: %v", err)
	}
}
