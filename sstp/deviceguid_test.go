package sstp

import "testing"

func TestDeviceGUID(t *testing.T) {
	const guid = "e2c3smux2b4uhfucu8a3wztus9bsyaz8bqbt6s"
	for url, want := range map[string]string{
		"dpp://relay.example/" + guid: guid,
		"dpp:///" + guid:              guid,
		"dpp://" + guid:               guid,
		"dpp://relay.example/":        "relay.example/",
		"dpp://a/b/c":                 "b/c",
		"dpp://":                      "",
	} {
		if got := DeviceGUID(url); got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
}
