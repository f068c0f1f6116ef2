package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"furrow/web/api"
)

// TestContactsAndReset is a member's day in real processes: found in the
// directory, and back to the account after a forgotten passphrase.
func TestContactsAndReset(t *testing.T) {
	t.Parallel()
	data, home := filepath.Join(t.TempDir(), "var"), filepath.Join(t.TempDir(), "ann")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "furrow.toml"), []byte("[password_reset]\nlifetime = \"30m\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := serve(t, data, "127.0.0.1:0", "")
	must[api.Domain](t, "--data", data, "domain", "create", "Office")
	member := must[api.Member](t, "--data", data, "member", "add", "--domain", "office",
		"--full-name", "Ann Straße", "--email", "ann@example.com", "--city", "Köln", "--state", "NRW")
	must[map[string]string](t, "client", "join", "--server", b.address, "--code", member.ConfigurationCode, "--home", home)

	found := must[[]foundContact](t, "client", "search", "STRASSE", "--home", home)
	if len(found) != 1 || found[0].GUID != member.GUID || found[0].Email != "ann@example.com" || found[0].City != "Köln" {
		t.Fatalf("found %+v", found)
	}
	if seen := must[[]api.Contact](t, "--data", data, "contact", "search", "Office", "nrw"); len(seen) != 1 || seen[0].GUID != member.GUID {
		t.Fatalf("an administrator sees %+v", seen)
	}
	vCard := filepath.Join(t.TempDir(), "ann.vcf")
	if err := os.WriteFile(vCard, []byte("BEGIN:VCARD\r\nFN:Ann\r\nEND:VCARD\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	must[map[string]string](t, "client", "publish", "--vcard", vCard, "--home", home)
	if stdout, stderr, exit := furrow(t, "client", "contact", member.GUID, "--home", home); exit != 0 || !strings.Contains(stdout, `FN:Ann\r\n`) {
		t.Fatalf("contact: exit %d, %q, %q", exit, stdout, stderr)
	}
	if _, stderr, exit := furrow(t, "client", "publish", "--withdraw", "--home", home); exit != 1 || !strings.Contains(stderr, "fault 204") {
		t.Fatalf("withdrawn against the policy: exit %d, %q", exit, stderr)
	}

	if _, stderr, exit := furrow(t, "client", "reset-status", "--home", home); exit != 1 || !strings.Contains(stderr, "no password reset") {
		t.Fatalf("nothing asked for: exit %d, %q", exit, stderr)
	}
	if asked := must[resetState](t, "client", "reset-request", "--home", home); asked != (resetState{Way: "manual", Status: "pending"}) {
		t.Fatalf("asked: %+v", asked)
	}
	status := func() string { return must[resetState](t, "client", "reset-status", "--home", home).Status }
	if got := status(); got != "pending" {
		t.Fatalf("status %s", got)
	}
	resets := must[[]api.PasswordReset](t, "--data", data, "reset", "list")
	if len(resets) != 1 || resets[0].FullName != "Ann Straße" || resets[0].Status != "pending" || resets[0].Expires.Sub(resets[0].Requested) != 30*time.Minute {
		t.Fatalf("an administrator sees %+v", resets)
	}
	if stdout, _, exit := furrow(t, "--data", data, "reset", "list"); exit != 0 || !strings.Contains(stdout, "pending") {
		t.Fatalf("reset list: exit %d, %q", exit, stdout)
	}
	if approved := must[api.PasswordReset](t, "--data", data, "reset", "approve", resets[0].ID); approved.Status != "approved" {
		t.Fatalf("approved %+v", approved)
	}
	if got := status(); got != "recovered" {
		t.Fatalf("status %s", got)
	}
	if _, stderr, exit := furrow(t, "--data", data, "reset", "deny", resets[0].ID); exit != 1 || !strings.Contains(stderr, "is decided") {
		t.Fatalf("denied after the approval: exit %d, %q", exit, stderr)
	}

	must[resetState](t, "client", "reset-request", "--home", home)
	resets = must[[]api.PasswordReset](t, "--data", data, "reset", "list")
	if len(resets) != 1 || must[api.PasswordReset](t, "--data", data, "reset", "deny", resets[0].ID).Status != "denied" {
		t.Fatalf("an administrator sees %+v", resets)
	}
	if got := status(); got != "refused" {
		t.Fatalf("status %s", got)
	}
}
