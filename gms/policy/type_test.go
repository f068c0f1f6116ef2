package policy

import (
	"encoding/json"
	"testing"
)

// TestTypes holds the table of types against the text of MS-GRVSPCM
// 2.2.2.2.10 and 3.2.5.1.4, and their numbers against what is stored.
func TestTypes(t *testing.T) {
	const base = "http://components.groove.net/Groove/Components/Root.osd?Package=net.groove.Groove.SystemComponents.GrooveAccountMgr_DLL&Version=0&Factory="
	for _, test := range []struct {
		body   Body
		number int
		url    string
		name   string
	}{
		{AccountServices{}, 1, base + "AccountServicesPolicy", "grooveAccountServicesPolicy2:"},
		{ComponentUpdate{}, 2, base + "ComponentUpdatePolicy", "grooveDeviceBehavior://ComponentUpdatePolicy"},
		{DataRecovery{}, 3, base + "DataRecoveryPolicy", "grooveAccountPolicy2://DataRecovery"},
		{DevicePolicy{}, 4, base + "DevicePolicy", "grooveDevicePolicy:"},
		{DomainTrust{}, 5, base + "DomainTrustPolicy", "grooveDomainTrustPolicy://domain/object"},
		{Identity{}, 6, base + "IdentityTemplate", "grooveIdentity://object"},
		{IdentityPolicy{}, 7, base + "IdentityPolicy", "grooveIdentityPolicy2:"},
		{Passphrase{}, 8, base + "PassphrasePolicy", "groovePassphrasePolicy2:"},
	} {
		kind := test.body.Type()
		if int(kind) != test.number || !kind.Valid() {
			t.Errorf("%v has number %d, want %d", kind, kind, test.number)
		}
		if got := kind.ComponentResourceURL(); got != test.url {
			t.Errorf("%v: URL %q", kind, got)
		}
		if got := kind.ObjectName("domain", "object"); got != test.name {
			t.Errorf("%v: name %q", kind, got)
		}
		if got := base + kind.String(); got != test.url {
			t.Errorf("%v: factory %q", kind, kind.String())
		}
		if found, ok := typeOf(test.url); !ok || found != kind {
			t.Errorf("%v is found as %v, %v", kind, found, ok)
		}
		if got, err := json.Marshal(kind); err != nil || string(got) != string(rune('0'+test.number)) {
			t.Errorf("%v as JSON: %s, %v", kind, got, err)
		}
	}
	if n := len(Types()); n != 8 {
		t.Errorf("%d types", n)
	}
	for _, none := range []Type{0, 9, -1} {
		if none.Valid() || none.ObjectName("domain", "object") != "" {
			t.Errorf("type %d is valid", int(none))
		}
	}
	if got := Type(9).String(); got != "Type(9)" {
		t.Errorf("unknown type prints as %q", got)
	}
}
