package support

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"furrow/appliance/setting"
)

func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// lineOf is the line of a new key.
func lineOf(t testing.TB, private any) string {
	t.Helper()
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))) + " jo@acme"
}

func newLine(t testing.TB) string {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return lineOf(t, private)
}

func TestCheck(t *testing.T) {
	line := newLine(t)
	good := Access{Who: "Jo of Ácme", Keys: []string{line}, Until: noon().Add(Longest)}
	if err := good.Check(noon()); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		field  string
		change func(*Access)
	}{
		"nobody":              {"who", func(a *Access) { a.Who = "  " }},
		"a note of two lines": {"who", func(a *Access) { a.Who = "Jo\nfactory reset" }},
		"a note for no one":   {"who", func(a *Access) { a.Who = "\x1b[2J" }},
		"no UTF-8":            {"who", func(a *Access) { a.Who = "\xff" }},
		"a long note":         {"who", func(a *Access) { a.Who = strings.Repeat("x", maxWho+1) }},
		"over":                {"until", func(a *Access) { a.Until = noon() }},
		"long ago":            {"until", func(a *Access) { a.Until = time.Time{} }},
		"too long":            {"until", func(a *Access) { a.Until = noon().Add(Longest + time.Second) }},
		"for ever":            {"until", func(a *Access) { a.Until = time.Unix(1<<60, 0) }},
		"nothing to open":     {"publicKeys", func(a *Access) { a.Keys = nil }},
		"too many":            {"publicKeys", func(a *Access) { a.Keys = make([]string, maxKeys+1) }},
		"one that is none":    {"publicKeys", func(a *Access) { a.Keys = []string{line, "ssh-ed25519 AAAA"} }},
	} {
		a := good
		test.change(&a)
		err := a.Check(noon())
		var refused *setting.Error
		if !errors.As(err, &refused) || !errors.Is(err, ErrInvalid) || refused.Field != test.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (Access{Who: "Jo", Shell: true, Until: noon().Add(time.Hour)}).Check(noon()); err != nil {
		t.Error(err)
	}
}

func TestKeys(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	strong, err := rsa.GenerateKey(rand.Reader, minRSA)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	line := newLine(t)
	for name, good := range map[string]string{"Ed25519": line, "ECDSA": lineOf(t, curve), "RSA": lineOf(t, strong), "spaces": "  " + line + "\r\n"} {
		key, err := parseKey(good)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := key.authorized(noon()); !strings.HasPrefix(got, `restrict,pty,expiry-time="20261122120000Z" `+key.Type()+" ") || strings.Count(got, "\n") != 1 {
			t.Errorf("%s: %q", name, got)
		}
	}
	blob := strings.Fields(line)[1]
	for name, bad := range map[string]string{
		"empty": "", "a comment": "# " + line, "two lines": line + "\n" + line, "a carriage return": line + "\r" + line, "a null": line + "\x00",
		"options": `command="id" ` + line, "an option": "cert-authority " + line, "a short RSA key": lineOf(t, weak),
		"a type of DSA": "ssh-dss " + blob, "a hardware key": "sk-ssh-ed25519@openssh.com " + blob, "a certificate": "ssh-ed25519-cert-v01@openssh.com " + blob,
		"no blob": "ssh-ed25519", "half a blob": "ssh-ed25519 " + blob[:len(blob)/2], "a private key": "-----BEGIN OPENSSH PRIVATE KEY-----",
		"too long": line + strings.Repeat("x", maxLine), "DSA by another name": "ssh-ed25519 AAAAB3NzaC1kc3MAAAAA",
	} {
		if _, err := parseKey(bad); err == nil {
			t.Errorf("%s is taken for a key", name)
		}
	}
	if _, err := parseKey("-----BEGIN OPENSSH PRIVATE KEY-----"); err == nil || !strings.Contains(err.Error(), "public one") {
		t.Error(err)
	}
}

// FuzzParseKey wants of whatever is taken that it is one line for sshd with our options and no others.
func FuzzParseKey(f *testing.F) {
	f.Add(newLine(f))
	f.Add(`from="*" ssh-rsa AAAA`)
	f.Fuzz(func(t *testing.T, line string) {
		key, err := parseKey(line)
		if err != nil {
			return
		}
		got := key.authorized(noon())
		back, comment, options, rest, err := ssh.ParseAuthorizedKey([]byte(got))
		if err != nil || comment != "" || len(options) != 3 || len(rest) != 0 || ssh.FingerprintSHA256(back) != ssh.FingerprintSHA256(key) {
			t.Errorf("%q became %q: %v", line, got, err)
		}
		if !plain(key.name()) {
			t.Errorf("the name %q", key.name())
		}
	})
}
