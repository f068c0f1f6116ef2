package policy

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// settings returns the defaults of the types that an administrator sets.
func settings() []Body {
	return []Body{
		DefaultAccountServices(), DefaultComponentUpdate(), DefaultDataRecovery(), DefaultDevicePolicy(),
		DefaultDomainTrust(testDomain()), DefaultIdentityPolicy(), DefaultPassphrase(),
	}
}

func TestDefaultsAreValid(t *testing.T) {
	key := testKey(t)
	for _, body := range settings() {
		if err := body.Validate(); err != nil {
			t.Errorf("%v: %v", body.Type(), err)
		}
		if recovery, ok := body.(DataRecovery); ok {
			recovery.Certificate = []byte("data recovery certificate")
			body = recovery
		}
		want := testObject(body)
		got, err := mustParse(t, mustBuild(t, want, key)).Verify(key.Public())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: got %+v, %v", body.Type(), got, err)
		}
	}
}

// TestEveryFieldHasHelp looks at every exported field of the settings, however
// deep: each has a name in JSON and a help text, which is a sentence.
func TestEveryFieldHasHelp(t *testing.T) {
	for _, body := range settings() {
		checkHelp(t, reflect.TypeOf(body))
	}
}

func checkHelp(t *testing.T, typ reflect.Type) {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct {
		return
	}
	for i := range typ.NumField() {
		field := typ.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		help := field.Tag.Get("help")
		if name == "" || strings.ToLower(name[:1]) != name[:1] || !strings.HasSuffix(help, ".") {
			t.Errorf("%v.%s: JSON name %q, help %q", typ, field.Name, name, help)
		}
		checkHelp(t, field.Type)
	}
}

