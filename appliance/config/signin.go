package config

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	// maxSkew bounds the difference of clocks that may be configured: a ticket that was overheard is worth something
	// for that long after a restart.
	maxSkew = time.Hour
	// maxLDAPTimeout is less than what clients wait for an answer.
	maxLDAPTimeout = 50 * time.Second
)

// Signin says by what people prove who they are where there is no account configuration code.
type Signin struct {
	// AllowPlainHTTP takes passwords over connections without TLS, which everybody on the way can read.
	AllowPlainHTTP bool `toml:"allow_plain_http"`
	// Passwords are the sources of passwords in the order they are asked in: file, ldap. The first that knows a login
	// name decides. Empty: file, and ldap if it is set up.
	Passwords []string `toml:"passwords"`
	// Kerberos is for people who are signed in to a Windows domain or Kerberos realm.
	Kerberos Kerberos `toml:"kerberos"`
	// LDAP is a directory server that checks passwords.
	LDAP LDAP `toml:"ldap"`
	// Names bring the names people have elsewhere into the spelling of the members' login names.
	Names []NameRule `toml:"names"`
}

// Kerberos says which tickets are taken.
type Kerberos struct {
	// Keytab is the file with the keys of HTTP/host@REALM. Empty: no tickets are taken.
	Keytab string `toml:"keytab"`
	// Realms are those whose people may come. Empty: that of the keytab.
	Realms []string `toml:"realms"`
	// ClockSkew is how far clocks may differ. Zero: 5 minutes.
	ClockSkew time.Duration `toml:"clock_skew"`
}

// LDAP says how a directory server is asked whether a password is right: by binding with it as the entry that
// BindPattern or a search finds.
type LDAP struct {
	// URL is ldaps://host[:port], or ldap://host[:port] for StartTLS. Empty: no directory server is asked.
	URL string `toml:"url"`
	// Authority is a PEM file with the certificates to trust. Empty: those of the system.
	Authority string `toml:"authority"`
	// BindPattern is the name to bind as, with {login} in it.
	BindPattern string `toml:"bind_pattern"`
	// Base and Filter are for searching; the filter has {login} in it.
	Base   string `toml:"base"`
	Filter string `toml:"filter"`
	// BindDN and PasswordFile are those of the account that searches.
	BindDN       string `toml:"bind_dn"`
	PasswordFile string `toml:"password_file"`
	// Timeout bounds one check. Zero: 10 seconds.
	Timeout time.Duration `toml:"timeout"`
}

// NameRule makes login names of the names of a realm.
type NameRule struct {
	// Realm is a Windows domain or Kerberos realm, empty for names without, * for any.
	Realm string `toml:"realm"`
	// Login is the login name, with {user} and {realm} for the parts of the name.
	Login string `toml:"login"`
}

// Sources is Passwords or what it stands for when it is empty.
func (s Signin) Sources() []string {
	switch {
	case len(s.Passwords) > 0:
		return s.Passwords
	case s.LDAP.URL != "":
		return []string{"file", "ldap"}
	}
	return []string{"file"}
}

// validate checks what needs no file and no server. The form of the LDAP settings is the rule of who uses them.
func (s Signin) validate() error {
	seen := map[string]bool{}
	for _, source := range s.Passwords {
		switch {
		case source != "file" && source != "ldap":
			return fmt.Errorf("signin passwords: there is no source %q (known: file, ldap)", source)
		case seen[source]:
			return fmt.Errorf("signin passwords: %s is there twice", source)
		}
		seen[source] = true
	}
	switch {
	case seen["ldap"] && s.LDAP.URL == "":
		return errors.New("signin passwords: ldap needs a url in signin.ldap")
	case s.LDAP == (LDAP{}):
	case s.LDAP.URL == "":
		return errors.New("signin ldap: there is no url")
	case s.LDAP.Timeout < 0 || s.LDAP.Timeout > maxLDAPTimeout:
		return fmt.Errorf("signin ldap timeout: %v, want up to %v", s.LDAP.Timeout, maxLDAPTimeout)
	}
	return errors.Join(s.Kerberos.validate(), s.validateNames())
}

func (k Kerberos) validate() error {
	switch {
	case k.Keytab == "" && (len(k.Realms) > 0 || k.ClockSkew != 0):
		return errors.New("signin kerberos: there is no keytab")
	case k.ClockSkew < 0 || k.ClockSkew > maxSkew:
		return fmt.Errorf("signin kerberos clock_skew: %v, want up to %v", k.ClockSkew, maxSkew)
	}
	return nil
}

// validateNames also refuses several realms whose people would have the same login names by an oversight.
func (s Signin) validateNames() error {
	ruled := func(realm string) bool {
		for _, rule := range s.Names {
			if strings.EqualFold(rule.Realm, realm) || rule.Realm == "*" {
				return true
			}
		}
		return false
	}
	for _, rule := range s.Names {
		if !strings.Contains(rule.Login, "{user}") {
			return fmt.Errorf("signin names: login %q for realm %q has no {user} in it", rule.Login, rule.Realm)
		}
	}
	for _, realm := range s.Kerberos.Realms {
		if len(s.Kerberos.Realms) > 1 && !ruled(realm) {
			return fmt.Errorf("signin names: with several realms each needs a rule, %s has none", realm)
		}
	}
	return nil
}
