package service

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/mail"
	"furrow/gms/directory"
	"furrow/gms/policy"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// mailbox collects mail.
type mailbox struct {
	mu    sync.Mutex
	mails []mail.Message // guarded by mu
	err   error          // that Queue returns; guarded by mu
}

func (m *mailbox) Queue(_ context.Context, message mail.Message) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		m.mails = append(m.mails, message)
	}
	return "id", m.err
}

func (m *mailbox) all() []mail.Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mails
}

func (m *mailbox) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

// lockedAccount is an account whose client has put its master keys aside for the
// domain's recovery key, and has forgotten them.
type lockedAccount struct {
	account        *account
	recovery       keys.EncryptionKey
	master, secret keys.StorageKey
	answer         keys.EncryptionKey // of the temporary contact
}

func (b *box) locked(t testing.TB, a *account) *lockedAccount {
	t.Helper()
	certificate, err := keys.ParseCertificate(b.domain.RecoveryCertificate)
	must(t, err)
	return &lockedAccount{a, certificate.EncryptionKey(), keys.GenerateStorageKey(), keys.GenerateStorageKey(), bobKey().EncryptionKey()}
}

func (l *lockedAccount) escrow(t testing.TB, key keys.StorageKey, binding ...string) []byte {
	t.Helper()
	sealed, err := key.Escrow(l.recovery, binding...)
	must(t, err)
	return sealed
}

func (l *lockedAccount) manual(t testing.TB) *spcm.PassphraseResetRequest {
	t.Helper()
	guid := l.account.event.GUID
	return &spcm.PassphraseResetRequest{
		AccountGUID: guid, RecoveryKeyHash: l.recovery.Hash(),
		MasterKey: l.escrow(t, l.master, guid), SecretMasterKey: l.escrow(t, l.secret, guid),
		Contact: spcm.TemporaryContact{
			URL:      l.account.event.IdentityURL,
			Security: spcm.CSecurity{Encryption: l.answer, Signature: bobKey().Public()},
		},
	}
}

func (l *lockedAccount) automatic(t testing.TB) *spcm.AutomaticPasswordReset {
	t.Helper()
	guid, url := l.account.event.GUID, l.account.event.IdentityURL
	return &spcm.AutomaticPasswordReset{
		AccountGUID: guid, IdentityURL: url, RecoveryKeyHash: l.recovery.Hash(),
		MasterKey: l.escrow(t, l.master, guid, url), SecretMasterKey: l.escrow(t, l.secret, guid, url),
		Subject: "Your Groove password", Salutation: "Hello,", Body: "one line\r\nand another",
		DisplayName: "Alice", Email: "attacker@example.com",
	}
}

func (b *box) allowAutomatic(t *testing.T) {
	t.Helper()
	b.policy(t, func(s *directory.IdentitySettings) { s.DataRecovery.AutomaticReset = true })
}

