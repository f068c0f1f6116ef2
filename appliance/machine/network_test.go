package machine

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"furrow/appliance/network"
	"furrow/appliance/network/networktest"
	"furrow/appliance/setting"
	"furrow/appliance/update"
)

// attended is a machine whose steward acts on a host of networktest. done hears of each order when all of it is.
func attended(t *testing.T) (*Machine, *networktest.Machine, chan error) {
	t.Helper()
	host := networktest.New(t, slog.New(slog.DiscardHandler))
	steward := &Steward{Network: host.Host}
	done := make(chan error, 1)
	return New(waiting(t, func(conn net.Conn) { done <- steward.Attend(context.Background(), conn, conn) }), "", ""), host, done
}

func TestNetworkOrders(t *testing.T) {
	m, host, done := attended(t)
	ctx := t.Context()
	report, err := m.Network(ctx)
	if err := errors.Join(err, <-done); err != nil || report.Set.Name != "furrow" || report.Trial != nil || report.Links[0].DNS[0] != "192.0.2.53" {
		t.Errorf("%+v, %v", report, err)
	}
	host.Forget()
	office := network.Settings{Name: "office", Addresses: []string{"192.0.2.5/24"}, Search: []string{"example.com"}}
	report, err = m.TryNetwork(ctx, office)
	if err := errors.Join(err, <-done); err != nil || report.Trial == nil || !reflect.DeepEqual(report.Trial.Settings, office) || report.Trial.Seconds != 60 {
		t.Errorf("%+v, %v", report, err)
	}
	if want := []string{"restart furrow-network-trial.timer", "name office", "reload"}; !slices.Equal(host.Told(), want) {
		t.Errorf("told %q, want %q", host.Told(), want)
	}
	report, err = m.KeepNetwork(ctx)
	if err := errors.Join(err, <-done); err != nil || report.Trial != nil || !reflect.DeepEqual(report.Set, office) {
		t.Errorf("%+v, %v", report, err)
	}
	var refused *update.Refused
	_, err = m.KeepNetwork(ctx)
	if attended := <-done; !errors.Is(attended, network.ErrNoTrial) || !errors.As(err, &refused) {
		t.Errorf("%v, %v", err, attended)
	}
	host.Forget()
	report, err = m.ResetNetwork(ctx)
	if err := errors.Join(err, <-done); err != nil || report.Set.Name != "furrow" || len(report.Set.Addresses) != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if want := []string{"stop furrow-network-trial.timer", "name furrow", "reload"}; !slices.Equal(host.Told(), want) {
		t.Errorf("told %q, want %q", host.Told(), want)
	}
	clock, err := m.SetClock(ctx, network.Clock{Zone: "Europe/Berlin"})
	if err := errors.Join(err, <-done); err != nil || clock.Set.Zone != "Europe/Berlin" || clock.Server != "time.example.com" {
		t.Errorf("%+v, %v", clock, err)
	}
	if again, err := m.Clock(ctx); errors.Join(err, <-done) != nil || again.Set.Zone != "Europe/Berlin" {
		t.Errorf("%+v, %v", again, err)
	}
}

// A refusal says which setting it is about, over the socket too.
func TestNetworkRefused(t *testing.T) {
	m, host, done := attended(t)
	host.Forget()
	lists := func(text string, n int) []string { return slices.Repeat([]string{text}, n) }
	for name, c := range map[string]struct {
		field string
		s     network.Settings
	}{
		"two lines": {"hostName", network.Settings{Name: "x\nnetwork reset"}},
		"NUL":       {"hostName", network.Settings{Name: "x\x00"}},
		"many":      {"search", network.Settings{Search: append(lists("a.example", 1), lists("-", 1000)...)}},
	} {
		var refused *setting.Error
		_, err := m.TryNetwork(t.Context(), c.s)
		if attended := <-done; attended == nil || !errors.As(err, &refused) || !errors.Is(err, ErrInvalid) || refused.Field != c.field {
			t.Errorf("%s: %v, %v", name, err, attended)
		}
	}
	_, err := m.SetClock(t.Context(), network.Clock{Zone: "../../etc/passwd"})
	if attended := <-done; attended == nil || !errors.Is(err, ErrInvalid) {
		t.Errorf("%v, %v", err, attended)
	}
	if _, err := m.TryNetwork(t.Context(), network.Settings{Name: strings.Repeat("x", maxOrder)}); !errors.Is(err, ErrInvalid) {
		t.Errorf("more than an order can be: %v", err)
	}
	if told := host.Told(); len(told) != 0 {
		t.Errorf("told %q", told)
	}
	steward := &Steward{Network: host.Host}
	for _, line := range []string{"network try\n", "network try {\n", "network try []\n", "clock set 7\n", "network try " + strings.Repeat("x", 1<<20)} {
		if err := steward.Attend(t.Context(), strings.NewReader(line), io.Discard); err == nil {
			t.Errorf("%.30q is taken for an order", line)
		}
	}
	text, err := os.ReadFile(host.NetworkFile)
	if err != nil || !strings.Contains(string(text), "DHCP=yes") {
		t.Errorf("%s, %v", text, err)
	}
}

func TestNetworkElsewhere(t *testing.T) {
	m := New(t.TempDir()+"/none", "", "")
	if _, err := m.Network(t.Context()); !errors.Is(err, ErrNotImage) {
		t.Error(err)
	}
	if _, err := m.SetClock(t.Context(), network.Clock{}); !errors.Is(err, ErrNotImage) {
		t.Error(err)
	}
}
