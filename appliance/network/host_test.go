package network

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"furrow/appliance/setting"
)

// told is a system that notes what it is told.
type told struct {
	calls  []string
	failed error // of Reload
}

func (s *told) call(what string) { s.calls = append(s.calls, what) }

func (s *told) SetName(name string) error    { s.call("name " + name); return nil }
func (s *told) Reload(context.Context) error { s.call("reload"); return s.failed }
func (s *told) Restart(_ context.Context, unit string) error {
	s.call("restart " + unit)
	return nil
}
func (s *told) Stop(_ context.Context, unit string) error { s.call("stop " + unit); return nil }
func (s *told) Links(context.Context) ([]Link, error)     { return []Link{}, nil }
func (s *told) TimeSource(context.Context) (TimeSource, error) {
	return TimeSource{Synchronized: true, Server: "time.example.com"}, nil
}

// machine is a host whose clock a test moves.
type machine struct {
	*Host
	told   *told
	uptime time.Duration
	log    strings.Builder
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	dir := t.TempDir()
	zones := filepath.Join(dir, "zoneinfo")
	if err := os.Mkdir(zones, 0o755); err != nil {
		t.Fatal(err)
	}
	list := "# version\nR E 1 o - 1\nZ Etc/UTC 0 - UTC\nZ Europe/Berlin 1 E CE%sT\n1 - CET\nL Etc/UTC UTC\nL Etc/UTC Etc/UTC\n"
	if err := os.WriteFile(filepath.Join(zones, "tzdata.zi"), []byte(list), 0o644); err != nil {
		t.Fatal(err)
	}
	m := &machine{told: new(told), uptime: time.Hour}
	m.Host = &Host{
		Kept: filepath.Join(dir, "kept"), Run: filepath.Join(dir, "run"),
		NetworkFile: filepath.Join(dir, "networkd", "10-furrow.network"), TimeFile: filepath.Join(dir, "timesyncd", "furrow.conf"),
		Zones: zones, Sensors: filepath.Join(dir, "sensors"), System: m.told, Uptime: func() time.Duration { return m.uptime },
		Now: time.Now, Log: slog.New(slog.NewTextHandler(&m.log, nil)),
	}
	if err := os.Mkdir(m.Kept, 0o700); err != nil {
		t.Fatal(err)
	}
	return m
}

