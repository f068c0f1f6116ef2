package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"furrow/web/api"
)

// binary is the command, built as it is shipped. Making keys takes ten times as long under the race detector, which
// watches the tests of the packages instead.
var binary string

func TestMain(m *testing.M) {
	os.Exit(withBinary(m.Run))
}

// withBinary runs the tests while there is a binary to run them on.
func withBinary(run func() int) int {
	dir, err := os.MkdirTemp("", "furrow-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "furrow")
	build := exec.Command("go", "build", "-trimpath", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the command: %v\n%s", err, out)
		return 1
	}
	return run()
}

// deadline bounds each process the tests start; on a loaded machine making keys takes seconds.
const deadline = 2 * time.Minute

func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	t.Cleanup(cancel)
	return exec.CommandContext(ctx, binary, args...)
}

// furrow runs one command to its end.
func furrow(t *testing.T, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	cmd := command(t, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// must runs a command that has to succeed, with --json, into value.
func must[Value any](t *testing.T, args ...string) (value Value) {
	t.Helper()
	stdout, stderr, exit := furrow(t, append(args, "--json")...)
	if exit != 0 {
		t.Fatalf("furrow %s: exit %d: %s", strings.Join(args, " "), exit, stderr)
	}
	if err := json.Unmarshal([]byte(stdout), &value); err != nil {
		t.Fatalf("furrow %s: %v in %s", strings.Join(args, " "), err, stdout)
	}
	return value
}

// box is a running `furrow serve`.
type box struct {
	cmd     *exec.Cmd
	address string
}

var servesPattern = regexp.MustCompile(`serves (http://[^ ]+)/gms\.dll`)

func serve(t *testing.T, dataDir, http, sstp string, more ...string) *box {
	t.Helper()
	args := append([]string{"--data", dataDir, "serve", "--listen", "http=" + http, "--listen", "https=", "--listen", "sstp=" + sstp}, more...)
	return served(t, command(t, args...))
}

// served is serve for a command that says itself how.
func served(t *testing.T, cmd *exec.Cmd) *box {
	t.Helper()
	cmd.Stderr = &bytes.Buffer{}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b := &box{cmd: cmd}
	t.Cleanup(func() { b.kill(t) })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("furrow serve: %v: %s", err, cmd.Stderr)
	}
	match := servesPattern.FindStringSubmatch(line)
	if match == nil {
		t.Fatalf("furrow serve said %q", line)
	}
	b.address = match[1]
	return b
}

// freeAddress is an address on which nothing listened a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

// kill ends the process as a power cut would.
func (b *box) kill(t *testing.T) {
	t.Helper()
	if b.cmd.ProcessState != nil {
		return
	}
	if err := b.cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = b.cmd.Wait() // reports the kill
}

// TestSession is the README's session: a domain, a member, a join; then a kill, a restart, and the joined client goes
// on with its old key.
func TestSession(t *testing.T) {
	t.Parallel()
	data, home := filepath.Join(t.TempDir(), "var"), filepath.Join(t.TempDir(), "ann")
	b := serve(t, data, "127.0.0.1:0", "127.0.0.1:0")
	relayURL := must[api.LocalRelay](t, "--data", data, "relay", "show").DeviceURL

	domain := must[api.Domain](t, "--data", data, "domain", "create", "Office", "--organization", "Contoso Ltd")
	if domain.GUID == "" || domain.Organization != "Contoso Ltd" || domain.ServerURL != b.address+"/gms.dll" || len(domain.Certificate) == 0 {
		t.Fatalf("created %+v", domain)
	}
	member := must[api.Member](t, "--data", data, "member", "add", "--domain", "office",
		"--full-name", "Ann Smith", "--email", "ann@example.com", "--title", "Surveyor", "--login", "ann")
	if member.Status != "pending" || member.ConfigurationCode == "" || member.Domain != "Office" || member.Title != "Surveyor" || member.Login != "ann" {
		t.Fatalf("added %+v", member)
	}

	joined := must[map[string]string](t, "client", "join", "--server", b.address, "--code", member.ConfigurationCode, "--home", home)
	if joined["member"] != member.GUID || joined["domainGUID"] != domain.GUID {
		t.Fatalf("joined as %v", joined)
	}
	active := must[api.Member](t, "--data", data, "member", "show", member.GUID)
	if active.Status != "active" || active.AccountGUID != joined["accountGUID"] || active.IdentityURL != joined["identityURL"] {
		t.Fatalf("after the join the member is %+v", active)
	}

	b.kill(t)
	b = serve(t, data, strings.TrimPrefix(b.address, "http://"), strings.TrimPrefix(relayURL, "grooveDNS://"))
	if again := must[api.Member](t, "--data", data, "member", "show", member.GUID); again != active {
		t.Fatalf("after kill and restart the member is %+v, was %+v", again, active)
	}
	if stdout, stderr, exit := furrow(t, "client", "update", "--home", home); exit != 0 || stdout != "everything is up to date\n" {
		t.Fatalf("update after the restart: exit %d, %q, %q", exit, stdout, stderr)
	}

	t.Run("a second join is refused", func(t *testing.T) {
		_, stderr, exit := furrow(t, "client", "join", "--server", b.address, "--code", member.ConfigurationCode, "--home", filepath.Join(t.TempDir(), "other"))
		if exit != 1 || !strings.Contains(stderr, "fault 402") {
			t.Fatalf("exit %d, %q", exit, stderr)
		}
	})
	t.Run("disable and enable", func(t *testing.T) {
		if m := must[api.Member](t, "--data", data, "member", "disable", member.GUID); m.Status != "disabled" {
			t.Fatalf("status %s", m.Status)
		}
		if _, stderr, exit := furrow(t, "client", "update", "--home", home); exit != 1 || !strings.Contains(stderr, "fault") {
			t.Fatalf("update of a disabled member: exit %d, %q", exit, stderr)
		}
		if m := must[api.Member](t, "--data", data, "member", "enable", member.GUID); m.Status != "active" {
			t.Fatalf("status %s", m.Status)
		}
		// The disabled state changed the identity object; so did its end.
		if stdout, stderr, exit := furrow(t, "client", "update", "--home", home); exit != 0 || !strings.Contains(stdout, member.GUID) {
			t.Fatalf("update after enabling: exit %d, %q, %q", exit, stdout, stderr)
		}
	})
	t.Run("delete", func(t *testing.T) {
		if m := must[api.Member](t, "--data", data, "member", "delete", member.GUID); m.Status != "deleted" {
			t.Fatalf("status %s", m.Status)
		}
		if members := must[[]api.Member](t, "--data", data, "member", "list", "--domain", "Office"); len(members) != 1 || members[0].Status != "deleted" {
			t.Fatalf("list after delete: %+v", members)
		}
	})
	t.Run("delete the domain", func(t *testing.T) {
		carl := must[api.Member](t, "--data", data, "member", "add", "--domain", "Office", "--full-name", "Carl", "--email", "carl@example.com")
		carlHome := filepath.Join(t.TempDir(), "carl")
		must[map[string]string](t, "client", "join", "--server", b.address, "--code", carl.ConfigurationCode, "--home", carlHome)
		if _, stderr, exit := furrow(t, "--data", data, "domain", "delete", "Office"); exit != 1 || !strings.Contains(stderr, "domain has members") {
			t.Fatalf("exit %d, %q", exit, stderr)
		}
		if d := must[api.Domain](t, "--data", data, "domain", "delete", "Office", "--with-members"); d.Deleted.IsZero() {
			t.Fatalf("deleted %+v", d)
		}
		if all := must[[]api.Domain](t, "--data", data, "domain", "list"); len(all) != 0 {
			t.Fatalf("domains after: %+v", all)
		}
		if _, stderr, exit := furrow(t, "client", "update", "--home", carlHome); exit != 1 || !strings.Contains(stderr, "fault 200") {
			t.Fatalf("update of a member of the deleted domain: exit %d, %q", exit, stderr)
		}
	})
	t.Run("orderly stop", func(t *testing.T) {
		if err := b.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := b.cmd.Wait(); err != nil {
			t.Fatalf("serve ended with %v: %s", err, b.cmd.Stderr)
		}
		if _, err := os.Stat(filepath.Join(data, api.SocketName)); !os.IsNotExist(err) {
			t.Fatalf("the admin socket stays behind: %v", err)
		}
	})
}

func TestErrorsAreOneLine(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "var")
	b := serve(t, data, "127.0.0.1:0", "")
	must[api.Domain](t, "--data", data, "domain", "create", "Office")

	for name, test := range map[string]struct {
		args []string
		exit int
		want string
	}{
		"no box":            {[]string{"--data", t.TempDir(), "domain", "list"}, 1, "no running furrow serves"},
		"name taken":        {[]string{"--data", data, "domain", "create", "OFFICE"}, 1, "name is taken"},
		"unknown domain":    {[]string{"--data", data, "domain", "show", "Elsewhere"}, 1, "domain not found"},
		"unknown member":    {[]string{"--data", data, "member", "show", "nobody"}, 1, "member not found"},
		"no e-mail address": {[]string{"--data", data, "member", "add", "--domain", "Office", "--full-name", "A", "--email", "a"}, 1, "email"},
		"missing flag":      {[]string{"--data", data, "member", "add", "--domain", "Office"}, 2, "--email"},
		"unknown command":   {[]string{"dance"}, 2, "dance"},
		"unknown service":   {[]string{"--data", t.TempDir(), "serve", "--listen", "fax=:1"}, 1, `no service "fax"`},
		"box runs already":  {[]string{"--data", data, "serve", "--listen", "http=127.0.0.1:0", "--listen", "sstp="}, 1, "another furrow is running"},
		"port taken":        {[]string{"--data", t.TempDir(), "serve", "--listen", "http=" + strings.TrimPrefix(b.address, "http://")}, 1, "cannot listen on"},
		"wrong code":        {[]string{"client", "join", "--server", b.address, "--code", "no", "--home", t.TempDir()}, 1, "fault 401"},
		"no relay":          {[]string{"--data", data, "relay", "show"}, 1, "runs no relay"},
		"no file":           {[]string{"--data", data, "relay", "import", "/none"}, 2, "/none"},
		"unknown relay set": {[]string{"--data", data, "relay-set", "add", "none", "none"}, 1, "relay set not found"},
		"no server":         {[]string{"client", "join", "--server", "box", "--code", "no", "--home", t.TempDir()}, 1, "want http://host"},
		"no profile":        {[]string{"client", "update", "--home", t.TempDir()}, 1, "no profile"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, exit := furrow(t, test.args...)
			if exit != test.exit || !strings.Contains(stderr, test.want) {
				t.Errorf("exit %d, %q; want exit %d and %q", exit, stderr, test.exit, test.want)
			}
			if strings.Count(stderr, "\n") != 1 {
				t.Errorf("want one line on standard error, got %q", stderr)
			}
			if stdout != "" && !strings.HasPrefix(stdout, "[") { // the progress of a join
				t.Errorf("want nothing on standard output, got %q", stdout)
			}
		})
	}
}

