//go:build integration

package kerberos

import (
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"furrow/gms/signin"
	"furrow/gms/signin/signintest"
)

// TestIntegrationKDC has curl come with tickets of a real KDC.
func TestIntegrationKDC(t *testing.T) {
	kdc := signintest.StartKDC(t, "CONTOSO.EXAMPLE")
	keytab := kdc.Keytab(t, "HTTP/localhost")
	kdc.Admin(t, "addprinc -pw ann-secret ann")
	kdc.Admin(t, "addprinc -pw ann-secret ann/admin")
	if err := newService(keytab).Check(); err != nil {
		t.Fatal(err)
	}
	ann := kdc.Login(t, "ann", "ann-secret")
	admin := kdc.Login(t, "ann/admin", "ann-secret")
	good := newService(keytab)
	if got := curl(t, good, ann); got != "ann 200" {
		t.Errorf("ann: %q", got)
	}
	if got := curl(t, good, admin); got != " 401" {
		t.Errorf("ann/admin: %q", got)
	}
	if got := curl(t, newService(keytab, "OTHER.EXAMPLE"), ann); got != " 401" {
		t.Errorf("a realm that is not wanted: %q", got)
	}
	other := kdc.Keytab(t, "HTTP/elsewhere")
	if got := curl(t, newService(other), ann); got != " 401" {
		t.Errorf("a keytab of another host: %q", got)
	}
	kdc.Admin(t, "cpw -randkey HTTP/localhost") // the box still has the old key
	if got := curl(t, good, kdc.Login(t, "ann", "ann-secret")); got != " 401" {
		t.Errorf("a key that the keytab does not have: %q", got)
	}
	kdc.Admin(t, "ktadd -k "+keytab+" HTTP/localhost")
	if got := curl(t, good, kdc.Login(t, "ann", "ann-secret")); got != "ann 200" {
		t.Errorf("after the keytab was renewed: %q", got)
	}
}

// curl returns the login name and the status that a request ends with.
func curl(t *testing.T, s *Service, env []string) string {
	t.Helper()
	a := signin.New(signin.Config{Tickets: s, Now: time.Now, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		r.TLS = &tls.ConnectionState{}
		login, ok, err := a.RemoteUser(w.Header(), r)
		if err != nil {
			t.Error(err)
		}
		if !ok {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = io.WriteString(w, login)
	}))
	defer server.Close()
	url := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	cmd := exec.CommandContext(t.Context(), "curl", "-s", "--noproxy", "*", "--negotiate", "-u", ":", "-d", "body", "-w", " %{http_code}", url)
	cmd.Env = env
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("curl: %v", err)
	}
	return string(out)
}
