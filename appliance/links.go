package appliance

import (
	"context"
	"net/http"

	"furrow/appliance/keys"
	"furrow/gms/directory"
	"furrow/gms/relaylink"
	"furrow/relay/admin"
)

// openLinks makes the management server's way to the relays of its directory, wherever they are. The directory must
// have its server URL.
func (a *Appliance) openLinks(ctx context.Context, tables *relaylink.Tables, vault *keys.Vault) error {
	a.links = relaylink.New(relaylink.Config{
		Store: a.store, Tables: tables, Directory: a.directory, Vault: vault, Now: a.opts.Now, Log: a.opts.Log,
		GenerateKeys: keys.GenerateKeySet,
		Transport:    a.relayTransport,
	})
	_, err := a.links.EnsureIdentity(ctx, "")
	return err
}

// membersChanged has relays told at once of members that came, went or changed.
func (a *Appliance) membersChanged() {
	if a.links != nil {
		a.links.Nudge()
	}
}

// relayTransport carries management requests to a relay: in memory to the one on this box.
func (a *Appliance) relayTransport(to directory.Relay) http.RoundTripper {
	if a.relay != nil && to.GUID == a.relay.guid {
		return admin.Transport{Handler: a.relay.admin}
	}
	return http.DefaultTransport
}
