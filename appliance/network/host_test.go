package network_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"furrow/appliance/network"
	"furrow/appliance/network/networktest"
	"furrow/appliance/setting"
)

// machine is one with its log.
type machine struct {
	*networktest.Machine
	log strings.Builder
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := new(machine)
	m.Machine = networktest.New(t, slog.New(slog.NewTextHandler(&m.log, nil)))
	m.Forget()
	return m
}

func (m *machine) inForce(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(m.NetworkFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func fixed() network.Settings {
	return network.Settings{Name: "office", Addresses: []string{"192.0.2.5/24"}, Gateways: []string{"192.0.2.1"}}
}

// try begins a trial and brings it in force.
func (m *machine) try(t *testing.T, s network.Settings) {
	t.Helper()
	if err := errors.Join(m.Try(t.Context(), s), m.Apply(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func TestNobodyConfirms(t *testing.T) {
	m := newMachine(t)
	before := m.inForce(t)
	m.try(t, fixed())
	want := []string{"restart furrow-network-trial.timer", "name office", "reload"}
	if !slices.Equal(m.Told(), want) {
		t.Errorf("told %q, want %q", m.Told(), want)
	}
	if !strings.Contains(m.inForce(t), "Address=192.0.2.5/24\n") {
		t.Error(m.inForce(t))
	}
	m.Pass(network.TrialTime - time.Millisecond)
	if r, err := m.Report(t.Context()); err != nil || r.Trial == nil || r.Trial.Seconds != 1 || r.Set.Name != "furrow" {
		t.Errorf("%+v, %v", r, err)
	}
	if err := m.Return(t.Context()); err != nil || !strings.Contains(m.inForce(t), "192.0.2.5") {
		t.Errorf("back too early: %v", err)
	}
	m.Pass(time.Millisecond)
	if err := m.Keep(t.Context()); !errors.Is(err, network.ErrNoTrial) {
		t.Errorf("confirmed too late: %v", err)
	}
	failed := errors.New("no bus")
	m.Fail(failed)
	if err := m.Return(t.Context()); !errors.Is(err, failed) {
		t.Errorf("%v", err)
	}
	m.Fail(nil)
	m.Forget()
	if err := m.Return(t.Context()); err != nil || m.inForce(t) != before { // as systemd starts it again
		t.Errorf("%v\n%s", err, m.inForce(t))
	}
	if want := []string{"name furrow", "reload"}; !slices.Equal(m.Told(), want) {
		t.Errorf("told %q, want %q", m.Told(), want)
	}
	if err := errors.Join(m.Return(t.Context()), m.Return(t.Context())); err != nil || len(m.Told()) != 2 {
		t.Errorf("a return from nothing: %v, %q", err, m.Told())
	}
	if err := m.Keep(t.Context()); !errors.Is(err, network.ErrNoTrial) {
		t.Errorf("confirmed after the return: %v", err)
	}
}

func TestConfirmed(t *testing.T) {
	m := newMachine(t)
	m.try(t, fixed())
	m.Forget()
	if err := m.Keep(t.Context()); err != nil || !slices.Equal(m.Told(), []string{"stop furrow-network-trial.timer"}) {
		t.Errorf("%v, %q", err, m.Told())
	}
	m.Pass(time.Hour)
	if err := m.Return(t.Context()); err != nil || !strings.Contains(m.inForce(t), "192.0.2.5") { // a timer that went on
		t.Errorf("%v\n%s", err, m.inForce(t))
	}
	m.Start(t)
	if !strings.Contains(m.inForce(t), "192.0.2.5") || !slices.Equal(m.Told(), []string{"name office"}) {
		t.Errorf("after a restart %q\n%s", m.Told(), m.inForce(t))
	}
	m.Forget()
	if err := errors.Join(m.Reset(t.Context()), m.Apply(t.Context())); err != nil || !strings.Contains(m.inForce(t), "DHCP=yes") {
		t.Errorf("%v\n%s", err, m.inForce(t))
	}
	if want := []string{"stop furrow-network-trial.timer", "name furrow", "reload"}; !slices.Equal(m.Told(), want) {
		t.Errorf("told %q, want %q", m.Told(), want)
	}
}

func TestRestartDuringTrial(t *testing.T) {
	m := newMachine(t)
	before := m.inForce(t)
	m.try(t, fixed())
	m.Start(t)
	if m.inForce(t) != before {
		t.Error(m.inForce(t))
	}
	if err := m.Keep(t.Context()); !errors.Is(err, network.ErrNoTrial) {
		t.Error(err)
	}
}

// A second trial has its full time, and returns to what is kept and not to the first.
func TestSecondTrial(t *testing.T) {
	m := newMachine(t)
	before := m.inForce(t)
	m.try(t, fixed())
	m.Pass(50 * time.Second)
	m.try(t, network.Settings{Name: "other"})
	m.Pass(50 * time.Second)
	if err := m.Return(t.Context()); err != nil || m.Told()[len(m.Told())-2] != "name other" {
		t.Errorf("%v, %q", err, m.Told())
	}
	m.Pass(10 * time.Second)
	if err := m.Return(t.Context()); err != nil || m.inForce(t) != before {
		t.Errorf("%v\n%s", err, m.inForce(t))
	}
}

func TestRefusedTrialChangesNothing(t *testing.T) {
	m := newMachine(t)
	var refused *setting.Error
	if err := m.Try(t.Context(), network.Settings{Name: "a b"}); !errors.As(err, &refused) || len(m.Told()) != 0 {
		t.Errorf("%v, %q", err, m.Told())
	}
	if err := m.SetClock(t.Context(), network.Clock{Zone: "../../etc/passwd"}); !errors.As(err, &refused) || len(m.Told()) != 0 {
		t.Errorf("%v, %q", err, m.Told())
	}
}

func TestDamagedSettings(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "half": `{"hostName":"office","addr`, "another type": `{"addresses":7,"timeServers":7}`, "hostile": `{"hostName":"x\ny","zone":"../x"}`,
		"endless": `{"hostName":"` + strings.Repeat("x", 1<<20) + `"}`, "NUL": "\x00\x00\x00",
	} {
		m := newMachine(t)
		if err := errors.Join(
			os.WriteFile(filepath.Join(m.Kept, "network.json"), []byte(text), 0o600),
			os.WriteFile(filepath.Join(m.Kept, "clock.json"), []byte(text), 0o600),
		); err != nil {
			t.Fatal(err)
		}
		m.Start(t)
		if !strings.Contains(m.inForce(t), "DHCP=yes") || !slices.Equal(m.Told(), []string{"name furrow"}) {
			t.Errorf("%s: %q\n%s", name, m.Told(), m.inForce(t))
		}
		if !strings.Contains(m.log.String(), "cannot be used: DHCP") {
			t.Errorf("%s: the log has %s", name, m.log.String())
		}
		r, err := m.Report(t.Context())
		c, err2 := m.ClockReport(t.Context())
		if err != nil || err2 != nil || r.Damage == "" || len(r.Damage) > 1000 || c.Damage == "" {
			t.Errorf("%s: %+v, %v, %+v, %v", name, r, err, c, err2)
		}
	}
}

func TestClock(t *testing.T) {
	m := newMachine(t)
	zone := func() string {
		link, err := os.Readlink(filepath.Join(m.Run, "localtime"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimPrefix(link, m.Zones)
	}
	if zone() != "/Etc/UTC" {
		t.Errorf("a new box is in %s", zone())
	}
	want := network.Clock{Servers: []string{"time.example.com", "192.0.2.123"}, Zone: "Europe/Berlin"}
	if err := m.SetClock(t.Context(), want); err != nil || !slices.Equal(m.Told(), []string{"restart systemd-timesyncd.service"}) {
		t.Errorf("%v, %q", err, m.Told())
	}
	for _, when := range []string{"at once", "after a restart"} {
		text, err := os.ReadFile(m.TimeFile)
		if err != nil || !strings.HasSuffix(string(text), "\n[Time]\nNTP=time.example.com 192.0.2.123\n") || zone() != "/Europe/Berlin" {
			t.Errorf("%s: %v, %s, %s", when, err, text, zone())
		}
		m.Start(t)
	}
	r, err := m.ClockReport(t.Context())
	if err != nil || !reflect.DeepEqual(r.Set, want) || !r.Synchronized || !slices.Equal(r.Zones, []string{"Etc/UTC", "Europe/Berlin", "UTC"}) {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestZonesOfThisMachine(t *testing.T) {
	zones, err := network.Zones("/usr/share/zoneinfo")
	if errors.Is(err, os.ErrNotExist) {
		t.Log("this machine has no list of time zones")
		return
	}
	if err != nil || len(zones) < 400 || !slices.Contains(zones, "Europe/Berlin") || !slices.Contains(zones, "UTC") {
		t.Errorf("%d zones, %v", len(zones), err)
	}
}

func TestTemperatures(t *testing.T) {
	dir := t.TempDir()
	if got := network.Temperatures(dir); len(got) != 0 {
		t.Errorf("without sensors: %v", got)
	}
	write := func(path, text string) {
		path = filepath.Join(dir, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	write("thermal/thermal_zone0/type", "cpu-thermal\n")
	write("thermal/thermal_zone0/temp", "48312\n")
	if got, want := network.Temperatures(dir), []network.Temperature{{"cpu-thermal", 48.312}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	write("hwmon/hwmon0/name", "coretemp\n")
	write("hwmon/hwmon0/temp1_label", "Core 0\n")
	write("hwmon/hwmon0/temp1_input", "51000\n")
	write("hwmon/hwmon0/temp2_input", "broken\n")
	if got, want := network.Temperatures(dir), []network.Temperature{{"coretemp Core 0", 51}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
