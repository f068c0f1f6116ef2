package access

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/pquerna/otp/totp"
)

// withTOTP gives the one whose session it is an authenticator app.
func (b *box) withTOTP(session string) (secret string, recovery []string) {
	b.t.Helper()
	begun, err := b.BeginTOTP(session, "box.example.com")
	if err != nil {
		b.t.Fatal(err)
	}
	recovery, err = b.ConfirmTOTP(b.t.Context(), session, begun.Ticket, b.totp(begun.Secret))
	if err != nil || len(recovery) != recoveryCodes {
		b.t.Fatalf("%q, %v", recovery, err)
	}
	return begun.Secret, recovery
}

func (b *box) totp(secret string) string {
	b.t.Helper()
	code, err := totp.GenerateCode(secret, b.now)
	if err != nil {
		b.t.Fatal(err)
	}
	return code
}

// files is all that the data directory holds.
func (b *box) files() string {
	b.t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(filepath.Join(b.dir, "state"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all.Write(data)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return all.String()
}

func TestTOTP(t *testing.T) {
	b := open(t)
	ctx := t.Context()
	b.add("ann", Server)
	session := b.signIn("ann", home)
	begun, err := b.BeginTOTP(session, "box.example.com")
	if err != nil || !strings.HasPrefix(begun.URL, "otpauth://totp/box.example.com:ann?") {
		t.Fatalf("%+v, %v", begun, err)
	}
	if _, err := b.ConfirmTOTP(ctx, session, begun.Ticket, "000000"); !isInvalid(err, "code") {
		t.Errorf("a wrong code: %v", err)
	}
	secret, recovery := b.withTOTP(session)

	factor := func(code string) error {
		t.Helper()
		in, err := b.SignIn(ctx, "ann", good, home)
		if err != nil || in.Token != "" || len(in.Factors) != 1 || in.Factors[0] != Code {
			t.Fatalf("%+v, %v", in, err)
		}
		token, err := b.SignInByCode(ctx, in.Ticket, code, home)
		if (err == nil) != (token != "") {
			t.Errorf("token %q, %v", token, err)
		}
		if _, again := b.SignInByCode(ctx, in.Ticket, recovery[9], home); err == nil && !errors.Is(again, ErrSignedOut) {
			t.Errorf("the ticket again: %v", again)
		}
		return err
	}
	// The code that confirmed the app is used up, also after a restart.
	code := b.totp(secret)
	b.restart()
	if err := factor(code); !errors.Is(err, ErrRefused) {
		t.Errorf("a used code: %v", err)
	}
	b.now = b.now.Add(time.Minute)
	if err := factor(b.totp(secret)); err != nil {
		t.Errorf("a code: %v", err)
	}
	b.now = b.now.Add(totpPeriod)
	if err := factor(strings.ToUpper(recovery[0])); err != nil {
		t.Errorf("a recovery code: %v", err)
	}
	if err := factor(recovery[0]); !errors.Is(err, ErrRefused) {
		t.Errorf("a recovery code again: %v", err)
	}
	if a, err := b.Administrator("ann"); err != nil || !a.TOTP || a.RecoveryCodes >= recoveryCodes {
		t.Errorf("%+v, %v", a, err)
	}
	b.now = b.now.Add(forgetAfter)
	session, err = b.begin(ctx, "ann", home)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.RemoveTOTP(ctx, session, "wrong"); !errors.Is(err, ErrRefused) {
		t.Errorf("removed with a wrong password: %v", err)
	}
	if err := b.RemoveTOTP(ctx, session, good); err != nil {
		t.Fatal(err)
	}
	b.signIn("ann", home)
}

func TestTicketsEnd(t *testing.T) {
	b := open(t)
	ctx := t.Context()
	b.add("ann", Server)
	b.withTOTP(b.signIn("ann", home))
	in, err := b.SignIn(ctx, "ann", good, home)
	if err != nil {
		t.Fatal(err)
	}
	b.now = b.now.Add(ticketLifetime + time.Second)
	if _, err := b.SignInByCode(ctx, in.Ticket, "000000", home); !errors.Is(err, ErrSignedOut) {
		t.Errorf("too late: %v", err)
	}
	k := newTickets(func() time.Time { return b.now })
	for range maxTickets {
		if _, err := k.issue(ticket{purpose: forPasskeyAlone}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.issue(ticket{}); !errors.Is(err, ErrBusy) {
		t.Errorf("one too many: %v", err)
	}
	b.now = b.now.Add(ticketLifetime + time.Second)
	last, err := k.issue(ticket{purpose: forFactor})
	if err != nil || len(k.held) != 1 {
		t.Errorf("%d are kept, %v", len(k.held), err)
	}
	for range ticketUses {
		if _, err := k.use(last, forFactor); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.use(last, forFactor); !errors.Is(err, ErrSignedOut) {
		t.Errorf("one use too many: %v", err)
	}
}

// TestPasskey signs in with a device of software, as second factor and alone.
func TestPasskey(t *testing.T) {
	b := open(t)
	ctx := t.Context()
	b.add("ann", Server)
	session := b.signIn("ann", home)
	const origin = "https://box.example.com:8443"
	party := virtualwebauthn.RelyingParty{Name: "Furrow", ID: "box.example.com", Origin: origin}
	// Of an EC key the library forgets leading zeros.
	key := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeRSA)
	device := virtualwebauthn.NewAuthenticator()

	for _, bad := range []string{"http://box.example.com", "https://192.0.2.1", "nothing", ""} {
		if _, err := b.BeginNewPasskey(session, bad); !isInvalid(err, "origin") {
			t.Errorf("origin %q: %v", bad, err)
		}
	}
	begun, err := b.BeginNewPasskey(session, origin)
	if err != nil {
		t.Fatal(err)
	}
	creation, err := virtualwebauthn.ParseAttestationOptions(asJSON(t, begun.Options))
	if err != nil {
		t.Fatal(err)
	}
	made, err := b.FinishNewPasskey(ctx, session, begun.Ticket, "Laptop", []byte(virtualwebauthn.CreateAttestationResponse(party, device, key, *creation)))
	if err != nil || made.Host != party.ID {
		t.Fatalf("%+v, %v", made, err)
	}
	row, _ := b.Tables.administrators.Get(b.Store.Snapshot(), "ann")
	device.Options.UserHandle = row.Handle
	device.AddCredential(key)
	b.restart()

	answer := func(ticket, origin string) (string, error) {
		t.Helper()
		begun, err := b.BeginPasskey(ticket, origin)
		if err != nil {
			return "", err
		}
		options, err := virtualwebauthn.ParseAssertionOptions(asJSON(t, begun.Options))
		if err != nil {
			t.Fatal(err)
		}
		response := []byte(virtualwebauthn.CreateAssertionResponse(party, device, key, *options))
		token, err := b.SignInByPasskey(ctx, begun.Ticket, response, home)
		if _, again := b.SignInByPasskey(ctx, begun.Ticket, response, home); !errors.Is(again, ErrSignedOut) {
			t.Errorf("the same answer again: %v", again)
		}
		return token, err
	}
	if token, err := answer("", origin); err != nil || token == "" {
		t.Errorf("alone: %v", err)
	}
	in, err := b.SignIn(ctx, "ann", good, home)
	if err != nil || in.Token != "" || in.Factors[0] != Key {
		t.Fatalf("%+v, %v", in, err)
	}
	if token, err := answer(in.Ticket, origin); err != nil || token == "" {
		t.Errorf("as second factor: %v", err)
	}
	if _, err := answer("", "https://other.example.com"); !errors.Is(err, ErrRefused) {
		t.Errorf("for another host: %v", err)
	}
	if _, err := answer("nothing", origin); !errors.Is(err, ErrSignedOut) {
		t.Errorf("without a ticket: %v", err)
	}
	key = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeRSA) // another's
	if _, err := answer("", origin); !errors.Is(err, ErrRefused) {
		t.Errorf("with another key: %v", err)
	}
	if err := b.RemovePasskey(ctx, session, made.ID); err != nil {
		t.Fatal(err)
	}
	b.signIn("ann", home)
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestGuessing shows that guessing gets slow, and that it does not keep out who comes from where they always do.
func TestGuessing(t *testing.T) {
	b := open(t)
	ctx := t.Context()
	b.add("ann", Server)
	b.signIn("ann", home)
	var wait *WaitError
	guesses, began := 0, b.now
	const hours = 3
	for b.now.Sub(began) < hours*time.Hour {
		_, err := b.SignIn(ctx, "ann", "", Visitor{Address: "2001:db8::1"})
		switch {
		case errors.As(err, &wait):
			b.now = b.now.Add(wait.Wait)
		case errors.Is(err, ErrRefused):
			guesses++
		default:
			t.Fatal(err)
		}
	}
	if most := freeAttempts + maxDouble + hours*4 + 1; guesses > most {
		t.Errorf("%d guesses in %d hours, want at most %d", guesses, hours, most)
	}
	if _, err := b.SignIn(ctx, "ann", "", Visitor{Address: "2001:db8::1"}); !errors.Is(err, ErrRefused) {
		t.Fatal(err)
	}
	// From another address, the name still waits; from home it does not.
	if _, err := b.SignIn(ctx, "ann", good, Visitor{Address: "198.51.100.7"}); !errors.As(err, &wait) {
		t.Errorf("from elsewhere: %v", err)
	}
	b.signIn("ann", home)
	// The neighbour in the same network of IPv6 is the same guesser.
	if _, err := b.SignIn(ctx, "bo", good, Visitor{Address: "2001:db8::2"}); !errors.As(err, &wait) {
		t.Errorf("from the next address: %v", err)
	}
	if b.Failures() < uint64(guesses) {
		t.Errorf("%d failures are counted", b.Failures())
	}
	b.now = b.now.Add(forgetAfter + time.Second)
	b.signIn("ann", Visitor{Address: "198.51.100.7"})
}

func TestThrottleForgets(t *testing.T) {
	now := time.Unix(0, 0)
	s := newThrottle(func() time.Time { return now })
	for i := range maxThrottled + 10 {
		now = now.Add(time.Millisecond)
		s.enter("address " + strings.Repeat("x", i%7) + string(rune(i)))
	}
	if len(s.seen) > maxThrottled {
		t.Errorf("%d are remembered", len(s.seen))
	}
	now = now.Add(forgetAfter + time.Second)
	s.enter("one more")
	if len(s.seen) != 1 {
		t.Errorf("%d are remembered after an hour", len(s.seen))
	}
}

// TestHashingIsBounded shows that a flood waits, and is turned away in the end.
func TestHashingIsBounded(t *testing.T) {
	b := open(t)
	b.add("ann", Server)
	for range maxHashing {
		b.hashing <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.SignIn(ctx, "ann", good, home); !errors.Is(err, ErrBusy) {
		t.Errorf("%v", err)
	}
	for range maxHashing {
		<-b.hashing
	}
	b.signIn("ann", home)
}

func TestPasswordRule(t *testing.T) {
	for password, want := range map[string]bool{
		good: true, "korrekt Pferd Batterie": true, "Straßenbahnfahrer": true, "xkcd-936-entropy": true,
		"密码是一条安静的河流在这里": true,
		"": false, "short": false, "aaaaaaaaaaaaaaaa": false, "abababababababab": false, "password1234": false,
		"P@ssw0rd!2026": false, "1234567890123": false, "Welcome20262026": false, "annannannann1": false,
		"qwertyuiop123": false, "AdminAdmin2026": false, "\xff\xff\xff\xff\xff\xff\xffabcdef": false,
		strings.Repeat("long enough ", 100): false,
	} {
		if err := CheckPassword("ann", password); (err == nil) != want {
			t.Errorf("%q: %v", password, err)
		}
	}
}

func TestRoles(t *testing.T) {
	for _, role := range Roles() {
		if got, err := ParseRole(string(role)); err != nil || got != role {
			t.Errorf("%s: %v", role, err)
		}
	}
	if _, err := ParseRole("Server"); !isInvalid(err, "role") {
		t.Errorf("%v", err)
	}
}
