package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"furrow/gms/ldapsync"
	"furrow/web/api"
)

// TestLDAPVerbs goes through the life of a source whose server is away. What comes of one that answers is shown by the
// tests of ldapsync with slapd.
func TestLDAPVerbs(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "var")
	b := serve(t, data, "127.0.0.1:0", "")
	must[api.Domain](t, "--data", data, "domain", "create", "Office")
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("reader secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	away := freeAddress(t)
	set := must[api.LDAPSource](t, "--data", data, "ldap", "set", "office", "--server", "ldap://"+away, "--domain", "office",
		"--base", "dc=example,dc=com", "--bind-dn", "cn=reader,dc=example,dc=com", "--password-file", password,
		"--attribute", "phone=ipPhone,telephoneNumber", "--attribute", "fax=", "--every", "90m")
	if set.Domain != "Office" || set.Filter == "" || set.Key != "objectGUID" || set.IntervalMinutes != 90 || set.Password != "" ||
		strings.Join(set.Attributes["phone"], " ") != "ipPhone telephoneNumber" || len(set.Attributes["fax"]) != 0 {
		t.Fatalf("%+v", set)
	}
	for _, verb := range []string{"test", "preview", "sync"} {
		if _, stderr, exit := furrow(t, "--data", data, "ldap", verb, "office"); exit != 1 || !strings.Contains(stderr, "connection refused") {
			t.Errorf("%s: exit %d, %s", verb, exit, stderr)
		}
	}
	b.kill(t)
	serve(t, data, "127.0.0.1:0", "")
	reports := must[[]ldapsync.Report](t, "--data", data, "ldap", "report", "office")
	if len(reports) != 1 || !strings.Contains(reports[0].Error, "connection refused") {
		t.Fatalf("%+v", reports)
	}
	if one := must[ldapsync.Report](t, "--data", data, "ldap", "report", "office", reports[0].ID); one.Error != reports[0].Error {
		t.Errorf("%+v", one)
	}
	must[api.LDAPSource](t, "--data", data, "ldap", "remove", "office")
	if left := must[[]api.LDAPSource](t, "--data", data, "ldap", "show"); len(left) != 0 {
		t.Errorf("%+v", left)
	}
	if _, stderr, exit := furrow(t, "--data", data, "ldap", "sync", "office"); exit != 1 || !strings.Contains(stderr, "not found") {
		t.Errorf("sync of none: exit %d, %s", exit, stderr)
	}
}
