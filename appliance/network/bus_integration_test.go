//go:build integration

package network

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// inside says that this process is in namespaces of its own, where it may set a network.
const inside = "FURROW_TEST_NAMESPACES"

// TestIntegrationNetworkd has Debian's own systemd-networkd and systemd-timedated act on a pair of ports in namespaces of
// their own: one is a router with DHCP, the other this package's.
func TestIntegrationNetworkd(t *testing.T) {
	if os.Getenv(inside) == "" {
		enter(t)
		return
	}
	ctx := t.Context()
	log := startSystem(t)
	host := Image(slog.New(slog.NewTextHandler(t.Output(), nil)))
	host.Kept = t.TempDir()
	host.System = withoutUnits{}
	if err := host.Prepare(); err != nil {
		t.Fatal(err)
	}
	start(t, log, "/lib/systemd/systemd-networkd")
	start(t, nil, "/lib/systemd/systemd-timedated")

	await(t, host, "an address by DHCP", func(l Link) bool {
		return has(l, "DHCPv4", "192.0.2.") && slices.Equal(l.Gateways, []string{"192.0.2.1"}) && slices.Equal(l.DNS, []string{"192.0.2.53"}) &&
			l.State == "routable" && l.Carrier && l.Name == "box"
	})

	all := Settings{
		Name: "office", Port: "box", Addresses: []string{"198.51.100.5/24", "2001:db8::5/64"}, Gateways: []string{"198.51.100.1", "fe80::1"},
		DNS: []string{"198.51.100.53"}, Search: []string{"example.com", "example.net"},
	}
	if err := errors.Join(host.Try(ctx, all), host.Apply(ctx)); err != nil {
		t.Fatal(err)
	}
	await(t, host, "fixed addresses", func(l Link) bool {
		return has(l, "static", "198.51.100.5/24") && has(l, "static", "2001:db8::5/64") && !has(l, "DHCPv4", "192.0.2.") &&
			slices.Equal(l.Gateways, all.Gateways) && slices.Equal(l.DNS, all.DNS) && slices.Equal(l.Search, all.Search)
	})
	if name, err := os.Hostname(); name != "office" || err != nil {
		t.Errorf("the host name is %s, %v", name, err)
	}

	host.Uptime = func() time.Duration { return uptime() + TrialTime }
	if err := host.Return(ctx); err != nil {
		t.Fatal(err)
	}
	await(t, host, "DHCP again, as nobody confirmed", func(l Link) bool {
		return has(l, "DHCPv4", "192.0.2.") && !has(l, "static", "198.51.100.") && slices.Equal(l.DNS, []string{"192.0.2.53"}) && len(l.Search) == 0
	})
	if name, err := os.Hostname(); name != DefaultName || err != nil {
		t.Errorf("the host name is %s, %v", name, err)
	}

	// Name servers of one's own are instead of the offered ones.
	host.Uptime = uptime
	if err := errors.Join(host.Try(ctx, Settings{DNS: []string{"198.51.100.53"}}), host.Apply(ctx), host.Keep(ctx)); err != nil {
		t.Fatal(err)
	}
	await(t, host, "DHCP with another name server", func(l Link) bool {
		return has(l, "DHCPv4", "192.0.2.") && slices.Equal(l.DNS, []string{"198.51.100.53"})
	})

	if err := host.SetClock(ctx, Clock{Zone: "Europe/Berlin", Servers: []string{"time.example.com"}}); err != nil {
		t.Fatal(err)
	}
	clock, err := host.ClockReport(ctx)
	if err != nil || clock.Set.Zone != "Europe/Berlin" || clock.Problem != "" {
		t.Errorf("%+v, %v", clock, err)
	}
	there, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(ctx, "date", "+%z").Output() // by /etc/localtime
	if want := time.Now().In(there).Format("-0700"); err != nil || strings.TrimSpace(string(out)) != want {
		t.Errorf("the zone is %s, %v, want %s", out, err, want)
	}
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, "10-furrow.network:") { // and the number of a line: systemd-networkd complains
			t.Error(line)
		}
	}
	configuration, err := exec.CommandContext(ctx, "systemd-analyze", "cat-config", "systemd/timesyncd.conf").CombinedOutput()
	if err != nil || !strings.Contains(string(configuration), "\nNTP=time.example.com\n") {
		t.Errorf("systemd-timesyncd would read %v\n%s", err, configuration)
	}
}

