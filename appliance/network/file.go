package network

import (
	"net/netip"
	"slices"
	"strings"
)

// networkFile is the file of systemd.network(5) for checked settings. What it has beside them is as in 80-wired.network
// of the image.
func (s Settings) networkFile() string {
	var b strings.Builder
	section := func(name string) { b.WriteString("\n[" + name + "]\n") }
	line := func(key string, values ...string) { b.WriteString(key + "=" + strings.Join(values, " ") + "\n") }
	b.WriteString("# Written by Furrow at each start and change.\n[Match]\n")
	if s.Port == "" {
		line("Type", "ether")
	} else {
		line("Name", s.Port)
	}
	section("Network")
	if len(s.Addresses) == 0 {
		line("DHCP", "yes")
	}
	for _, address := range s.Addresses {
		line("Address", address)
	}
	for _, gateway := range s.Gateways {
		line("Gateway", gateway)
	}
	for _, server := range s.DNS {
		line("DNS", server)
	}
	if len(s.Search) > 0 {
		line("Domains", s.Search...)
	}
	line("MulticastDNS", "yes")
	line("LinkLocalAddressing", "yes")
	if slices.ContainsFunc(s.Addresses, func(a string) bool { return netip.MustParsePrefix(a).Addr().Is6() }) {
		line("IPv6AcceptRA", "no") // who fixes IPv6 addresses wants no others
	}
	own := len(s.DNS) > 0
	// By the hardware address and not by the machine's number, which a factory reset makes anew.
	section("DHCPv4")
	line("ClientIdentifier", "mac")
	s.offered(line, own)
	section("DHCPv6")
	s.offered(line, own)
	if own {
		section("IPv6AcceptRA")
		line("UseDNS", "no")
	}
	return b.String()
}

// offered says what of a DHCP server's offer is not taken: a host name, since a person chooses it, and name servers where
// there are own ones.
func (s Settings) offered(line func(string, ...string), ownDNS bool) {
	line("UseHostname", "no")
	if ownDNS {
		line("UseDNS", "no")
	}
}

// timeFile is the file of timesyncd.conf(5) for checked settings.
func (c Clock) timeFile() string {
	text := "# Written by Furrow at each start and change.\n[Time]\n"
	if len(c.Servers) > 0 {
		text += "NTP=" + strings.Join(c.Servers, " ") + "\n"
	}
	return text
}