// TestStoredSettings stores each body with every field set and reads it back.
func TestStoredSettings(t *testing.T) {
	for name, body := range fullBodies() {
		if recovery, ok := body.(DataRecovery); ok {
			recovery.Certificate = nil // belongs to the domain
			body = recovery
		}
		stored, err := json.Marshal(body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := reflect.New(reflect.TypeOf(body))
		if err := json.Unmarshal(stored, got.Interface()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(got.Elem().Interface(), body) {
			t.Errorf("%s: got %+v from %s", name, got.Elem(), stored)
		}
	}
}

func TestValidateNamesTheField(t *testing.T) {
	beyond := math.MaxInt32
	beyond++ // below 0 where an int has 32 bits, which is as wrong
	component := func(change func(*ComponentUpdate)) Body {
		p := fullBodies()["ComponentUpdatePolicy"].(ComponentUpdate)
		change(&p)
		return p
	}
	device := func(change func(*DevicePolicy)) Body {
		p := fullBodies()["DevicePolicy"].(DevicePolicy)
		change(&p)
		return p
	}
	identity := func(change func(*IdentityPolicy)) Body {
		p := DefaultIdentityPolicy()
		change(&p)
		return p
	}
	passphrase := func(change func(*Passphrase)) Body {
		p := DefaultPassphrase()
		change(&p)
		return p
	}
	member := func(change func(*Identity)) Body {
		i := testIdentity()
		change(&i)
		return i
	}
	long := strings.Repeat("x", maxCertificate+1)
	for _, test := range []struct {
		field string
		body  Body
	}{
		{"default", component(func(p *ComponentUpdate) { p.Default = "" })},
		{"selfSigned", component(func(p *ComponentUpdate) { p.SelfSigned = ComponentsLocal })},
		{"policyVersion", component(func(p *ComponentUpdate) { p.PolicyVersion = "a\nb" })},
		{"items", component(func(p *ComponentUpdate) { p.Items = make([]ComponentItem, maxComponentItems+1) })},
		{"items[0].displayName", component(func(p *ComponentUpdate) { p.Items[0].DisplayName = long })},
		{"items[0].fingerprint", component(func(p *ComponentUpdate) { p.Items[0].Fingerprint = "\x00" })},
		{"items[1].rule", component(func(p *ComponentUpdate) { p.Items[1].Rule = "allow" })},
		{"items[1].type", component(func(p *ComponentUpdate) { p.Items[1].Type = "" })},
		{"items[0].packages", component(func(p *ComponentUpdate) {
			p.Items[0].Packages = make([]ComponentPackage, maxComponentPackages+1)
		})},
		{"items[0].packages[1].name", component(func(p *ComponentUpdate) { p.Items[0].Packages[1].Name = "" })},
		{"items[0].packages[0].version", component(func(p *ComponentUpdate) { p.Items[0].Packages[0].Version = long })},
		{"items[0].packages[0].comparison", component(func(p *ComponentUpdate) { p.Items[0].Packages[0].Comparison = "==" })},
		{"items[0].packages[0].rule", component(func(p *ComponentUpdate) { p.Items[0].Packages[0].Rule = "" })},

		{"recovery", DataRecovery{}},
		{"resetInstructions", DataRecovery{Recovery: RecoveryNone, ResetInstructions: long}},
		{"resetInstructions", DataRecovery{Recovery: RecoveryNone, ResetInstructions: "\uFFFF"}},

		{"name", DomainTrust{Name: "\xff", Certificate: []byte("x")}},
		{"certificate", DomainTrust{Name: "Contoso"}},
		{"certificate", DomainTrust{Name: "Contoso", Certificate: []byte(long)}},

		{"bandwidth.value", device(func(p *DevicePolicy) { p.Bandwidth.Value = -1 })},
		{"bandwidth.unit", device(func(p *DevicePolicy) { p.Bandwidth.Unit = 4 })},
		{"bandwidth.displayMask", device(func(p *DevicePolicy) { p.Bandwidth.DisplayMask = "a\u2028b" })},
		{"pki.feature.revocationFreshness", device(func(p *DevicePolicy) { p.PKI.Feature.RevocationFreshness = time.Millisecond })},
		{"pki.feature.keyUsageFlags", device(func(p *DevicePolicy) { p.PKI.Feature.KeyUsageFlags = beyond })},
		{"pki.feature.certificateTypes", device(func(p *DevicePolicy) {
			p.PKI.Feature.CertificateTypes = make([]PKICertificateType, maxCertificateTypes+1)
		})},
		{"pki.feature.certificateTypes[1].id", device(func(p *DevicePolicy) { p.PKI.Feature.CertificateTypes[1].ID = beyond })},
		{"pki.feature.certificateTypes[1].certificates", device(func(p *DevicePolicy) {
			p.PKI.Feature.CertificateTypes[1].Certificates = make([][]byte, maxCertificates+1)
		})},
		{"pki.feature.certificateTypes[0].certificates[1]", device(func(p *DevicePolicy) {
			p.PKI.Feature.CertificateTypes[0].Certificates[1] = nil
		})},
		{"auditServer.serverURL", device(func(p *DevicePolicy) { p.AuditServer.ServerURL = long })},
		{"auditServer.uploadDays", device(func(p *DevicePolicy) { p.AuditServer.UploadDays = maxUploadDays + 1 })},
		{"auditServer.uploadInterval", device(func(p *DevicePolicy) { p.AuditServer.UploadInterval = 25 * 24 * time.Hour })},
		{"auditServer.items", device(func(p *DevicePolicy) { p.AuditServer.Items = make([]string, maxAuditItems+1) })},
		{"auditServer.items[0]", device(func(p *DevicePolicy) { p.AuditServer.Items[0] = "" })},

		{"peerAuthentication", identity(func(p *IdentityPolicy) { p.PeerAuthentication = 3 })},
		{"blockedFileTypes", identity(func(p *IdentityPolicy) { p.BlockedFileTypes = make([]string, maxBlockedFileTypes+1) })},
		{"blockedFileTypes[1]", identity(func(p *IdentityPolicy) { p.BlockedFileTypes = []string{"exe", "a,b"} })},
		{"blockedFileTypes[0]", identity(func(p *IdentityPolicy) { p.BlockedFileTypes = []string{strings.Repeat("x", maxFileType+1)} })},
		{"restrictedForests", identity(func(p *IdentityPolicy) { p.RestrictedForests = make([]string, maxForests+1) })},
		{"restrictedForests[0]", identity(func(p *IdentityPolicy) { p.RestrictedForests = []string{"a b"} })},
		{"publicDirectory", identity(func(p *IdentityPolicy) { p.PublicDirectory = 3 })},
		{"domainDirectory", identity(func(p *IdentityPolicy) { p.DomainDirectory = -1 })},
		{"backupInterval", identity(func(p *IdentityPolicy) { p.BackupInterval = time.Microsecond })},
		{"backupInterval", identity(func(p *IdentityPolicy) { p.BackupInterval = -time.Hour })},
		{"defaultTemplate", identity(func(p *IdentityPolicy) { p.DefaultTemplate = long })},
		{"minimumTemplate", identity(func(p *IdentityPolicy) { p.MinimumTemplate = "\t" })},
		{"pki.feature.revocationFreshness", identity(func(p *IdentityPolicy) {
			p.PKI = &PKI{Feature: &PKIFeature{RevocationFreshness: -time.Second}}
		})},

		{"maxAge", passphrase(func(p *Passphrase) { p.MaxAge = maxPeriod + time.Hour })},
		{"history", passphrase(func(p *Passphrase) { p.History = -1 })},
		{"minLength", passphrase(func(p *Passphrase) { p.MinLength = maxPassphraseLength + 1 })},
		{"resetInstructions", passphrase(func(p *Passphrase) { p.ResetInstructions = "\x1b[2J" })},
		{"lockout.flags", passphrase(func(p *Passphrase) { p.Lockout = &Lockout{Flags: beyond} })},
		{"delayLockout.duration", passphrase(func(p *Passphrase) { p.DelayLockout.Duration = time.Millisecond })},
		{"delayLockout.threshold", passphrase(func(p *Passphrase) { p.DelayLockout.Threshold = 1001 })},
		{"delayLockout.vector", passphrase(func(p *Passphrase) { p.DelayLockout.Vector = LockoutVector{2, 1} })},

		{"fullName", member(func(i *Identity) { i.FullName = "" })},
		{"migrateTo", member(func(i *Identity) { i.MigrateTo = long })},
		{"vCard", member(func(i *Identity) { i.VCard = nil })},
		{"vCard", member(func(i *Identity) { i.VCard = make([]byte, maxVCard+1) })},
		{"relays", member(func(i *Identity) { i.Relays = make([]Relay, maxRelays+1) })},
		{"relays[1].url", member(func(i *Identity) { i.Relays[1].URL = "" })},
		{"relays[0].certificate", member(func(i *Identity) { i.Relays[0].Certificate = nil })},
		{"preAuthToken", member(func(i *Identity) { i.PreAuthToken = "a\nb" })},
		{"enrollment.affiliation", member(func(i *Identity) { i.Enrollment.Affiliation = "" })},
		{"enrollment.expires", member(func(i *Identity) { i.Enrollment.Expires = time.UnixMilli(-1) })},
	} {
		err := test.body.Validate()
		var refused *FieldError
		if !errors.As(err, &refused) || refused.Field != test.field {
			t.Errorf("%v, %s: got %v", test.body.Type(), test.field, err)
		} else if got := err.Error(); !strings.HasPrefix(got, test.field+" ") {
			t.Errorf("error %q does not begin with the field", got)
		}
	}
}

// TestLongestMember has the longest values that the rest of the server allows
// (256 characters of four bytes) and must fit.
func TestLongestMember(t *testing.T) {
	key := testKey(t)
	long := strings.Repeat("\U0001F33E", 256)
	card := Card{
		FullName: long, FirstName: long, LastName: long, Email: long, Title: long, Organization: long, Street1: long,
		Street2: long, City: long, State: long, PostalCode: long, Country: long, Phone: long, Cell: long, Fax: long,
	}
	identity := testIdentity()
	identity.FullName = long
	identity.VCard = card.VCard()
	identity.Enrollment.Affiliation = Affiliation(long, long)
	object := testObject(identity)
	object.Domain.DisplayName = long
	got, err := mustParse(t, mustBuild(t, object, key)).Verify(key.Public())
	if err != nil || !reflect.DeepEqual(got, object) {
		t.Error(err)
	}
}