// resetRows are the rows of MS-GRVSPCM 3.2.5.6 beside those of all services of
// an account. No mail is sent for any of them: see TestNothingIsSent.
func resetRows() []row {
	const manual, status = spcm.ServicePassphraseResetRequest, spcm.ServicePassphraseResetStatus
	device := func(section, name, service string, fault soap.Code, payload func(t *testing.T, b *box, l *lockedAccount) []byte) row {
		return row{section, name, service, func(t *testing.T, b *box) []byte {
			_, a := b.active(t, "alice", aliceKey())
			laptop := b.created(t, "laptop", bobKey(), true)
			return laptop.request(t, service, payload(t, b, b.locked(t, a)))
		}, fault}
	}
	manually := func(name string, fault soap.Code, edit func(t *testing.T, b *box, l *lockedAccount, m *spcm.PassphraseResetRequest)) row {
		return device("3.2.5.6.1", name, manual, fault, func(t *testing.T, b *box, l *lockedAccount) []byte {
			m := l.manual(t)
			edit(t, b, l, m)
			return m.Encode()
		})
	}
	rows := []row{
		manually("account of the payload unknown", 200, func(_ *testing.T, _ *box, _ *lockedAccount, m *spcm.PassphraseResetRequest) {
			m.AccountGUID = "unknown"
		}),
		manually("no active member with the account", 200, func(t *testing.T, b *box, _ *lockedAccount, m *spcm.PassphraseResetRequest) {
			m.AccountGUID = b.created(t, "nobody", aliceKey(), false).event.GUID
		}),
		manually("encrypted to another key", 218, func(_ *testing.T, _ *box, _ *lockedAccount, m *spcm.PassphraseResetRequest) {
			m.RecoveryKeyHash[0] ^= 1
		}),
		manually("another device has asked", 218, func(t *testing.T, b *box, l *lockedAccount, _ *spcm.PassphraseResetRequest) {
			b.succeed(t, manual, l.account.request(t, manual, l.manual(t).Encode()))
		}),
		device("3.2.5.6.2", "account of the payload unknown", status, 200, func(*testing.T, *box, *lockedAccount) []byte {
			return (&spcm.PassphraseResetStatus{AccountGUID: "unknown"}).Encode()
		}),
		device("3.2.5.1.6", "keys were not the account's", status, 218, func(t *testing.T, b *box, l *lockedAccount) []byte {
			m := l.manual(t)
			m.MasterKey = l.escrow(t, l.master, "another account")
			b.succeed(t, manual, l.account.request(t, manual, m.Encode()))
			resets := b.directory.PasswordResets()
			if _, err := b.directory.ApprovePasswordReset(t.Context(), resets[len(resets)-1].ID); !errors.Is(err, keys.ErrEscrow) {
				t.Fatalf("approved: %v", err)
			}
			return (&spcm.PassphraseResetStatus{AccountGUID: l.account.event.GUID}).Encode()
		}),
	}
	for _, r := range automaticRows() {
		rows = append(rows, device("3.2.5.6.3", r.name, spcm.ServiceAutomaticPasswordReset, r.fault,
			func(t *testing.T, b *box, l *lockedAccount) []byte {
				b.allowAutomatic(t)
				m := l.automatic(t)
				r.edit(t, b, l, m)
				return m.Encode()
			}))
	}
	for _, attr := range []string{"AccountGUID", "AdminPublicKeyHash", "DigestAlgorithm", "EncryptedMasterKey", "EncryptedSecretMasterKey", "Flags", "SeqNum", "URL", "Version", "EPubKey"} {
		rows = append(rows, device("2.2.3.42.1", attr+" missing", manual, 204, func(t *testing.T, _ *box, l *lockedAccount) []byte {
			return without(t, l.manual(t).Encode(), attr)
		}))
	}
	for _, attr := range []string{
		"AutoPasswordResetBody", "AutoPasswordResetSalutation", "AutoPasswordResetSubject", "CertificatePublicKeyHash",
		"ContactDisplayName", "DigestAlgorithm", "EmailAddress", "EncryptedMasterKey", "EncryptedSecretMasterKey", "GUID", "URL",
	} {
		rows = append(rows, device("2.2.3.13.1", attr+" missing", spcm.ServiceAutomaticPasswordReset, 204, func(t *testing.T, b *box, l *lockedAccount) []byte {
			b.allowAutomatic(t)
			return without(t, l.automatic(t).Encode(), attr)
		}))
	}
	return rows
}

// automaticRow is an automatic reset that is refused.
type automaticRow struct {
	name  string
	fault soap.Code
	edit  func(t *testing.T, b *box, l *lockedAccount, m *spcm.AutomaticPasswordReset)
}

