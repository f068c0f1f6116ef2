package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"furrow/appliance/backup"
	"furrow/web/api"
)

// TestBackupAndRestore backs a running box up, loses the box, and restores it: the clients go on, and a message that
// waited is delivered.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "var")
	b := serve(t, data, "127.0.0.1:0", "127.0.0.1:0")
	relayURL := must[api.LocalRelay](t, "--data", data, "relay", "show").DeviceURL
	must[api.Domain](t, "--data", data, "domain", "create", "A")
	ann, bob := joinAs(t, b, data, "A", "ann"), joinAs(t, b, data, "A", "bob")
	registerClient(t, ann)
	registerClient(t, bob)
	if _, stderr, exit := furrow(t, "client", "send", "--home", ann.home, "--to", bob.identity+relayURL, writeFile(t, "it waits")); exit != 0 {
		t.Fatal(stderr)
	}

	password, target, file := writeFile(t, "correct horse battery\n"), t.TempDir(), filepath.Join(t.TempDir(), "box.backup")
	set := must[api.BackupPlan](t, "--data", data, "backup", "set", target, "--passphrase-file", password, "--daily", "02:30")
	if set.Next.IsZero() || set.Keep != 7 {
		t.Errorf("set %+v", set)
	}
	made := must[api.BackupPlan](t, "--data", data, "backup", "now").Outcome
	if listed := must[[]api.BackupFile](t, "--data", data, "backup", "list"); len(listed) != 1 || listed[0].Name != made.Name {
		t.Errorf("made %+v, listed %+v", made, listed)
	}
	must[backup.Manifest](t, "backup", "verify", filepath.Join(target, made.Name), "--password-file", password)
	if stdout, _, _ := furrow(t, "--data", data, "backup", "show"); !strings.Contains(stdout, made.Name) {
		t.Errorf("show: %s", stdout)
	}
	if saved := must[api.BackupFile](t, "--data", data, "backup", "now", "--to", file); saved.Size == 0 {
		t.Errorf("saved %+v", saved)
	}

	b.kill(t)
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"wrong password": {"--data", data, "restore", file, "--password-file", writeFile(t, "another\n")},
		"no terminal":    {"--data", data, "restore", file},
	} {
		if _, stderr, exit := furrow(t, args...); exit != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit %d, %q", want, exit, stderr)
		}
	}
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Fatalf("after refusals: %v", err)
	}
	must[backup.Manifest](t, "--data", data, "restore", file, "--password-file", password)
	if _, stderr, exit := furrow(t, "--data", data, "restore", file, "--password-file", password); exit != 1 || !strings.Contains(stderr, "not empty") {
		t.Errorf("restored onto a box: exit %d, %q", exit, stderr)
	}

	serve(t, data, strings.TrimPrefix(b.address, "http://"), strings.TrimPrefix(relayURL, "grooveDNS://"))
	if stdout, stderr, exit := furrow(t, "client", "update", "--home", ann.home); exit != 0 || stdout != "everything is up to date\n" {
		t.Errorf("update at the restored box: exit %d, %q, %q", exit, stdout, stderr)
	}
	for _, text := range []string{"it waits", "and goes on"} {
		inbox := filepath.Join(t.TempDir(), "inbox")
		got := must[[]received](t, "client", "receive", "--home", bob.home, "--into", inbox, "--quiet", "2s")
		if len(got) != 1 {
			t.Fatalf("received %+v", got)
		}
		if note, err := os.ReadFile(got[0].Path); err != nil || string(note) != text {
			t.Errorf("received %q, %v; want %q", note, err, text)
		}
		if text == "it waits" {
			if _, stderr, exit := furrow(t, "client", "send", "--home", ann.home, "--to", bob.identity+relayURL, writeFile(t, "and goes on")); exit != 0 {
				t.Fatal(stderr)
			}
		}
	}
}
