package policy

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"furrow/gms/soap"
)

// golden returns a golden object with old replaced by new, which must occur.
func golden(t testing.TB, name, old, new string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".xml"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), old) {
		t.Fatalf("%s does not contain %q", name, old)
	}
	return []byte(strings.ReplaceAll(string(data), old, new))
}

func TestParseRefuses(t *testing.T) {
	for _, test := range []struct{ what, name, old, new string }{
		{"another root", "PassphrasePolicy", "g:fragment", "g:Fragment"},
		{"another namespace", "PassphrasePolicy", "urn:groove.net", "urn:groove.org"},
		{"another version", "PassphrasePolicy", `Version="0,0,0,0"`, `Version="1,0,0,0"`},
		{"no signature", "PassphrasePolicy", "<g:Signature ", "<g:Other "},
		{"no signatures", "PassphrasePolicy", "g:Signatures", "g:Others"},
		{"signature that is not base64", "PassphrasePolicy", `Fingerprint="0" Value="`, `Fingerprint="0" Value="*`},
		{"no header", "PassphrasePolicy", "g:Header", "g:Other"},
		{"no domain", "PassphrasePolicy", "g:ManagementDomain", "g:Other"},
		{"another reporting interval", "PassphrasePolicy", `Interval="60"`, `Interval="61"`},
		{"another reporting policy", "PassphrasePolicy", `ReportingPolicy="Management"`, `ReportingPolicy=""`},
		{"no domain GUID", "PassphrasePolicy", `Name="7ymdzshkpai3fgqwdui5c332cmx3532gqenqe9i"`, `Name=""`},
		{"no object GUID", "PassphrasePolicy", ` GUID="9557EB24-5779-4635-BA83-4C4AD001B4F1"`, ""},
		{"long object GUID", "PassphrasePolicy", `9557EB24-`, strings.Repeat("9", maxGUID)},
		{"issued at no time", "PassphrasePolicy", `IssuedTime="1199892192123"`, `IssuedTime="NaN"`},
		{"issued before 1970", "PassphrasePolicy", `IssuedTime="1199892192123"`, `IssuedTime="-1"`},
		{"issued after 9999", "PassphrasePolicy", `IssuedTime="1199892192123"`, `IssuedTime="253402300800000"`},
		{"an intended identity", "PassphrasePolicy", `IntendedIdentityURL=""`, `IntendedIdentityURL="grooveIdentity://x@"`},
		{"another object's name", "PassphrasePolicy", "groovePassphrasePolicy2:", "grooveDevicePolicy:"},
		{"another member's name", "IdentityTemplate", `Name="grooveIdentity://9557`, `Name="grooveIdentity://8557`},
		{"another replacement", "PassphrasePolicy", "$IssuedTime", "$Always"},
		{"another factory", "PassphrasePolicy", "Factory=PassphrasePolicy", "Factory=Passphrase"},
		{"a factory of another type", "PassphrasePolicy", "Factory=PassphrasePolicy", "Factory=DevicePolicy"},
		{"an empty body", "PassphrasePolicy", "g:Policy", "g:Other"},
		{"two bodies", "AccountServicesPolicy", `<g:Policy Flags="7"/>`, `<g:Policy Flags="7"/><g:Policy Flags="0"/>`},

		{"unknown flags", "AccountServicesPolicy", `Flags="7"`, `Flags="8"`},
		{"negative flags", "AccountServicesPolicy", `Flags="7"`, `Flags="-1"`},
		{"flags that are no number", "AccountServicesPolicy", `Flags="7"`, `Flags="seven"`},
		{"unknown rule", "ComponentUpdatePolicy", `Default="Allow"`, `Default="Maybe"`},
		{"self-signed from the local system", "ComponentUpdatePolicy", `SelfSigned="Deny"`, `SelfSigned="Local"`},
		{"unknown item", "ComponentUpdatePolicy", `Type="Use"`, `Type="use"`},
		{"unknown comparison", "ComponentUpdatePolicy", `VersionComparison="&lt;"`, `VersionComparison="!="`},
		{"unknown recovery", "DataRecoveryPolicy", `RecoveryType="Full"`, `RecoveryType=""`},
		{"no recovery certificate", "DataRecoveryPolicy", `Certificate="ZGF0YSByZWNvdmVyeSBjZXJ0aWZpY2F0ZQ=="`, ""},
		{"unknown unit", "DevicePolicy", `Unit="3"`, `Unit="4"`},
		{"two bandwidths", "DevicePolicy", "<g:Audit>", "<g:Bandwidth/><g:Audit>"},
		{"another PKI feature", "DevicePolicy", `ID="2" KeyUsage`, `ID="3" KeyUsage`},
		{"an empty certificate", "DevicePolicy", `Value="Zmlyc3QgYXV0aG9yaXR5"`, `Value=""`},
		{"no trusted domain", "DomainTrustPolicy", "g:Item", "g:Other"},
		{"two trusted domains", "DomainTrustPolicy", "<g:Item ", `<g:Item Certificate="AA==" InOrganization="0" Name="x"/><g:Item `},
		{"unknown status", "IdentityTemplate", `<g:IdentityTemplate Flags="1">`, `<g:IdentityTemplate Flags="2">`},
		{"migration to nowhere", "IdentityTemplate-leaving", "http://groove.fabrikam.com/gms.dll", ""},
		{"no vCard", "IdentityTemplate", "g:vCard", "g:Other"},
		{"other presence servers", "IdentityTemplate", `<g:PresenceDevice AuthorizationToken="9`, `<g:PresenceDevice AuthorizationToken="8`},
		{"fewer presence servers", "IdentityTemplate", "<g:PresenceDevice ", "<g:Other "},
		{"no list of relays", "IdentityTemplate-pending", "<g:RelayDevices/>", ""},
		{"half an enrollment", "IdentityTemplate", "g:CustomFields", "g:Other"},
		{"a certificate without origin", "IdentityTemplate", "g:Origin", "g:Other"},
		{"an origin of another domain", "IdentityTemplate", `ServerURL="http://groove.contoso.com/gms.dll"/></g:Origin>`, `ServerURL="x"/></g:Origin>`},
		{"an origin of another name", "IdentityTemplate", "urn:groove.net:ManagementDomain", "urn:groove.net:Other"},
		{"another signer", "IdentityTemplate", `SignerAddress="http:`, `SignerAddress="https:`},
		{"a certificate that never expires", "IdentityTemplate", `ExpirationDate="4353492192000"`, ""},
		{"other affiliation flags", "IdentityTemplate", `="67108864"`, `="1"`},
		{"unknown level", "IdentityPolicy", `PeerAuthenticationLevel="2"`, `PeerAuthenticationLevel="3"`},
		{"unknown directory", "IdentityPolicy", "$GrooveNet", "$Other"},
		{"unknown listing", "IdentityPolicy", `Name="$GrooveNet" Value="2"`, `Name="$GrooveNet" Value="3"`},
		{"devices of another domain", "IdentityPolicy", `<g:DeviceManagement><g:ManagementDomain Certificate="Y`, `<g:DeviceManagement><g:ManagementDomain Certificate="Z`},
		{"a negative interval", "IdentityPolicy", `Interval="86400000"`, `Interval="-1"`},
		{"an interval of ages", "IdentityPolicy", `Interval="86400000"`, `Interval="9E15"`},
		{"a falling vector", "PassphrasePolicy", `Vector="1,5,`, `Vector="5,1,`},
		{"a high threshold", "PassphrasePolicy", `Threshold="7"`, `Threshold="1001"`},
	} {
		data := golden(t, test.name, test.old, test.new)
		if s, err := Parse(data); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: got %+v, %v", test.what, s, err)
		} else if fault := (*soap.Fault)(nil); errors.As(err, &fault) {
			t.Errorf("%s: %v would pass for a fault of the peer", test.what, err)
		}
	}
}

