package directory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
)

// Domain is a management domain (MS-GRVSPCM 3.2.1). It never uses enterprise
// PKI: the management server signs its members' contacts.
type Domain struct {
	GUID string `json:"guid"`
	// Name is unique in the directory, whatever its letter case.
	Name string `json:"name"`
	// Organization is the certification authority name in both certificates.
	Organization string `json:"organization"`
	// Certificate and RecoveryCertificate are DER.
	Certificate         []byte `json:"certificate"`
	RecoveryCertificate []byte `json:"recoveryCertificate"`
	// Expires is the end of the domain certificate, and of the contacts that
	// it signs.
	Expires time.Time `json:"expires"`
	// What members and devices without templates and relay set of their own
	// use: the IPG, DPG and RSG GUIDs.
	IdentityTemplate string `json:"identityTemplate"`
	DeviceTemplate   string `json:"deviceTemplate"`
	RelaySet         string `json:"relaySet"`
	// The stamps of their last change.
	IdentityTemplateStamp int64     `json:"identityTemplateStamp,omitempty"`
	DeviceTemplateStamp   int64     `json:"deviceTemplateStamp,omitempty"`
	RelaySetStamp         int64     `json:"relaySetStamp,omitempty"`
	Created               time.Time `json:"created"`
	// Hidden marks a domain of the box's own, such as one of a self-test: lists
	// leave it out, and of its deletion nothing remains.
	Hidden bool `json:"hidden,omitempty"`
	// Deleted is when the domain was deleted, zero for one that is in use.
	Deleted time.Time `json:"deleted,omitzero"`
	// Stamp is the time of the last change, in milliseconds since 1970.
	Stamp int64 `json:"stamp"`
}

type domainRow struct {
	Domain
	SealedKeys         []byte `json:"sealedKeys"`
	SealedRecoveryKeys []byte `json:"sealedRecoveryKeys"`
}

func domainKeysPurpose(guid string) string   { return "domain keys/" + guid }
func recoveryKeysPurpose(guid string) string { return "recovery keys/" + guid }

// certificateLead is how far before its making a certificate becomes valid:
// clients whose clocks are behind this box's must not find it in the future.
const certificateLead = 24 * time.Hour

func (r *Domain) deleted() bool { return !r.Deleted.IsZero() }

// Domain returns the domain with this GUID, be it deleted or not, or
// ErrDomainNotFound.
func (d *Directory) Domain(guid string) (Domain, error) {
	row, err := d.domainAt(d.store.Snapshot(), guid)
	return row.Domain, err
}

// FindDomain returns the domain with this GUID or name, whatever the name's
// letter case, or ErrDomainNotFound. Deleted domains are not found.
func (d *Directory) FindDomain(guidOrName string) (Domain, error) {
	view := d.store.Snapshot()
	if row, err := d.liveDomainAt(view, guidOrName); err == nil {
		return row.Domain, nil
	}
	row, ok := d.t.domainsByName.First(view, foldName(guidOrName))
	if !ok {
		return Domain{}, fmt.Errorf("%w: %q", ErrDomainNotFound, guidOrName)
	}
	return row.Domain, nil
}

// Domains returns all domains that are not deleted, the hidden ones too, in
// order of their names.
func (d *Directory) Domains() []Domain {
	return slices.DeleteFunc(d.AllDomains(), func(domain Domain) bool { return domain.deleted() })
}

// AllDomains returns all domains, the deleted ones too, in order of their names.
func (d *Directory) AllDomains() []Domain {
	var domains []Domain
	for row := range d.t.domains.All(d.store.Snapshot()) {
		domains = append(domains, row.Domain)
	}
	slices.SortStableFunc(domains, func(a, b Domain) int {
		return cmp.Compare(foldName(a.Name), foldName(b.Name))
	})
	return domains
}

func (d *Directory) domainAt(r state.Reader, guid string) (domainRow, error) {
	row, ok := d.t.domains.Get(r, guid)
	if !ok {
		return domainRow{}, fmt.Errorf("%w: %q", ErrDomainNotFound, guid)
	}
	return row, nil
}

// liveDomainAt is domainAt for whoever wants to change something in the domain.
func (d *Directory) liveDomainAt(r state.Reader, guid string) (domainRow, error) {
	row, err := d.domainAt(r, guid)
	if err == nil && row.deleted() {
		return domainRow{}, fmt.Errorf("%w: %q is deleted", ErrDomainNotFound, guid)
	}
	return row, err
}

// CreateDomain makes a domain with its two certificates, default policy
// templates and an empty default relay set (MS-GRVSPCM 3.2.3, 3.2.5.1.3). An
// empty organization becomes the name. It makes four RSA keys, which takes
// seconds on a small machine. It fails with ErrNameTaken, ErrNoServerURL or a
// ValidationError.
func (d *Directory) CreateDomain(ctx context.Context, name, organization string) (Domain, error) {
	return d.createDomain(ctx, name, organization, false)
}

// CreateHiddenDomain is CreateDomain for a domain of the box's own, see
// Domain.Hidden.
func (d *Directory) CreateHiddenDomain(ctx context.Context, name, organization string) (Domain, error) {
	return d.createDomain(ctx, name, organization, true)
}

