package sstp

import "testing"

func TestRelayAddress(t *testing.T) {
	for url, want := range map[string]string{
		"grooveDNS://relay.example":      "relay.example:2492",
		"grooveDNS://relay.example:1234": "relay.example:1234",
		"grooveDNS://192.0.2.1":          "192.0.2.1:2492",
		"grooveDNS://[2001:db8::1]":      "[2001:db8::1]:2492",
		"grooveDNS://[2001:db8::1]:5":    "[2001:db8::1]:5",
		"http://relay.example":           "",
		"grooveDNS://":                   "",
	} {
		got, err := RelayAddress(url)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", url, got, err)
		}
	}
}
