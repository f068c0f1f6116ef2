package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"furrow/appliance/machine"
	"furrow/appliance/network"
	"furrow/appliance/network/networktest"
	"furrow/appliance/sockettest"
)

// TestMachineNetwork has a machine's network and clock set by the interface, with a steward that acts on a folder.
func TestMachineNetwork(t *testing.T) {
	client, _, box := serveBox(t)
	ctx := t.Context()
	host := networktest.New(t, slog.New(slog.DiscardHandler))
	steward := machine.Steward{Network: host.Host}
	sockettest.Serve(t, filepath.Join(box.Dir, "steward"), func(conn net.Conn) { _ = steward.Attend(context.Background(), conn, conn) }) // its answer says it

	office := network.Settings{Name: "office", Addresses: []string{"192.0.2.5/24"}}
	report, err := client.TryNetwork(ctx, office)
	if err != nil || report.Trial == nil || report.Trial.Settings.Name != "office" || report.Set.Name != "furrow" {
		t.Errorf("%+v, %v", report, err)
	}
	if report, err = client.KeepNetwork(ctx); err != nil || report.Set.Name != "office" {
		t.Errorf("%+v, %v", report, err)
	}
	if told := host.Told(); !slices.Contains(told, "name office") { // before the next order was attended to
		t.Errorf("told %q", told)
	}
	var refusal *Error
	if _, err := client.KeepNetwork(ctx); !errors.As(err, &refusal) || refusal.Code != "refused" {
		t.Errorf("nothing to keep: %v", err)
	}
	for field, settings := range map[string]network.Settings{
		"hostName":  {Name: "a\nb"},
		"addresses": {Addresses: []string{"192.0.2.5/24", "192.0.2.6/33"}},
		"gateways":  {Gateways: []string{"192.0.2.1"}},
	} {
		if _, err := client.TryNetwork(ctx, settings); !errors.As(err, &refusal) || refusal.Code != "invalid" || refusal.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := client.TryNetwork(ctx, network.Settings{Name: strings.Repeat("x", 100_000)}); !errors.As(err, &refusal) || refusal.Code != "invalid" {
		t.Errorf("more than an order can be: %v", err)
	}
	if _, err := client.SetClock(ctx, network.Clock{Zone: "../../etc/passwd"}); !errors.As(err, &refusal) || refusal.Field != "zone" {
		t.Errorf("a zone outside: %v", err)
	}
	clock, err := client.SetClock(ctx, network.Clock{Zone: "Europe/Berlin", Servers: []string{"time.example.com"}})
	if err != nil || clock.Set.Zone != "Europe/Berlin" || !clock.Synchronized {
		t.Errorf("%+v, %v", clock, err)
	}
	if report, err = client.ResetNetwork(ctx); err != nil || report.Set.Name != "furrow" {
		t.Errorf("%+v, %v", report, err)
	}
}
