//go:build integration

// Package signintest starts the real servers that the integration tests of sign-in talk to: an MIT KDC and an OpenLDAP
// server, each with its own folder, on loopback, on ports that nobody else has. A program that is missing fails the
// test.
package signintest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// startTimeout is how long a server may take to answer on a loaded machine.
const startTimeout = 30 * time.Second

// KDC is a running Kerberos realm.
type KDC struct {
	Realm string
	// Config is the path of the krb5.conf that finds it.
	Config string
	dir    string
	env    []string
}

// StartKDC makes a realm and serves it until the test ends.
func StartKDC(t testing.TB, realm string) *KDC {
	t.Helper()
	k := &KDC{Realm: realm, dir: t.TempDir()}
	port := freePort(t)
	k.Config = k.write(t, "krb5.conf", fmt.Sprintf(`[libdefaults]
default_realm = %s
dns_lookup_realm = false
dns_lookup_kdc = false
dns_canonicalize_hostname = false
rdns = false
udp_preference_limit = 1
[realms]
%s = {
  kdc = 127.0.0.1:%s
}
[domain_realm]
localhost = %s
`, realm, realm, port, realm))
	kdcConf := k.write(t, "kdc.conf", fmt.Sprintf(`[kdcdefaults]
kdc_listen = 127.0.0.1:%s
kdc_tcp_listen = 127.0.0.1:%s
[realms]
%s = {
  database_name = %s/principal
  key_stash_file = %s/stash
  acl_file = %s/acl
  max_life = 10h
  supported_enctypes = aes256-cts-hmac-sha1-96:normal aes128-cts-hmac-sha1-96:normal
}
[logging]
kdc = FILE:%s/kdc.log
`, port, port, realm, k.dir, k.dir, k.dir, k.dir))
	k.env = append(os.Environ(), "KRB5_CONFIG="+k.Config, "KRB5_KDC_PROFILE="+kdcConf)
	k.run(t, "/usr/sbin/kdb5_util", "create", "-s", "-r", realm, "-P", "master-"+realm)
	serve(t, k.env, "127.0.0.1:"+port, "/usr/sbin/krb5kdc", "-n", "-r", realm)
	return k
}

// Admin carries out a command of kadmin and returns what it says.
func (k *KDC) Admin(t testing.TB, command string) string {
	t.Helper()
	return k.run(t, "/usr/sbin/kadmin.local", "-r", k.Realm, "-q", command)
}

// Keytab makes a service with random keys and returns the path of its keytab.
func (k *KDC) Keytab(t testing.TB, service string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keytab")
	k.Admin(t, "addprinc -randkey "+service)
	k.Admin(t, "ktadd -k "+path+" "+service)
	return path
}

// Login gets a person a ticket, by kinit, and returns the environment in which programs find it.
func (k *KDC) Login(t testing.TB, principal, password string, options ...string) []string {
	t.Helper()
	env := append(k.env[:len(k.env):len(k.env)], "KRB5CCNAME=FILE:"+filepath.Join(t.TempDir(), "tickets"))
	cmd := exec.CommandContext(t.Context(), "/usr/bin/kinit", append(options, principal)...)
	cmd.Env, cmd.Stdin = env, strings.NewReader(password+"\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("kinit %s: %v: %s", principal, err, out)
	}
	return env
}

func (k *KDC) write(t testing.TB, name, text string) string { return write(t, k.dir, name, text) }

func (k *KDC) run(t testing.TB, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = k.env
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Contains(string(out), "while ") {
		t.Fatalf("%s %q: %v: %s", program, args, err, out)
	}
	return string(out)
}

func write(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// freePort is a port on which nothing listened a moment ago.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// serve runs a server until the returned function is called, or the test ends, and returns when it takes connections.
func serve(t testing.TB, env []string, address, program string, args ...string) (stop func()) {
	t.Helper()
	var log strings.Builder
	cmd := exec.Command(program, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // reports the kill
		close(ended)
	}()
	stop = func() {
		_ = cmd.Process.Kill() // it may have ended
		<-ended
	}
	t.Cleanup(stop)
	for deadline := time.Now().Add(startTimeout); ; {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			_ = conn.Close()
			return stop
		}
		select {
		case <-ended:
			t.Fatalf("%s ended: %s", program, log.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen: %v", program, err)
		}
	}
}
