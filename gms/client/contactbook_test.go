package client

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"furrow/appliance/keys"
	"furrow/gms/policy"
	"furrow/gms/soap/spcm"
)

func TestContactBook(t *testing.T) {
	key, err := keys.GenerateRSAKey()
	if err != nil {
		t.Fatal(err)
	}
	contact := func(fullName, identity, device string) []byte {
		return (&spcm.Contact{
			URL: identity, Version: contactVersion, DeviceURL: device, PlatformVersion: grooveVersion,
			VCard:           policy.Card{FullName: fullName, Email: fullName + "@example.com"}.VCard(),
			PresenceDevices: []string{"grooveDNS://relay.example"},
			Security:        spcm.CSecurity{Encryption: key.Public(), Signature: key.Public()},
		}).Encode()
	}
	home, err := OpenHome(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if list, err := home.Contacts(); err != nil || len(list) != 0 {
		t.Errorf("before anything: %v, %v", list, err)
	}
	const ann, desk, lap = "grooveIdentity://ann@", "dpp:///desk", "dpp:///lap"
	for _, c := range [][]byte{
		contact("Ann Old", ann, desk), contact("Ann", ann, desk), contact("Ann", ann, lap), contact("Bob", "grooveIdentity://bob@", "dpp:///bob"),
	} {
		if _, err := home.AddContact(c); err != nil {
			t.Fatal(err)
		}
	}
	list, err := home.Contacts()
	if err != nil || len(list) != 3 {
		t.Fatalf("%v, %v", list, err)
	}
	for who, want := range map[string][]string{
		ann: {desk, lap}, "ann": {desk, lap}, "ANN@example.com": {desk, lap}, "Ann Old": nil, "": nil, "bob@example.com": {"dpp:///bob"},
	} {
		var devices []string
		for _, c := range list {
			if c.Is(who) {
				devices = append(devices, c.DeviceURL)
			}
		}
		slices.Sort(devices)
		if !slices.Equal(devices, want) {
			t.Errorf("%q: %v, want %v", who, devices, want)
		}
	}
	if _, err := home.AddContact([]byte("<Contact/>")); err == nil {
		t.Error("nonsense was kept")
	}
	path := filepath.Join(home.dir, contactsDir, "x.xml")
	if err := os.WriteFile(path, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := home.Contacts(); err == nil {
		t.Error("a contact that cannot be read was not noticed")
	}
}

func TestVCardValue(t *testing.T) {
	for vCard, want := range map[string]string{
		"BEGIN:VCARD\r\nFN: Ann Smith\r\nEND:VCARD\r\n": "Ann Smith",
		"fn;CHARSET=UTF-8:Ann: Smith":                   "Ann: Smith",
		"FNX:no\nN:no":                                  "",
		"":                                              "",
	} {
		if got := vCardValue([]byte(vCard), "FN"); got != want {
			t.Errorf("%q: %q, want %q", vCard, got, want)
		}
	}
}
