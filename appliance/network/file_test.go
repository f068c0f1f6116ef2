package network

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFiles(t *testing.T) {
	for name, s := range map[string]Settings{
		"new":   {},
		"fixed": {Name: "office", Addresses: []string{"192.0.2.5/24"}, Gateways: []string{"192.0.2.1"}},
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
