package keys

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	// certificateYears is the validity of a certificate (MS-GRVSPCM 3.1.3).
	certificateYears = 100

	// maxCertificate bounds a certificate that is read, in bytes. One with two
	// keys of 8192 bits and a long name has less than half.
	maxCertificate = 8 << 10

	// maxNamePart bounds each part of a name, in bytes: a SOAP URL fits.
	maxNamePart = 512
)

// The extensions of MS-GRVSPCM 3.1.3. Their values stand in extnValue as they
// are, without another ASN.1 wrapping, as the dumps there show: the DER key of
// 0x10c bytes, and the six bytes of "RSA" in UTF-16LE.
var (
	oidEncryptionKey          = asn1.ObjectIdentifier{2, 16, 840, 1, 114227, 1, 1, 1}
	oidEncryptionKeyAlgorithm = asn1.ObjectIdentifier{2, 16, 840, 1, 114227, 1, 1, 2}
	oidEncryptionAlgorithm    = asn1.ObjectIdentifier{2, 16, 840, 1, 114227, 1, 1, 3}
)

// Name is the subject and issuer of a certificate; empty parts are left out.
// A management domain has OU and O, both its certification authority name in
// the sample of MS-GRVSPCM 3.1.3; a relay has its SOAP URL, and a management
// server towards a relay its host name, as CN (MS-GRVSPMR 3.2.3, 3.3.3).
type Name struct {
	CommonName         string
	OrganizationalUnit string
	Organization       string
}

func (n Name) check() error {
	if n == (Name{}) {
		return errors.New("certificate name is empty")
	}
	for _, part := range []string{n.CommonName, n.OrganizationalUnit, n.Organization} {
		if len(part) > maxNamePart {
			return fmt.Errorf("part of a certificate name has %d bytes, at most %d are allowed", len(part), maxNamePart)
		}
	}
	return nil
}

func (n Name) pkix() pkix.Name {
	name := pkix.Name{CommonName: n.CommonName}
	if n.OrganizationalUnit != "" {
		name.OrganizationalUnit = []string{n.OrganizationalUnit}
	}
	if n.Organization != "" {
		name.Organization = []string{n.Organization}
	}
	return name
}

// Certificate is a self-signed certificate that carries two public keys, one
// for signatures and one for encryption (MS-GRVSPCM 3.1.3, the same in
// MS-GRVSPMR 3.2.3.1.2). Its own signature proves that it is whole and that
// its maker had the private signature key, not whose it is: trust comes from
// the way it was handed over. It is immutable.
type Certificate struct {
	parsed     *x509.Certificate
	signature  *RSAPublicKey
	encryption EncryptionKey
}

// Certify makes the self-signed certificate of the two keys, signed sha1RSA
// and valid for 100 years from notBefore (whole seconds, UTC).
func (s *KeySet) Certify(name Name, notBefore time.Time) (*Certificate, error) {
	if err := name.check(); err != nil {
		return nil, err
	}
	notBefore = notBefore.UTC().Truncate(time.Second)
	template := &x509.Certificate{
		SignatureAlgorithm: x509.SHA1WithRSA,
		Subject:            name.pkix(),
		NotBefore:          notBefore,
		NotAfter:           notBefore.AddDate(certificateYears, 0, 0),
		ExtraExtensions: []pkix.Extension{
			{Id: oidEncryptionKey, Value: s.Encryption.Public().DER()},
			{Id: oidEncryptionKeyAlgorithm, Value: UTF16LE(KeyAlgorithmRSA)},
			{Id: oidEncryptionAlgorithm, Value: UTF16LE(AlgorithmRSA)},
		},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, s.Signature.pub.key, s.Signature.key())
	if err != nil {
		return nil, fmt.Errorf("making certificate: %w", err)
	}
	return ParseCertificate(der)
}

