//go:build integration

package target

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// startSSHD starts an OpenSSH server for one connection after the other on loopback, and returns its address, its host
// key and the private key of the login that it lets in.
func startSSHD(t *testing.T) (address, hostKey, private string) {
	t.Helper()
	daemon, err := exec.LookPath("sshd")
	if err != nil {
		daemon = "/usr/sbin/sshd"
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		check(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	hostPrivate, hostPublic := newKey(t)
	private, public := newKey(t)
	if os.Geteuid() == 0 { // sshd then wants the folder that its unit would have made
		check(t, os.MkdirAll("/run/sshd", 0o755))
	}
	config := write("sshd_config", fmt.Sprintf(`HostKey %s
AuthorizedKeysFile %s
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
`, write("host", hostPrivate), write("authorized", string(ssh.MarshalAuthorizedKey(public)))))
	// Inetd mode: the test listens, so no port is guessed and nothing has to be waited for.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	served := make(chan error, 1)
	go func() { served <- serveSSH(listener, daemon, config) }()
	t.Cleanup(func() {
		if err := errors.Join(listener.Close(), <-served); err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String(), string(ssh.MarshalAuthorizedKey(hostPublic)), private
}

// serveSSH runs the server for each connection until the listener is closed.
func serveSSH(listener net.Listener, daemon, config string) error {
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		file, err := conn.(*net.TCPConn).File()
		if err != nil {
			return err
		}
		server := exec.Command(daemon, "-i", "-e", "-f", config)
		server.Stdin, server.Stdout = file, file
		err = errors.Join(server.Start(), file.Close(), conn.Close())
		if err != nil {
			return err
		}
		_ = server.Wait() // 255 when the client is gone, as it is
	}
}

func sftpAddress(t *testing.T, dir string) Address {
	t.Helper()
	address, hostKey, private := startSSHD(t)
	me, err := user.Current()
	check(t, err)
	return Address{URL: "sftp://" + address + dir, Login: me.Username, HostKey: hostKey, PrivateKey: private}
}

func TestIntegrationSFTP(t *testing.T) {
	dir := t.TempDir()
	target, err := New(sftpAddress(t, dir))
	check(t, err)
	conform(t, target, noise(5*writeAhead+12345))
	left, err := filepath.Glob(filepath.Join(dir, "*"+partSuffix))
	if err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
}

// A server with another key than the one that was set is told nothing.
func TestIntegrationSFTPOtherHostKey(t *testing.T) {
	a := sftpAddress(t, t.TempDir())
	_, other := newKey(t)
	a.HostKey = string(ssh.MarshalAuthorizedKey(other))
	target, err := New(a)
	check(t, err)
	err = target.Put(t.Context(), "a", 1, func(io.Writer) error { t.Error("written"); return nil })
	if err == nil || !strings.Contains(err.Error(), "host key mismatch") {
		t.Errorf("stored: %v", err)
	}
	check(t, target.Close())
}

func TestIntegrationSFTPWrongLogin(t *testing.T) {
	a := sftpAddress(t, t.TempDir())
	a.PrivateKey, _ = newKey(t)
	target, err := New(a)
	check(t, err)
	if _, err := target.List(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "unable to authenticate") {
		t.Errorf("listed: %v", err)
	}
	check(t, target.Close())
}
