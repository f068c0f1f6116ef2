package directory

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
)

// maxTrusts bounds the domains that one domain trusts: each is an object that every
// member's client keeps.
const maxTrusts = 256

// Trust is another domain, here or elsewhere, whose members' contacts the members of
// a domain trust. It is one managed object, the same for all members, whatever their
// template (MS-GRVSPCM 3.2.5.1.4); its GUID is that of the object.
type Trust struct {
	GUID   string `json:"guid"`
	Domain string `json:"domain"`
	// Name is that of the trusted domain, for administrators.
	Name string `json:"name"`
	// Certificate is that of the trusted domain, in DER.
	Certificate []byte `json:"certificate"`
	// InOrganization says that both belong to one organization.
	InOrganization bool  `json:"inOrganization"`
	Stamp          int64 `json:"stamp"`
	// Removed is when the trust was ended. The row stays to withdraw the object
	// from clients.
	Removed time.Time `json:"removed,omitzero"`
}

func (t *Trust) removed() bool { return !t.Removed.IsZero() }

// declareTrusts adds the table of trusts and its index.
func (t *Tables) declareTrusts(s *state.Schema) {
	t.trusts = state.Define(s, "trusts", state.TableOptions[Trust]{
		Version: 1, Key: func(r Trust) string { return r.GUID },
	})
	t.trustsByDomain = state.DefineIndex(t.trusts, "domain", func(r Trust) []string { return []string{r.Domain} })
}

// Fingerprint is what two administrators compare before they trust each other's
// domain: the SHA-256 of the certificate, in groups of four digits.
func Fingerprint(certificate []byte) string {
	sum := sha256.Sum256(certificate)
	digits := hex.EncodeToString(sum[:])
	groups := make([]string, 0, len(digits)/4)
	for group := range slices.Chunk([]byte(digits), 4) {
		groups = append(groups, string(group))
	}
	return strings.Join(groups, " ")
}

// sameFingerprint compares what a person typed, whatever the spaces, colons and
// letter case.
func sameFingerprint(typed, real string) bool {
	plain := strings.NewReplacer(" ", "", ":", "", "-", "")
	return strings.EqualFold(plain.Replace(typed), plain.Replace(real))
}

// Trusts returns the domains that a domain trusts, in order of their names.
func (d *Directory) Trusts(domain string) []Trust {
	trusts := slices.Collect(d.t.trustsByDomain.Find(d.store.Snapshot(), domain))
	trusts = slices.DeleteFunc(trusts, func(t Trust) bool { return t.removed() })
	slices.SortStableFunc(trusts, func(a, b Trust) int { return cmp.Compare(foldName(a.Name), foldName(b.Name)) })
	return trusts
}

// NewTrust is what a trust is made of.
type NewTrust struct {
	Domain string // GUID of the one that is to trust
	// Name is that of the trusted domain; empty takes the organization in its
	// certificate.
	Name           string
	Certificate    []byte // of the trusted domain, in DER
	InOrganization bool
	// Fingerprint is that of the certificate, as its owner told it.
	Fingerprint string
}

// AddTrust makes the members of a domain trust those of another. It fails with
// ErrFingerprint if the fingerprint is not the certificate's, ErrTrusted,
// ErrDomainNotFound or a ValidationError.
func (d *Directory) AddTrust(ctx context.Context, n NewTrust) (Trust, error) {
	t, err := n.check()
	if err == nil {
		err = d.store.Update(ctx, func(tx *state.Tx) error {
			domain, err := d.liveDomainAt(tx, t.Domain)
			if err != nil {
				return err
			}
			if bytes.Equal(domain.Certificate, t.Certificate) {
				return fmt.Errorf("%w: it is this one", ErrTrusted)
			}
			count := 0
			for other := range d.t.trustsByDomain.Find(tx, t.Domain) {
				if other.removed() {
					continue
				}
				if count++; bytes.Equal(other.Certificate, t.Certificate) {
					return fmt.Errorf("%w as %q", ErrTrusted, other.Name)
				}
			}
			if count >= maxTrusts {
				return &ValidationError{"trusts", fmt.Sprintf("are %d already", maxTrusts)}
			}
			t.Stamp = d.stamp(tx)
			return d.t.trusts.Put(tx, t)
		})
	}
	if err != nil {
		return Trust{}, fmt.Errorf("trusting a domain: %w", err)
	}
	d.log.Info("domain trusted", "domain", t.Domain, "trust", t.GUID, "name", t.Name)
	return t, nil
}

func (n NewTrust) check() (Trust, error) {
	if err := checkCertificate("certificate", n.Certificate); err != nil {
		return Trust{}, err
	}
	if !sameFingerprint(n.Fingerprint, Fingerprint(n.Certificate)) {
		return Trust{}, ErrFingerprint
	}
	certificate, err := keys.ParseCertificate(n.Certificate)
	if err != nil {
		return Trust{}, err
	}
	subject := certificate.Name()
	name := cmp.Or(strings.TrimSpace(n.Name), subject.Organization, subject.OrganizationalUnit, subject.CommonName)
	return Trust{
		GUID: newGUID(), Domain: n.Domain, Name: name, Certificate: n.Certificate, InOrganization: n.InOrganization,
	}, checkRequired("name", name, maxText)
}

// RemoveTrust ends a trust. Clients are told to give up its object.
func (d *Directory) RemoveTrust(ctx context.Context, guid string) (Trust, error) {
	var t Trust
	err := d.store.Update(ctx, func(tx *state.Tx) error {
		var ok bool
		if t, ok = d.t.trusts.Get(tx, guid); !ok || t.removed() {
			return fmt.Errorf("%w: %q", ErrTrustNotFound, guid)
		}
		if _, err := d.liveDomainAt(tx, t.Domain); err != nil {
			return err
		}
		t.Removed = d.now().UTC()
		return d.t.trusts.Put(tx, t)
	})
	if err != nil {
		return Trust{}, fmt.Errorf("ending the trust in a domain: %w", err)
	}
	d.log.Info("domain trusted no more", "domain", t.Domain, "trust", guid, "name", t.Name)
	return t, nil
}
