//go:build image

package image

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// supportEnds is how long a session may go on after its access was closed: the guard's stop, and the kill after it.
const supportEnds = time.Minute

// supportAccess opens the box to a key, gets in, and is thrown out.
func supportAccess(t *testing.T, m *machine) {
	m.must("test ! -e /etc/ssh/ssh_host_ed25519_key && test ! -e /run/furrow-support")
	if banner := sshBanner(); banner != "" {
		t.Errorf("SSH answers before it was opened: %q", banner)
	}
	dir := t.TempDir()
	key, known := filepath.Join(dir, "key"), filepath.Join(dir, "known")
	tool(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "jo@acme", "-f", key)
	line, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	mark := m.console.mark()
	m.must("echo '" + strings.TrimSpace(string(line)) + "' > /run/jo.pub")
	shown := m.must(inBox + "--json support open --who 'Jo of ACME' --key /run/jo.pub --for 1h --shell")
	host := between(shown, `"hostFingerprint": "`, `"`)
	if host == "" || !strings.Contains(shown, "jo@acme") {
		t.Errorf("opened: %s", shown)
	}
	ssh := func(command string) *exec.Cmd {
		return exec.Command("ssh", "-F", "none", "-i", key, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new",
			"-o", "UserKnownHostsFile="+known, "-o", "ConnectTimeout=60", "root@"+address, command)
	}
	if out, err := ssh("id -u; cat /proc/self/cgroup").Output(); err != nil || !strings.HasPrefix(string(out), "0\n") || !strings.Contains(string(out), "furrow-support.service") {
		t.Fatalf("with its key: %q, %v", out, err)
	}
	if prints := tool(t, "ssh-keygen", "-l", "-f", known); !strings.Contains(prints, host) {
		t.Errorf("the box has the key %s, shown was %s", prints, host)
	}
	if out, err := exec.Command("ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "PubkeyAuthentication=no", "-o", "StrictHostKeyChecking=no",
		"-o", "UserKnownHostsFile="+known, "root@"+address, "true").CombinedOutput(); err == nil || !strings.Contains(string(out), "(publickey)") {
		t.Errorf("without a key: %v %s", err, out)
	}
	// A person's lines need not say where the box's data is.
	if out, err := ssh("furrow support show").Output(); err != nil || !strings.Contains(string(out), "Jo of ACME") {
		t.Errorf("furrow support show: %q, %v", out, err)
	}
	// The screen offers a shell meanwhile, and only then.
	if _, err := m.console.await(m, mark, "[s] Shell, for support", time.Minute); err != nil {
		t.Error(err)
	}
	mark = m.console.mark()
	m.typed("s")
	if _, err := m.console.await(m, mark, "# ", time.Minute); err != nil {
		t.Fatal(err)
	}
	m.typed("echo this is \"root's shell\"")
	if _, err := m.console.await(m, mark, "this is root's shell", time.Minute); err != nil {
		t.Error(err)
	}
	// Whoever is in is thrown out.
	mark = m.console.mark()
	session := ssh("trap '' TERM HUP; echo in; sleep 3600")
	out, err := session.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	m.must(inBox + "support close")
	ended := make(chan error, 1)
	go func() { ended <- session.Wait() }()
	select {
	case <-ended:
	case <-time.After(supportEnds):
		t.Error("a session goes on")
		_ = session.Process.Kill()
	}
	if out, err := ssh("true").CombinedOutput(); err == nil {
		t.Errorf("gets in after it was closed: %s", out)
	}
	if banner := sshBanner(); banner != "" {
		t.Errorf("SSH answers after it was closed: %q", banner)
	}
	screen, err := m.console.await(m, mark, "[r] Restart", time.Minute)
	if err != nil {
		t.Error(err)
	}
	if strings.Contains(screen, "[s] Shell") {
		t.Error("the screen offers a shell after it was closed")
	}
	m.must("! pgrep -x sshd && test ! -e /run/furrow-support && test ! -e /var/lib/furrow-host/support/access.json")
	if log := m.must("journalctl -q -b --no-pager -t furrow | cat"); !strings.Contains(log, "support access opened") || !strings.Contains(log, "support access closed") {
		t.Errorf("the journal has %s", log)
	}
	for _, want := range []string{"/v1/machine/support", "Jo of ACME"} {
		if actions := m.must(inBox + "--json actions list"); !strings.Contains(actions, want) {
			t.Errorf("%s is not in the action log: %s", want, actions)
		}
	}
}

// sshBanner is what answers at the port of SSH; empty for nothing. The emulator takes connections for the box and ends
// them when the box does not.
func sshBanner() string {
	conn, err := net.DialTimeout("tcp", address+":22", time.Minute)
	if err != nil {
		return ""
	}
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		return err.Error()
	}
	banner := make([]byte, 64)
	n, _ := conn.Read(banner) // none is what is looked for
	return string(banner[:n])
}
