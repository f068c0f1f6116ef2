package policy

import (
	"encoding/pem"
	"os"
	"testing"
	"time"

	"furrow/appliance/keys"
)

// testKey returns the fixed signature key of the test domain, without which the
// golden objects would have other signatures each time.
func testKey(t testing.TB) *keys.RSAPrivateKey {
	t.Helper()
	data, err := os.ReadFile("testdata/domain.key")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		t.Fatal("testdata/domain.key is not PEM")
	}
	key, err := keys.ParseRSAPrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func testDomain() Domain {
	return Domain{
		GUID:        "7ymdzshkpai3fgqwdui5c332cmx3532gqenqe9i",
		DisplayName: `Contoso & "Söhne"`,
		ServerURL:   "http://groove.contoso.com/gms.dll",
		Certificate: []byte("certificate of the domain"),
	}
}

func testObject(body Body) Object {
	return Object{
		GUID:   "9557EB24-5779-4635-BA83-4C4AD001B4F1",
		Issued: time.UnixMilli(1199892192123).UTC(),
		Domain: testDomain(),
		Body:   body,
	}
}

func testPKI() *PKI {
	return &PKI{Feature: &PKIFeature{
		Required: true, CheckRevocation: true, RevocationFreshness: 2 * time.Hour, KeyUsageFlags: 3,
		CertificateTypes: []PKICertificateType{
			{ID: 1, Certificates: [][]byte{[]byte("first authority"), []byte("second authority")}},
			{ID: 2},
		},
	}}
}

func testCard() Card {
	return Card{
		FullName: "Ann Example", FirstName: "Ann", LastName: "Example", Email: "ann@contoso.com",
		Title: "Baker", Organization: "Contoso", Street1: "1 High Street", Street2: "Back door",
		City: "Springfield", State: "WA", PostalCode: "98000", Country: "USA",
		Phone: "+1 555 0100", Cell: "+1 555 0101", Fax: "+1 555 0102",
	}
}

func testIdentity() Identity {
	return Identity{
		FullName: "Ann Example",
		VCard:    testCard().VCard(),
		Relays: []Relay{
			{URL: "grooveDNS://relay1.contoso.com", Certificate: []byte("certificate of relay 1")},
			{URL: "grooveDNS://relay2.contoso.com", Certificate: []byte("certificate of relay 2")},
		},
		PreAuthToken: "9557EB24-5779-4635-BA83-4C4AD001B4F1",
		Enrollment: &Enrollment{
			Affiliation: Affiliation("Contoso", "Ann Example"),
			Expires:     time.UnixMilli(4353492192000).UTC(),
		},
	}
}

// fullBodies holds a body of each type in which every field says something,
// and variants of identities, by the name of their golden file.
func fullBodies() map[string]Body {
	pending := testIdentity()
	pending.Enrollment = nil
	pending.Relays = nil
	pending.PreAuthToken = ""

	leaving := testIdentity()
	leaving.Disabled = true
	leaving.MigrateTo = "http://groove.fabrikam.com/gms.dll"
	leaving.Enrollment.Expires = time.Time{} // enterprise PKI

	return map[string]Body{
		"AccountServicesPolicy": AccountServices{NoNewAccount: true, NoImport: true, OnlyDomainIdentities: true},
		"ComponentUpdatePolicy": ComponentUpdate{
			Default: ComponentsAllow, SelfSigned: ComponentsDeny, PolicyVersion: "1,0,0,0",
			Items: []ComponentItem{
				{
					DisplayName: "Contoso Tools", Fingerprint: "0123-4567", Rule: ComponentsLocal, Type: ComponentUse,
					Packages: []ComponentPackage{
						{Name: "net.contoso.Sketch", Version: "2,1", Comparison: ">=", Rule: ComponentsDeny, Silent: true, DeleteData: true},
						{Name: "net.contoso.Chess", Version: "1,0", Comparison: "<", Rule: ComponentsAllow},
					},
				},
				{DisplayName: "Fabrikam", Fingerprint: "89AB", Rule: ComponentsDeny, Type: ComponentSigner},
			},
		},
		"DataRecoveryPolicy": DataRecovery{
			Recovery: RecoveryFull, AutomaticReset: true, ResetInstructions: "Call Bob,\nroom <3>.",
			Certificate: []byte("data recovery certificate"),
		},
		"DevicePolicy": DevicePolicy{
			KeepCommunicatorSettings: true, NoPublicSearch: true,
			Bandwidth:   &Bandwidth{Value: 20, Unit: Percent, DisplayMask: "%d Percent"},
			Audit:       &AuditClient{OutsideWorkspaces: true, Workspaces: true},
			WebServices: &WebServices{Direct: true},
			PKI:         testPKI(),
			AuditServer: &AuditServer{
				FileContent: true, Messages: true, Logins: true, Contacts: true, Dynamics: true, Mandatory: true,
				Workspaces: true, ServerURL: "http://audit.contoso.com/gms.dll",
				UploadDays: 1, UploadInterval: 90 * time.Minute, Items: []string{"http://components.contoso.com/a?b&c"},
			},
		},
		"DomainTrustPolicy": DomainTrust{
			Name: "Fabrikam", Certificate: []byte("certificate of Fabrikam"), InOrganization: true,
		},
		"IdentityTemplate":         testIdentity(),
		"IdentityTemplate-pending": pending,
		"IdentityTemplate-leaving": leaving,
		"IdentityPolicy": IdentityPolicy{
			ManagedDevicesOnly: true, ManageDevices: true, DeviceManagement: true, PeerAuthentication: PeersRestrict,
			BlockedFileTypes: []string{"exe", "bat"}, RestrictedForests: []string{"contoso.com", "fabrikam.com"},
			LockVCard: true, PublicDirectory: ListingNever, DomainDirectory: ListingAlways,
			BackupInterval:  24 * time.Hour,
			DefaultTemplate: "http://components.contoso.com/default", MinimumTemplate: "http://components.contoso.com/minimum",
			PKI: testPKI(),
		},
		"PassphrasePolicy": Passphrase{
			NoMemorizing: true, NoHints: true, MaxAge: 90 * 24 * time.Hour, History: 5, MinLength: 10,
			NeedLetter: true, NeedDigit: true, NeedMixedCase: true, NeedPunctuation: true,
			ResetInstructions: "Call Bob.",
			Lockout:           &Lockout{Flags: 1},
			DelayLockout: &DelayLockout{
				Default: true, Duration: 10 * time.Minute, Threshold: 7, Vector: LockoutVector{1, 5, LockoutMessage, 30, LockoutAccount},
			},
		},
	}
}

func mustBuild(t testing.TB, o Object, key *keys.RSAPrivateKey) []byte {
	t.Helper()
	data, err := Build(o, key)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func mustParse(t testing.TB, data []byte) *Signed {
	t.Helper()
	s, err := Parse(data)
	if err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	return s
}