func TestTextOutput(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "var")
	serve(t, data, "127.0.0.1:0", "127.0.0.1:0")
	for _, step := range []struct {
		args []string
		want string
	}{
		{[]string{"domain", "create", "Office"}, "organization  Office"},
		{[]string{"domain", "list"}, "NAME    ORGANIZATION  MEMBERS  GUID"},
		{[]string{"member", "add", "--domain", "Office", "--full-name", "Ann", "--email", "ann@example.com"}, "configuration code"},
		{[]string{"member", "list"}, "Ann   ann@example.com  pending  Office"},
		{[]string{"status"}, "state       sound"},
		{[]string{"relay", "show"}, "device URL        grooveDNS://127.0.0.1:"},
		{[]string{"relay", "status"}, "grooveDNS://127.0.0.1:"},
		{[]string{"relay-set", "list"}, "Office  Default  true"},
	} {
		stdout, stderr, exit := furrow(t, append([]string{"--data", data}, step.args...)...)
		if exit != 0 || !strings.Contains(stdout, step.want) {
			t.Errorf("furrow %s: exit %d, %q, %q; want %q", strings.Join(step.args, " "), exit, stdout, stderr, step.want)
		}
	}
	if stdout, _, exit := furrow(t, "version"); exit != 0 || stdout != version+"\n" {
		t.Errorf("version: exit %d, %q", exit, stdout)
	}
	if stdout, _, exit := furrow(t, "--help"); exit != 0 || !strings.Contains(stdout, "A Groove backend in a box.") {
		t.Errorf("help: exit %d, %q", exit, stdout)
	}
}
