package sstp

import (
	"errors"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		check func(string) error
		url   string
		want  error
	}{
		{CheckIdentityURL, "grooveIdentity://abcdefgh2345@", nil},
		{CheckIdentityURL, "grooveIdentity://" + strings.Repeat("a", 80), nil},
		{CheckIdentityURL, "grooveIdentity://" + strings.Repeat("a", 81), ErrNameTooLong},
		{CheckIdentityURL, "grooveIdentity://", ErrEmptyName},
		{CheckIdentityURL, "", ErrEmptyName},
		{CheckIdentityURL, "grooveidentity://a", ErrScheme},
		{CheckIdentityURL, "grooveIdentity:/a", ErrScheme},
		{CheckIdentityURL, "dpp:///a", ErrScheme},
		{CheckIdentityURL, "grooveIdentity://a b", ErrNameCharacter},
		{CheckIdentityURL, "grooveIdentity://a\n", ErrNameCharacter},
		{CheckIdentityURL, "grooveIdentity://a\x7f", ErrNameCharacter},
		{CheckIdentityURL, "grooveIdentity://<a>", ErrNameCharacter},
		{CheckIdentityURL, "grooveIdentity://\xe9", ErrNameCharacter},
		{CheckDeviceURL, "dpp:///7ymdzshkpai3fgqwdui5c332cmx3532gqenqe9i", nil},
		{CheckDeviceURL, "dpp://relay.example/7ymdz", nil},
		{CheckDeviceURL, "grooveDNS://relay.example", ErrScheme},
		{CheckDeviceURL, "dpp:x", ErrScheme},
		{CheckRelayURL, "grooveDNS://server.domain.net", nil},
		{CheckRelayURL, "http://server.domain.net", ErrScheme},
	} {
		if err := tt.check(tt.url); !errors.Is(err, tt.want) {
			t.Errorf("%q: %v, want %v", tt.url, err, tt.want)
		}
	}
}

func TestStrictNaming(t *testing.T) {
	const (
		identity = "grooveIdentity://abc@"
		device   = "dpp:///abc"
		relay    = "grooveDNS://relay.example"
	)
	for _, tt := range []struct {
		name  string
		check interface{ CheckNames() error }
		ok    bool
	}{
		{"device-targeted", &Open{ResourceURL: "r", IdentityURL: identity, DeviceURL: device}, true},
		{"identity-targeted", &Open{ResourceURL: "r", IdentityURL: identity}, true},
		{"no resource", &Open{IdentityURL: identity}, false},
		{"control character in the resource", &Open{ResourceURL: "r\n", IdentityURL: identity}, false},
		{"fanout without resource", &FanoutOpen{Entries: []FanoutDeviceEntry{{IdentityURL: identity}}}, false},
		{"no identity", &Open{ResourceURL: "r", DeviceURL: device}, false},
		{"relay for a device", &Open{ResourceURL: "r", IdentityURL: identity, DeviceURL: relay}, false},
		{"presence", &Open{ResourceURL: "grooveWANDPP"}, true},
		{"presence, other spelling", &Open{ResourceURL: "grooveWanDPP", DeviceURL: relay}, true},
		{"presence of a device", &Open{ResourceURL: "grooveWANDPP", DeviceURL: device}, true},
		{"presence with an identity", &Open{ResourceURL: "grooveWANDPP", IdentityURL: identity}, false},
		{"presence elsewhere", &Open{ResourceURL: "grooveWANDPP", DeviceURL: "http://x"}, false},
		{"entry", &FanoutOpen{ResourceURL: "r", Entries: []FanoutDeviceEntry{{IdentityURL: identity}, {IdentityURL: identity, DeviceURL: device, RelayURL: relay}}}, true},
		{"entry for an identity here", &FanoutOpen{ResourceURL: "r", Entries: []FanoutDeviceEntry{{IdentityURL: identity}, {IdentityURL: identity}}}, true},
		{"entry without identity", &FanoutOpen{ResourceURL: "r", Entries: []FanoutDeviceEntry{{IdentityURL: identity}, {DeviceURL: device}}}, false},
		{"entry with a wrong device", &FanoutOpen{ResourceURL: "r", Entries: []FanoutDeviceEntry{{IdentityURL: identity}, {IdentityURL: identity, DeviceURL: relay}}}, false},
		{"entry with a wrong relay", &FanoutOpen{ResourceURL: "r", Entries: []FanoutDeviceEntry{{IdentityURL: identity}, {IdentityURL: identity, RelayURL: device}}}, false},
	} {
		if err := tt.check.CheckNames(); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestSettle(t *testing.T) {
	for _, tt := range []struct {
		ours, theirs, want Version
		ok                 bool
	}{
		{Version16, Version16, Version16, true},
		{Version16, Version15, Version15, true},
		{Version15, Version16, Version15, true},
		{Version16, NewVersion(1, 9), Version16, true},
		{Version16, NewVersion(1, 4), NewVersion(1, 4), false},
		{Version16, NewVersion(2, 0), Version16, false},
		{Version16, NewVersion(0, 9), NewVersion(0, 9), false},
	} {
		if got, ok := tt.ours.Settle(tt.theirs); got != tt.want || ok != tt.ok {
			t.Errorf("%v with %v: %v, %v", tt.ours, tt.theirs, got, ok)
		}
	}
}

// TestMnemonics pins the numbers of [MS-GRVSSTP] 2.2.8.1, 2.2.9.1, 3.1.5.1,
// 3.1.5.5 and 3.3.5.6 to their names.
func TestMnemonics(t *testing.T) {
	check := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for id, want := range map[ResponseID]string{
		0: "Ok", 1: "WrongDevice", 2: "TryLater", 3: "WillUpgrade", 4: "WontUpgrade",
		5: "NewVersionRequired", 6: "AuthenticationFailed", 7: "ResponseId(0x07)", 9: "ConnectRejected",
	} {
		check(id.String(), want)
	}
	for id, want := range map[OpenResponseID]string{
		0: "Ok", 1: "ResponseId(0x01)", 4: "NoResource", 5: "Unknown", 8: "NoFanoutEntries",
		0x0b: "OkStopSending", 0x0c: "FanoutNotSupported",
	} {
		check(id.String(), want)
	}
	for id, want := range map[Reason]string{
		0: "NoReason", 1: "Resting", 2: "Idle", 3: "ProtocolError", 4: "DeviceAuthenticationFailed",
		5: "UserAuthenticationFailed", 6: "ReasonId(0x06)", 7: "StaleAttachAuthenticate",
		0x0b: "QuotaWouldBeExceeded", 0x0c: "CrossedConnections", 0x0d: "InternalError",
		0x0e: "ResponseTimeout", 0x0f: "TooManyUnknownSessionCmds", 0x15: "EmptySession",
	} {
		check(id.String(), want)
	}
	for id, want := range map[StatusID]string{
		0: "StatusId(0x00)", 1: "DNSLookupFailed", 2: "HostNotReachable", 3: "ConnectionClosed",
		4: "QuotaWouldBeExceeded", 5: "LockedOut",
	} {
		check(id.String(), want)
	}
	check(MessageFlags(0).String(), "-")
	check(MessageFlags(0xff).String(), "FGSAED")
	check(Version16.String(), "1.6")
}