// ParseCertificate reads a DER certificate and verifies its own signature. It
// fails if the certificate is not X.509 version 3, not self-issued, not signed
// by its own key, lacks one of the three extensions, has a critical one that
// is not known, or holds keys other than RSA keys within the limits of
// [ParseRSAPublicKey]. The validity period is not judged: it is the caller's
// clock that may be wrong.
func ParseCertificate(der []byte) (*Certificate, error) {
	if len(der) > maxCertificate {
		return nil, fmt.Errorf("certificate of %d bytes, at most %d are read", len(der), maxCertificate)
	}
	parsed, err := x509.ParseCertificate(bytes.Clone(der))
	if err != nil {
		return nil, fmt.Errorf("parsing certificate: %w", err)
	}
	if parsed.Version != 3 {
		return nil, fmt.Errorf("certificate of version %d, want 3", parsed.Version)
	}
	key, ok := parsed.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("certificate with a signature key of type %T, want RSA", parsed.PublicKey)
	}
	signature, err := newRSAPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("signature key of certificate: %w", err)
	}
	if err := checkSelfSigned(parsed); err != nil {
		return nil, err
	}
	encryption, err := encryptionKeyOf(parsed)
	if err != nil {
		return nil, err
	}
	return &Certificate{parsed, signature, encryption}, nil
}

func checkSelfSigned(c *x509.Certificate) error {
	if !bytes.Equal(c.RawSubject, c.RawIssuer) {
		return errors.New("certificate is not self-issued")
	}
	switch c.SignatureAlgorithm {
	case x509.SHA1WithRSA, x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA:
		// sha1RSA stands in the samples only, not in the rules.
	default:
		return fmt.Errorf("certificate signed with %v, want RSA", c.SignatureAlgorithm)
	}
	// CheckSignature still takes SHA-1, which the methods that build chains refuse.
	if err := c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature); err != nil {
		return fmt.Errorf("verifying certificate: %w", err)
	}
	return nil
}

func encryptionKeyOf(c *x509.Certificate) (EncryptionKey, error) {
	values := make(map[string][]byte, 3)
	for _, e := range c.Extensions {
		values[e.Id.String()] = e.Value
	}
	for _, oid := range c.UnhandledCriticalExtensions {
		if !slices.ContainsFunc(grooveExtensions(), oid.Equal) {
			return nil, fmt.Errorf("certificate with unknown critical extension %v", oid)
		}
	}
	keyAlgorithm, algorithm := values[oidEncryptionKeyAlgorithm.String()], values[oidEncryptionAlgorithm.String()]
	if !bytes.Equal(keyAlgorithm, UTF16LE(KeyAlgorithmRSA)) || !bytes.Equal(algorithm, UTF16LE(AlgorithmRSA)) {
		return nil, errors.New("certificate does not name RSA for encryption")
	}
	key, err := ParseRSAPublicKey(values[oidEncryptionKey.String()])
	if err != nil {
		return nil, fmt.Errorf("encryption key of certificate: %w", err)
	}
	return key, nil
}

func grooveExtensions() []asn1.ObjectIdentifier {
	return []asn1.ObjectIdentifier{oidEncryptionKey, oidEncryptionKeyAlgorithm, oidEncryptionAlgorithm}
}

// DER returns the encoded certificate.
func (c *Certificate) DER() []byte { return bytes.Clone(c.parsed.Raw) }

// Name returns the subject.
func (c *Certificate) Name() Name {
	name := Name{CommonName: c.parsed.Subject.CommonName}
	if ou := c.parsed.Subject.OrganizationalUnit; len(ou) > 0 {
		name.OrganizationalUnit = ou[0]
	}
	if o := c.parsed.Subject.Organization; len(o) > 0 {
		name.Organization = o[0]
	}
	return name
}

// NotBefore returns the beginning of the validity period.
func (c *Certificate) NotBefore() time.Time { return c.parsed.NotBefore }

// NotAfter returns the end of the validity period.
func (c *Certificate) NotAfter() time.Time { return c.parsed.NotAfter }

// SignatureKey returns the key that the certificate certifies by X.509's own
// means and that signed it.
func (c *Certificate) SignatureKey() *RSAPublicKey { return c.signature }

// EncryptionKey returns the key in the extensions.
func (c *Certificate) EncryptionKey() EncryptionKey { return c.encryption }

// Hash returns the SHA-1 digest of DER, which certificate tools show as
// "Cert Hash(sha1)" or fingerprint.
func (c *Certificate) Hash() Digest { return Sum(1, c.parsed.Raw) }

// Equal reports whether both are the same certificate.
func (c *Certificate) Equal(other *Certificate) bool { return c.parsed.Equal(other.parsed) }
