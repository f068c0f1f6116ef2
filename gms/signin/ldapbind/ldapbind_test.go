package ldapbind

import (
	"strings"
	"testing"
	"time"
)

func TestNewRefuses(t *testing.T) {
	good := Config{URL: "ldaps://ldap.example", Base: "dc=example", Filter: "(uid={login})", BindDN: "cn=box", PasswordFile: "f", Timeout: time.Second}
	for name, test := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"good":            {func(c *Config) {}, ""},
		"nobody searches": {func(c *Config) { c.BindDN, c.PasswordFile = "", "" }, ""},
		"StartTLS":        {func(c *Config) { c.URL = "ldap://ldap.example:1389/" }, ""},
		"pattern":         {func(c *Config) { c.Pattern, c.Filter = "uid={login}", "" }, ""},
		"scheme":          {func(c *Config) { c.URL = "http://ldap.example" }, "ldap url"},
		"no host":         {func(c *Config) { c.URL = "ldaps:" }, "ldap url"},
		"password in URL": {func(c *Config) { c.URL = "ldaps://a:b@ldap.example" }, "ldap url"},
		"both":            {func(c *Config) { c.Pattern = "uid={login}" }, "either"},
		"neither":         {func(c *Config) { c.Filter = "" }, "either"},
		"no login":        {func(c *Config) { c.Filter = "(uid=ann)" }, "{login}"},
		"no base":         {func(c *Config) { c.Base = "" }, "base"},
		"no password":     {func(c *Config) { c.PasswordFile = "" }, "password file"},
		"broken filter":   {func(c *Config) { c.Filter = "(uid={login}" }, "filter"},
		"no timeout":      {func(c *Config) { c.Timeout = 0 }, "timeout"},
	} {
		c := good
		test.change(&c)
		_, err := New(c)
		if (err == nil) != (test.want == "") || (err != nil && !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}
