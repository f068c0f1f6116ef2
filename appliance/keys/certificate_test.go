package keys

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"
	"time"
)

var made = time.Date(2026, 2, 3, 4, 5, 6, 789, time.UTC)

func mustCertify(t testing.TB, name Name) *Certificate {
	t.Helper()
	c, err := keySet(t).Certify(name, made)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Every field of MS-GRVSPCM 3.1.3, read back by crypto/x509.
func TestCertificateProfile(t *testing.T) {
	s := keySet(t)
	c := mustCertify(t, Name{OrganizationalUnit: "ems5", Organization: "ems5"})
	parsed, err := x509.ParseCertificate(c.DER())
	if err != nil {
		t.Fatal(err)
	}
	if parsed.Version != 3 || parsed.SignatureAlgorithm != x509.SHA1WithRSA {
		t.Errorf("version %d, signed with %v", parsed.Version, parsed.SignatureAlgorithm)
	}
	if want := "OU=ems5,O=ems5"; parsed.Subject.String() != want || parsed.Issuer.String() != want {
		t.Errorf("subject %q, issuer %q, want %q", parsed.Subject, parsed.Issuer, want)
	}
	begin := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	end := time.Date(2126, 2, 3, 4, 5, 6, 0, time.UTC)
	if !c.NotBefore().Equal(begin) || !c.NotAfter().Equal(end) {
		t.Errorf("valid from %v to %v", c.NotBefore(), c.NotAfter())
	}
	if bits := parsed.SerialNumber.BitLen(); parsed.SerialNumber.Sign() <= 0 || bits > 160 || bits < 64 {
		t.Errorf("serial number %x", parsed.SerialNumber)
	}
	wantExtensions := []struct {
		oid   string
		value []byte
	}{
		{"2.16.840.1.114227.1.1.1", s.Encryption.Public().DER()},
		{"2.16.840.1.114227.1.1.2", unhex(t, "520053004100")},
		{"2.16.840.1.114227.1.1.3", unhex(t, "520053004100")},
	}
	if len(parsed.Extensions) != len(wantExtensions) {
		t.Fatalf("%d extensions, want %d", len(parsed.Extensions), len(wantExtensions))
	}
	for i, want := range wantExtensions {
		got := parsed.Extensions[i]
		if got.Id.String() != want.oid || got.Critical || !bytes.Equal(got.Value, want.value) {
			t.Errorf("extension %d is %v, critical %v, %x", i, got.Id, got.Critical, got.Value)
		}
	}
	if n := len(parsed.Extensions[0].Value); n != 0x10c {
		t.Errorf("the encryption key has %#x bytes, want 0x10c", n)
	}
	if !c.SignatureKey().Equal(s.Signature.Public()) || c.EncryptionKey().Hash() != s.Encryption.Public().Hash() {
		t.Error("the certificate has other keys")
	}
	if !s.Matches(c) || !c.Equal(mustParse(t, c.DER())) {
		t.Error("the certificate does not match its keys or itself")
	}
	if (&KeySet{Signature: s.Encryption, Encryption: s.Encryption}).Matches(c) ||
		(&KeySet{Signature: s.Signature, Encryption: s.Signature}).Matches(c) {
		t.Error("the certificate matches other keys")
	}
	if again := mustCertify(t, c.Name()); again.Equal(c) {
		t.Error("two certificates have one serial number")
	}
}

func mustParse(t testing.TB, der []byte) *Certificate {
	t.Helper()
	c, err := ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Algorithm identifiers have NULL parameters, names are printable strings
// where they can be: the bytes around the numbers in the dumps.
func TestCertificateEncoding(t *testing.T) {
	der := hex.EncodeToString(mustCertify(t, Name{CommonName: "http://relay.contoso.com:8009/SOAP"}).DER())
	for name, want := range map[string]string{
		"sha1RSA with NULL":            "300d06092a864886f70d0101050500",
		"rsaEncryption with NULL":      "300d06092a864886f70d0101010500",
		"CN as PrintableString":        "0603550403" + "1322" + hex.EncodeToString([]byte("http://relay.contoso.com:8009/SOAP")),
		"extension 2 without wrapping": "060a6086480186fc33010102" + "0406520053004100",
		"NotAfter as GeneralizedTime":  "180f" + hex.EncodeToString([]byte("21260203040506Z")),
	} {
		if !strings.Contains(der, want) {
			t.Errorf("%s: no %s in %s", name, want, der)
		}
	}
}

func TestCertificateNames(t *testing.T) {
	for _, name := range []Name{
		{OrganizationalUnit: "Büro", Organization: "Groove & Söhne, \"GmbH\""},
		{CommonName: "http://relay.contoso.com:8009/SOAP"},
		{CommonName: "management.example"},
		{CommonName: "a", OrganizationalUnit: "b", Organization: "c"},
		{Organization: strings.Repeat("x", maxNamePart)},
	} {
		if got := mustCertify(t, name).Name(); got != name {
			t.Errorf("%+v came back as %+v", name, got)
		}
	}
	for _, name := range []Name{{}, {Organization: strings.Repeat("x", maxNamePart+1)}} {
		if _, err := keySet(t).Certify(name, made); err == nil {
			t.Errorf("%+v was certified", name)
		}
	}
}

// forge makes certificates that Certify would not.
func forge(t testing.TB, change func(template, parent *x509.Certificate)) []byte {
	t.Helper()
	s := keySet(t)
	template := &x509.Certificate{
		SignatureAlgorithm: x509.SHA256WithRSA,
		Subject:            pkix.Name{CommonName: "forged"},
		NotBefore:          made,
		NotAfter:           made.AddDate(1, 0, 0),
		ExtraExtensions: []pkix.Extension{
			{Id: oidEncryptionKey, Value: s.Encryption.Public().DER()},
			{Id: oidEncryptionKeyAlgorithm, Value: UTF16LE("RSA")},
			{Id: oidEncryptionAlgorithm, Value: UTF16LE("RSA")},
		},
	}
	parent := *template
	change(template, &parent)
	der, err := x509.CreateCertificate(rand.Reader, template, &parent, s.Signature.pub.key, s.Signature.key())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestParseCertificateJudges(t *testing.T) {
	good := mustCertify(t, Name{CommonName: "x"}).DER()
	altered := bytes.Clone(good)
	altered[len(altered)-1] ^= 1
	key := keySet(t).Encryption.Public()
	for _, test := range []struct {
		name string
		der  []byte
		want string // part of the error, empty for acceptance
	}{
		{"own", good, ""},
		{"SHA-256", forge(t, func(_, _ *x509.Certificate) {}), ""},
		{"critical Groove extension", forge(t, func(c, _ *x509.Certificate) { c.ExtraExtensions[0].Critical = true }), ""},
		{"further extension", forge(t, func(c, _ *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: []byte{5, 0}})
		}), ""},
		{"critical unknown extension", forge(t, func(c, _ *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}})
		}), "critical extension 1.2.3"},
		{"other issuer", forge(t, func(_, p *x509.Certificate) { p.Subject.CommonName = "other" }), "not self-issued"},
		{"no extensions", forge(t, func(c, _ *x509.Certificate) { c.ExtraExtensions = nil }), "name RSA"},
		{"no encryption key", forge(t, func(c, _ *x509.Certificate) { c.ExtraExtensions = c.ExtraExtensions[1:] }), "encryption key"},
		{"wrapped encryption key", forge(t, func(c, _ *x509.Certificate) {
			c.ExtraExtensions[0].Value = append([]byte{4, 0x82, 1, 0x0c}, key.DER()...)
		}), "encryption key"},
		{"name with terminator", forge(t, func(c, _ *x509.Certificate) { c.ExtraExtensions[1].Value = UTF16LE("RSA\x00") }), "name RSA"},
		{"other algorithm", forge(t, func(c, _ *x509.Certificate) { c.ExtraExtensions[2].Value = UTF16LE("ELGAMAL") }), "name RSA"},
		{"PSS", forge(t, func(c, p *x509.Certificate) { c.SignatureAlgorithm = x509.SHA256WithRSAPSS }), "signed with"},
		{"altered signature", altered, "verifying"},
		{"trailing byte", append(bytes.Clone(good), 0), "parsing"},
		{"cut", good[:len(good)-1], "parsing"},
		{"nothing", nil, "parsing"},
		{"oversized", make([]byte, maxCertificate+1), "at most"},
	} {
		c, err := ParseCertificate(test.der)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want == "" && !bytes.Equal(c.DER(), test.der):
			t.Errorf("%s: came back as %x", test.name, c.DER())
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: error is %v, want one with %q", test.name, err, test.want)
		}
	}
}

