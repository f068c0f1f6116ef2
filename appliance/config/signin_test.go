package config

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestSignin(t *testing.T) {
	const kerberos, ldap = "[signin.kerberos]\nkeytab = \"k\"\n", "[signin.ldap]\nurl = \"ldaps://l\"\n"
	for name, test := range map[string]struct {
		text, want string
		sources    []string
	}{
		"nothing":             {"", "", []string{"file"}},
		"kerberos":            {kerberos + "clock_skew = \"2m\"\n", "", []string{"file"}},
		"ldap":                {ldap, "", []string{"file", "ldap"}},
		"order":               {"[signin]\npasswords = [\"ldap\", \"file\"]\n" + ldap, "", []string{"ldap", "file"}},
		"names":               {"[[signin.names]]\nrealm = \"D\"\nlogin = \"{user}\"\n", "", []string{"file"}},
		"unknown source":      {"[signin]\npasswords = [\"nis\"]\n", "no source", nil},
		"source twice":        {"[signin]\npasswords = [\"file\", \"file\"]\n", "twice", nil},
		"ldap without url":    {"[signin]\npasswords = [\"ldap\"]\n", "url", nil},
		"base without url":    {"[signin.ldap]\nbase = \"dc=x\"\n", "no url", nil},
		"long timeout":        {ldap + "timeout = \"5m\"\n", "timeout", nil},
		"realm, no keytab":    {"[signin.kerberos]\nrealms = [\"A\"]\n", "keytab", nil},
		"great skew":          {kerberos + "clock_skew = \"24h\"\n", "clock_skew", nil},
		"realms, no rule":     {kerberos + "realms = [\"A\", \"B\"]\n[[signin.names]]\nrealm = \"A\"\nlogin = \"{user}\"\n", "B has none", nil},
		"realms with rule":    {kerberos + "realms = [\"A\", \"B\"]\n[[signin.names]]\nrealm = \"*\"\nlogin = \"{realm}/{user}\"\n", "", []string{"file"}},
		"rule without {user}": {"[[signin.names]]\nrealm = \"A\"\nlogin = \"ann\"\n", "{user}", nil},
	} {
		path := filepath.Join(t.TempDir(), FileName)
		write(t, path, test.text)
		cfg, err := Load(path, Default(false))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		err = cfg.Validate()
		if (err == nil) != (test.want == "") || (err != nil && !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		if test.want == "" && !reflect.DeepEqual(cfg.Signin.Sources(), test.sources) {
			t.Errorf("%s: sources %q, want %q", name, cfg.Signin.Sources(), test.sources)
		}
		if name == "kerberos" && cfg.Signin.Kerberos.ClockSkew != 2*time.Minute {
			t.Errorf("clock skew %v", cfg.Signin.Kerberos.ClockSkew)
		}
	}
}
