package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"furrow/relay/client"
	"furrow/web/api"
)

// TestFiles has two members who are never online together exchange files, the box
// having been killed between.
func TestFiles(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "var")
	b := serve(t, data, "127.0.0.1:0", "127.0.0.1:0")
	relayURL := must[api.LocalRelay](t, "--data", data, "relay", "show").DeviceURL
	_, sstpPort, _ := strings.Cut(strings.TrimPrefix(relayURL, "grooveDNS://"), ":")
	must[api.Domain](t, "--data", data, "domain", "create", "Office")
	ann := joinAs(t, b, data, "Office", "ann").home
	asBob := joinAs(t, b, data, "Office", "bob")
	bob, bobURL := asBob.home, asBob.identity

	if status := must[clientStatus](t, "client", "status", "--home", bob); len(status.Relays) != 1 ||
		status.Relays[0] != (relayAccessState{Relay: relayURL, State: "not registered", Via: "SSTP on port " + sstpPort}) || status.Identity != bobURL {
		t.Fatalf("before registering: %+v", status)
	}
	for _, home := range []string{ann, bob} {
		got := must[[]registration](t, "client", "register", "--home", home)
		if !slices.Equal(got, []registration{{Relay: relayURL, Registered: true}}) {
			t.Fatalf("registered %+v", got)
		}
	}
	if stdout, stderr, exit := furrow(t, "client", "status", "--home", bob); exit != 0 || !strings.Contains(stdout, relayURL+"  ready") {
		t.Fatalf("after registering: exit %d, %q, %q", exit, stdout, stderr)
	}

	t.Run("ways", func(t *testing.T) { testWays(t, bob, sstpPort) })

	dir := t.TempDir()
	content := bytes.Repeat([]byte("a long file "), 1<<20)
	for name, octets := range map[string][]byte{"note.txt": []byte("hello\n"), "long.bin": content} {
		if err := os.WriteFile(filepath.Join(dir, name), octets, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sent := must[shipped](t, "client", "send", "--home", ann, "--to", bobURL, filepath.Join(dir, "note.txt"))
	if sent.Name != "note.txt" || sent.Size != 6 || len(sent.Targets) != 1 || !sent.Targets[0].Taken {
		t.Fatalf("sent %+v", sent)
	}
	stdout, stderr, exit := furrow(t, "client", "send", "--home", ann, "--to", bobURL, filepath.Join(dir, "long.bin"))
	if exit != 0 || !strings.Contains(stdout, "sending long.bin: 50% of 12.0 MiB\n") || strings.Contains(stdout, "\r") {
		t.Fatalf("sending: exit %d, %q, %q", exit, stdout, stderr)
	}

	b.kill(t)
	if status := must[clientStatus](t, "client", "status", "--home", bob); status.Relays[0].State != "failing" || status.Relays[0].Problem == "" {
		t.Fatalf("while the box is down: %+v", status)
	}
	serve(t, data, strings.TrimPrefix(b.address, "http://"), strings.TrimPrefix(relayURL, "grooveDNS://"))

	into := filepath.Join(t.TempDir(), "into")
	got := must[[]received](t, "client", "receive", "--home", bob, "--into", into, "--quiet", "4s")
	if len(got) != 2 {
		t.Fatalf("received %+v", got)
	}
	for name, want := range map[string][]byte{"note.txt": []byte("hello\n"), "long.bin": content} {
		if octets, err := os.ReadFile(filepath.Join(into, name)); err != nil || !bytes.Equal(octets, want) {
			t.Errorf("%s: %d octets, %v", name, len(octets), err)
		}
	}
	if again := must[[]received](t, "client", "receive", "--home", bob, "--into", into, "--quiet", "1s"); len(again) != 0 {
		t.Errorf("received again %+v", again)
	}

	t.Run("follow", func(t *testing.T) { testFollow(t, ann, bob, bobURL, filepath.Join(dir, "note.txt")) })
	t.Run("refusals", func(t *testing.T) {
		const nobody = "grooveIdentity://nobody@"
		note := filepath.Join(dir, "note.txt")
		for name, test := range map[string]struct{ to, stdout, stderr string }{
			"unknown":         {nobody, "", "session refused"},
			"one of two":      {nobody + "," + bobURL, "refused", "1 of 2 recipients"},
			"not an identity": {"bob", "", "want grooveIdentity://"},
		} {
			stdout, stderr, exit := furrow(t, "client", "send", "--home", ann, "--to", test.to, note)
			if exit != 1 || !strings.Contains(stdout, test.stdout) || !strings.Contains(stderr, test.stderr) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("%s: exit %d, %q, %q", name, exit, stdout, stderr)
			}
		}
		wantUnreachable(t, ann, bobURL+"grooveDNS://127.0.0.1:1", note)
	})
}

