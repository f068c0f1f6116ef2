//go:build integration

package route

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// outgoing is the address from which squid connects. The relay takes nobody else, as
// if there were a firewall.
const outgoing = "127.0.0.9"

// helperDir is where Debian has the programs that squid authenticates with.
const helperDir = "/usr/lib/squid/"

// squid runs a squid of its own for a test, with more lines in its configuration, in
// which DIR is its folder.
func squid(t *testing.T, files map[string]string, lines ...string) (address string) {
	t.Helper()
	dir := t.TempDir()
	address = freeAddress(t)
	if !strings.Contains(strings.Join(lines, "\n"), "proxy_auth") {
		lines = append(lines, "http_access allow all")
	}
	config := strings.ReplaceAll(strings.Join(append([]string{
		"http_port " + address,
		"tcp_outgoing_address " + outgoing,
		"access_log stdio:DIR/access.log",
		"cache_log DIR/cache.log",
		"pid_filename DIR/squid.pid",
		"coredump_dir DIR",
		"cache deny all",
		"cache_mem 8 MB",
		"memory_cache_shared off",
		"max_filedescriptors 1024",
		"shutdown_lifetime 0 seconds",
		"visible_hostname squid.test",
		"pinger_enable off",
		"netdb_filename none",
		"logfile_rotate 0",
	}, lines...), "\n")+"\n", "DIR", dir)
	files = with(files, "squid.conf", config)
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command("squid", "-N", "-f", filepath.Join(dir, "squid.conf"))
	command.SysProcAttr = asProxy(t, dir)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	t.Cleanup(func() {
		_ = command.Process.Kill() // it may have ended, which the test has noticed
		<-ended
		if t.Failed() {
			for _, name := range []string{"cache.log", "access.log"} {
				octets, _ := os.ReadFile(filepath.Join(dir, name))
				t.Logf("%s:\n%s", name, octets[max(0, len(octets)-4000):])
			}
		}
	})
	for deadline := time.Now().Add(30 * time.Second); ; {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return address
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("squid has ended: %v", err)
		case <-time.After(50 * time.Millisecond):
			if time.Now().After(deadline) {
				t.Fatalf("squid does not listen: %v", err)
			}
		}
	}
}

// with is files and one more.
func with(files map[string]string, name, content string) map[string]string {
	more := map[string]string{name: content}
	for name, content := range files {
		more[name] = content
	}
	return more
}

// asProxy has squid run as the user that Debian has for it when the test is root's.
func asProxy(t *testing.T, dir string) *syscall.SysProcAttr {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("proxy")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid) // numbers on Unix
	gid, _ := strconv.Atoi(u.Gid)
	// The folders of a test belong to who runs it.
	for at := dir; at != os.TempDir() && at != "/"; at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

// freeAddress is one that was free just now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// htpasswd makes the line of a user for basic_ncsa_auth.
func htpasswd(t *testing.T, name, password string) string {
	t.Helper()
	line, err := exec.Command("htpasswd", "-nbm", name, password).Output()
	if err != nil {
		t.Fatalf("htpasswd, from apache2-utils: %v", err)
	}
	return strings.TrimSpace(string(line)) + "\n"
}

// auth are the lines that have squid ask who it is.
func auth(scheme, helper string, more ...string) []string {
	lines := []string{fmt.Sprintf("auth_param %s program %s", scheme, helper), "auth_param " + scheme + " children 3 startup=1 idle=1"}
	for _, line := range more {
		lines = append(lines, "auth_param "+scheme+" "+line)
	}
	return append(lines, "acl people proxy_auth REQUIRED", "http_access allow people", "http_access deny all")
}
