package keys

import (
	"bytes"
	"encoding/hex"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// openssl runs the tool of that name, a second reader of what this package
// writes. Where it is not installed the test is skipped and says so; the
// project's continuous integration has it.
func openssl(t *testing.T, arguments ...string) string {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Skipf("openssl is missing, so nothing here was read by it: %v", err)
	}
	out, err := exec.Command(path, arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
	return string(out)
}

func writeFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func wantAll(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in:\n%s", part, text)
		}
	}
}

func TestOpenSSLReadsCertificate(t *testing.T) {
	c := mustCertify(t, Name{OrganizationalUnit: "ems5", Organization: "ems5"})
	path := writeFile(t, "certificate.der", c.DER())
	wantAll(t, openssl(t, "x509", "-inform", "DER", "-in", path, "-noout", "-text"),
		"Version: 3 (0x2)",
		"Signature Algorithm: sha1WithRSAEncryption",
		"Issuer: O = ems5, OU = ems5",
		"Subject: O = ems5, OU = ems5",
		"Not Before: Feb  3 04:05:06 2026 GMT",
		"Not After : Feb  3 04:05:06 2126 GMT",
		"Public-Key: (2048 bit)",
		"Exponent: 17 (0x11)",
		"2.16.840.1.114227.1.1.1",
		"2.16.840.1.114227.1.1.2",
		"2.16.840.1.114227.1.1.3",
	)
	key := strings.ToUpper(hex.EncodeToString(keySet(t).Encryption.Public().DER()))
	wantAll(t, openssl(t, "asn1parse", "-inform", "DER", "-in", path),
		"OBJECT            :2.16.840.1.114227.1.1.1",
		"OCTET STRING      [HEX DUMP]:"+key,
		"OBJECT            :2.16.840.1.114227.1.1.2",
		"OBJECT            :2.16.840.1.114227.1.1.3",
		"OCTET STRING      [HEX DUMP]:520053004100",
	)
}

func TestOpenSSLVerifiesCertificate(t *testing.T) {
	c := mustCertify(t, Name{CommonName: "http://relay.contoso.com:8009/SOAP"})
	path := writeFile(t, "certificate.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.DER()}))
	// -check_ss_sig: verify the self-signature too; -auth_level 0: SHA-1 is allowed.
	wantAll(t, openssl(t, "verify", "-check_ss_sig", "-auth_level", "0", "-attime", "1893456000", "-CAfile", path, path), "OK")
}

func TestOpenSSLReadsKeys(t *testing.T) {
	public := writeFile(t, "public.der", keySet(t).Signature.Public().DER())
	wantAll(t, openssl(t, "rsa", "-RSAPublicKey_in", "-inform", "DER", "-in", public, "-noout", "-text"),
		"Public-Key: (2048 bit)", "Exponent: 17 (0x11)")

	der, err := keySet(t).Signature.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	wantAll(t, openssl(t, "rsa", "-inform", "DER", "-in", writeFile(t, "private.der", der), "-noout", "-check"), "RSA key ok")

	der, err = mustElGamal(t).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	wantAll(t, openssl(t, "pkey", "-inform", "DER", "-in", writeFile(t, "dh.der", der), "-noout", "-text"),
		"DH Private-Key: (2048 bit)")
}

func TestOpenSSLVerifiesSignature(t *testing.T) {
	key := keySet(t).Signature
	d := Sum(2, []byte("header"))
	signature, err := key.Sign(d)
	if err != nil {
		t.Fatal(err)
	}
	wantAll(t, openssl(t, "pkeyutl", "-verify", "-pkeyopt", "digest:sha1",
		"-certin", "-inkey", writeFile(t, "certificate.pem", pem.EncodeToMemory(&pem.Block{
			Type: "CERTIFICATE", Bytes: mustCertify(t, Name{CommonName: "x"}).DER(),
		})),
		"-in", writeFile(t, "digest", d[:]), "-sigfile", writeFile(t, "signature", signature)),
		"Signature Verified Successfully")
}

func TestOpenSSLDecrypts(t *testing.T) {
	key := keySet(t).Encryption
	secret := []byte("a shared key of 24 bytes")
	ciphertext, err := key.Public().Encrypt(secret)
	if err != nil {
		t.Fatal(err)
	}
	der, err := key.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got := openssl(t, "pkeyutl", "-decrypt", "-pkeyopt", "rsa_padding_mode:pkcs1", "-keyform", "DER",
		"-inkey", writeFile(t, "private.der", der), "-in", writeFile(t, "ciphertext", ciphertext))
	if !bytes.Equal([]byte(got), secret) {
		t.Errorf("openssl decrypted %q", got)
	}
}