// TestParseOtherReadings reads what other servers may send where the text is
// not clear, and what the schemas do not know.
func TestParseOtherReadings(t *testing.T) {
	certificate := golden(t, "IdentityTemplate", "<g:Certificate><g:Certificate ", "<g:Certificate ")
	single := strings.Replace(string(certificate), "</g:Certificate>", "", 1)
	for _, test := range []struct {
		what, name string
		data       []byte
	}{
		{"package list of the schema", "ComponentUpdatePolicy", golden(t, "ComponentUpdatePolicy", "ComponentPackageNameList", "ComponetPackageNameList")},
		{"lockout of the table", "PassphrasePolicy", golden(t, "PassphrasePolicy", "DelayLockout", "DelayLockOut")},
		{"vCard of the table", "IdentityTemplate", golden(t, "IdentityTemplate", "g:vCard", "g:VCard")},
		{"single certificate of the table", "IdentityTemplate", []byte(single)},
		{"affiliation flags of the table", "IdentityTemplate", golden(t, "IdentityTemplate", "_95_95_95Affiliation_95Flags", "_95_95Affiliation_95Flags")},
		{"hexadecimal affiliation flags", "IdentityTemplate", golden(t, "IdentityTemplate", `"67108864"`, `"0x4000000"`)},
		{"replacement by time", "IdentityTemplate", golden(t, "IdentityTemplate", "$Always", "$IssuedTime")},
		{"time with an exponent", "PassphrasePolicy", golden(t, "PassphrasePolicy", `"1199892192123"`, `"1.199892192123E12"`)},
		{"lists with spaces", "IdentityPolicy", golden(t, "IdentityPolicy", `"exe,bat"`, `"exe, bat"`)},
		{"unknown attribute", "PassphrasePolicy", golden(t, "PassphrasePolicy", `<g:History `, `<g:History Since="1" `)},
		{"unknown element", "PassphrasePolicy", golden(t, "PassphrasePolicy", `<g:History `, `<g:Other/><g:History `)},
		{"other display name", "PassphrasePolicy", golden(t, "PassphrasePolicy", `DisplayName="Passphrase Policy"`, `DisplayName="Passwortrichtlinie"`)},
	} {
		s, err := Parse(test.data)
		if err != nil {
			t.Errorf("%s: %v", test.what, err)
			continue
		}
		if want := testObject(fullBodies()[test.name]); !reflect.DeepEqual(s.Unverified(), want) {
			t.Errorf("%s: got\n%+v\nwant\n%+v", test.what, s.Unverified(), want)
		}
	}
}

