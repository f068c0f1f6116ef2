package access

import (
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
)

// good is a password that nobody refuses.
const good = "a quiet river bends"

// box is a Control with a clock that a test moves.
type box struct {
	*Control
	t   *testing.T
	dir string
	now time.Time
	log *strings.Builder
}

func open(t *testing.T) *box {
	t.Helper()
	b := &box{t: t, dir: t.TempDir(), now: time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC), log: new(strings.Builder)}
	b.start()
	t.Cleanup(func() {
		if err := b.Store.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *box) start() {
	b.t.Helper()
	schema := state.NewSchema()
	tables := Declare(schema)
	store, _, err := state.Open(filepath.Join(b.dir, "state"), schema, state.Options{})
	if err != nil {
		b.t.Fatal(err)
	}
	vault, err := keys.OpenVault(b.dir)
	if err != nil {
		b.t.Fatal(err)
	}
	b.Control = New(Config{
		Store: store, Tables: tables, Vault: vault, Now: func() time.Time { return b.now },
		Log: slog.New(slog.NewTextHandler(b.log, nil)),
	})
}

func (b *box) restart() {
	b.t.Helper()
	if err := b.Store.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.start()
}

func (b *box) add(name string, role Role) {
	b.t.Helper()
	if _, err := b.Add(b.t.Context(), NewAdministrator{Name: name, Role: role, Password: good}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) signIn(name string, from Visitor) string {
	b.t.Helper()
	in, err := b.SignIn(b.t.Context(), name, good, from)
	if err != nil || in.Token == "" {
		b.t.Fatalf("%+v, %v", in, err)
	}
	return in.Token
}

var home = Visitor{Address: "192.0.2.1", Agent: "Browser"}

func TestSetUp(t *testing.T) {
	b := open(t)
	ctx := t.Context()
	if b.IsSetUp() {
		t.Fatal("set up from the start")
	}
	ann := NewAdministrator{Name: "Ann", Password: good}
	if _, err := b.SetUp(ctx, "", ann, home); !errors.Is(err, ErrRefused) {
		t.Errorf("without a code: %v", err)
	}
	if err := b.AnnounceSetup(ctx); err != nil {
		t.Fatal(err)
	}
	code, err := b.SetupCode(ctx)
	if err != nil || !strings.Contains(b.log.String(), code) {
		t.Fatalf("code %q, %v; log %s", code, err, b.log)
	}
	b.restart()
	if again, err := b.SetupCode(ctx); err != nil || again != code {
		t.Errorf("after a restart %q, %v", again, err)
	}
	if _, err := b.SetUp(ctx, "aaaa-aaaa-aaaa-aaaa", ann, home); !errors.Is(err, ErrRefused) {
		t.Errorf("with a wrong code: %v", err)
	}
	weak := ann
	weak.Password = "password1234"
	if _, err := b.SetUp(ctx, code, weak, home); !isInvalid(err, "password") || b.IsSetUp() {
		t.Errorf("with a weak password: %v", err)
	}
	made, err := b.SetUp(ctx, strings.ToUpper(strings.ReplaceAll(code, "-", " ")), ann, home)
	if err != nil || made.Name != "ann" || made.Role != Server || !b.IsSetUp() {
		t.Fatalf("%+v, %v", made, err)
	}
	ann.Name = "eve"
	if _, err := b.SetUp(ctx, code, ann, home); !errors.Is(err, ErrIsSetUp) {
		t.Errorf("the code again: %v", err)
	}
	if _, err := b.SetupCode(ctx); !errors.Is(err, ErrIsSetUp) {
		t.Errorf("another code: %v", err)
	}
}

func isInvalid(err error, field string) bool {
	var e *Error
	return errors.As(err, &e) && e.Field == field
}

func TestAdministrators(t *testing.T) {
	b := open(t)
	ctx := t.Context()
	b.add("Ann", Server)
	b.add("bo", Member)
	for _, q := range []struct {
		NewAdministrator
		want string
	}{
		{NewAdministrator{Name: "", Role: Server, Password: good}, "name"},
		{NewAdministrator{Name: "a b", Role: Server, Password: good}, "name"},
		{NewAdministrator{Name: strings.Repeat("a", maxName+1), Role: Server, Password: good}, "name"},
		{NewAdministrator{Name: "cy", DisplayName: "C\ny", Role: Server, Password: good}, "displayName"},
		{NewAdministrator{Name: "cy", Role: "king", Password: good}, "role"},
		{NewAdministrator{Name: "cy", Role: Server, Password: "short"}, "password"},
	} {
		if _, err := b.Add(ctx, q.NewAdministrator); !isInvalid(err, q.want) {
			t.Errorf("%+v: %v", q, err)
		}
	}
	if _, err := b.Add(ctx, NewAdministrator{Name: "ANN", Role: Member, Password: good}); !errors.Is(err, ErrTaken) {
		t.Errorf("a name twice: %v", err)
	}
	auditor, name := Auditor, "Ann of the office"
	if _, err := b.Edit(ctx, "ann", Change{Role: &auditor}); !errors.Is(err, ErrLastServer) {
		t.Errorf("the last server's role: %v", err)
	}
	if _, err := b.Remove(ctx, "ann"); !errors.Is(err, ErrLastServer) {
		t.Errorf("the last server: %v", err)
	}
	if a, err := b.Edit(ctx, "ann", Change{DisplayName: &name}); err != nil || a.DisplayName != name || a.Role != Server {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := b.Edit(ctx, "eve", Change{DisplayName: &name}); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown: %v", err)
	}
	token := b.signIn("bo", home)
	server := Server
	if _, err := b.Edit(ctx, "BO", Change{Role: &server}); err != nil {
		t.Fatal(err)
	}
	if a, _, err := b.Session(ctx, token); err != nil || a.Role != Server {
		t.Errorf("the new role does not hold: %+v, %v", a, err)
	}
	if _, err := b.Remove(ctx, "bo"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Session(ctx, token); !errors.Is(err, ErrSignedOut) {
		t.Errorf("the session of one who was removed: %v", err)
	}
	if all := b.Administrators(); len(all) != 1 || all[0].Name != "ann" {
		t.Errorf("%+v", all)
	}
}

func TestSessions(t *testing.T) {
	b := open(t)
	ctx := t.Context()
	b.add("ann", Server)
	token := b.signIn("Ann", home)
	if a, s, err := b.Session(ctx, token); err != nil || a.Name != "ann" || s.Visitor != home {
		t.Fatalf("%+v, %+v, %v", a, s, err)
	}
	for _, wrong := range []string{"", token[1:], token + "x", digest(token)} {
		if _, _, err := b.Session(ctx, wrong); !errors.Is(err, ErrSignedOut) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	// In use it lasts its whole life, across a restart, and not longer.
	const step = IdleLifetime - 10*time.Minute
	for lived := step; lived < Lifetime; lived += step {
		b.now = b.now.Add(step)
		b.restart()
		if _, s, err := b.Session(ctx, token); err != nil || b.now.Sub(s.LastSeen) > step {
			t.Fatalf("after %s: %+v, %v", lived, s, err)
		}
	}
	b.now = b.now.Add(step)
	if _, _, err := b.Session(ctx, token); !errors.Is(err, ErrSignedOut) {
		t.Errorf("after its life: %v", err)
	}
	idle := b.signIn("ann", home)
	b.now = b.now.Add(IdleLifetime + time.Second)
	if _, _, err := b.Session(ctx, idle); !errors.Is(err, ErrSignedOut) {
		t.Errorf("idle: %v", err)
	}
	one, two, three := b.signIn("ann", home), b.signIn("ann", home), b.signIn("ann", home)
	listed, err := b.Sessions("ann")
	if err != nil || len(listed) != 3 {
		t.Fatalf("%+v, %v", listed, err)
	}
	if err := b.SignOut(ctx, one); err != nil {
		t.Fatal(err)
	}
	_, s, err := b.Session(ctx, two)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Revoke(ctx, "ann", s.ID); err != nil {
		t.Fatal(err)
	}
	if err := b.Revoke(ctx, "ann", s.ID); !errors.Is(err, ErrUnknown) {
		t.Errorf("revoked twice: %v", err)
	}
	if err := b.ChangeOwnPassword(ctx, three, "wrong", good+"!"); !errors.Is(err, ErrRefused) {
		t.Errorf("with a wrong password: %v", err)
	}
	four := b.signIn("ann", home)
	if err := b.ChangeOwnPassword(ctx, three, good, good+"!"); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		token string
		good  bool
	}{"signed out": {one, false}, "revoked": {two, false}, "own": {three, true}, "other": {four, false}} {
		if _, _, err := b.Session(ctx, test.token); (err == nil) != test.good {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.SetPassword(ctx, "ann", good, true); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Session(ctx, three); !errors.Is(err, ErrSignedOut) {
		t.Errorf("after the password was set: %v", err)
	}
}

func TestManySessions(t *testing.T) {
	b := open(t)
	b.add("ann", Server)
	first, err := b.begin(t.Context(), "ann", home)
	if err != nil {
		t.Fatal(err)
	}
	for range maxSessions {
		b.now = b.now.Add(time.Second)
		if _, err := b.begin(t.Context(), "ann", home); err != nil {
			t.Fatal(err)
		}
	}
	if listed, err := b.Sessions("ann"); err != nil || len(listed) != maxSessions {
		t.Errorf("%d sessions, %v", len(listed), err)
	}
	if _, _, err := b.Session(t.Context(), first); !errors.Is(err, ErrSignedOut) {
		t.Errorf("the oldest: %v", err)
	}
	b.now = b.now.Add(Lifetime)
	if _, err := b.begin(t.Context(), "ann", home); err != nil {
		t.Fatal(err)
	}
	if n := b.Tables.sessions.Len(b.Store.Snapshot()); n != 1 {
		t.Errorf("%d sessions are kept that are over", n-1)
	}
}

func TestTokens(t *testing.T) {
	b := open(t)
	ctx := t.Context()
	made, secret, err := b.AddToken(ctx, "monitor", Auditor, b.now.Add(time.Hour))
	if err != nil || !strings.HasPrefix(secret, "furrow_") {
		t.Fatalf("%+v, %q, %v", made, secret, err)
	}
	_, forever, err := b.AddToken(ctx, "robot", Member, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	b.restart()
	want := Actor{Name: "monitor", Role: Auditor, Origin: API, Address: "192.0.2.1"}
	if a, err := b.TokenActor(ctx, secret, "192.0.2.1"); err != nil || a != want {
		t.Errorf("%+v, %v", a, err)
	}
	if i := slices.IndexFunc(b.Tokens(), func(k Token) bool { return k.LastUsed.Equal(b.now) && k.ID == made.ID }); i < 0 {
		t.Errorf("the use is not noted: %+v", b.Tokens())
	}
	b.now = b.now.Add(time.Hour + time.Second)
	if _, err := b.TokenActor(ctx, secret, "192.0.2.1"); !errors.Is(err, ErrSignedOut) {
		t.Errorf("expired: %v", err)
	}
	if _, err := b.TokenActor(ctx, forever, "192.0.2.1"); err != nil {
		t.Error(err)
	}
	if _, err := b.RemoveToken(ctx, made.ID); err != nil {
		t.Error(err)
	}
	if _, err := b.RemoveToken(ctx, made.ID); !errors.Is(err, ErrUnknown) {
		t.Errorf("removed twice: %v", err)
	}
	var wait *WaitError
	for range freeAttempts + 1 {
		_, err = b.TokenActor(ctx, "furrow_guess", "192.0.2.1")
	}
	if !errors.As(err, &wait) {
		t.Errorf("guessing: %v", err)
	}
	if _, err := b.TokenActor(ctx, forever, "192.0.2.1"); err != nil {
		t.Errorf("a guesser at the same address keeps the good one out: %v", err)
	}
	for _, bad := range []error{
		second(b.AddToken(ctx, "", Member, time.Time{})), second(b.AddToken(ctx, "x", "king", time.Time{})),
		second(b.AddToken(ctx, "x", Member, b.now)),
	} {
		var e *Error
		if !errors.As(bad, &e) {
			t.Errorf("%v", bad)
		}
	}
}

func second(_ Token, _ string, err error) error { return err }

// TestNothingSecretIsKept reads the files of the state for what only people may know.
func TestNothingSecretIsKept(t *testing.T) {
	b := open(t)
	ctx := t.Context()
	code, err := b.SetupCode(ctx)
	if err != nil {
		t.Fatal(err)
	}
	b.add("ann", Server)
	token := b.signIn("ann", home)
	_, secret, err := b.AddToken(ctx, "robot", Member, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	totp, recovery := b.withTOTP(token)
	kept := b.files()
	for _, s := range append(recovery, code, plainCode(code), good, token, secret, totp, plainCode(recovery[0])) {
		if strings.Contains(kept, s) || strings.Contains(b.log.String(), s) {
			t.Errorf("%q is in the state or the log", s)
		}
	}
	if !strings.Contains(kept, "argon2id") {
		t.Error("the test does not see the state")
	}
}
