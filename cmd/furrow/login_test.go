package main

import (
	"crypto/tls"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"furrow/web/api"
)

// TestLogin has a person join, back up, restore, and another be activated, by login name and password over TLS, with
// passwords that come and go while the box runs. Without TLS no password is taken.
func TestLogin(t *testing.T) {
	data := filepath.Join(t.TempDir(), "box")
	protected := freeAddress(t)
	b := serve(t, data, "127.0.0.1:0", "127.0.0.1:0", "--listen", "https="+protected)
	trust(t, protected)
	_, port, _ := net.SplitHostPort(protected)
	address := "https://localhost:" + port
	must[api.Domain](t, "--data", data, "domain", "create", "A")
	add := func(login string) api.Member {
		return must[api.Member](t, "--data", data, "member", "add", "--domain", "A", "--full-name", login, "--email", login+"@example.com", "--login", login)
	}
	ann, bob := add("ann"), add("bob")
	right, wrong, home := writeFile(t, "correct horse\n"), writeFile(t, "wrong horse\n"), filepath.Join(t.TempDir(), "ann")
	join := func(server, password string) []string {
		return []string{"client", "join", "--server", server, "--user", "ann", "--password-file", password, "--home", home}
	}
	refused := func(want string, args []string) {
		t.Helper()
		if _, stderr, exit := furrow(t, args...); exit != 1 || !strings.Contains(stderr, want) {
			t.Errorf("furrow %s: exit %d, %q; want %q", strings.Join(args[:2], " "), exit, stderr, want)
		}
	}
	refused("fault 227", join(address, right)) // nobody has a password yet
	must[changedLogin](t, "--data", data, "login", "set", "Ann", "--password-file", right)
	must[changedLogin](t, "--data", data, "login", "set", "bob", "--password-file", right)
	refused("https only", join(b.address, right))
	refused("does not accept", join(address, wrong))
	if joined := must[map[string]string](t, join(address, right)...); joined["member"] != ann.GUID {
		t.Errorf("joined as %v, want member %s", joined, ann.GUID)
	}

	account, restored := writeFile(t, "account data"), filepath.Join(t.TempDir(), "restored")
	must[savedBackup](t, "client", "backup", "--home", home, account)
	restore := []string{"client", "restore", "--server", address, "--user", "ANN", "--password-file", right, "--output", restored}
	must[savedBackup](t, restore...)
	if got, err := os.ReadFile(restored); err != nil || string(got) != "account data" {
		t.Errorf("restored %q, %v", got, err)
	}
	activate := []string{"client", "auto-activate", "--home", home, "--user", "bob", "--password-file", right}
	if got := must[map[string]string](t, activate...)["configurationCode"]; got != bob.ConfigurationCode {
		t.Errorf("activation code %q, want %q", got, bob.ConfigurationCode)
	}

	must[changedLogin](t, "--data", data, "login", "remove", "ann")
	refused("does not accept", restore)
	if names := must[[]string](t, "--data", data, "login", "list"); !slices.Equal(names, []string{"bob"}) {
		t.Errorf("login names %q", names)
	}
	refused("not known", []string{"--data", data, "login", "remove", "ann"})
}

// trust has the commands that a test runs trust the certificate at an address.
func trust(t *testing.T, address string) {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true}) // to learn what is to be trusted
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv("SSL_CERT_FILE", writeFile(t, string(pem.EncodeToMemory(&pem.Block{
		Type: "CERTIFICATE", Bytes: conn.ConnectionState().PeerCertificates[0].Raw,
	}))))
}