// TestIntegrationTrialTimer has systemd itself, as the manager of a user's units, keep the time of the image's timer.
func TestIntegrationTrialTimer(t *testing.T) {
	if os.Getenv(inside) == "" {
		enter(t)
		return
	}
	var units [2]string // the image's
	for i, name := range []string{"timer", "service"} {
		text, err := os.ReadFile("../../image/units/furrow-network-trial." + name)
		if err != nil {
			t.Fatal(err)
		}
		units[i] = string(text)
	}
	if want := fmt.Sprintf("\nOnActiveSec=%.0fmin\n", TrialTime.Minutes()); !strings.Contains(units[0], want) {
		t.Errorf("the timer has no %q:\n%s", want, units[0])
	}
	startBus(t)
	const folder, returned = "/run/units/systemd/user/furrow-network-trial.", "/run/returned"
	write(t, folder+"timer", units[0])
	write(t, folder+"service", units[1])
	write(t, folder+"timer.d/sooner.conf", "[Timer]\nOnActiveSec=\nOnActiveSec=2s\nAccuracySec=1ms\n")
	write(t, folder+"service.d/seen.conf", "[Unit]\nRequiresMountsFor=\n[Service]\nExecStart=\nExecStart=/usr/bin/touch "+returned+"\n")
	// systemd wants the machine to have been started by it, and a folder of the user. In that it opens a bus of its own.
	for _, dir := range []string{"/run/systemd/system", "/run/user/0"} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("XDG_RUNTIME_DIR", "/run/user/0")
	t.Setenv("XDG_CONFIG_HOME", "/run/units")
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/run/user/0/bus")
	start(t, new(output), "/lib/systemd/systemd", "--user", "--unit=basic.target")
	ctx, bus := t.Context(), Bus{}
	until(t, "systemd that stops a timer that never ran", func() bool { return bus.Stop(ctx, trialTimer) == nil })

	fires := func(what string, least time.Duration) {
		t.Helper()
		began := time.Now()
		until(t, what, func() bool { return os.Remove(returned) == nil })
		if took := time.Since(began); took < least {
			t.Errorf("%s: after %v, want %v or more", what, took, least)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(bus.Restart(ctx, trialTimer))
	time.Sleep(1500 * time.Millisecond) // into its time
	must(bus.Restart(ctx, trialTimer))
	fires("the end of a second trial", 1900*time.Millisecond)
	must(bus.Restart(ctx, trialTimer))
	fires("the end of one after it", 1900*time.Millisecond)
	must(errors.Join(bus.Restart(ctx, trialTimer), bus.Stop(ctx, trialTimer)))
	time.Sleep(3 * time.Second) // past its time
	if _, err := os.Stat(returned); err == nil {
		t.Error("a return after the timer was stopped")
	}
	if err := bus.Restart(ctx, "furrow-none.timer"); err == nil {
		t.Error("a unit that there is not was started")
	}
}

// withoutUnits is the system without its first process, which cannot run in a test: nobody starts units.
type withoutUnits struct{ Bus }

func (withoutUnits) Restart(context.Context, string) error { return nil }
func (withoutUnits) Stop(context.Context, string) error    { return nil }

// enter runs this test again in namespaces of its own.
func enter(t *testing.T) {
	child := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=2m")
	child.Env = append(os.Environ(), inside+"=yes")
	child.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWPID, Pdeathsig: unix.SIGKILL,
	}
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("in namespaces: %v\n%s", err, out)
	}
	if testing.Verbose() {
		t.Logf("%s", out)
	}
}

// startBus makes folders that nobody else sees, and a bus.
func startBus(t *testing.T) {
	t.Helper()
	for _, mount := range []struct {
		kind, path string
		flags      uintptr
	}{
		{"", "/", unix.MS_REC | unix.MS_PRIVATE},
		{"tmpfs", "/run", 0},
		{"proc", "/proc", 0},
	} {
		if err := unix.Mount("none", mount.path, mount.kind, mount.flags, ""); err != nil {
			t.Fatalf("mounting %s: %v", mount.path, err)
		}
	}
	write(t, "/run/dbus/bus.conf", `<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy></busconfig>`)
	start(t, nil, "dbus-daemon", "--config-file=/run/dbus/bus.conf", "--nofork", "--nopidfile")
	until(t, "bus", func() bool { _, err := os.Stat("/run/dbus/system_bus_socket"); return err == nil })
}

// startSystem makes what systemd-networkd needs, and a router at the other end of the box's port.
func startSystem(t *testing.T) *output {
	t.Helper()
	startBus(t)
	if err := unix.Mount("none", "/sys", "sysfs", unix.MS_RDONLY, ""); err != nil { // systemd-networkd then waits for no udev
		t.Fatalf("mounting /sys: %v", err)
	}
	run := func(name string, args ...string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s %s: %v\n%s", name, args, err, out)
		}
	}
	run("install", "-d", "/run/etc/upper", "/run/etc/work")
	run("install", "-d", "-o", "systemd-network", "/run/systemd/netif")
	// As image/customize makes it.
	if err := os.Symlink("/run/furrow-host/localtime", "/run/etc/upper/localtime"); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", "/etc", "overlay", 0, "lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work"); err != nil {
		t.Fatalf("mounting over /etc: %v", err)
	}
	run("ip", "link", "set", "lo", "up")
	run("ip", "link", "add", "box", "type", "veth", "peer", "name", "router")
	write(t, "/run/systemd/network/05-router.network",
		"[Match]\nName=router\n[Network]\nAddress=192.0.2.1/24\nDHCPServer=yes\n[DHCPServer]\nDNS=192.0.2.53\n")
	return new(output)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// output collects what a process prints.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start runs a program until the test ends.
func start(t *testing.T, log *output, name string, args ...string) {
	t.Helper()
	program := exec.Command(name, args...)
	program.Env = append(os.Environ(), "SYSTEMD_LOG_TARGET=console", "SYSTEMD_LOG_LEVEL=info")
	program.WaitDelay = time.Second // what it has started may live on, as long as the namespaces
	if log != nil {
		program.Stdout, program.Stderr = log, log
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := program.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = program.Wait() // it was killed
		if t.Failed() && log != nil {
			t.Logf("%s:\n%s", name, log)
		}
	})
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %s", what)
		}
	}
}

func has(l Link, source, prefix string) bool {
	return slices.ContainsFunc(l.Addresses, func(a Address) bool {
		_, err := netip.ParsePrefix(a.Address)
		return err == nil && a.Source == source && strings.HasPrefix(a.Address, prefix)
	})
}

// await waits until the box's port is as it should.
func await(t *testing.T, host *Host, what string, ok func(Link) bool) {
	t.Helper()
	var report Report
	var err error
	defer func() {
		if t.Failed() {
			t.Logf("the last report: %+v, %v", report, err)
		}
	}()
	until(t, what, func() bool {
		report, err = host.Report(t.Context())
		i := slices.IndexFunc(report.Links, func(l Link) bool { return l.Name == "box" })
		return err == nil && i >= 0 && ok(report.Links[i])
	})
}
