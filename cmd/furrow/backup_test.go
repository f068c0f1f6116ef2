package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"furrow/gms/soap/spcm"
	"furrow/web/api"
)

// TestAccountBackup stores account data, kills the box, and has the administrator save it; and has it refused when the
// disk has lost a bit of it.
func TestAccountBackup(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "box")
	b := serve(t, data, "127.0.0.1:0", "127.0.0.1:0")
	must[api.Domain](t, "--data", data, "domain", "create", "A")
	ann := joinAs(t, b, data, "A", "ann")
	saved := filepath.Join(t.TempDir(), "saved")
	if _, stderr, exit := furrow(t, "--data", data, "member", "backup", ann.member, "--output", saved); exit != 1 || !strings.Contains(stderr, "no backup") {
		t.Errorf("no backup yet: exit %d, %q", exit, stderr)
	}
	account := strings.Repeat("keys, contacts; ", spcm.BackupFragment/10)
	stored := must[savedBackup](t, "client", "backup", "--home", ann.home, writeFile(t, account))
	if stored.Size != int64(len(account)) {
		t.Errorf("stored %+v", stored)
	}
	b.kill(t)
	serve(t, data, strings.TrimPrefix(b.address, "http://"), "127.0.0.1:0")
	if shown := must[api.Member](t, "--data", data, "member", "show", ann.member); shown.LastBackup == nil || shown.LastBackup.Size != stored.Size {
		t.Errorf("member with backup %+v", shown.LastBackup)
	}
	if stdout, _, _ := furrow(t, "--data", data, "member", "show", ann.member); !strings.Contains(stdout, "last backup") {
		t.Errorf("member show: %s", stdout)
	}
	must[savedBackup](t, "--data", data, "member", "backup", ann.member, "--output", saved)
	if got, err := os.ReadFile(saved); err != nil || string(got) != account {
		t.Errorf("saved %d bytes, %v; want %d", len(got), err, len(account))
	}

	fragments, err := filepath.Glob(filepath.Join(data, "account-backups", "*.2"))
	if err != nil || len(fragments) != 1 {
		t.Fatalf("second fragments: %q, %v", fragments, err)
	}
	fragment, err := os.ReadFile(fragments[0])
	if err != nil {
		t.Fatal(err)
	}
	fragment[len(fragment)-100] ^= 1
	if err := os.WriteFile(fragments[0], fragment, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stderr, exit := furrow(t, "--data", data, "member", "backup", ann.member, "--output", saved); exit != 1 || !strings.Contains(stderr, "reading the backup") {
		t.Errorf("damaged backup: exit %d, %q", exit, stderr)
	}
	if got, err := os.ReadFile(saved); err != nil || !bytes.Equal(got, []byte(account)) {
		t.Errorf("the file saved before has %d bytes, %v", len(got), err)
	}
}

// TestUnauthenticatedBox asks for what needs a login of a box that authenticates nobody.
func TestUnauthenticatedBox(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "box")
	b := serve(t, data, "127.0.0.1:0", "127.0.0.1:0")
	must[api.Domain](t, "--data", data, "domain", "create", "A")
	ann := joinAs(t, b, data, "A", "ann")
	password := writeFile(t, "secret\n")
	for want, args := range map[string][]string{
		"fault 227":                      {"client", "restore", "--server", b.address, "--user", "ann", "--password-file", password, "--output", filepath.Join(t.TempDir(), "x")},
		"fault 401":                      {"client", "auto-activate", "--home", ann.home, "--user", "ann", "--password-file", password},
		"--user needs a --password-file": {"client", "join", "--server", b.address, "--user", "bob", "--home", t.TempDir()},
	} {
		if _, stderr, exit := furrow(t, args...); exit != 1 || !strings.Contains(stderr, want) {
			t.Errorf("furrow %s: exit %d, %q; want %q", strings.Join(args[:2], " "), exit, stderr, want)
		}
	}
	args := []string{"client", "join", "--server", b.address, "--user", "bob", "--password-file", password, "--home", t.TempDir()}
	if _, stderr, exit := furrow(t, args...); exit != 1 || !strings.Contains(stderr, "fault 227") {
		t.Errorf("joining by login: exit %d, %q", exit, stderr)
	}
	if _, _, exit := furrow(t, "client", "join", "--server", b.address, "--home", t.TempDir()); exit != 2 {
		t.Errorf("join without code or user: exit %d, want 2", exit)
	}
}
