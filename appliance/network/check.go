package network

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"furrow/appliance/setting"
)

// Lengths in octets: of a label and a name (RFC 1035 2.3.4), of a port's name (IFNAMSIZ of Linux, without its NUL).
const (
	maxLabel = 63
	maxName  = 253
	maxPort  = 15
)

// pattern are the forms of names; what fits has no sign that means something in a file of systemd.
type pattern struct{ label, port *regexp.Regexp }

func patterns() pattern {
	return pattern{
		label: regexp.MustCompile(`\A[a-z0-9]([a-z0-9-]*[a-z0-9])?\z`), // RFC 1123 2.1
		port:  regexp.MustCompile(`\A[a-zA-Z0-9][a-zA-Z0-9_-]*\z`),
	}
}

// Checked returns the settings in their usual form, or a *setting.Error about the first that cannot be used.
func (s Settings) Checked() (Settings, error) {
	form := patterns()
	if s.Name = strings.ToLower(strings.TrimSpace(s.Name)); s.Name == "" {
		s.Name = DefaultName
	}
	switch {
	case len(s.Name) > maxLabel || !form.label.MatchString(s.Name):
		return s, refuse("hostName", "is letters, digits and hyphens, at most %d, without a dot", maxLabel)
	case s.Name == "localhost" || strings.Trim(s.Name, "0123456789") == "":
		return s, refuse("hostName", "cannot be %s", s.Name)
	}
	if s.Port = strings.TrimSpace(s.Port); s.Port != "" && (len(s.Port) > maxPort || !form.port.MatchString(s.Port)) {
		return s, refuse("port", "is no name of a network port")
	}
	networks, err := checkedAddresses(&s)
	if err == nil {
		err = checkGateways(&s, networks)
	}
	if err == nil {
		s.DNS, err = checkedList("dns", s.DNS, maxServers, func(text string) (string, bool) {
			address, ok := single(text)
			return address.String(), ok
		}, "is no address of a name server")
	}
	if err == nil {
		s.Search, err = checkedList("search", s.Search, maxSearch, form.domain, "is no name of a domain")
	}
	return s, err
}

// Checked returns the clock's settings in their usual form, or a *setting.Error about the first that cannot be used. The
// zone is one of zones.
func (c Clock) Checked(zones []string) (Clock, error) {
	form := patterns()
	if c.Zone = strings.TrimSpace(c.Zone); c.Zone == "" {
		c.Zone = DefaultZone
	}
	if _, known := slices.BinarySearch(zones, c.Zone); !known {
		return c, refuse("zone", "is none that this box knows")
	}
	var err error
	c.Servers, err = checkedList("timeServers", c.Servers, maxServers, func(text string) (string, bool) {
		if address, ok := single(text); ok {
			return address.String(), true
		}
		return form.domain(text)
	}, "is neither a name nor an address of a time server")
	return c, err
}

func refuse(field, format string, args ...any) error {
	return setting.Refuse(ErrInvalid, field, format, args...)
}

// checkedList brings each entry of a list into its usual form; empty ones are left out.
func checkedList(field string, list []string, most int, usual func(string) (string, bool), problem string) ([]string, error) {
	var checked []string
	for _, text := range list {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		entry, ok := usual(text)
		switch {
		case !ok:
			return list, refuse(field, "%s: %s", problem, shown(text))
		case len(checked) == most:
			return list, refuse(field, "are too many; %d are possible", most)
		case !slices.Contains(checked, entry):
			checked = append(checked, entry)
		}
	}
	return checked, nil
}

// shown is what was typed, as far as an error says it.
func shown(text string) string {
	const most = 60
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
}

// single is the address of one machine that others can reach.
func single(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(text)
	ok := err == nil && a.Zone() == "" && !a.Is4In6() && !a.IsUnspecified() && !a.IsMulticast() && !a.IsLoopback() &&
		a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
	return a, ok
}

// domain is the usual form of a name with or without dots.
func (p pattern) domain(text string) (string, bool) {
	text = strings.ToLower(strings.TrimSuffix(text, "."))
	if len(text) > maxName {
		return "", false
	}
	labels := strings.Split(text, ".")
	for _, label := range labels {
		if len(label) > maxLabel || !p.label.MatchString(label) {
			return "", false
		}
	}
	// 192.0.2 or 1.2.3.999 is an address with a mistake in it.
	return text, strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

func checkedAddresses(s *Settings) ([]netip.Prefix, error) {
	var networks []netip.Prefix
	checked, err := checkedList("addresses", s.Addresses, maxAddresses, func(text string) (string, bool) {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return "", false
		}
		a, ok := single(p.Addr().String())
		if !ok || p.Bits() == 0 || a.IsLinkLocalUnicast() || a.Is4() && p.Bits() < 31 && isEdge(p) {
			return "", false
		}
		networks = append(networks, p)
		return p.String(), true
	}, "is no address of this box with the length of its network's prefix, such as 192.0.2.5/24")
	s.Addresses = checked
	return networks, err
}

// isEdge reports whether an IPv4 address is that of its network, or the one by which all of it is reached.
func isEdge(p netip.Prefix) bool {
	octets := p.Addr().As4()
	number := uint32(octets[0])<<24 | uint32(octets[1])<<16 | uint32(octets[2])<<8 | uint32(octets[3])
	hosts := uint32(1)<<(32-p.Bits()) - 1
	return number&hosts == 0 || number&hosts == hosts
}

func checkGateways(s *Settings, networks []netip.Prefix) error {
	var err error
	s.Gateways, err = checkedList("gateways", s.Gateways, 2, func(text string) (string, bool) {
		a, ok := single(text)
		return a.String(), ok
	}, "is no address of a gateway")
	if err != nil {
		return err
	}
	families := map[bool]bool{}
	for _, text := range s.Gateways {
		gateway := netip.MustParseAddr(text)
		switch {
		case len(networks) == 0:
			return refuse("gateways", "go with fixed addresses; DHCP brings its own")
		case families[gateway.Is4()]:
			return refuse("gateways", "are one for IPv4 and one for IPv6")
		case !reachable(gateway, networks):
			return refuse("gateways", "is in no network of the addresses: %s", text)
		}
		families[gateway.Is4()] = true
	}
	return nil
}

func reachable(gateway netip.Addr, networks []netip.Prefix) bool {
	if gateway.Is6() && gateway.IsLinkLocalUnicast() { // every IPv6 port has such an address of its own
		return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Addr().Is6() })
	}
	own := slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Addr() == gateway })
	return !own && slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Masked().Contains(gateway) })
}