// TestSingleCertificateVerifies makes sure that a contact whose certificate is
// not nested can be verified.
func TestSingleCertificateVerifies(t *testing.T) {
	key := testKey(t)
	s := mustParse(t, mustBuild(t, testObject(testIdentity()), key))
	var d decoder
	contact := d.required(s.content, "Contact")
	nested := d.required(contact, "Certificate")
	inner := d.required(nested, "Certificate")
	contact.InsertChildAt(nested.Index(), inner)
	contact.RemoveChild(nested)
	if err := certifyContact(s.content, key); err != nil {
		t.Fatal(err)
	}
	if err := s.VerifyContact(key.Public()); err != nil {
		t.Error(err)
	}
}

func TestParseBoundsSize(t *testing.T) {
	data := golden(t, "PassphrasePolicy", "Call Bob.", strings.Repeat("x", MaxSize))
	if _, err := Parse(data); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

func TestBuildRefuses(t *testing.T) {
	key := testKey(t)
	for field, change := range map[string]func(*Object){
		"guid":               func(o *Object) { o.GUID = "" },
		"issued":             func(o *Object) { o.Issued = o.Issued.AddDate(-60, 0, 0) },
		"domain.guid":        func(o *Object) { o.Domain.GUID = "a\nb" },
		"domain.displayName": func(o *Object) { o.Domain.DisplayName = "\xff" },
		"domain.serverURL":   func(o *Object) { o.Domain.ServerURL = "" },
		"domain.certificate": func(o *Object) { o.Domain.Certificate = nil },
		"body":               func(o *Object) { o.Body = nil },
		"body.certificate":   func(o *Object) { o.Body = DefaultDataRecovery() },
		"body.history":       func(o *Object) { o.Body = Passphrase{History: -1} },
	} {
		o := testObject(DefaultPassphrase())
		change(&o)
		data, err := Build(o, key)
		var refused *FieldError
		if !errors.As(err, &refused) || refused.Field != field || data != nil {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

func TestBuildBoundsSize(t *testing.T) {
	p := DefaultComponentUpdate()
	for range maxComponentItems {
		item := ComponentItem{Rule: ComponentsDeny, Type: ComponentUse}
		for range 64 {
			item.Packages = append(item.Packages, ComponentPackage{Name: "net.contoso.Sketch", Comparison: "=", Rule: ComponentsDeny})
		}
		p.Items = append(p.Items, item)
	}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	var refused *FieldError
	if _, err := Build(testObject(p), testKey(t)); !errors.As(err, &refused) || refused.Field != "body" {
		t.Error(err)
	}
	p.Items = p.Items[:64]
	mustParse(t, mustBuild(t, testObject(p), testKey(t)))
}
