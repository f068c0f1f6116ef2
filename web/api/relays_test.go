package api

import (
	"context"
	"testing"
	"time"

	"furrow/relay/registry"
	"furrow/web/access"
	"furrow/web/boxtest"
)

// managedRelay is the relay of a box of which only the facts matter.
type managedRelay struct {
	RelayBox
	registry *registry.Registry
}

func (m managedRelay) Registry() *registry.Registry { return m.registry }

func (managedRelay) AssignToEmptySets(context.Context) error { return nil }

// TestRelays holds the answers about relays against the OpenAPI document, too.
func TestRelays(t *testing.T) {
	box := boxtest.New(t, time.Now)
	ctx := t.Context()
	own, err := box.Registry.EnsureIdentity(ctx, "grooveDNS://groove.example.com", "http://groove.example.com/SOAP")
	ok(t, err)
	_, err = box.Links.EnsureIdentity(ctx, "Contoso")
	ok(t, err)
	handler := NewHandler(Config{
		Directory: box.Directory, Store: box.Store, Links: box.Links, Relay: managedRelay{registry: box.Registry}, Actions: box.Actions, Log: box.Log,
	})
	client := NewClientOf(conforming(t, handler), access.Actor{Name: "ann", Role: access.Server})
	if relays, err := client.Relays(ctx); err != nil || len(relays) != 0 {
		t.Errorf("before: %+v, %v", relays, err)
	}
	known, err := client.ImportRelay(ctx, File{Content: own.Encode()})
	if err != nil || !known.Own || known.State != "waiting" || known.Users != 0 {
		t.Fatalf("its own: %+v, %v", known, err)
	}
	// Its own relay's settings are known before any are set.
	if s := known.Settings; s == nil || s.DeviceLifetimeDays != registry.DefaultSettings().DeviceLifetime || s.QuotaEnabled {
		t.Errorf("its own settings: %+v", s)
	}
	wanted := RelayDefaults{DeviceLifetimeDays: 1, IdentityLifetimeDays: 2, DeviceQuotaMB: 3, IdentityQuotaMB: 4, QuotaEnabled: true}
	if changed, err := client.SetRelayDefaults(ctx, known.GUID, wanted); err != nil || changed.Settings == nil || *changed.Settings != wanted {
		t.Errorf("set: %+v, %v", changed, err)
	}
	office, err := client.CreateDomain(ctx, NewDomain{Name: "Office"})
	ok(t, err)
	set, err := client.CreateRelaySet(ctx, NewRelaySet{Domain: office.GUID, Name: "South"})
	ok(t, err)
	if set, err = client.RenameRelaySet(ctx, set.GUID, "North"); err != nil || set.Name != "North" {
		t.Errorf("renamed: %+v, %v", set, err)
	}
	if was, err := client.DeleteRelaySet(ctx, set.GUID); err != nil || was.Name != "North" {
		t.Errorf("deleted: %+v, %v", was, err)
	}
	if sets, err := client.RelaySets(ctx, office.GUID); err != nil || len(sets) != 1 || !sets[0].Default {
		t.Errorf("sets that are left: %+v, %v", sets, err)
	} else if _, err := client.DeleteRelaySet(ctx, sets[0].GUID); !refusedAs(err, "conflict") {
		t.Errorf("the default one: %v", err)
	}
	if _, err := client.SetRelayDefaults(ctx, "none", wanted); !refusedAs(err, "notFound") {
		t.Errorf("of none: %v", err)
	}
}