// wantUnreachable sends to a relay that is down, and is told so: before the sender's own relay has taken the file over,
// or after.
func wantUnreachable(t *testing.T, home, to, path string) {
	t.Helper()
	stdout, stderr, exit := furrow(t, "client", "send", "--home", home, "--to", to, path)
	refused := strings.Contains(stdout, "refused")
	if !strings.Contains(stdout, "HostNotReachable") || refused == strings.Contains(stdout, "taken over") || (exit == 1) != refused ||
		refused != strings.Contains(stderr, "1 of 1 recipients") {
		t.Errorf("sending to a relay that is down: exit %d, %q, %q", exit, stdout, stderr)
	}
}

// testWays gets to a relay whose port is not where the way expects it.
func testWays(t *testing.T, home, sstpPort string) {
	for _, via := range []string{"auto", "sstp", "443"} {
		got := must[clientStatus](t, "client", "status", "--home", home, "--via", via, "--relay-port", "443="+sstpPort).Relays[0]
		if got.State != "ready" || got.Via != "SSTP on port "+sstpPort {
			t.Errorf("by %s: %+v", via, got)
		}
	}
	for flags, want := range map[string]string{
		"--via carrier-pigeon":            "--via",
		"--relay-port 25=26":              "--relay-port 25=26: relays listen on 2492, 443 and 80",
		"--relay-port 80=x/y":             "--relay-port 80=x/y: not a port",
		"--proxy socks5://ann:secret@b:1": "--proxy: proxy b:1",
		"--via 443 --proxy 127.0.0.1:1":   "", // the relay is failing, which is no error of the command
	} {
		_, stderr, exit := furrow(t, append([]string{"client", "status", "--home", home}, strings.Fields(flags)...)...)
		if (exit == 0) != (want == "") || !strings.Contains(stderr, want) || strings.Contains(stderr, "secret") {
			t.Errorf("%s: exit %d, %q", flags, exit, stderr)
		}
	}
}

// testFollow receives a file while waiting for it, and is interrupted.
func testFollow(t *testing.T, from, to, toURL, path string) {
	into := filepath.Join(t.TempDir(), "into")
	receive := command(t, "client", "receive", "--home", to, "--into", into, "--follow")
	receive.Stderr = &bytes.Buffer{}
	stdout, err := receive.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := receive.Start(); err != nil {
		t.Fatal(err)
	}
	must[shipped](t, "client", "send", "--home", from, "--to", toURL, path)
	line := make([]byte, 1000)
	n, err := stdout.Read(line)
	if want := "received " + filepath.Join(into, "note.txt") + "\n"; err != nil || string(line[:n]) != want {
		t.Errorf("%q, %v, want %q: %s", line[:n], err, want, receive.Stderr)
	}
	if _, stderr, exit := furrow(t, "client", "receive", "--home", to, "--into", into); exit != 1 || !strings.Contains(stderr, "receiving already") {
		t.Errorf("a second receiver: exit %d, %q", exit, stderr)
	}
	if err := receive.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := receive.Wait(); err != nil {
		t.Errorf("interrupted: %v: %s", err, receive.Stderr)
	}
}

func TestParseTargets(t *testing.T) {
	got, err := parseTargets([]string{"grooveIdentity://a@", " grooveIdentity://b@grooveDNS://relay.example:2492"})
	want := []client.Target{
		{IdentityURL: "grooveIdentity://a@"},
		{IdentityURL: "grooveIdentity://b@", RelayURL: "grooveDNS://relay.example:2492"},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "a", "grooveIdentity://", "grooveIdentity://b@grooveDNS://", "grooveDNS://relay.example"} {
		if got, err := parseTargets([]string{bad}); err == nil {
			t.Errorf("%q: %+v", bad, got)
		}
	}
}

func TestTransfer(t *testing.T) {
	const total = 16 << 20
	var lines, bar, quiet bytes.Buffer
	for _, test := range []struct {
		transfer *transfer
		out      *bytes.Buffer
		want     string
	}{
		{&transfer{w: &lines, what: "sending a", total: total}, &lines, "sending a: 50% of 16.0 MiB\nsending a: 0% of 16.0 MiB\nsending a: 100% of 16.0 MiB\n"},
		{&transfer{w: &bar, what: "sending a", total: total, terminal: true, drawn: time.Now().Add(time.Hour)}, &bar,
			"\rsending a [##############################] 16.0 MiB of 16.0 MiB\x1b[K\n"},
		{&transfer{w: &quiet, what: "sending a", total: 1000}, &quiet, ""},
	} {
		for _, done := range []int64{total / 2, total/2 + 1, 0, total} {
			test.transfer.update(done)
		}
		test.transfer.end()
		if got := test.out.String(); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 3 << 29: "1.5 GiB"} {
		if got := octets(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