func automaticRows() []automaticRow {
	ofMember := func(set func(t *testing.T, b *box, m directory.Member, a *account)) func(*testing.T, *box, *lockedAccount, *spcm.AutomaticPasswordReset) {
		return func(t *testing.T, b *box, l *lockedAccount, _ *spcm.AutomaticPasswordReset) {
			member, err := b.directory.MemberByIdentity(b.domain.GUID, l.account.event.GUID, l.account.event.IdentityURL)
			must(t, err)
			set(t, b, member, l.account)
		}
	}
	return []automaticRow{
		{"account unknown", 200, func(_ *testing.T, _ *box, _ *lockedAccount, m *spcm.AutomaticPasswordReset) {
			m.AccountGUID = "unknown"
		}},
		{"identity unknown", 200, func(_ *testing.T, _ *box, _ *lockedAccount, m *spcm.AutomaticPasswordReset) {
			m.IdentityURL = "unknown"
		}},
		{"identity of another account", 200, func(t *testing.T, b *box, _ *lockedAccount, m *spcm.AutomaticPasswordReset) {
			_, bob := b.active(t, "bob", bobKey())
			m.IdentityURL = bob.event.IdentityURL
		}},
		{"member disabled", 200, ofMember(disabled)},
		{"member deleted", 200, ofMember(deleted)},
		{"hash of another certificate", 218, func(_ *testing.T, _ *box, _ *lockedAccount, m *spcm.AutomaticPasswordReset) {
			m.RecoveryKeyHash[19] ^= 1
		}},
		{"master key altered", 218, func(_ *testing.T, _ *box, _ *lockedAccount, m *spcm.AutomaticPasswordReset) { m.MasterKey[100] ^= 1 }},
		{"master key too short", 218, func(_ *testing.T, _ *box, _ *lockedAccount, m *spcm.AutomaticPasswordReset) {
			m.MasterKey = m.MasterKey[1:]
		}},
		{"secret master key altered", 218, func(_ *testing.T, _ *box, _ *lockedAccount, m *spcm.AutomaticPasswordReset) {
			m.SecretMasterKey[0] ^= 1
		}},
		{"keys of a manual reset", 218, func(t *testing.T, _ *box, l *lockedAccount, m *spcm.AutomaticPasswordReset) {
			m.MasterKey = l.escrow(t, l.master, m.AccountGUID)
		}},
		{"keys of another identity", 218, func(t *testing.T, _ *box, l *lockedAccount, m *spcm.AutomaticPasswordReset) {
			m.SecretMasterKey = l.escrow(t, l.secret, m.AccountGUID, "another")
		}},
		{"no key behind the verifier", 218, func(t *testing.T, _ *box, l *lockedAccount, m *spcm.AutomaticPasswordReset) {
			verifier := keys.Sum(1, keys.UTF16LE(m.AccountGUID), keys.UTF16LE(m.IdentityURL))
			var err error
			m.MasterKey, err = l.recovery.Encrypt(verifier[:])
			must(t, err)
		}},
	}
}

// TestNothingIsSent sends each refused automatic reset again and looks for mail.
func TestNothingIsSent(t *testing.T) {
	b := newBox(t)
	_, alice := b.active(t, "alice", aliceKey())
	laptop := b.created(t, "laptop", bobKey(), true)
	ask := func(l *lockedAccount, m *spcm.AutomaticPasswordReset) soap.Code {
		laptop.event.Created++
		r := b.ask(t, spcm.ServiceAutomaticPasswordReset, laptop.request(t, spcm.ServiceAutomaticPasswordReset, m.Encode()))
		if r.Fault == nil {
			return 0
		}
		return r.Fault.Code
	}
	l := b.locked(t, alice)
	if code := ask(l, l.automatic(t)); code != 218 {
		t.Errorf("against the policy: fault %d", code)
	}
	b.allowAutomatic(t)
	b.policy(t, func(s *directory.IdentitySettings) { s.DataRecovery.Recovery = policy.RecoveryNone })
	if code := ask(l, l.automatic(t)); code != 218 {
		t.Errorf("without recovery: fault %d", code)
	}
	b.policy(t, func(s *directory.IdentitySettings) { s.DataRecovery.Recovery = policy.RecoveryFull })
	for _, r := range automaticRows() {
		m := l.automatic(t)
		if strings.HasPrefix(r.name, "member ") {
			continue // they change Alice; the row itself is in TestRows
		}
		r.edit(t, b, l, m)
		if code := ask(l, m); code != r.fault {
			t.Errorf("%s: fault %d, want %d", r.name, code, r.fault)
		}
	}
	b.mail.fail(errors.New("disk full"))
	if code := ask(l, l.automatic(t)); code != 218 {
		t.Errorf("mail not queued: fault %d", code)
	}
	if !strings.Contains(b.log.String(), "disk full") {
		t.Error("that mail was not queued is not in the log")
	}
	if mails := b.mail.all(); len(mails) != 0 {
		t.Errorf("sent %+v", mails)
	}

	b.mail.fail(nil)
	if code := ask(l, l.automatic(t)); code != 0 || len(b.mail.all()) != 1 {
		t.Errorf("at last: fault %d, %d mails", code, len(b.mail.all()))
	}
}

