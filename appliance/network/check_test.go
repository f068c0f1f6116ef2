package network

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"furrow/appliance/setting"
)

func TestSettingsInTheirUsualForm(t *testing.T) {
	got, err := Settings{
		Name: " Office ", Addresses: []string{" 192.0.2.5/24", "", "2001:DB8::5/64", "192.0.2.5/24"},
		Gateways: []string{"192.0.2.1", "fe80::1"}, DNS: []string{"2001:db8:0::53"}, Search: []string{"Example.COM."},
	}.Checked()
	want := Settings{
		Name: "office", Addresses: []string{"192.0.2.5/24", "2001:db8::5/64"}, Gateways: []string{"192.0.2.1", "fe80::1"},
		DNS: []string{"2001:db8::53"}, Search: []string{"example.com"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := (Settings{}).Checked(); err != nil || !reflect.DeepEqual(got, Settings{Name: "furrow"}) {
		t.Errorf("of a new box: %+v, %v", got, err)
	}
}

func numbered(format string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(format, i/250, i%250+1)
	}
	return list
}

func TestSettingsRefused(t *testing.T) {
	fixed := []string{"192.0.2.5/24"}
	for name, c := range map[string]struct {
		field    string
		settings Settings
	}{
		"two lines":                   {"hostName", Settings{Name: "box\nDHCP=no"}},
		"NUL":                         {"hostName", Settings{Name: "box\x00"}},
		"a dot":                       {"hostName", Settings{Name: "box.example.com"}},
		"a hyphen first":              {"hostName", Settings{Name: "-box"}},
		"64 octets":                   {"hostName", Settings{Name: strings.Repeat("x", 64)}},
		"localhost":                   {"hostName", Settings{Name: "LOCALHOST"}},
		"a number":                    {"hostName", Settings{Name: "10"}},
		"other letters":               {"hostName", Settings{Name: "büro"}},
		"a port of two lines":         {"port", Settings{Port: "eth0\n[Network]"}},
		"every port":                  {"port", Settings{Port: "*"}},
		"a port's long name":          {"port", Settings{Port: strings.Repeat("x", 16)}},
		"an address of two lines":     {"addresses", Settings{Addresses: []string{"192.0.2.5/24\nGateway=192.0.2.1"}}},
		"an address without length":   {"addresses", Settings{Addresses: []string{"192.0.2.5"}}},
		"that of the network":         {"addresses", Settings{Addresses: []string{"192.0.2.0/24"}}},
		"that of all in it":           {"addresses", Settings{Addresses: []string{"192.0.2.255/24"}}},
		"loopback":                    {"addresses", Settings{Addresses: []string{"127.0.0.2/8"}}},
		"link-local":                  {"addresses", Settings{Addresses: []string{"fe80::5/64"}}},
		"multicast":                   {"addresses", Settings{Addresses: []string{"224.0.0.5/24"}}},
		"none":                        {"addresses", Settings{Addresses: []string{"0.0.0.0/0"}}},
		"IPv4 in IPv6":                {"addresses", Settings{Addresses: []string{"::ffff:192.0.2.5/120"}}},
		"with a zone":                 {"addresses", Settings{Addresses: []string{"2001:db8::5%eth0/64"}}},
		"1000 addresses":              {"addresses", Settings{Addresses: numbered("10.0.%d.%d/16", 1000)}},
		"a gateway with DHCP":         {"gateways", Settings{Gateways: []string{"192.0.2.1"}}},
		"a gateway elsewhere":         {"gateways", Settings{Addresses: fixed, Gateways: []string{"198.51.100.1"}}},
		"the box as gateway":          {"gateways", Settings{Addresses: fixed, Gateways: []string{"192.0.2.5"}}},
		"two gateways of IPv4":        {"gateways", Settings{Addresses: fixed, Gateways: []string{"192.0.2.1", "192.0.2.2"}}},
		"three gateways":              {"gateways", Settings{Addresses: fixed, Gateways: []string{"192.0.2.1", "fe80::1", "fe80::2"}}},
		"a gateway without addresses": {"gateways", Settings{Addresses: fixed, Gateways: []string{"fe80::1"}}},
		"a gateway's name":            {"gateways", Settings{Addresses: fixed, Gateways: []string{"router"}}},
		"a name server's name":        {"dns", Settings{DNS: []string{"dns.example.com"}}},
		"1000 name servers":           {"dns", Settings{DNS: numbered("10.0.%d.%d", 1000)}},
		"a domain of two words":       {"search", Settings{Search: []string{"example.com ~."}}},
		"every domain":                {"search", Settings{Search: []string{"~."}}},
		"a long domain":               {"search", Settings{Search: []string{strings.Repeat("abcdefg.", 32) + "com"}}},
	} {
		_, err := c.settings.Checked()
		var refused *setting.Error
		if !errors.As(err, &refused) || !errors.Is(err, ErrInvalid) || refused.Field != c.field {
			t.Errorf("%s: %v", name, err)
		} else if strings.ContainsAny(refused.Problem, "\n\x00") || len(refused.Problem) > 300 {
			t.Errorf("%s is refused by %q", name, refused.Problem)
		}
	}
}

func TestClockRefused(t *testing.T) {
	zones := []string{"Etc/UTC", "Europe/Berlin"}
	got, err := Clock{Zone: "Europe/Berlin ", Servers: []string{"Time.example.com", "192.0.2.123"}}.Checked(zones)
	want := Clock{Zone: "Europe/Berlin", Servers: []string{"time.example.com", "192.0.2.123"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	for name, c := range map[string]struct {
		field string
		clock Clock
	}{
		"a way out":             {"zone", Clock{Zone: "../../etc/passwd"}},
		"a path":                {"zone", Clock{Zone: "/etc/passwd"}},
		"a folder":              {"zone", Clock{Zone: "Europe"}},
		"another case":          {"zone", Clock{Zone: "europe/berlin"}},
		"a server of two lines": {"timeServers", Clock{Servers: []string{"time\nFallbackNTP=evil"}}},
		"a server of two words": {"timeServers", Clock{Servers: []string{"one two"}}},
		"a wrong address":       {"timeServers", Clock{Servers: []string{"1.2.3.999"}}},
		"1000 servers":          {"timeServers", Clock{Servers: numbered("time-%d-%d.example.com", 1000)}},
	} {
		_, err := c.clock.Checked(zones)
		var refused *setting.Error
		if !errors.As(err, &refused) || !errors.Is(err, ErrInvalid) || refused.Field != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzChecked: what is let through is one value in its file, whatever it is made of, and is let through again as it is.
func FuzzChecked(f *testing.F) {
	f.Add("box", "eth0", "192.0.2.5/24", "192.0.2.1", "192.0.2.53", "example.com")
	f.Add("box\n", "*", "::1/0", "fe80::1%2", "::ffff:1.2.3.4", "~.")
	f.Fuzz(func(t *testing.T, name, port, address, gateway, dns, search string) {
		s, err := Settings{name, port, []string{address}, []string{gateway}, []string{dns}, []string{search}}.Checked()
		if err != nil {
			return
		}
		if again, err := s.Checked(); err != nil || !reflect.DeepEqual(again, s) {
			t.Errorf("%+v, then %+v, %v", s, again, err)
		}
		for _, line := range strings.Split(s.networkFile(), "\n") {
			if key, _, ok := strings.Cut(line, "="); ok && (strings.ContainsAny(line, "\r\x00") || strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ46") != "") {
				t.Errorf("line %q", line)
			}
		}
		if lines := strings.Count(s.networkFile(), "\n"); lines > 30 {
			t.Errorf("%d lines", lines)
		}
	})
}