// restart is the machine restarting: what is in /run is gone.
func (m *machine) restart(t *testing.T) {
	t.Helper()
	m.told.calls, m.uptime = nil, time.Second
	if err := errors.Join(os.RemoveAll(m.Run), os.RemoveAll(filepath.Dir(m.NetworkFile)), os.RemoveAll(filepath.Dir(m.TimeFile)), m.Prepare()); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) inForce(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(m.NetworkFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func fixed() Settings {
	return Settings{Name: "office", Addresses: []string{"192.0.2.5/24"}, Gateways: []string{"192.0.2.1"}}
}

// try begins a trial and brings it in force.
func (m *machine) try(t *testing.T, s Settings) {
	t.Helper()
	if err := errors.Join(m.Try(t.Context(), s), m.Apply(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func TestFiles(t *testing.T) {
	for name, s := range map[string]Settings{
		"new":   {},
		"fixed": fixed(),
		"all": {
			Name: "office", Port: "enp1s0", Addresses: []string{"192.0.2.5/24", "2001:db8::5/64"}, Gateways: []string{"192.0.2.1", "fe80::1"},
			DNS: []string{"192.0.2.53", "2001:db8::53"}, Search: []string{"example.com", "example.net"},
		},
		"dns": {DNS: []string{"192.0.2.53"}},
	} {
		s, err := s.Checked()
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join("testdata", name+".network"))
		if err != nil || s.networkFile() != string(want) {
			t.Errorf("%s: %v\n%s", name, err, s.networkFile())
		}
	}
}

func TestNobodyConfirms(t *testing.T) {
	m := newMachine(t)
	m.restart(t)
	m.told.calls = nil
	before := m.inForce(t)
	m.try(t, fixed())
	want := []string{"restart furrow-network-trial.timer", "name office", "reload"}
	if !slices.Equal(m.told.calls, want) {
		t.Errorf("told %q, want %q", m.told.calls, want)
	}
	if !strings.Contains(m.inForce(t), "Address=192.0.2.5/24\n") {
		t.Error(m.inForce(t))
	}
	m.uptime += TrialTime - time.Millisecond
	if r, err := m.Report(t.Context()); err != nil || r.Trial == nil || r.Trial.Seconds != 1 || r.Set.Name != "furrow" {
		t.Errorf("%+v, %v", r, err)
	}
	if err := m.Return(t.Context()); err != nil || !strings.Contains(m.inForce(t), "192.0.2.5") {
		t.Errorf("back too early: %v", err)
	}
	m.uptime += time.Millisecond
	if err := m.Keep(t.Context()); !errors.Is(err, ErrNoTrial) {
		t.Errorf("confirmed too late: %v", err)
	}
	m.told.failed = errors.New("no bus")
	if err := m.Return(t.Context()); !errors.Is(err, m.told.failed) {
		t.Errorf("%v", err)
	}
	m.told.failed, m.told.calls = nil, nil
	if err := m.Return(t.Context()); err != nil || m.inForce(t) != before { // as systemd starts it again
		t.Errorf("%v\n%s", err, m.inForce(t))
	}
	if want := []string{"name furrow", "reload"}; !slices.Equal(m.told.calls, want) {
		t.Errorf("told %q, want %q", m.told.calls, want)
	}
	if err := errors.Join(m.Return(t.Context()), m.Return(t.Context())); err != nil || len(m.told.calls) != 2 {
		t.Errorf("a return from nothing: %v, %q", err, m.told.calls)
	}
	if err := m.Keep(t.Context()); !errors.Is(err, ErrNoTrial) {
		t.Errorf("confirmed after the return: %v", err)
	}
}

func TestConfirmed(t *testing.T) {
	m := newMachine(t)
	m.restart(t)
	m.try(t, fixed())
	m.told.calls = nil
	if err := m.Keep(t.Context()); err != nil || !slices.Equal(m.told.calls, []string{"stop furrow-network-trial.timer"}) {
		t.Errorf("%v, %q", err, m.told.calls)
	}
	m.uptime += time.Hour
	if err := m.Return(t.Context()); err != nil || !strings.Contains(m.inForce(t), "192.0.2.5") { // a timer that went on
		t.Errorf("%v\n%s", err, m.inForce(t))
	}
	m.restart(t)
	if !strings.Contains(m.inForce(t), "192.0.2.5") || !slices.Equal(m.told.calls, []string{"name office"}) {
		t.Errorf("after a restart %q\n%s", m.told.calls, m.inForce(t))
	}
	m.told.calls = nil
	if err := errors.Join(m.Reset(t.Context()), m.Apply(t.Context())); err != nil || !strings.Contains(m.inForce(t), "DHCP=yes") {
		t.Errorf("%v\n%s", err, m.inForce(t))
	}
	if want := []string{"stop furrow-network-trial.timer", "name furrow", "reload"}; !slices.Equal(m.told.calls, want) {
		t.Errorf("told %q, want %q", m.told.calls, want)
	}
}

func TestRestartDuringTrial(t *testing.T) {
	m := newMachine(t)
	m.restart(t)
	before := m.inForce(t)
	m.try(t, fixed())
	m.restart(t)
	if m.inForce(t) != before {
		t.Error(m.inForce(t))
	}
	if err := m.Keep(t.Context()); !errors.Is(err, ErrNoTrial) {
		t.Error(err)
	}
}

// A second trial has its full time, and returns to what is kept and not to the first.
func TestSecondTrial(t *testing.T) {
	m := newMachine(t)
	m.restart(t)
	before := m.inForce(t)
	m.try(t, fixed())
	m.uptime += 50 * time.Second
	m.try(t, Settings{Name: "other"})
	m.uptime += 50 * time.Second
	if err := m.Return(t.Context()); err != nil || m.told.calls[len(m.told.calls)-2] != "name other" {
		t.Errorf("%v, %q", err, m.told.calls)
	}
	m.uptime += 10 * time.Second
	if err := m.Return(t.Context()); err != nil || m.inForce(t) != before {
		t.Errorf("%v\n%s", err, m.inForce(t))
	}
}

func TestRefusedTrialChangesNothing(t *testing.T) {
	m := newMachine(t)
	m.restart(t)
	m.told.calls = nil
	var refused *setting.Error
	if err := m.Try(t.Context(), Settings{Name: "a b"}); !errors.As(err, &refused) || len(m.told.calls) != 0 {
		t.Errorf("%v, %q", err, m.told.calls)
	}
	if err := m.SetClock(t.Context(), Clock{Zone: "../../etc/passwd"}); !errors.As(err, &refused) || len(m.told.calls) != 0 {
		t.Errorf("%v, %q", err, m.told.calls)
	}
}

func TestDamagedSettings(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "half": `{"name":"office","addr`, "another type": `{"addresses":7,"servers":7}`, "hostile": `{"name":"x\ny","zone":"../x"}`,
		"endless": `{"name":"` + strings.Repeat("x", maxFile) + `"}`, "NUL": "\x00\x00\x00",
	} {
		m := newMachine(t)
		if err := errors.Join(
			os.WriteFile(filepath.Join(m.Kept, "network.json"), []byte(text), 0o600),
			os.WriteFile(filepath.Join(m.Kept, "clock.json"), []byte(text), 0o600),
		); err != nil {
			t.Fatal(err)
		}
		m.restart(t)
		if !strings.Contains(m.inForce(t), "DHCP=yes") || !slices.Equal(m.told.calls, []string{"name furrow"}) {
			t.Errorf("%s: %q\n%s", name, m.told.calls, m.inForce(t))
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
	m.restart(t)
	m.told.calls = nil
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
	want := Clock{Servers: []string{"time.example.com", "192.0.2.123"}, Zone: "Europe/Berlin"}
	if err := m.SetClock(t.Context(), want); err != nil || !slices.Equal(m.told.calls, []string{"restart systemd-timesyncd.service"}) {
		t.Errorf("%v, %q", err, m.told.calls)
	}
	for _, when := range []string{"at once", "after a restart"} {
		text, err := os.ReadFile(m.TimeFile)
		if err != nil || !strings.HasSuffix(string(text), "\n[Time]\nNTP=time.example.com 192.0.2.123\n") || zone() != "/Europe/Berlin" {
			t.Errorf("%s: %v, %s, %s", when, err, text, zone())
		}
		m.restart(t)
	}
	r, err := m.ClockReport(t.Context())
	if err != nil || !reflect.DeepEqual(r.Set, want) || !r.Synchronized || !slices.Equal(r.Zones, []string{"Etc/UTC", "Europe/Berlin", "UTC"}) {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestZonesOfThisMachine(t *testing.T) {
	zones, err := Zones("/usr/share/zoneinfo")
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
	if got := Temperatures(dir); len(got) != 0 {
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
	if got, want := Temperatures(dir), []Temperature{{"cpu-thermal", 48.312}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	write("hwmon/hwmon0/name", "coretemp\n")
	write("hwmon/hwmon0/temp1_label", "Core 0\n")
	write("hwmon/hwmon0/temp1_input", "51000\n")
	write("hwmon/hwmon0/temp2_input", "broken\n")
	if got, want := Temperatures(dir), []Temperature{{"coretemp Core 0", 51}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