func (d *Directory) createDomain(ctx context.Context, name, organization string, hidden bool) (Domain, error) {
	row, err := d.newDomain(name, cmp.Or(organization, name))
	if err != nil {
		return Domain{}, fmt.Errorf("creating domain %q: %w", name, err)
	}
	row.Hidden = hidden
	err = d.store.Update(ctx, func(tx *state.Tx) error {
		if _, err := d.serverAt(tx); err != nil {
			return err
		}
		row.Stamp = d.stamp(tx)
		identity := newIdentityTemplate(row.GUID, defaultName, DefaultIdentitySettings(), row.Stamp)
		device := newDeviceTemplate(row.GUID, defaultName, DefaultDeviceSettings(), row.Stamp)
		relays := RelaySet{GUID: newGUID(), Domain: row.GUID, Name: defaultName, Stamp: row.Stamp}
		row.IdentityTemplate, row.DeviceTemplate, row.RelaySet = identity.GUID, device.GUID, relays.GUID
		return cmp.Or(
			d.t.domains.Put(tx, row),
			d.t.identityTemplates.Put(tx, identity),
			d.t.deviceTemplates.Put(tx, device),
			d.t.relaySets.Put(tx, relays),
		)
	})
	if err != nil {
		return Domain{}, fmt.Errorf("creating domain %q: %w", name, nameConflict(err))
	}
	d.log.Info("domain created", "domain", row.GUID, "name", row.Name)
	return row.Domain, nil
}

// newDomain makes the keys and certificates of a domain, before any
// transaction. It refuses early what the transaction would refuse after them.
func (d *Directory) newDomain(name, organization string) (domainRow, error) {
	if err := cmp.Or(
		checkRequired("name", name, maxDomainName),
		checkText("organization", organization, maxOrganization),
	); err != nil {
		return domainRow{}, err
	}
	view := d.store.Snapshot()
	if _, err := d.serverAt(view); err != nil {
		return domainRow{}, err
	}
	if _, taken := d.t.domainsByName.First(view, foldName(name)); taken {
		return domainRow{}, ErrNameTaken
	}

	now := d.now()
	row := domainRow{Domain: Domain{GUID: newDomainGUID(), Name: name, Organization: organization, Created: now.UTC()}}
	certificate, sealed, err := d.newCertificate(organization, now, domainKeysPurpose(row.GUID))
	if err != nil {
		return domainRow{}, fmt.Errorf("making domain certificate: %w", err)
	}
	recovery, sealedRecovery, err := d.newCertificate(organization, now, recoveryKeysPurpose(row.GUID))
	if err != nil {
		return domainRow{}, fmt.Errorf("making data recovery certificate: %w", err)
	}
	row.Certificate, row.Expires, row.SealedKeys = certificate.DER(), certificate.NotAfter(), sealed
	row.RecoveryCertificate, row.SealedRecoveryKeys = recovery.DER(), sealedRecovery
	return row, nil
}

// newCertificate makes a key set and its certificate, with the certification
// authority's name as OU and O like the sample of MS-GRVSPCM 3.1.3.
func (d *Directory) newCertificate(organization string, now time.Time, purpose string) (*keys.Certificate, []byte, error) {
	set, err := d.generateKeys()
	if err != nil {
		return nil, nil, err
	}
	certificate, err := set.Certify(
		keys.Name{OrganizationalUnit: organization, Organization: organization}, now.Add(-certificateLead))
	if err != nil {
		return nil, nil, err
	}
	plain, err := set.Marshal()
	if err != nil {
		return nil, nil, err
	}
	sealed, err := d.vault.Seal(purpose, plain)
	if err != nil {
		return nil, nil, err
	}
	return certificate, sealed, nil
}

// RenameDomain gives a domain another name. Its managed objects and its
// members' affiliations show it and are regenerated (MS-GRVSPCM 3.2.5.1.4,
// 3.2.5.1.5). The organization stays: the certificates bear it.
func (d *Directory) RenameDomain(ctx context.Context, guid, name string) (Domain, error) {
	if err := checkRequired("name", name, maxDomainName); err != nil {
		return Domain{}, fmt.Errorf("renaming domain %s: %w", guid, err)
	}
	var row domainRow
	err := d.store.Update(ctx, func(tx *state.Tx) (err error) {
		if row, err = d.liveDomainAt(tx, guid); err != nil || row.Name == name {
			return err
		}
		row.Name, row.Stamp = name, d.stamp(tx)
		return d.t.domains.Put(tx, row)
	})
	if err != nil {
		return Domain{}, fmt.Errorf("renaming domain %s: %w", guid, nameConflict(err))
	}
	d.log.Info("domain renamed", "domain", guid, "name", name)
	return row.Domain, nil
}

// nameConflict names the only unique index of domains.
func nameConflict(err error) error {
	if errors.Is(err, state.ErrConflict) {
		return ErrNameTaken
	}
	return err
}

// DomainKeys returns the private keys behind a domain's certificate.
func (d *Directory) DomainKeys(guid string) (*keys.KeySet, error) {
	row, err := d.domainAt(d.store.Snapshot(), guid)
	if err != nil {
		return nil, err
	}
	return d.keySet(row)
}

func (d *Directory) keySet(row domainRow) (*keys.KeySet, error) {
	return d.keySets.get(row.GUID, func() (*keys.KeySet, error) {
		plain, err := d.vault.Open(domainKeysPurpose(row.GUID), row.SealedKeys)
		if err != nil {
			return nil, fmt.Errorf("opening keys of domain %s: %w", row.GUID, err)
		}
		set, err := keys.ParseKeySet(plain)
		if err != nil {
			return nil, fmt.Errorf("reading keys of domain %s: %w", row.GUID, err)
		}
		return set, nil
	})
}
