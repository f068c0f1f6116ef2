package directory

import (
	"errors"
	"strings"
	"testing"

	"furrow/appliance/keys"
	"furrow/gms/policy"
)

// otherCertificate makes certificates that differ though the tests have few keys.
func (f *fixture) otherCertificate(t *testing.T, organization string) []byte {
	t.Helper()
	certificate, err := testSets()[0].Certify(keys.Name{Organization: organization}, f.now)
	must(t, err)
	return certificate.DER()
}

func (f *fixture) trust(t *testing.T, domain, other Domain) Trust {
	t.Helper()
	trust, err := f.AddTrust(t.Context(), NewTrust{
		Domain: domain.GUID, Name: other.Name, Certificate: other.Certificate, Fingerprint: Fingerprint(other.Certificate),
	})
	must(t, err)
	return trust
}

func TestTrust(t *testing.T) {
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	anna, bert := f.member(t, domain, "Anna"), f.member(t, domain, "Bert")
	_, err := f.CreateTemplate(t.Context(), domain.GUID, IdentityKind, "Other")
	must(t, err)
	before, err := f.MemberObjects(anna.GUID, nil)
	must(t, err)
	certificate := f.otherCertificate(t, "Fabrikam Ltd")
	typed := strings.ToUpper(strings.ReplaceAll(Fingerprint(certificate), " ", ":"))
	trust, err := f.AddTrust(t.Context(), NewTrust{Domain: domain.GUID, Certificate: certificate, InOrganization: true, Fingerprint: typed})
	must(t, err)
	f.reopen(t)
	if trust.Name != "Fabrikam Ltd" {
		t.Errorf("name %q is not from the certificate", trust.Name)
	}
	if all := f.Trusts(domain.GUID); len(all) != 1 || all[0].GUID != trust.GUID {
		t.Errorf("trusts %+v", all)
	}
	for _, m := range []Member{anna, bert} {
		objects, err := f.MemberObjects(m.GUID, held(before))
		must(t, err)
		if m.GUID == anna.GUID && len(objects) != 1 {
			t.Errorf("%d objects are new", len(objects))
		}
		o := objects[len(objects)-1]
		body, ok := f.verified(t, o).Body.(policy.DomainTrust)
		if !ok || o.GUID != trust.GUID || o.Name != "grooveDomainTrustPolicy://"+domain.GUID+"/"+trust.GUID ||
			string(body.Certificate) != string(certificate) || !body.InOrganization || body.Name != "Fabrikam Ltd" {
			t.Errorf("object %s with %+v", o.Name, body)
		}
	}

	for name, c := range map[string]struct {
		trust NewTrust
		want  error
	}{
		"again":             {NewTrust{Domain: domain.GUID, Certificate: certificate, Fingerprint: typed}, ErrTrusted},
		"itself":            {NewTrust{Domain: domain.GUID, Certificate: domain.Certificate, Fingerprint: Fingerprint(domain.Certificate)}, ErrTrusted},
		"no fingerprint":    {NewTrust{Domain: domain.GUID, Certificate: f.otherCertificate(t, "X")}, ErrFingerprint},
		"other fingerprint": {NewTrust{Domain: domain.GUID, Certificate: f.otherCertificate(t, "X"), Fingerprint: typed}, ErrFingerprint},
		"no certificate":    {NewTrust{Domain: domain.GUID, Certificate: []byte("x")}, ErrInvalid},
		"no domain":         {NewTrust{Domain: "none", Certificate: certificate, Fingerprint: typed}, ErrDomainNotFound},
	} {
		if _, err := f.AddTrust(t.Context(), c.trust); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	_, err = f.RemoveTrust(t.Context(), trust.GUID)
	must(t, err)
	if _, err := f.RemoveTrust(t.Context(), trust.GUID); !errors.Is(err, ErrTrustNotFound) {
		t.Errorf("removed twice: %v", err)
	}
	if all := f.Trusts(domain.GUID); len(all) != 0 {
		t.Errorf("trusts %+v", all)
	}
	// What was removed can be trusted again, as another object.
	again, err := f.AddTrust(t.Context(), NewTrust{Domain: domain.GUID, Certificate: certificate, Fingerprint: typed})
	if err != nil || again.GUID == trust.GUID {
		t.Errorf("again %+v, %v", again, err)
	}
}
