//go:build integration

package ldapsync

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"furrow/gms/directory"
)

// slapd is an OpenLDAP server of a test's own, with a certificate for 127.0.0.1 by an authority of its own.
type slapd struct {
	ldap, ldaps string // URLs
	authority   string // PEM
	command     *exec.Cmd
	ended       chan struct{}
}

const rootPassword = "root secret"

func startSlapd(t *testing.T, more ...string) *slapd {
	t.Helper()
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "db"), 0o700))
	s := &slapd{ldap: "ldap://" + freeAddress(t), ldaps: "ldaps://" + freeAddress(t), ended: make(chan struct{})}
	s.authority = writeCertificates(t, dir)
	config := strings.ReplaceAll(strings.Join(append([]string{
		"include /etc/ldap/schema/core.schema",
		"include /etc/ldap/schema/cosine.schema",
		"include /etc/ldap/schema/inetorgperson.schema",
		"modulepath /usr/lib/ldap",
		"moduleload back_mdb",
		"pidfile DIR/slapd.pid",
		"TLSCertificateFile DIR/server.pem",
		"TLSCertificateKeyFile DIR/server.key",
	}, append(more,
		"database mdb",
		"directory DIR/db",
		"suffix dc=example,dc=com",
		"rootdn cn=root,dc=example,dc=com",
		"rootpw \""+rootPassword+"\"",
		// The limits are for everybody but the root.
		"access to attrs=userPassword by anonymous auth by * none",
		"access to * by * read",
	)...), "\n")+"\n", "DIR", dir)
	file := filepath.Join(dir, "slapd.conf")
	must(t, os.WriteFile(file, []byte(config), 0o600))
	var output bytes.Buffer
	s.command = exec.Command("slapd", "-d", "0", "-f", file, "-h", s.ldap+" "+s.ldaps)
	s.command.Stdout, s.command.Stderr = &output, &output
	must(t, s.command.Start())
	go func() {
		_ = s.command.Wait() // it is killed
		close(s.ended)
	}()
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("slapd: %s", output.String())
		}
	})
	for deadline := time.Now().Add(30 * time.Second); ; {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.ldaps, "ldaps://"))
		if err == nil {
			must(t, conn.Close())
			break
		}
		select {
		case <-s.ended:
			t.Fatalf("slapd has ended: %s", output.String())
		case <-time.After(20 * time.Millisecond):
			if time.Now().After(deadline) {
				t.Fatalf("slapd does not listen: %v", err)
			}
		}
	}
	s.add(t, "dn: dc=example,dc=com\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n\n"+
		"dn: cn=reader,dc=example,dc=com\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\nuserPassword: reader secret\n")
	return s
}

func (s *slapd) kill() {
	_ = s.command.Process.Kill() // it may have ended
	<-s.ended
}

// run changes the directory by one of OpenLDAP's programs.
func (s *slapd) run(t *testing.T, ldif, program string, args ...string) {
	t.Helper()
	command := exec.Command(program, append([]string{"-x", "-H", s.ldap, "-D", "cn=root,dc=example,dc=com", "-w", rootPassword}, args...)...)
	command.Stdin = strings.NewReader(ldif)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, output)
	}
}

func (s *slapd) add(t *testing.T, ldif string) { t.Helper(); s.run(t, ldif, "ldapadd") }

func personDN(i int) string { return fmt.Sprintf("uid=p%03d,dc=example,dc=com", i) }

// people adds as many entries of inetOrgPerson.
func (s *slapd) people(t *testing.T, n int) {
	t.Helper()
	var ldif strings.Builder
	for i := range n {
		fmt.Fprintf(&ldif, "dn: %s\nobjectClass: inetOrgPerson\nuid: p%03d\ncn: Person %03d\ndisplayName: Person %03d\n"+
			"givenName: Person\nsn: Nr %03d\nmail: p%03d@example.com\ntelephoneNumber: +49 221 %03d\nl:: S8O2bG4=\n\n", personDN(i), i, i, i, i, i, i)
	}
	s.add(t, ldif.String())
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, l.Close())
	return l.Addr().String()
}

// writeCertificates makes server.pem and server.key, and returns the PEM of their authority.
func writeCertificates(t *testing.T, dir string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test Authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	root, err := x509.CreateCertificate(rand.Reader, authority, authority, key.Public(), key)
	must(t, err)
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "slapd"}, NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	leaf, err := x509.CreateCertificate(rand.Reader, server, authority, key.Public(), key)
	must(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	must(t, os.WriteFile(filepath.Join(dir, "server.pem"), block("CERTIFICATE", leaf), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "server.key"), block("PRIVATE KEY", der), 0o600))
	return string(block("CERTIFICATE", root))
}

// settings are those of a source that reads s with StartTLS.
func (s *slapd) settings(f *fixture) Source {
	return Source{
		Name: "office", Servers: []string{s.ldap}, Authority: s.authority, BindDN: "cn=reader,dc=example,dc=com",
		Password: "reader secret", Base: "dc=example,dc=com", Schema: OpenLDAP, Domain: f.domain.GUID, PageSize: 7,
	}
}

