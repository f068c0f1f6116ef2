package relaylink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/soap/spmr"
)

// managerKey is the key of the one row about the manager.
const managerKey = "manager"

const managerKeysPurpose = "relay manager identity"

// certificateLead is how long before now the certificate begins to be valid, for
// relays whose clocks are behind.
const certificateLead = 24 * time.Hour

// ErrNoIdentity: [Links.EnsureIdentity] has not been called yet.
var ErrNoIdentity = errors.New("the management server has no identity towards relays yet")

// managerRow is the management server towards relays (MS-GRVSPMR 3.3.1).
type managerRow struct {
	GUID         string `json:"guid"`
	Name         string `json:"name"`
	Organization string `json:"organization"`
	ServerURL    string `json:"serverURL"`
	Certificate  []byte `json:"certificate"` // DER
	SealedKeys   []byte `json:"sealedKeys"`
}

func (row managerRow) identity() (*spmr.ManagerIdentity, error) {
	certificate, err := keys.ParseCertificate(row.Certificate)
	if err != nil {
		return nil, fmt.Errorf("reading the manager's certificate: %w", err)
	}
	return &spmr.ManagerIdentity{
		Name: row.Name, GUID: row.GUID, Organization: row.Organization,
		ServerURL: row.ServerURL, Certificate: certificate,
	}, nil
}

// EnsureIdentity makes the manager's keys, certificate and name towards relays if
// there are none (MS-GRVSPMR 3.3.3), from the directory's server URL. They stay
// from then on: relays know the manager by them, and a new address of the server
// must not part it from relays elsewhere. An empty organization becomes the host
// name. It is called once, at the start.
func (l *Links) EnsureIdentity(ctx context.Context, organization string) (*spmr.ManagerIdentity, error) {
	if row, ok := l.t.manager.Get(l.store.Snapshot(), managerKey); ok {
		return row.identity()
	}
	row, err := l.newManager(organization)
	if err != nil {
		return nil, fmt.Errorf("making the manager's identity towards relays: %w", err)
	}
	identity, err := row.identity()
	if err != nil {
		return nil, err
	}
	if err := identity.Check(); err != nil {
		return nil, fmt.Errorf("the manager's identity towards relays: %w", err)
	}
	if err := l.store.Update(ctx, func(tx *state.Tx) error { return l.t.manager.Put(tx, row) }); err != nil {
		return nil, fmt.Errorf("recording the manager's identity towards relays: %w", err)
	}
	l.log.Info("manager identity towards relays made", "manager", row.GUID, "name", row.Name)
	return identity, nil
}

func (l *Links) newManager(organization string) (managerRow, error) {
	serverURL, err := l.directory.ServerURL()
	if err != nil {
		return managerRow{}, err
	}
	u, err := url.Parse(serverURL)
	if err != nil {
		return managerRow{}, err
	}
	set, err := l.generateKeys()
	if err != nil {
		return managerRow{}, err
	}
	// MS-GRVSPMR 3.3.3 step 2.
	certificate, err := set.Certify(keys.Name{CommonName: u.Hostname()}, l.now().Add(-certificateLead))
	if err != nil {
		return managerRow{}, err
	}
	plain, err := set.Marshal()
	if err != nil {
		return managerRow{}, err
	}
	sealed, err := l.vault.Seal(managerKeysPurpose, plain)
	return managerRow{
		// A version 4 UUID, as every GUID that the management server makes.
		GUID:         keys.NewConfigurationCode(),
		Name:         spmr.ManagerName(serverURL),
		Organization: cmp.Or(organization, u.Hostname()),
		ServerURL:    serverURL,
		Certificate:  certificate.DER(),
		SealedKeys:   sealed,
	}, err
}

// Identity returns what relays are told of the manager, or ErrNoIdentity.
func (l *Links) Identity() (*spmr.ManagerIdentity, error) {
	row, ok := l.t.manager.Get(l.store.Snapshot(), managerKey)
	if !ok {
		return nil, ErrNoIdentity
	}
	return row.identity()
}

// signer returns the manager's name and private keys. They are needed for a
// Registration only, so they are not kept open.
func (l *Links) signer() (name string, set *keys.KeySet, err error) {
	row, ok := l.t.manager.Get(l.store.Snapshot(), managerKey)
	if !ok {
		return "", nil, ErrNoIdentity
	}
	plain, err := l.vault.Open(managerKeysPurpose, row.SealedKeys)
	if err != nil {
		return "", nil, fmt.Errorf("opening the manager's keys: %w", err)
	}
	set, err = keys.ParseKeySet(plain)
	return row.Name, set, err
}
