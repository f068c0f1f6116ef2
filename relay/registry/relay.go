package registry

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/soap/spmr"
)

// relayKey is the key of the one row about the relay, in either table.
const relayKey = "relay"

// certificateLead is how long before now a certificate begins to be valid, for
// peers whose clocks are behind.
const certificateLead = 24 * time.Hour

type relayRow struct {
	DeviceURL       string `json:"deviceURL"`
	SOAPURL         string `json:"soapURL"`
	SOAPCertificate []byte `json:"soapCertificate"`
	SSTPCertificate []byte `json:"sstpCertificate"`
	SealedSOAPKeys  []byte `json:"sealedSOAPKeys"`
	SealedSSTPKeys  []byte `json:"sealedSSTPKeys"`
}

const (
	soapKeysPurpose = "relay keys/SOAP"
	sstpKeysPurpose = "relay keys/SSTP"
)

// EnsureIdentity makes the relay's keys and certificates if there are none
// (MS-GRVSPMR 3.2.3), and new certificates of the same keys if its URLs have
// changed: their names are the URLs (reading F3). After a change managers need
// the identity again. Making four RSA keys takes seconds on a small machine.
func (r *Registry) EnsureIdentity(ctx context.Context, deviceURL, soapURL string) (*spmr.RelayIdentity, error) {
	row, known := r.t.relay.Get(r.store.Snapshot(), relayKey)
	if known && row.DeviceURL == deviceURL && row.SOAPURL == soapURL {
		return row.identity()
	}
	soapKeys, soapErr := r.relayKeys(known, row.SealedSOAPKeys, soapKeysPurpose)
	sstpKeys, sstpErr := r.relayKeys(known, row.SealedSSTPKeys, sstpKeysPurpose)
	if err := cmp.Or(soapErr, sstpErr); err != nil {
		return nil, err
	}
	row.DeviceURL, row.SOAPURL = deviceURL, soapURL
	var err error
	if row.SOAPCertificate, row.SealedSOAPKeys, err = r.certify(soapKeys, soapURL, soapKeysPurpose); err != nil {
		return nil, err
	}
	if row.SSTPCertificate, row.SealedSSTPKeys, err = r.certify(sstpKeys, deviceURL, sstpKeysPurpose); err != nil {
		return nil, err
	}
	identity, err := row.identity()
	if err != nil {
		return nil, err
	}
	if _, err := spmr.ParseRelayIdentity(identity.Encode()); err != nil {
		return nil, fmt.Errorf("relay identity of %s and %s: %w", deviceURL, soapURL, err)
	}
	if err := r.store.Update(ctx, func(tx *state.Tx) error { return r.t.relay.Put(tx, row) }); err != nil {
		return nil, fmt.Errorf("recording the relay's identity: %w", err)
	}
	r.log.Info("relay identity made", "device", deviceURL, "soap", soapURL)
	return identity, nil
}

// relayKeys returns the keys of a known relay, or new ones.
func (r *Registry) relayKeys(known bool, sealed []byte, purpose string) (*keys.KeySet, error) {
	if known {
		return r.openKeys(sealed, purpose)
	}
	set, err := r.generateKeys()
	if err != nil {
		return nil, fmt.Errorf("making the relay's keys: %w", err)
	}
	return set, nil
}

func (r *Registry) certify(set *keys.KeySet, name, purpose string) (der, sealed []byte, err error) {
	certificate, err := set.Certify(keys.Name{CommonName: name}, r.now().Add(-certificateLead))
	if err != nil {
		return nil, nil, fmt.Errorf("certifying the relay as %s: %w", name, err)
	}
	plain, err := set.Marshal()
	if err != nil {
		return nil, nil, err
	}
	sealed, err = r.vault.Seal(purpose, plain)
	return certificate.DER(), sealed, err
}

func (r *Registry) openKeys(sealed []byte, purpose string) (*keys.KeySet, error) {
	plain, err := r.vault.Open(purpose, sealed)
	if err != nil {
		return nil, fmt.Errorf("opening the relay's keys: %w", err)
	}
	return keys.ParseKeySet(plain)
}

func (row relayRow) identity() (*spmr.RelayIdentity, error) {
	soapCertificate, soapErr := keys.ParseCertificate(row.SOAPCertificate)
	sstpCertificate, sstpErr := keys.ParseCertificate(row.SSTPCertificate)
	if err := cmp.Or(soapErr, sstpErr); err != nil {
		return nil, fmt.Errorf("reading the relay's certificates: %w", err)
	}
	return &spmr.RelayIdentity{
		DeviceURL: row.DeviceURL, SOAPURL: row.SOAPURL,
		SOAPCertificate: soapCertificate, SSTPCertificate: sstpCertificate,
	}, nil
}

// RelayIdentity returns what management servers are told of the relay, or
// ErrNoIdentity.
func (r *Registry) RelayIdentity() (*spmr.RelayIdentity, error) {
	row, ok := r.t.relay.Get(r.store.Snapshot(), relayKey)
	if !ok {
		return nil, ErrNoIdentity
	}
	return row.identity()
}

// SOAPKeys returns the private keys behind the SOAP certificate, which managers
// encrypt to. It parses them; keep them.
func (r *Registry) SOAPKeys() (*keys.KeySet, error) {
	row, ok := r.t.relay.Get(r.store.Snapshot(), relayKey)
	if !ok {
		return nil, ErrNoIdentity
	}
	return r.openKeys(row.SealedSOAPKeys, soapKeysPurpose)
}

// SSTPKeys returns the private keys behind the SSTP certificate, which clients
// encrypt to. It parses them; keep them.
func (r *Registry) SSTPKeys() (*keys.KeySet, error) {
	row, ok := r.t.relay.Get(r.store.Snapshot(), relayKey)
	if !ok {
		return nil, ErrNoIdentity
	}
	return r.openKeys(row.SealedSSTPKeys, sstpKeysPurpose)
}