func TestIntegrationSlapd(t *testing.T) {
	const people = 300
	server := startSlapd(t)
	server.people(t, people)
	f := newFixture(t)
	f.Search = SearchLDAP
	set := func(change func(*Source)) {
		t.Helper()
		s := server.settings(f)
		change(&s)
		_, err := f.Set(t.Context(), s)
		must(t, err)
	}
	nothing := func(*Source) {}

	for name, change := range map[string]func(*Source){
		"StartTLS":                 nothing,
		"ldaps":                    func(s *Source) { s.Servers = []string{server.ldaps} },
		"plain":                    func(s *Source) { s.Plain, s.Authority = true, "" },
		"anonymous":                func(s *Source) { s.BindDN, s.Password = "", "" },
		"the first server is away": func(s *Source) { s.Servers = []string{"ldap://" + freeAddress(t), server.ldaps} },
		"one page":                 func(s *Source) { s.PageSize = 1000 },
	} {
		set(change)
		if count, _, err := f.Test(t.Context(), "office"); err != nil || count != people {
			t.Errorf("%s: %d people, %v", name, count, err)
		}
	}
	for name, c := range map[string]struct {
		change func(*Source)
		says   string
	}{
		"wrong password":    {func(s *Source) { s.Password = "wrong" }, "does not accept the account"},
		"other authority":   {func(s *Source) { s.Authority = writeCertificates(t, t.TempDir()) }, "certificate"},
		"system's, ldaps":   {func(s *Source) { s.Authority, s.Servers = "", []string{server.ldaps} }, "certificate"},
		"TLS to plain port": {func(s *Source) { s.Servers = []string{strings.Replace(server.ldap, "ldap:", "ldaps:", 1)} }, "TLS"},
		"no such base":      {func(s *Source) { s.Base = "dc=nowhere,dc=com" }, "there is no such base"},
	} {
		set(c.change)
		if _, _, err := f.Test(t.Context(), "office"); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}

	set(nothing)
	if r := f.sync(t); r.Counts[Add] != people || len(r.Counts) != 1 {
		t.Fatalf("first sync: %+v", r.Counts)
	}
	if m := f.member(t, "Person 007"); m.Email != "p007@example.com" || m.RemoteUser != "p007" || m.City != "Köln" || m.LastName != "Nr 007" {
		t.Errorf("Person 007 is %+v", m.MemberDetails)
	}
	if r := f.sync(t); len(r.Counts) != 0 {
		t.Fatalf("second sync: %s", summary(r))
	}

	// One is renamed with a new DN, one is disabled, one deleted, one gets a photograph in the place of a title.
	set(func(s *Source) { s.DisabledWhen = "(employeeType=left)" })
	server.run(t, "", "ldapmodrdn", "-r", personDN(1), "uid=renamed")
	server.run(t, "dn: "+personDN(2)+"\nchangetype: modify\nadd: employeeType\nemployeeType: left\n", "ldapmodify")
	server.run(t, "", "ldapdelete", personDN(3))
	server.run(t, "dn: "+personDN(4)+"\nchangetype: modify\nadd: title\ntitle: "+strings.Repeat("x", 5000)+"\n", "ldapmodify")
	if got, want := summary(f.sync(t)), "disable Person 002: is disabled in the directory\n"+
		"disable Person 003: is not in the directory any more\n"+
		"skip Person 004: title is longer than 2048 octets\n"+
		"update Person 001 login"; got != want {
		t.Fatalf("changes:\n%s\nwant:\n%s", got, want)
	}
}

// TestIntegrationSlapdSizeLimit has a server that gives the reader only a part of the list.
func TestIntegrationSlapdSizeLimit(t *testing.T) {
	server := startSlapd(t, "sizelimit size.soft=20 size.hard=20 size.prtotal=20")
	server.people(t, 40)
	f := newFixture(t)
	f.Search = SearchLDAP
	_, err := f.Set(t.Context(), server.settings(f))
	must(t, err)
	r, err := f.Sync(t.Context(), "office", true)
	if err != nil || r.changed() || !strings.Contains(r.Error, "only a part of the list") {
		t.Fatalf("%+v, %v", r, err)
	}
}

// TestIntegrationSlapdKilled kills the server while a page of it is read.
func TestIntegrationSlapdKilled(t *testing.T) {
	server := startSlapd(t)
	server.people(t, 60)
	f := newFixture(t)
	f.Search = SearchLDAP
	_, err := f.Set(t.Context(), server.settings(f))
	must(t, err)
	if r := f.sync(t); r.Counts[Add] != 60 {
		t.Fatalf("%+v", r.Counts)
	}
	source, _, err := f.account("office")
	must(t, err)
	source.Servers = []string{killingProxy(t, server, 8000)}
	f.Search = func(ctx context.Context, _ Source) ([]Entry, error) { return SearchLDAP(ctx, source) }
	r, err := f.Sync(t.Context(), "office", true)
	if err != nil || r.Error == "" || r.changed() || r.Counts[Hold] != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	select {
	case <-server.ended:
	default:
		t.Fatal("the server was not killed during the search")
	}
	if n := len(f.Directory.Members(directory.MemberFilter{Status: directory.Pending})); n != 60 {
		t.Errorf("%d of 60 are still pending", n)
	}
}

// killingProxy kills the server when it has sent so many octets, some pages of a list, and returns its URL.
func killingProxy(t *testing.T, server *slapd, after int64) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ended := make(chan error, 1)
	go func() {
		ended <- func() error {
			client, err := listener.Accept()
			if err != nil {
				return err
			}
			defer client.Close()
			upstream, err := net.Dial("tcp", strings.TrimPrefix(server.ldap, "ldap://"))
			if err != nil {
				return err
			}
			defer upstream.Close()
			go func() { _, _ = io.CopyN(upstream, client, 1<<30) }() // ends with either connection
			if _, err := io.CopyN(client, upstream, after); err != nil {
				return err
			}
			server.kill()
			_, _ = io.CopyN(client, upstream, 1<<30) // what it had sent before
			return nil
		}()
	}()
	t.Cleanup(func() {
		if err := errors.Join(listener.Close(), <-ended); err != nil {
			t.Errorf("proxy: %v", err)
		}
	})
	return "ldap://" + listener.Addr().String()
}