// Whatever bit of a certificate is turned, it is refused: everything is either
// signed or the signature.
func TestCertificateBitFlips(t *testing.T) {
	der := mustCertify(t, Name{OrganizationalUnit: "ems5", Organization: "ems5"}).DER()
	for i := range der {
		turned := bytes.Clone(der)
		turned[i] ^= 1 << (i % 8)
		if _, err := ParseCertificate(turned); err == nil {
			t.Errorf("byte %d was altered and the certificate accepted", i)
		}
	}
}

// The public keys and signatures of the sample certificates in MS-GRVSPCM
// 3.1.3 and MS-GRVSPMR 3.2.3.1.2. The samples' dumps print signatures with the
// last byte first; the digests are what the signatures open to, since the
// texts do not print the signed bytes. KeyID is the printed SHA-1 of the
// SubjectPublicKeyInfo, which shows the dumps to be intact.
func TestSampleCertificates(t *testing.T) {
	for _, sample := range sampleCertificates {
		t.Run(sample.name, func(t *testing.T) {
			key, err := ParseRSAPublicKey(unhex(t, sample.publicKey))
			if err != nil {
				t.Fatal(err)
			}
			if key.key.E != 17 || key.key.N.BitLen() != 2048 {
				t.Errorf("%d bits, exponent %d", key.key.N.BitLen(), key.key.E)
			}
			if got := Sum(1, mustPKIX(t, key)).String(); got != sample.keyID {
				t.Errorf("key id hash is %s, want %s", got, sample.keyID)
			}
			encryption, err := ParseRSAPublicKey(unhex(t, sample.encryptionKey))
			if err != nil {
				t.Fatal(err)
			}
			if len(encryption.DER()) != 0x10c {
				t.Errorf("encryption key of %#x bytes", len(encryption.DER()))
			}
			signature := unhex(t, sample.signature)
			for i, j := 0, len(signature)-1; i < j; i, j = i+1, j-1 {
				signature[i], signature[j] = signature[j], signature[i]
			}
			opened := new(big.Int).Exp(new(big.Int).SetBytes(signature), big.NewInt(17), key.key.N)
			digest := Digest(opened.FillBytes(make([]byte, 256))[236:])
			if err := key.Verify(digest, signature); err != nil {
				t.Errorf("the signature is not RSASSA-PKCS1-v1_5 with SHA-1: %v", err)
			}
		})
	}
}

func FuzzParseCertificate(f *testing.F) {
	f.Add(mustCertify(f, Name{OrganizationalUnit: "ems5", Organization: "ems5"}).DER())
	f.Add(mustCertify(f, Name{CommonName: "http://relay.contoso.com"}).DER())
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := ParseCertificate(der)
		if err != nil {
			return
		}
		if !bytes.Equal(c.DER(), der) || c.SignatureKey() == nil || c.EncryptionKey() == nil {
			t.Errorf("%x came back as %x", der, c.DER())
		}
	})
}
