package directory

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"

	"furrow/appliance/keys"
	"furrow/appliance/state"
)

// defaultName is the name of the templates and the relay set that a domain
// begins with.
const defaultName = "Default"

// maxCertificate bounds a relay's certificate, in bytes of DER. Ours have less
// than two thousand.
const maxCertificate = 8 << 10

// Relay is a relay server known to the management server (MS-GRVSPCM 3.2.1).
// It serves the members of the sets that name it.
type Relay struct {
	GUID string `json:"guid"`
	RelayDetails
	Stamp int64 `json:"stamp"`
}

// RelayDetails is what a relay's registration file says (MS-GRVSPCM 3.2.5.1.3).
type RelayDetails struct {
	// DeviceURL has the form grooveDNS://hostname.
	DeviceURL string `json:"deviceURL"`
	// SOAPURL is the HTTP address at which the management server finds it.
	SOAPURL string `json:"soapURL"`
	// SSTPCertificate and SOAPCertificate are DER.
	SSTPCertificate []byte `json:"sstpCertificate"`
	SOAPCertificate []byte `json:"soapCertificate"`
}

func (r RelayDetails) equal(o RelayDetails) bool {
	return r.DeviceURL == o.DeviceURL && r.SOAPURL == o.SOAPURL &&
		slices.Equal(r.SSTPCertificate, o.SSTPCertificate) && slices.Equal(r.SOAPCertificate, o.SOAPCertificate)
}

func (r RelayDetails) check() error {
	return cmp.Or(
		checkAddress("deviceURL", r.DeviceURL, "grooveDNS://", "groovedns"),
		checkAddress("soapURL", r.SOAPURL, "http://", "http", "https"),
		checkCertificate("sstpCertificate", r.SSTPCertificate),
		checkCertificate("soapCertificate", r.SOAPCertificate),
	)
}

func checkAddress(field, address, form string, schemes ...string) error {
	if err := checkOpaque(field, address, maxURL); err != nil {
		return err
	}
	u, err := url.Parse(address)
	if err != nil || !slices.Contains(schemes, u.Scheme) || u.Hostname() == "" || u.User != nil {
		return &ValidationError{field, "is not of the form " + form + "hostname"}
	}
	return nil
}

func checkCertificate(field string, der []byte) error {
	if len(der) > maxCertificate {
		return &ValidationError{field, fmt.Sprintf("is longer than %d bytes", maxCertificate)}
	}
	if _, err := keys.ParseCertificate(der); err != nil {
		return &ValidationError{field, "is not a Groove certificate: " + err.Error()}
	}
	return nil
}

// Relays returns all relays in order of their GUIDs.
func (d *Directory) Relays() []Relay {
	return slices.Collect(d.t.relays.All(d.store.Snapshot()))
}

// CreateRelay adds a relay, which serves nobody until a set names it.
func (d *Directory) CreateRelay(ctx context.Context, details RelayDetails) (Relay, error) {
	if err := details.check(); err != nil {
		return Relay{}, fmt.Errorf("creating relay: %w", err)
	}
	relay := Relay{GUID: newGUID(), RelayDetails: details}
	err := d.store.Update(ctx, func(tx *state.Tx) error {
		relay.Stamp = d.stamp(tx)
		return d.t.relays.Put(tx, relay)
	})
	if err != nil {
		return Relay{}, fmt.Errorf("creating relay: %w", err)
	}
	d.log.Info("relay created", "relay", relay.GUID, "url", relay.DeviceURL)
	return relay, nil
}

// UpdateRelay replaces a relay's details; the identity objects of the members
// it serves are regenerated (MS-GRVSPCM 3.2.5.1.3).
func (d *Directory) UpdateRelay(ctx context.Context, guid string, details RelayDetails) (Relay, error) {
	if err := details.check(); err != nil {
		return Relay{}, fmt.Errorf("updating relay %s: %w", guid, err)
	}
	var relay Relay
	err := d.store.Update(ctx, func(tx *state.Tx) error {
		var ok bool
		if relay, ok = d.t.relays.Get(tx, guid); !ok {
			return ErrRelayNotFound
		}
		if relay.RelayDetails.equal(details) {
			return nil
		}
		relay.RelayDetails, relay.Stamp = details, d.stamp(tx)
		return d.t.relays.Put(tx, relay)
	})
	if err != nil {
		return Relay{}, fmt.Errorf("updating relay %s: %w", guid, err)
	}
	d.log.Info("relay updated", "relay", guid, "url", details.DeviceURL)
	return relay, nil
}
