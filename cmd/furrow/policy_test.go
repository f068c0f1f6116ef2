package main

import (
	"path/filepath"
	"strings"
	"testing"

	"furrow/gms/policy"
	"furrow/web/api"
)

// TestAdministration lets an administrator change what a joined client has: its
// details, group, policies and trusts. The client notices each.
func TestAdministration(t *testing.T) {
	t.Parallel()
	data, home := filepath.Join(t.TempDir(), "var"), filepath.Join(t.TempDir(), "ann")
	b := serve(t, data, "127.0.0.1:0", "127.0.0.1:0")
	must[api.Domain](t, "--data", data, "domain", "create", "Office")
	ann := must[api.Member](t, "--data", data, "member", "add", "--domain", "Office", "--full-name", "Ann", "--email", "ann@example.com")
	must[map[string]string](t, "client", "join", "--server", b.address, "--code", ann.ConfigurationCode, "--home", home)

	must[api.Group](t, "--data", data, "group", "create", "Sales")
	must[api.Group](t, "--data", data, "group", "create", "Sales/North")
	must[api.Policy](t, "--data", data, "policy", "create", "identity", "Strict")
	certificate := filepath.Join(t.TempDir(), "office.cer")
	exported := must[api.DomainCertificate](t, "--data", data, "trust", "export", "Office", "--out", certificate)

	update := func(what string, want ...string) {
		t.Helper()
		stdout, stderr, exit := furrow(t, "client", "update", "--home", home)
		if exit != 0 {
			t.Fatalf("%s: update: exit %d, %s", what, exit, stderr)
		}
		if lines := strings.Count(stdout, "\n"); len(want) == 0 && stdout != "everything is up to date\n" || len(want) > 0 && lines != len(want)+1 {
			t.Errorf("%s: %d lines, want %q: %s", what, lines, want, stdout)
		}
		for _, object := range want {
			if !strings.Contains(stdout, object) {
				t.Errorf("%s: no new %s: %s", what, object, stdout)
			}
		}
	}
	update("after the join")
	must[api.Member](t, "--data", data, "member", "edit", ann.GUID, "title=Surveyor", "city=Köln")
	update("details", "IdentityTemplate")
	must[api.Member](t, "--data", data, "member", "move", ann.GUID, "--to", "Sales/North")
	update("moved to a group with the same")
	holding := must[api.Holding](t, "--data", data, "policy", "assign", "identity/Strict", "--group", "Sales")
	if holding.From != "group" || holding.Source != "Sales" || holding.Name != "Strict" {
		t.Errorf("the group has %+v", holding)
	}
	if m := must[api.Member](t, "--data", data, "member", "show", ann.GUID); m.Policy != holding || m.Group != "Sales/North" {
		t.Errorf("the member has %+v in %q", m.Policy, m.Group)
	}
	update("another policy template", "IdentityPolicy", "DomainTrustPolicy", "DataRecoveryPolicy")
	changes := must[[]policy.Change](t, "--data", data, "policy", "set", "identity/Strict", "identity.lockVCard=on", "identity.backupInterval=12h")
	if len(changes) != 2 || changes[1].Before != "1d" || changes[1].After != "12h" {
		t.Errorf("changes %+v", changes)
	}
	update("settings", "IdentityPolicy")
	must[[]policy.Change](t, "--data", data, "policy", "set", "device/Default", "passphrase.minLength=12")
	update("device settings", "PassphrasePolicy")

	must[api.Domain](t, "--data", data, "domain", "create", "Partner")
	if _, stderr, exit := furrow(t, "--data", data, "trust", "add", certificate, "--domain", "Partner"); exit != 1 || !strings.Contains(stderr, exported.Fingerprint) {
		t.Errorf("trust without a fingerprint: exit %d, %s", exit, stderr)
	}
	must[api.Trust](t, "--data", data, "trust", "add", certificate, "--domain", "Partner", "--fingerprint", exported.Fingerprint)
	partner := filepath.Join(t.TempDir(), "partner.cer")
	theirs := must[api.DomainCertificate](t, "--data", data, "trust", "export", "Partner", "--out", partner)
	trust := must[api.Trust](t, "--data", data, "trust", "add", partner, "--domain", "Office", "--name", "Partner", "--fingerprint", theirs.Fingerprint)
	update("trust", "DomainTrustPolicy")
	must[api.Trust](t, "--data", data, "trust", "remove", trust.GUID)
	update("trust removed") // given up, so nothing is new
	must[api.Domain](t, "--data", data, "domain", "rename", "Office", "Headquarters")
	update("domain renamed", "IdentityTemplate", "IdentityPolicy", "DomainTrustPolicy", "DataRecoveryPolicy",
		"DevicePolicy", "AccountServicesPolicy", "PassphrasePolicy", "ComponentUpdatePolicy", "DataRecoveryPolicy")

	if _, stderr, exit := furrow(t, "--data", data, "member", "new-code", ann.GUID); exit != 1 || !strings.Contains(stderr, "it is active") {
		t.Errorf("new code for who has joined: exit %d, %s", exit, stderr)
	}
	again := must[api.Member](t, "--data", data, "member", "new-code", ann.GUID, "--reset")
	if _, stderr, exit := furrow(t, "client", "update", "--home", home); exit != 1 || !strings.Contains(stderr, "fault") {
		t.Errorf("update of the lost account: exit %d, %s", exit, stderr)
	}
	must[map[string]string](t, "client", "join", "--server", b.address, "--code", again.ConfigurationCode, "--home", filepath.Join(t.TempDir(), "new"))
}

