package relaylink

import (
	"bytes"
	"context"
	"fmt"

	"furrow/gms/directory"
	"furrow/gms/soap/spmr"
)

// ImportRelay makes a relay known to the directory from its identity file
// (MS-GRVSPMR 3.2.3.1.1), or brings the relay up to date that has the same device
// URL or SOAP keys. It serves nobody until a relay set names it.
func (l *Links) ImportRelay(ctx context.Context, id *spmr.RelayIdentity) (directory.Relay, error) {
	details := directory.RelayDetails{
		DeviceURL:       id.DeviceURL,
		SOAPURL:         id.SOAPURL,
		SSTPCertificate: id.SSTPCertificate.DER(),
		SOAPCertificate: id.SOAPCertificate.DER(),
	}
	var relay directory.Relay
	known, err := l.sameRelay(id)
	if known == "" && err == nil {
		relay, err = l.directory.CreateRelay(ctx, details)
	} else if err == nil {
		relay, err = l.directory.UpdateRelay(ctx, known, details)
	}
	if err != nil {
		return directory.Relay{}, fmt.Errorf("importing relay %s: %w", id.DeviceURL, err)
	}
	return relay, nil
}

// sameRelay returns the GUID of the relay that id describes, "" for a new one.
func (l *Links) sameRelay(id *spmr.RelayIdentity) (string, error) {
	for _, relay := range l.directory.Relays() {
		if relay.DeviceURL == id.DeviceURL {
			return relay.GUID, nil
		}
		key, err := soapKey(relay)
		if err != nil {
			return "", err
		}
		if bytes.Equal(key.DER(), id.SOAPCertificate.EncryptionKey().DER()) {
			return relay.GUID, nil
		}
	}
	return "", nil
}

// AssignToEmptySets makes a relay that of every domain whose default relay set
// names none. A set in which an administrator has put any relay stays.
func (l *Links) AssignToEmptySets(ctx context.Context, relay string) error {
	for _, domain := range l.directory.Domains() {
		for _, set := range l.directory.RelaySets(domain.GUID) {
			if set.GUID != domain.RelaySet || len(set.Relays) > 0 {
				continue
			}
			if _, err := l.directory.AssignRelays(ctx, set.GUID, []string{relay}); err != nil {
				return fmt.Errorf("assigning relay %s to domain %s: %w", relay, domain.Name, err)
			}
		}
	}
	return nil
}
