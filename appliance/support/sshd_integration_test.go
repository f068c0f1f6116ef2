//go:build integration

package support

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// site is a door with Debian's sshd behind it, by the configuration of the image with other paths.
type site struct {
	*Door
	t       *testing.T
	address string
	config  string
	user    string
	set     time.Duration // by how much the box's clock is wrong
}

func newSite(t *testing.T) *site {
	t.Helper()
	// Not the folder of temporary files: sshd takes no keys from below what everybody may write to.
	home, err := os.UserHomeDir()
	check(t, err)
	dir, err := os.MkdirTemp(home, "furrow-support")
	check(t, err)
	t.Cleanup(func() { check(t, os.RemoveAll(dir)) })
	port, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	check(t, port.Close())
	me, err := user.Current()
	check(t, err)
	if os.Geteuid() == 0 {
		check(t, os.MkdirAll("/run/sshd", 0o755)) // RuntimeDirectory= of the unit
	}
	shipped, err := os.ReadFile("../../image/tree/etc/ssh/sshd_config")
	check(t, err)
	_, number, err := net.SplitHostPort(port.Addr().String())
	check(t, err)
	config := strings.NewReplacer(
		"\nPort 22\n", "\nListenAddress 127.0.0.1\nPort "+number+"\n", Dir, dir, "AllowUsers root", "AllowUsers "+me.Username,
	).Replace(string(shipped))
	if strings.Count(config, dir) != 2 {
		t.Fatal("the configuration has other paths")
	}
	s := &site{t: t, address: port.Addr().String(), config: filepath.Join(dir, "sshd_config"), user: me.Username}
	check(t, os.WriteFile(s.config, []byte(config), 0o600))
	nothing := func(context.Context) error { return nil }
	s.Door = &Door{
		Dir: dir, Shown: t.TempDir(), Start: nothing, Stop: nothing, Now: func() time.Time { return time.Now().Add(s.set) },
		Log: slog.New(slog.DiscardHandler),
	}
	return s
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// guard runs the guard and returns when sshd has told the service manager, which is the test, that it is up. ended gets
// what came of it.
func (s *site) guard(ctx context.Context) (ended <-chan error) {
	s.t.Helper()
	notify := filepath.Join(s.t.TempDir(), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: notify, Net: "unixgram"})
	check(s.t, err)
	s.t.Cleanup(func() { check(s.t, manager.Close()) })
	s.t.Setenv("NOTIFY_SOCKET", notify)
	daemon, err := exec.LookPath("sshd")
	if err != nil {
		daemon = "/usr/sbin/sshd"
	}
	result := make(chan error, 1)
	go func() {
		guard := Guard{Door: s.Door, SSHD: []string{daemon, "-D", "-e", "-f", s.config}}
		result <- guard.Run(ctx)
	}()
	check(s.t, manager.SetReadDeadline(time.Now().Add(30*time.Second)))
	said := make([]byte, 1024)
	n, err := manager.Read(said)
	if err != nil || !strings.Contains(string(said[:n]), "READY=1") {
		s.t.Fatalf("sshd has said %q, %v", said[:n], err)
	}
	return result
}

// newKey is a key and its line.
func newKey(t *testing.T) (ssh.AuthMethod, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	signer, err := ssh.NewSignerFromKey(private)
	check(t, err)
	return ssh.PublicKeys(signer), strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
}

// enter tries to get in, and wants the box to be the one that was shown.
func (s *site) enter(by ...ssh.AuthMethod) (*ssh.Client, error) {
	s.t.Helper()
	open, err := Look(s.Shown)
	check(s.t, err)
	return ssh.Dial("tcp", s.address, &ssh.ClientConfig{
		User: s.user, Auth: by, Timeout: 20 * time.Second, HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			if got := ssh.FingerprintSHA256(key); open == nil || got != open.HostFingerprint {
				return fmt.Errorf("the box has the key %s, shown was %+v", got, open)
			}
			return nil
		},
	})
}

func TestIntegrationSSHD(t *testing.T) {
	s := newSite(t)
	key, line := newKey(t)
	stranger, _ := newKey(t)
	check(t, s.Open(t.Context(), Access{Who: "Jo", Keys: []string{line}, Until: time.Now().Add(time.Hour)}))
	ctx, stop := context.WithCancel(t.Context())
	ended := s.guard(ctx)

	client, err := s.enter(key)
	check(t, err)
	session, err := client.NewSession()
	check(t, err)
	if out, err := session.Output("echo in"); err != nil || string(out) != "in\n" {
		t.Errorf("%q, %v", out, err)
	}
	if conn, err := client.Dial("tcp", s.address); err == nil {
		t.Error("a connection is forwarded")
		check(t, conn.Close())
	}
	if _, err := client.Listen("tcp", "127.0.0.1:0"); err == nil {
		t.Error("a port is forwarded")
	}
	check(t, client.Close())

	// Not even asked for.
	asked := 0
	password := ssh.PasswordCallback(func() (string, error) { asked++; return "", nil })
	questions := ssh.KeyboardInteractive(func(string, string, []string, []bool) ([]string, error) { asked++; return nil, nil })
	for name, by := range map[string][]ssh.AuthMethod{"nothing": nil, "a password": {password, questions}, "another key": {stranger, password}} {
		if client, err := s.enter(by...); err == nil {
			t.Errorf("%s gets in", name)
			check(t, client.Close())
		}
	}
	if asked != 0 {
		t.Errorf("asked for a password %d times", asked)
	}
	stop()
	check(t, <-ended)
	if client, err := s.enter(key); err == nil {
		t.Error("gets in after it was closed")
		check(t, client.Close())
	}
	// The same box is known again after a restart of the machine.
	before, err := Look(s.Shown)
	check(t, err)
	ctx, stop = context.WithCancel(t.Context())
	ended = s.guard(ctx)
	if after, err := Look(s.Shown); err != nil || after.HostFingerprint != before.HostFingerprint || !slices.Equal(after.Fingerprints, before.Fingerprints) {
		t.Errorf("%+v, then %+v, %v", before, after, err)
	}
	client, err = s.enter(key)
	check(t, err)
	check(t, client.Close())
	stop()
	check(t, <-ended)
}

// TestIntegrationEnd has the time pass: the guard ends sshd.
func TestIntegrationEnd(t *testing.T) {
	s := newSite(t)
	key, line := newKey(t)
	const length = 4 * time.Second
	check(t, s.Open(t.Context(), Access{Who: "Jo", Keys: []string{line}, Until: time.Now().Add(length)}))
	ended := s.guard(t.Context())
	client, err := s.enter(key)
	check(t, err)
	check(t, client.Close())
	check(t, <-ended)
	if client, err := s.enter(key); err == nil {
		t.Error("gets in when it is over")
		check(t, client.Close())
	}
	if left, err := filepath.Glob(filepath.Join(s.Dir, "a*")); err != nil || left != nil {
		t.Errorf("left: %q, %v", left, err)
	}
}

// TestIntegrationExpiry has the box's clock stand still, as the guard sees it: sshd refuses the key all the same.
func TestIntegrationExpiry(t *testing.T) {
	s := newSite(t)
	key, line := newKey(t)
	s.set = -time.Hour
	check(t, s.Open(t.Context(), Access{Who: "Jo", Keys: []string{line}, Until: time.Now().Add(-time.Minute)}))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := s.guard(ctx)
	if client, err := s.enter(key); err == nil {
		t.Error("gets in after the time in its line")
		check(t, client.Close())
	}
	stop()
	check(t, <-ended)
}