func TestAdministrationText(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "var")
	serve(t, data, "127.0.0.1:0", "")
	must[api.Domain](t, "--data", data, "domain", "create", "Office")
	for _, step := range []struct {
		args []string
		exit int
		want string
	}{
		{[]string{"group", "create", "Sales"}, 0, "policy     Default, from domain Office"},
		{[]string{"group", "create", "Sales/North"}, 0, "group      Sales/North"},
		{[]string{"group", "list"}, 0, "Office  Sales/North  0"},
		{[]string{"group", "move", "Sales/North", "--top"}, 0, "group      North"},
		{[]string{"group", "rename", "North", "South"}, 0, "group      South"},
		{[]string{"group", "move", "South"}, 1, "say where"},
		{[]string{"group", "delete", "South"}, 0, "group      South"},
		{[]string{"policy", "list"}, 0, "Office  identity/Default  true"},
		{[]string{"policy", "show", "device/Default"}, 0, "passphrase.minLength"},
		{[]string{"policy", "copy", "device/Default", "Strict"}, 0, "device/Strict"},
		{[]string{"policy", "set", "device/Strict", "passphrase.minLength=1001"}, 1, "passphrase.minLength is not between 0 and 1000"},
		{[]string{"policy", "set", "device/Strict", "passphrase.minLength=12"}, 0, "passphrase.minLength  8       12"},
		{[]string{"policy", "diff", "device/Strict"}, 0, "passphrase.minLength  8       12"},
		{[]string{"policy", "diff", "device/Strict", "--with", "device/Strict"}, 0, "no difference"},
		{[]string{"policy", "rename", "device/Strict", "Stricter"}, 0, "device/Stricter"},
		{[]string{"policy", "assign", "device/Stricter"}, 0, "Stricter, from domain Office"},
		{[]string{"policy", "assign", "--inherit"}, 1, "a domain inherits nothing"},
		{[]string{"policy", "assign", "--inherit", "--group", "Sales"}, 0, "Default, from domain Office"},
		{[]string{"policy", "delete", "device/Stricter"}, 1, "policy template is assigned"},
		{[]string{"policy", "delete", "device/Default"}, 0, "device/Default"},
		{[]string{"policy", "help", "passphrase.minlength"}, 0, "0 to 1000 characters; default 8"},
		{[]string{"policy", "help", "nothing"}, 1, "no setting begins with"},
		{[]string{"relay-set", "create", "South", "--domain", "Office"}, 0, "South"},
		{[]string{"relay-set", "inherit", "--group", "Sales"}, 0, "Default, from domain Office"},
		{[]string{"trust", "list"}, 0, "DOMAIN  TRUSTS"},
	} {
		stdout, stderr, exit := furrow(t, append([]string{"--data", data}, step.args...)...)
		if exit != step.exit || !strings.Contains(stdout+stderr, step.want) {
			t.Errorf("furrow %s: exit %d, %q, %q; want %q", strings.Join(step.args, " "), exit, stdout, stderr, step.want)
		}
	}
}
