//go:build integration

package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// journalScript runs a program with its standard error at a journald of its own, in a namespace of mounts where no other
// is, and prints what that one has.
const journalScript = `set -e
mkdir -p /run/systemd /run/log
mount -t tmpfs tmpfs /run/systemd
mount -t tmpfs tmpfs /run/log
mkdir -p /run/systemd/journal /run/log/journal
/lib/systemd/systemd-journald & journald=$!
trap 'kill $journald; wait $journald' EXIT
tries=0
until [ -S /run/systemd/journal/socket ] && [ -S /run/systemd/journal/stdout ]; do
  tries=$((tries + 1)); [ $tries -lt 100 ]; sleep 0.1
done
# As systemd does it for a unit; this systemd-cat leaves the variable out.
systemd-cat -t cat sh -c 'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$@"' sh "$@"
journalctl --sync
journalctl -q --no-pager -D /run/log/journal -o json --all -t furrow -t cat
`

// asProgram is set for the program that logs.
const asProgram = "FURROW_JOURNAL_TEST"

// TestMain is that program, too.
func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	text := slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})
	if !Connected() {
		panic("standard error is not the journal's")
	}
	log := slog.New(Handler(text))
	log.Info("member joined", "member", "Ann Ång")
	log.With("relay", 1).WithGroup("sstp").Error("closed", "error", errors.New("line one\nline two"))
	log.Debug("large", slog.Group("body", "a", strings.Repeat("\x00", 1<<17), "b", strings.Repeat("é", 1<<17)))
	for i := range 1000 {
		log.Debug("many", "n", i)
	}
	if err := os.Remove("/run/systemd/journal/socket"); err != nil {
		panic(err)
	}
	slog.New(Handler(text)).Warn("past the journal", "member", "Bob")
}

// TestIntegrationJournald logs to the journald of Debian.
func TestIntegrationJournald(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	namespace := "-m"
	if os.Geteuid() != 0 {
		namespace = "-rm"
	}
	cmd := exec.CommandContext(t.Context(), "unshare", namespace, "sh", "-c", journalScript, "sh", program)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	entries := map[string]map[string]any{}
	many := 0
	for line := range strings.Lines(string(out)) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		message := fmt.Sprint(entry["MESSAGE"])
		if strings.HasPrefix(message, "many ") {
			if entry["FURROW_N"] == fmt.Sprint(many) {
				many++
			}
			continue
		}
		first, _, _ := strings.Cut(message, " ")
		entries[first] = entry
	}
	if many != 1000 {
		t.Errorf("%d of 1000 records, or not in order", many)
	}
	for name, want := range map[string]map[string]string{
		"member": {"MESSAGE": `member joined member="Ann Ång"`, "PRIORITY": "6", "FURROW_MEMBER": "Ann Ång", "SYSLOG_IDENTIFIER": "furrow", "_TRANSPORT": "journal"},
		"closed": {"PRIORITY": "3", "FURROW_RELAY": "1", "FURROW_SSTP_ERROR": "line one\nline two"},
		"large":  {"PRIORITY": "7", "_TRANSPORT": "journal", "FURROW_BODY_B": strings.Repeat("é", 2<<10)},
	} {
		for field, value := range want {
			if got := entries[name][field]; got != value {
				t.Errorf("%s: %s is %.200q, want %.200q", name, field, got, value)
			}
		}
	}
	// Without its socket the journal has the text that came by standard error.
	found := false
	for _, entry := range entries {
		if strings.Contains(fmt.Sprint(entry["MESSAGE"]), `msg="past the journal" member=Bob`) && entry["_TRANSPORT"] == "stdout" {
			found = true
		}
	}
	if !found {
		t.Errorf("a record without the journal's socket is lost: %v", entries)
	}
}
