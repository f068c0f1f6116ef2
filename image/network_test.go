//go:build image

package image

import (
	"strings"
	"testing"
	"time"
)

// The network of the emulator: its DHCP gives the box the first address, to which the forwarded ports lead.
const (
	givenAddress = "10.0.2.15/24"
	otherAddress = "10.0.2.99/24"
	fixedAddress = "--address " + givenAddress + " --gateway 10.0.2.2 --dns 10.0.2.3"
)

// networkSet gives the box other addresses, a name and a time zone, which it forgets again in the end.
func networkSet(t *testing.T, m *machine) {
	shows(t, m, givenAddress+" (DHCPv4)", bootTime)

	// Nobody confirms: it returns by itself, within a minute and what the emulator takes.
	m.must(inBox + "network set --name lost --address " + otherAddress + " --gateway 10.0.2.2")
	shows(t, m, otherAddress+" (static)", time.Minute)
	shows(t, m, givenAddress+" (DHCPv4)", 90*time.Second)
	if show := m.must(inBox + "network show"); strings.Contains(show, otherAddress) {
		t.Errorf("after the return:\n%s", show)
	}
	if name := m.must("hostname"); name != "furrow" {
		t.Errorf("after the return the box is called %s", name)
	}
	if out, err := m.run(inBox + "network keep"); err == nil {
		t.Errorf("confirmed after the return: %s", out)
	}

	// Somebody confirms, and the box starts again.
	m.must(inBox + "network set --name office " + fixedAddress + " && sleep 5 && " + inBox + "network keep")
	m.must(inBox + "clock set --zone Europe/Berlin --server 10.0.2.2")
	called(t, m, "office")
	m.startsAgain(func() { m.must("systemctl --no-block reboot") })
	shows(t, m, givenAddress+" (static)", time.Minute)
	called(t, m, "office")
	if zone := m.must("readlink -f /etc/localtime"); zone != "/usr/share/zoneinfo/Europe/Berlin" {
		t.Errorf("the zone is %s", zone)
	}
	if servers := m.must("systemd-analyze cat-config systemd/timesyncd.conf"); !strings.Contains(servers, "NTP=10.0.2.2") {
		t.Errorf("the time servers: %s", servers)
	}

	// A trial does not outlive the power.
	m.must(inBox + "network set --name lost --address " + otherAddress)
	shows(t, m, otherAddress+" (static)", time.Minute)
	m.cut()
	m.start()
	m.ready(0)
	shows(t, m, givenAddress+" (static)", time.Minute)
	called(t, m, "office")

	// On the screen, for who has confirmed what is wrong.
	mark := m.console.mark()
	m.typed("n")
	if _, err := m.console.await(m, mark, "type DHCP", time.Minute); err != nil {
		t.Fatal(err)
	}
	m.typed("DHCP")
	if _, err := m.console.await(m, mark, "under way", time.Minute); err != nil {
		t.Fatal(err)
	}
	shows(t, m, givenAddress+" (DHCPv4)", time.Minute)
	called(t, m, "furrow")
	m.must(inBox + "clock set --zone Etc/UTC --server ''")
	noneFailed(t, m)
}

// shows waits until an address is in force.
func shows(t *testing.T, m *machine, address string, limit time.Duration) {
	t.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(time.Second) {
		show := m.must(inBox + "network show")
		if strings.Contains(show, address) {
			return
		} else if time.Now().After(end) {
			t.Fatalf("no %s:\n%s\n%s", address, show, m.must("journalctl -q -b -u 'furrow-network*' -u 'furrow-machine@*' | tail -30"))
		}
	}
}

// called wants the box to have a name, and its mDNS service to answer to it.
func called(t *testing.T, m *machine, name string) {
	t.Helper()
	if got := m.must("hostname"); got != name {
		t.Errorf("the box is called %s, want %s", got, name)
	}
	// systemd-resolved answers such a question by itself when the name is the one it announces.
	m.must("resolvectl query --legend=no " + name + ".local")
}
