package directory

import (
	"errors"
	"strings"
	"testing"
	"time"

	"furrow/appliance/keys"
)

func TestCreateDomain(t *testing.T) {
	f := newFixture(t)
	created, err := f.CreateDomain(t.Context(), "Contoso", "Contoso Ltd.")
	must(t, err)
	f.reopen(t)

	domain, err := f.Domain(created.GUID)
	must(t, err)
	if domain.Name != "Contoso" || domain.Organization != "Contoso Ltd." {
		t.Errorf("name %q, organization %q", domain.Name, domain.Organization)
	}
	set, err := f.DomainKeys(domain.GUID)
	must(t, err)
	for _, c := range []struct {
		name    string
		der     []byte
		matches bool
	}{
		{"domain certificate", domain.Certificate, true},
		{"data recovery certificate", domain.RecoveryCertificate, false},
	} {
		certificate, err := keys.ParseCertificate(c.der)
		must(t, err)
		if set.Matches(certificate) != c.matches {
			t.Errorf("domain keys match the %s: %v, want %v", c.name, !c.matches, c.matches)
		}
		if n := certificate.Name(); n.Organization != "Contoso Ltd." || n.OrganizationalUnit != "Contoso Ltd." {
			t.Errorf("%s is of %+v", c.name, n)
		}
		if lead := f.now.Sub(certificate.NotBefore()); lead != certificateLead {
			t.Errorf("%s is valid for %v already, want %v", c.name, lead, certificateLead)
		}
	}
	row, _ := f.t.domains.Get(f.store.Snapshot(), domain.GUID)
	recovery, err := f.vault.Open(recoveryKeysPurpose(domain.GUID), row.SealedRecoveryKeys)
	must(t, err)
	recoverySet, err := keys.ParseKeySet(recovery)
	must(t, err)
	certificate, err := keys.ParseCertificate(domain.RecoveryCertificate)
	must(t, err)
	if !recoverySet.Matches(certificate) {
		t.Error("sealed recovery keys are not those of the recovery certificate")
	}

	identity, err := f.IdentityTemplate(domain.IdentityTemplate)
	must(t, err)
	device, err := f.DeviceTemplate(domain.DeviceTemplate)
	must(t, err)
	sets := f.RelaySets(domain.GUID)
	if len(sets) != 1 || sets[0].GUID != domain.RelaySet || len(sets[0].Relays) != 0 {
		t.Errorf("relay sets %+v, want the default one without relays", sets)
	}
	if identity.Domain != domain.GUID || device.Domain != domain.GUID {
		t.Errorf("templates are of domains %q and %q", identity.Domain, device.Domain)
	}
}

func TestCreateDomainRefuses(t *testing.T) {
	f := newFixture(t)
	f.domain(t, "Contoso")
	before := f.sets
	for _, c := range []struct {
		name, domain, organization string
		want                       error
	}{
		{"taken name", "Contoso", "", ErrNameTaken},
		{"taken name in other letters", "CONTOSO", "", ErrNameTaken},
		{"no name", "", "", ErrInvalid},
		{"long name", strings.Repeat("x", maxDomainName+1), "", ErrInvalid},
		{"control character", "Con\ttoso", "", ErrInvalid},
		{"long organization", "Fabrikam", strings.Repeat("x", maxOrganization+1), ErrInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := f.CreateDomain(t.Context(), c.domain, c.organization); !errors.Is(err, c.want) {
				t.Errorf("error is %v, want %v", err, c.want)
			}
		})
	}
	if f.sets != before {
		t.Error("keys were made for a domain that could not be")
	}
	if n := len(f.Domains()); n != 1 {
		t.Errorf("there are %d domains", n)
	}
}

func TestCreateDomainWithoutServerURL(t *testing.T) {
	f := openFixture(t, t.TempDir())
	defer f.close(t)
	if _, err := f.CreateDomain(t.Context(), "Contoso", ""); !errors.Is(err, ErrNoServerURL) {
		t.Errorf("error is %v, want %v", err, ErrNoServerURL)
	}
	if _, err := f.ServerURL(); !errors.Is(err, ErrNoServerURL) {
		t.Errorf("ServerURL: %v, want %v", err, ErrNoServerURL)
	}
}

// TestCreateDomainTwiceAtOnce makes a name be taken while keys are being made.
func TestCreateDomainTwiceAtOnce(t *testing.T) {
	f := newFixture(t)
	generate := f.generateKeys
	f.generateKeys = func() (*keys.KeySet, error) {
		f.generateKeys = generate
		f.domain(t, "contoso")
		return generate()
	}
	if _, err := f.CreateDomain(t.Context(), "Contoso", ""); !errors.Is(err, ErrNameTaken) {
		t.Errorf("error is %v, want %v", err, ErrNameTaken)
	}
	templates := 0
	for range f.t.identityTemplates.All(f.store.Snapshot()) {
		templates++
	}
	if templates != 1 {
		t.Errorf("%d identity templates, want that of the one domain", templates)
	}
}

func TestFindDomain(t *testing.T) {
	f := newFixture(t)
	b, a := f.domain(t, "beta"), f.domain(t, "Alpha")
	for _, ref := range []string{a.GUID, "Alpha", "ALPHA"} {
		if found, err := f.FindDomain(ref); err != nil || found.GUID != a.GUID {
			t.Errorf("FindDomain(%q) = %q, %v", ref, found.GUID, err)
		}
	}
	if _, err := f.FindDomain("gamma"); !errors.Is(err, ErrDomainNotFound) {
		t.Errorf("unknown domain: %v", err)
	}
	if all := f.Domains(); len(all) != 2 || all[0].GUID != a.GUID || all[1].GUID != b.GUID {
		t.Errorf("domains are not in order of names: %+v", all)
	}
}

func TestRenameDomain(t *testing.T) {
	f := newFixture(t)
	a := f.domain(t, "Alpha")
	f.domain(t, "Beta")
	if _, err := f.RenameDomain(t.Context(), a.GUID, "BETA"); !errors.Is(err, ErrNameTaken) {
		t.Errorf("taken name: %v", err)
	}
	if _, err := f.RenameDomain(t.Context(), "nowhere", "Gamma"); !errors.Is(err, ErrDomainNotFound) {
		t.Errorf("unknown domain: %v", err)
	}
	renamed, err := f.RenameDomain(t.Context(), a.GUID, "ALPHA") // its own name in other letters
	must(t, err)
	again, err := f.RenameDomain(t.Context(), a.GUID, "ALPHA")
	must(t, err)
	if renamed.Stamp <= a.Stamp || again.Stamp != renamed.Stamp {
		t.Errorf("stamps %d, %d, %d: want a rise, then none", a.Stamp, renamed.Stamp, again.Stamp)
	}
}

func TestCreateDomainDefaultsOrganization(t *testing.T) {
	f := newFixture(t)
	f.now = f.now.Add(time.Hour)
	if domain := f.domain(t, "Contoso"); domain.Organization != "Contoso" || !domain.Created.Equal(f.now) {
		t.Errorf("organization %q, created %v", domain.Organization, domain.Created)
	}
}