func TestAutomaticResetWithoutMail(t *testing.T) {
	b := newBox(t)
	_, alice := b.active(t, "alice", aliceKey())
	b.allowAutomatic(t)
	silent := New(Config{Directory: b.directory, Now: b.clock, Log: slog.New(slog.DiscardHandler)})
	request := alice.request(t, spcm.ServiceAutomaticPasswordReset, b.locked(t, alice).automatic(t).Encode())
	before := b.sequence()
	recorder := httptest.NewRecorder()
	silent.ServeHTTP(recorder, httptest.NewRequest("POST", pathServices, bytes.NewReader(request)))
	r, err := soap.DecodeResponse(recorder.Body.Bytes(), spcm.MaxResponseSize, spcm.ServiceAutomaticPasswordReset, soap.Response2)
	must(t, err)
	if r.Fault == nil || r.Fault.Code != 218 || b.sequence() != before {
		t.Errorf("fault %v, %d changes", r.Fault, b.sequence()-before)
	}
}

var passwordLine = regexp.MustCompile(`(?m)^[a-z2-9-]{41}$`)

// TestAutomaticReset goes the whole way with real keys, by the device's account
// and by the user's (reading B19).
func TestAutomaticReset(t *testing.T) {
	b := newBox(t)
	_, alice := b.active(t, "alice", aliceKey())
	laptop := b.created(t, "laptop", bobKey(), true)
	b.allowAutomatic(t)
	l := b.locked(t, alice)
	for i, asking := range []*account{laptop, alice} {
		asking.event.Created += int32(i) // later than the last
		request := asking.request(t, spcm.ServiceAutomaticPasswordReset, l.automatic(t).Encode())
		open := func(r *soap.Response) *spcm.AutomaticPasswordResetResponse {
			answer, err := spcm.DecodeAutomaticPasswordResetResponse(asking.open(t, r, soap.WrapperReturnPayload))
			must(t, err)
			return answer
		}
		answer := open(b.succeed(t, spcm.ServiceAutomaticPasswordReset, request))
		mails := b.mail.all()
		if len(mails) != i+1 {
			t.Fatalf("%d mails", len(mails))
		}
		sent := mails[i]
		password := passwordLine.FindString(sent.Body)
		if sent.To != "someone@example.com" || sent.Subject != "Your Groove password" || password == "" ||
			sent.Body != "Hello,\n\none line\nand another\n\n"+password+"\n" {
			t.Fatalf("sent %+v", sent)
		}
		if answer.Email != "someone@example.com" || answer.IdentityURL != alice.event.IdentityURL {
			t.Errorf("answer for %q, %q", answer.Email, answer.IdentityURL)
		}
		master, secret, err := answer.Keys.Open(password)
		must(t, err)
		if !master.Equal(l.master) || !secret.Equal(l.secret) {
			t.Error("other keys")
		}
		for name, text := range map[string]string{"password": password, "key": string(master.Bytes())} {
			if strings.Contains(b.log.String(), text) {
				t.Errorf("the log shows the %s", name)
			}
		}

		// The same request again is answered the same, without another mail; and
		// an old recording is refused.
		if again := open(b.succeed(t, spcm.ServiceAutomaticPasswordReset, request)); !bytes.Equal(again.Keys.MAC, answer.Keys.MAC) {
			t.Error("a repeated request has another answer")
		}
		b.pass(soap.ReplayWindow + time.Second)
		if r := b.ask(t, spcm.ServiceAutomaticPasswordReset, request); r.Fault == nil || r.Fault.Code != 204 {
			t.Errorf("an old recording: fault %v", r.Fault)
		}
		if n := len(b.mail.all()); n != i+1 {
			t.Errorf("%d mails, want %d", n, i+1)
		}
	}
}

