// Package networktest is a machine whose network and clock can be set without one: in a folder, with a system that notes
// what it is told and a clock that tests move.
package networktest

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"furrow/appliance/network"
)

// Machine is a network.Host and what it acts on.
type Machine struct {
	*network.Host
	*System
}

// New makes one that has just started.
func New(t testing.TB, log *slog.Logger) *Machine {
	t.Helper()
	dir := t.TempDir()
	at := func(elements ...string) string { return filepath.Join(append([]string{dir}, elements...)...) }
	list := "# version\nR E 1 o - 1\nZ Etc/UTC 0 - UTC\nZ Europe/Berlin 1 E CE%sT\n1 - CET\nL Etc/UTC UTC\nL Etc/UTC Etc/UTC\n"
	system := &System{uptime: time.Hour}
	m := &Machine{System: system, Host: &network.Host{
		Kept: at("kept"), Run: at("run"), Zones: at("zoneinfo"), Sensors: at("sensors"),
		NetworkFile: at("networkd", "10-furrow.network"), TimeFile: at("timesyncd", "furrow.conf"),
		System: system, Uptime: system.Uptime, Now: time.Now, Log: log,
	}}
	if err := errors.Join(
		os.Mkdir(m.Kept, 0o700), os.Mkdir(m.Zones, 0o755), os.WriteFile(at("zoneinfo", "tzdata.zi"), []byte(list), 0o644),
	); err != nil {
		t.Fatal(err)
	}
	m.Start(t)
	return m
}

// Start is the machine starting again: what it does not keep is gone.
func (m *Machine) Start(t testing.TB) {
	t.Helper()
	m.Forget()
	err := errors.Join(
		os.RemoveAll(m.Run), os.RemoveAll(filepath.Dir(m.NetworkFile)), os.RemoveAll(filepath.Dir(m.TimeFile)), m.Prepare(),
	)
	if err != nil {
		t.Fatal(err)
	}
}

// System notes what it is told. It is safe for concurrent use.
type System struct {
	mu     sync.Mutex
	told   []string      // guarded by mu
	failed error         // guarded by mu: of Reload
	uptime time.Duration // guarded by mu
}

// Told returns what the system was told since it was to forget.
func (s *System) Told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.told)
}

// Forget has Told begin anew.
func (s *System) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = nil
}

// Pass has time go on.
func (s *System) Pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uptime += d
}

// Uptime is the time since the machine's first start.
func (s *System) Uptime() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.uptime
}

// Fail has Reload return err from now on.
func (s *System) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = err
}

func (s *System) note(what string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, what)
	return nil
}

// SetName implements [network.System].
func (s *System) SetName(name string) error { return s.note("name " + name) }

// Reload implements [network.System].
func (s *System) Reload(context.Context) error {
	err := s.note("reload")
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(err, s.failed)
}

// Restart implements [network.System].
func (s *System) Restart(_ context.Context, unit string) error { return s.note("restart " + unit) }

// Stop implements [network.System].
func (s *System) Stop(_ context.Context, unit string) error { return s.note("stop " + unit) }

// Links implements [network.System].
func (s *System) Links(context.Context) ([]network.Link, error) {
	return []network.Link{{
		Name: "enp1s0", Hardware: "52:54:00:12:34:56", State: "routable", Carrier: true,
		Addresses: []network.Address{{Address: "192.0.2.30/24", Source: "DHCPv4"}},
		Gateways:  []string{"192.0.2.1"}, DNS: []string{"192.0.2.53"}, Search: []string{},
	}}, nil
}

// TimeSource implements [network.System].
func (s *System) TimeSource(context.Context) (network.TimeSource, error) {
	return network.TimeSource{Synchronized: true, Server: "time.example.com"}, nil
}
