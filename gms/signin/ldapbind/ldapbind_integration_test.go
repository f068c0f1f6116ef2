//go:build integration

package ldapbind

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"furrow/gms/signin"
	"furrow/gms/signin/signintest"
)

const people = `dn: ou=people,dc=contoso,dc=example
objectClass: organizationalUnit
ou: people

dn: uid=ann,ou=people,dc=contoso,dc=example
objectClass: inetOrgPerson
uid: ann
mail: ann@contoso.example
cn: Ann
sn: Smith
userPassword: ann secret

dn: uid=o\,neil (jr),ou=people,dc=contoso,dc=example
objectClass: inetOrgPerson
uid: o,neil (jr)
cn: Ed
sn: O'Neil
userPassword: neil secret

dn: uid=locked,ou=people,dc=contoso,dc=example
objectClass: inetOrgPerson
uid: locked
cn: Locked
sn: Out
userPassword: locked secret
pwdAccountLockedTime: 000001010000Z

dn: cn=twin1,ou=people,dc=contoso,dc=example
objectClass: inetOrgPerson
uid: twin
cn: twin1
sn: Twin
userPassword: twin secret

dn: cn=twin2,ou=people,dc=contoso,dc=example
objectClass: inetOrgPerson
uid: twin
cn: twin2
sn: Twin
userPassword: twin secret
`

// TestIntegrationSlapd asks a real server over both kinds of TLS, with each way of finding an entry.
func TestIntegrationSlapd(t *testing.T) {
	server := signintest.StartSlapd(t, people)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(signintest.AdminPassword+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	search := Config{
		URL: server.LDAPS, Authority: server.Authority, Base: "ou=people,dc=contoso,dc=example", Filter: "(uid={login})",
		BindDN: signintest.AdminDN, PasswordFile: secret, Timeout: 10 * time.Second,
	}
	startTLS := search
	startTLS.URL = server.LDAP
	pattern := Config{
		URL: server.LDAPS, Authority: server.Authority, Pattern: "uid={login},ou=people,dc=contoso,dc=example", Timeout: 10 * time.Second,
	}
	for way, c := range map[string]Config{"search": search, "search over StartTLS": startTLS, "pattern": pattern} {
		unknown := signin.ErrUnknown
		if c.Pattern != "" {
			unknown = signin.ErrRefused
		}
		for _, test := range []struct {
			login, password string
			want            error
		}{
			{"ann", "ann secret", nil},
			{"ANN", "ann secret", nil},
			{"o,neil (jr)", "neil secret", nil},
			{"ann", "wrong", signin.ErrRefused},
			{"ann", "", signin.ErrRefused},
			{"eve", "ann secret", unknown},
			{"locked", "locked secret", signin.ErrRefused},
			{"*", "ann secret", unknown},
			{"an*", "ann secret", unknown},
			{"x)(uid=ann", "ann secret", unknown},
			{"ann,ou=people", "ann secret", unknown},
			{`ann\`, "ann secret", unknown},
			{"ann\x00", "ann secret", unknown},
		} {
			err := ask(t, c, test.login, test.password)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Errorf("%s: %q with %q: %v, want %v", way, test.login, test.password, err, test.want)
			}
		}
	}
	if err := ask(t, search, "twin", "twin secret"); !errors.Is(err, signin.ErrRefused) {
		t.Errorf("a name that two have: %v", err)
	}
	byMail := search
	byMail.Filter = "(|(uid={login})(mail={login}))"
	if err := ask(t, byMail, "ann@contoso.example", "ann secret"); err != nil {
		t.Errorf("by mail address: %v", err)
	}
	wrongSecret := search
	wrongSecret.PasswordFile = filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrongSecret.PasswordFile, []byte("wrong\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	untrusted := search
	untrusted.Authority = ""
	otherName := search
	_, port, _ := net.SplitHostPort(server.LDAPS[len("ldaps://"):])
	otherName.URL = "ldaps://localhost:" + port
	for name, c := range map[string]Config{"password of the searching account": wrongSecret, "untrusted": untrusted, "name of the certificate": otherName} {
		if err := ask(t, c, "ann", "ann secret"); err == nil || errors.Is(err, signin.ErrRefused) || errors.Is(err, signin.ErrUnknown) {
			t.Errorf("%s: %v, want that it cannot be told", name, err)
		}
	}
	server.Stop()
	if err := ask(t, search, "ann", "ann secret"); err == nil || errors.Is(err, signin.ErrRefused) {
		t.Errorf("server away: %v", err)
	}
}

func ask(t *testing.T, c Config, login, password string) error {
	t.Helper()
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return d.Check(t.Context(), login, password)
}

// TestIntegrationSilence has a server that takes connections and says nothing.
func TestIntegrationSilence(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, scheme := range []string{"ldap://", "ldaps://"} {
		started := time.Now()
		err := ask(t, Config{URL: scheme + l.Addr().String(), Pattern: "{login}", Timeout: 300 * time.Millisecond}, "ann", "x")
		if err == nil || errors.Is(err, signin.ErrRefused) || time.Since(started) > 10*time.Second {
			t.Errorf("%s: %v after %v", scheme, err, time.Since(started))
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d, err := New(Config{URL: "ldap://" + l.Addr().String(), Pattern: "{login}", Timeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Check(ctx, "ann", "x"); err == nil || errors.Is(err, signin.ErrRefused) {
		t.Errorf("given up: %v", err)
	}
}