// TestManualReset goes the whole way with real keys, and answers all that a
// client can be told.
func TestManualReset(t *testing.T) {
	elGamal, err := keys.GenerateElGamalKey()
	must(t, err)
	b := newBox(t)
	_, alice := b.active(t, "alice", aliceKey())
	laptop := b.created(t, "laptop", bobKey(), true)
	status := func() *spcm.PassphraseResetStatusResponse {
		laptop.event.ID++
		m := &spcm.PassphraseResetStatus{AccountGUID: alice.event.GUID}
		r := b.succeed(t, spcm.ServicePassphraseResetStatus, laptop.request(t, spcm.ServicePassphraseResetStatus, m.Encode()))
		answer, err := spcm.DecodePassphraseResetStatusResponse(laptop.open(t, r, soap.WrapperReturnPayload))
		must(t, err)
		if answer.AccountGUID != alice.event.GUID {
			t.Fatalf("answer for account %q", answer.AccountGUID)
		}
		return answer
	}
	if got := status(); got.Status != spcm.ResetRefused {
		t.Errorf("before there is a request: %+v", got)
	}
	for _, answer := range []keys.DecryptionKey{elGamal, bobKey()} {
		l := b.locked(t, alice)
		l.answer = answer.EncryptionKey()
		laptop.event.ID++
		ask := func() {
			laptop.event.ID++
			b.succeed(t, spcm.ServicePassphraseResetRequest,
				laptop.request(t, spcm.ServicePassphraseResetRequest, l.manual(t).Encode()))
		}
		only := func() directory.PasswordReset {
			resets := b.directory.PasswordResets()
			if len(resets) != 1 || resets[0].DeviceName != "FABRIKAM" || resets[0].Requester != laptop.event.GUID {
				t.Fatalf("there are %+v", resets)
			}
			return resets[0]
		}

		ask()
		if got := status(); got.Status != spcm.ResetPending || got.MasterKey != nil {
			t.Errorf("pending: %+v", got)
		}
		_, err = b.directory.DenyPasswordReset(t.Context(), only().ID)
		must(t, err)
		if got := status(); got.Status != spcm.ResetRefused || got.MasterKey != nil {
			t.Errorf("denied: %+v", got)
		}

		ask()
		_, err = b.directory.ApprovePasswordReset(t.Context(), only().ID)
		must(t, err)
		got := status()
		if got.Status != spcm.ResetApproved {
			t.Fatalf("approved: %+v", got)
		}
		master, err := answer.Decrypt(got.MasterKey)
		must(t, err)
		secret, err := answer.Decrypt(got.SecretMasterKey)
		must(t, err)
		if !bytes.Equal(master, l.master.Bytes()) || !bytes.Equal(secret, l.secret.Bytes()) {
			t.Error("other keys")
		}
	}
	b.pass(directory.DefaultResetLifetime)
	if got := status(); got.Status != spcm.ResetRefused || got.MasterKey != nil {
		t.Errorf("expired: %+v", got)
	}
}

// TestAutomaticResetByAuthenticatedUser: whom HTTP authentication names gets the
// own account's keys only (MS-GRVSPCM 3.2.5.6.3 step 1).
func TestAutomaticResetByAuthenticatedUser(t *testing.T) {
	const service = spcm.ServiceAutomaticPasswordReset
	b := newBox(t)
	member, alice := b.active(t, "alice", aliceKey())
	other, _ := b.active(t, "bob", bobKey())
	b.withLogin(t, member, "alice")
	b.withLogin(t, other, "bob")
	b.allowAutomatic(t)
	l := b.locked(t, alice)
	request := func() []byte {
		alice.event.Created++
		return alice.request(t, service, l.automatic(t).Encode())
	}
	if status, _, _ := b.sendAs(t, pathAutomatic, "alice", "wrong", request()); status != 401 {
		t.Errorf("without credentials: HTTP status %d", status)
	}
	if r := b.askAs(t, "bob", service, request()); r.Fault == nil || r.Fault.Code != 200 {
		t.Errorf("as another member: fault %v", r.Fault)
	}
	if n := len(b.mail.all()); n != 0 {
		t.Fatalf("%d mails", n)
	}
	for i, login := range []string{"ALICE", "a stranger"} { // the second cannot be matched
		if r := b.askAs(t, login, service, request()); r.Fault != nil || len(b.mail.all()) != i+1 {
			t.Errorf("as %s: fault %v, %d mails", login, r.Fault, len(b.mail.all()))
		}
	}
}
