//go:build integration

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"furrow/web/api"
)

// newerProgram builds the command as it would be after the form of members has changed once more.
func newerProgram(t *testing.T) string {
	t.Helper()
	source, err := filepath.Abs("../../gms/directory/member.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	for now, then := range map[string]string{
		"const membersVersion = 2\n":      "const membersVersion = 3\n",
		"\trow.PreAuthToken = row.GUID\n": "", // what only the form before that needs
	} {
		if !bytes.Contains(text, []byte(now)) {
			t.Fatalf("%s has no %q", source, now)
		}
		text = bytes.Replace(text, []byte(now), []byte(then), 1)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{source: writeFile(t, string(text))}})
	if err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(t.TempDir(), "furrow")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-overlay", writeFile(t, string(overlay)), "-o", newer, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return newer
}

// TestIntegrationRollBack has an older program refuse what a newer one has made of its box, and serve it again, with
// its members, after a roll-back; and the same once more.
func TestIntegrationRollBack(t *testing.T) {
	newer := newerProgram(t)
	data, server, relay := filepath.Join(t.TempDir(), "var"), freeAddress(t), freeAddress(t)
	args := []string{"--data", data, "serve", "--listen", "http=" + server, "--listen", "https=", "--listen", "sstp=" + relay}
	names := func() (names string) {
		for _, m := range must[[]api.Member](t, "--data", data, "member", "list") {
			names += m.FullName + " "
		}
		return names
	}
	online := func(who person) {
		t.Helper()
		if _, stderr, exit := furrow(t, "client", "update", "--home", who.home); exit != 0 {
			t.Errorf("update: %s", stderr)
		}
		registerClient(t, who)
	}
	b := served(t, command(t, args...))
	must[api.Domain](t, "--data", data, "domain", "create", "Office")
	ann := joinAs(t, b, data, "Office", "ann")
	online(ann)
	b.kill(t)

	for round := range 2 {
		upgraded := command(t, args...)
		upgraded.Path, upgraded.Args[0] = newer, newer
		b = served(t, upgraded)
		bob := joinAs(t, b, data, "Office", "bob") // is given up
		online(ann)
		if got := names(); got != "ann bob " {
			t.Errorf("the newer has %s", got)
		}
		if _, stderr, exit := furrow(t, "--data", data, "recovery", "roll-back"); exit != 1 || !strings.Contains(stderr, "in use") {
			t.Errorf("while the box runs: %d %s", exit, stderr)
		}
		b.kill(t)
		if out, err := command(t, args...).CombinedOutput(); err == nil || !strings.Contains(string(out), "recovery roll-back") {
			t.Fatalf("the older serves what a newer wrote: %v\n%s", err, out)
		}
		must[map[string]bool](t, "--data", data, "recovery", "roll-back")
		b = served(t, command(t, args...))
		if got := names(); got != "ann " {
			t.Errorf("after the roll-back there is %s", got)
		}
		online(ann)
		if _, stderr, exit := furrow(t, "client", "update", "--home", bob.home); exit != 1 || !strings.Contains(stderr, "fault 2") {
			t.Errorf("who was given up: %d %s", exit, stderr)
		}
		b.kill(t)
		kept, err := filepath.Glob(filepath.Join(data, "state", "*.rolled-back"))
		if err != nil || len(kept) != round+1 {
			t.Errorf("kept %q, %v", kept, err)
		}
	}
	if _, stderr, exit := furrow(t, "--data", data, "recovery", "roll-back"); exit != 1 || !strings.Contains(stderr, "no state from before an upgrade") {
		t.Errorf("with nothing to go back to: %d %s", exit, stderr)
	}
}
