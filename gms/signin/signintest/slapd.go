//go:build integration

package signintest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Slapd is a running OpenLDAP server for dc=contoso,dc=example.
type Slapd struct {
	LDAP, LDAPS string // URLs
	// Authority is the path of the certificate it is to be trusted by.
	Authority string
	// Stop ends it before the test does.
	Stop func()
}

// The account that administers a Slapd.
const (
	AdminDN       = "cn=admin,dc=contoso,dc=example"
	AdminPassword = "admin secret"
)

// StartSlapd serves entries, in LDIF, below dc=contoso,dc=example until the test ends. Nobody may search without a
// login; members of a lockout policy are locked by pwdAccountLockedTime.
func StartSlapd(t testing.TB, entries string) *Slapd {
	t.Helper()
	dir := t.TempDir()
	s := &Slapd{Authority: filepath.Join(dir, "cert.pem")}
	makeCertificate(t, dir)
	if err := os.Mkdir(filepath.Join(dir, "db"), 0o700); err != nil {
		t.Fatal(err)
	}
	config := write(t, dir, "slapd.conf", fmt.Sprintf(`include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
pidfile %[1]s/pid
TLSCertificateFile %[1]s/cert.pem
TLSCertificateKeyFile %[1]s/key.pem
security simple_bind=128
database mdb
suffix dc=contoso,dc=example
rootdn %[2]s
rootpw "%[3]s"
directory %[1]s/db
overlay ppolicy
ppolicy_default cn=policy,dc=contoso,dc=example
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
`, dir, AdminDN, AdminPassword))
	ldif := write(t, dir, "entries.ldif", `dn: dc=contoso,dc=example
objectClass: dcObject
objectClass: organization
o: Contoso
dc: contoso

dn: cn=policy,dc=contoso,dc=example
objectClass: device
objectClass: pwdPolicy
pwdAttribute: userPassword
pwdLockout: TRUE
cn: policy

`+entries)
	if out, err := exec.CommandContext(t.Context(), "/usr/sbin/slapadd", "-f", config, "-l", ldif).CombinedOutput(); err != nil {
		t.Fatalf("slapadd: %v: %s", err, out)
	}
	plain, protected := "127.0.0.1:"+freePort(t), "127.0.0.1:"+freePort(t)
	s.LDAP, s.LDAPS = "ldap://"+plain, "ldaps://"+protected
	s.Stop = serve(t, os.Environ(), protected, "/usr/sbin/slapd", "-d", "0", "-f", config, "-h", s.LDAP+" "+s.LDAPS)
	return s
}

// makeCertificate makes one that is its own authority.
func makeCertificate(t testing.TB, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "slapd"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	write(t, dir, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}
