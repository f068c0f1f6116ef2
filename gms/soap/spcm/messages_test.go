package spcm

import (
	"reflect"
	"strings"
	"testing"

	"furrow/gms/soap"
)

const fragmentStart = soap.Prolog + `<g:fragment xmlns:g="urn:groove.net">`

func testDomain() ManagementDomain {
	return ManagementDomain{GUID: domainGUID, DisplayName: "Contoso & Söhne", ServerURL: serverURL, Certificate: []byte{1, 2, 3}}
}

const domainXML = `<g:ManagementDomain Certificate="AQID" DisplayName="Contoso &amp; Söhne" Name="` + domainGUID + `"` +
	` ReportingInterval="60" ReportingPolicy="Management" ServerURL="` + serverURL + `"/>`

func testObjects() []ManagedObject {
	return []ManagedObject{
		{true, memberGUID, "grooveIdentity://" + memberGUID, []byte{1, 2, 3}},
		{false, "b", "", nil},
	}
}

const objectsXML = `<ManagedObject Active="1" GUID="` + memberGUID + `" Name="grooveIdentity://` + memberGUID + `" Object="AQID"/>` +
	`<ManagedObject Active="0" GUID="b" Name="" Object=""/>`

func testStatus() *ManagedObjectStatus {
	return &ManagedObjectStatus{
		DomainGUID:   domainGUID,
		Consistency:  Consistency{"AQID", domainGUID, identityURL},
		DomainMember: true,
		IdentityURL:  identityURL,
		Name:         "Contoso",
		UserGUID:     accountGUID,
		UserName:     "Full Name",
		Objects:      []InstalledObject{{memberGUID, 1199892192000, "grooveIdentity://" + memberGUID}, {"b", 0, ""}},
	}
}

// TestLayouts compares each message with the layout of its section.
func TestLayouts(t *testing.T) {
	for _, test := range []struct {
		section string
		message interface{ Encode() []byte }
		decode  func([]byte) (any, error)
		want    string
	}{
		{"2.2.3.36.1", &KeyActivation{GrooveVersion: "4,2,0,2623"}, erase(DecodeKeyActivation),
			soap.Prolog + `<Payload GrooveVersion="4,2,0,2623"/>`},
		{"2.2.3.37.1", &KeyActivationResponse{"CODE", serverURL, testDomain(), testObjects()}, erase(DecodeKeyActivationResponse),
			fragmentStart + `<KeyActivation ActivationKey="CODE" ServerURL="` + serverURL + `">` + domainXML +
				`<ManagedObjects Count="2">` + objectsXML + `</ManagedObjects></KeyActivation></g:fragment>`},
		{"2.2.3.21.1", &DomainEnrollment{accountGUID, []byte{1}, []byte{1, 2, 3}, "4,2"}, erase(DecodeDomainEnrollment),
			soap.Prolog + `<Payload AccountGuid="` + accountGUID + `" ActivationKeySignature="AQ==" Contact="AQID" GrooveVersion="4,2"/>`},
		{"2.2.3.22.1", &DomainEnrollmentResponse{testDomain(), testObjects()}, erase(DecodeDomainEnrollmentResponse),
			fragmentStart + `<DomainEnrollment>` + domainXML + `<ManagedObjects Count="2">` + objectsXML +
				`</ManagedObjects></DomainEnrollment></g:fragment>`},
		{"2.2.3.25.1", &Enrollment{[]byte{1, 2, 3}}, erase(DecodeEnrollment),
			soap.Prolog + `<Payload Contact="AQID"/>`},
		{"2.2.3.1.1 and 4.2.1", &AccountHeartbeat{"4,2,0,2623"}, erase(DecodeAccountHeartbeat),
			soap.Prolog + `<AccountHeartbeat Version="4,2,0,2623"/>`},
		{"2.2.3.38.1", &ManagedObjectInstall{Domain: domainGUID, ID: memberGUID, IdentityURL: identityURL,
			Type: TypeIdentityTemplate, UserName: "Full Name", ServerURL: serverURL, Name: "n", IssuedTime: 1199892192000, VCard: []byte{1, 2, 3}},
			erase(DecodeManagedObjectInstall),
			soap.Prolog + `<ManagedObjectInstalled Domain="` + domainGUID + `" ID="` + memberGUID + `" IdentityURL="` + identityURL +
				`" IssuedTime="1199892192000" Name="n" ServerURL="` + serverURL + `" Type="IdentityTemplate" UserNAME="Full Name" VCard="AQID"/>`},
		{"2.2.3.38.1, required only", &ManagedObjectInstall{Domain: "d", ID: "i"}, erase(DecodeManagedObjectInstall),
			soap.Prolog + `<ManagedObjectInstalled Domain="d" ID="i" IdentityURL="" Type="" UserNAME=""/>`},
		{"2.2.3.40.1", testStatus(), erase(DecodeManagedObjectStatus),
			soap.Prolog + `<D` + domainGUID + ` ConsistencyDigest="AQID" ConsistencyDomainGUID="` + domainGUID +
				`" ConsistencyIdentityURL="` + identityURL + `" DomainMember="1" IdentityURL="` + identityURL +
				`" IsBeta="0" IsTrial="0" Name="Contoso" UserGUID="` + accountGUID + `" UserName="Full Name">` +
				`<ManagedObject ID="` + memberGUID + `" IssuedTime="1199892192000" Name="grooveIdentity://` + memberGUID + `"/>` +
				`<ManagedObject ID="b" IssuedTime="0" Name=""/></D` + domainGUID + `>`},
		{"2.2.3.41.1", &ManagedObjectStatusResponse{Consistency{"AQID", domainGUID, identityURL}, identityURL, testObjects()},
			erase(DecodeManagedObjectStatusResponse),
			soap.Prolog + `<ManagedObjects ConsistencyDigest="AQID" ConsistencyDomainGUID="` + domainGUID + `" ConsistencyIdentityURL="` +
				identityURL + `" IdentityURL="` + identityURL + `">` + objectsXML + `</ManagedObjects>`},
	} {
		t.Run(test.section, func(t *testing.T) {
			encoded := test.message.Encode()
			if string(encoded) != test.want {
				t.Errorf("got\n%s\nwant\n%s", encoded, test.want)
			}
			got, err := test.decode(encoded)
			if err != nil || !reflect.DeepEqual(got, test.message) {
				t.Errorf("decoded %+v, %v\nwant %+v", got, err, test.message)
			}
		})
	}
}

func erase[M any](decode func([]byte) (*M, error)) func([]byte) (any, error) {
	return func(b []byte) (any, error) { return decode(b) }
}

// TestReadings takes the messages in the spellings that other readings lead to.
func TestReadings(t *testing.T) {
	install := ManagedObjectInstall{Domain: "d", ID: "i", UserName: "u"}
	for name, in := range map[string]string{ // reading B9
		"bare":                 string(install.Encode()),
		"in a fragment":        `<g:fragment xmlns:g="urn:groove.net"><ManagedObjectInstalled Domain="d" ID="i" IdentityURL="" Type="" UserNAME="u"/></g:fragment>`,
		"in a fragment with g": `<g:fragment xmlns:g="urn:groove.net"><g:ManagedObjectInstalled Domain="d" ID="i" IdentityURL="" Type="" UserNAME="u"/></g:fragment>`,
	} {
		if got, err := DecodeManagedObjectInstall([]byte(in)); err != nil || !reflect.DeepEqual(*got, install) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}

	// Reading E3: entries with prefix; Count is optional in 2.2.3.22.1.
	in := string((&DomainEnrollmentResponse{testDomain(), testObjects()}).Encode())
	in = strings.NewReplacer("<ManagedObject", "<g:ManagedObject", "</ManagedObject", "</g:ManagedObject", ` Count="2"`, "").Replace(in)
	if got, err := DecodeDomainEnrollmentResponse([]byte(in)); err != nil || len(got.Objects) != 2 {
		t.Errorf("got %+v, %v", got, err)
	}

	// An xs:double may have an exponent, and a client need not have objects.
	in = strings.Replace(string(testStatus().Encode()), "1199892192000", "1.199892192E+12", 1)
	if got, err := DecodeManagedObjectStatus([]byte(in)); err != nil || got.Objects[0].IssuedTime != 1199892192000 {
		t.Errorf("got %+v, %v", got, err)
	}
	none := testStatus()
	none.Objects = []InstalledObject{}
	none.IsBeta, none.IsTrial, none.ProductID = true, true, "p"
	if got, err := DecodeManagedObjectStatus(none.Encode()); err != nil || !reflect.DeepEqual(got, none) {
		t.Errorf("got %+v, %v", got, err)
	}

	// The schema of DomainEnrollment requires nothing; what a service can do
	// without may be absent.
	enrollment, err := DecodeDomainEnrollment([]byte(`<Payload AccountGuid="a" Contact="AQID"/>`))
	if err != nil || enrollment.ActivationKeySignature != nil {
		t.Errorf("got %+v, %v", enrollment, err)
	}
	if _, err := DecodeKeyActivation([]byte(`<Payload/>`)); err != nil {
		t.Error(err)
	}
}

func TestKeyActivationRefuses(t *testing.T) {
	checkRefusals(t, string((&KeyActivation{"4"}).Encode()), DecodeKeyActivation, []refusal{
		{"another root", "<Payload", "<Other", "Payload"},
		{"control character", `"4"`, `"&#9;"`, "Payload/@GrooveVersion"},
	})
}

func TestKeyActivationResponseRefuses(t *testing.T) {
	plain := string((&KeyActivationResponse{"CODE", serverURL, testDomain(), testObjects()}).Encode())
	checkRefusals(t, plain, DecodeKeyActivationResponse, []refusal{
		{"another namespace", "urn:groove.net", "urn:other", "fragment"},
		{"no key", `ActivationKey="CODE"`, `ActivationKey=""`, "KeyActivation/@ActivationKey"},
		{"no server", `ServerURL="` + serverURL + `">`, `>`, "KeyActivation/@ServerURL"},
		{"no domain", "g:ManagementDomain", "g:Domain", "KeyActivation/ManagementDomain"},
		{"two domains", domainXML, domainXML + domainXML, "KeyActivation/ManagementDomain"},
		{"no certificate", "Certificate", "Cert", "ManagementDomain/@Certificate"},
		{"bad certificate", "AQID", "AQI", "ManagementDomain/@Certificate"},
		{"no domain GUID", ` Name="` + domainGUID, ` Name="`, "ManagementDomain/@Name"},
		{"no display name", "DisplayName", "Display", "ManagementDomain/@DisplayName"},
		{"other interval", `"60"`, `"61"`, "ManagementDomain/@ReportingInterval"},
		{"other policy", `"Management"`, `"None"`, "ManagementDomain/@ReportingPolicy"},
		{"no list", `<ManagedObjects Count="2">` + objectsXML + `</ManagedObjects>`, "", "KeyActivation/ManagedObjects"},
		{"other count", `Count="2"`, `Count="3"`, "ManagedObjects/@Count"},
		{"count no number", `Count="2"`, `Count="two"`, "ManagedObjects/@Count"},
		{"not active or not", `Active="1"`, `Active="yes"`, "ManagedObject/@Active"},
		{"object without GUID", ` GUID="b"`, ` GUID=""`, "ManagedObject/@GUID"},
		{"object without name", ` Name=""`, ``, "ManagedObject/@Name"},
		{"bad object", `Object="AQID"`, `Object="A"`, "ManagedObject/@Object"},
	})
}

func TestDomainEnrollmentRefuses(t *testing.T) {
	plain := string((&DomainEnrollment{accountGUID, []byte{1}, []byte{1, 2, 3}, "4,2"}).Encode())
	checkRefusals(t, plain, DecodeDomainEnrollment, []refusal{
		{"no account", "AccountGuid", "Account", "Payload/@AccountGuid"},
		{"no contact", "Contact", "Person", "Payload/@Contact"},
		{"bad contact", "AQID", "AQI", "Payload/@Contact"},
		{"bad signature", "AQ==", "AQ=", "Payload/@ActivationKeySignature"},
		{"bad version", `"4,2"`, `"&#xA;"`, "Payload/@GrooveVersion"},
	})
}

func TestDomainEnrollmentResponseRefuses(t *testing.T) {
	plain := string((&DomainEnrollmentResponse{testDomain(), testObjects()}).Encode())
	checkRefusals(t, plain, DecodeDomainEnrollmentResponse, []refusal{
		{"another message", "<DomainEnrollment>", "<DomainEnrollment/><Other>", "payload"},
		{"no domain", "g:ManagementDomain", "g:Domain", "DomainEnrollment/ManagementDomain"},
		{"other count", `Count="2"`, `Count="1"`, "ManagedObjects/@Count"},
	})
}

func TestEnrollmentRefuses(t *testing.T) {
	checkRefusals(t, string((&Enrollment{[]byte{1, 2, 3}}).Encode()), DecodeEnrollment, []refusal{
		{"another root", "Payload", "Contact", "Payload"},
		{"no contact", "Contact", "Person", "Payload/@Contact"},
	})
}

func TestAccountHeartbeatRefuses(t *testing.T) {
	checkRefusals(t, string((&AccountHeartbeat{"4"}).Encode()), DecodeAccountHeartbeat, []refusal{
		{"another root", "AccountHeartbeat", "Payload", "AccountHeartbeat"},
		{"no version", "Version", "Edition", "AccountHeartbeat/@Version"},
	})
}

func TestManagedObjectInstallRefuses(t *testing.T) {
	plain := string((&ManagedObjectInstall{Domain: "d", ID: "i", IdentityURL: "u", Type: "t", UserName: "n",
		ServerURL: "s", Name: "m", IssuedTime: 5, VCard: []byte{1, 2, 3}}).Encode())
	checkRefusals(t, plain, DecodeManagedObjectInstall, []refusal{
		{"another root", "ManagedObjectInstalled", "ManagedObjectInstall", "ManagedObjectInstalled"},
		{"fragment without it", plain, `<g:fragment xmlns:g="urn:groove.net"/>`, "fragment/ManagedObjectInstalled"},
		{"no domain", `Domain="d"`, `Domain=""`, "ManagedObjectInstalled/@Domain"},
		{"no object", `ID="i"`, ``, "ManagedObjectInstalled/@ID"},
		{"no identity", `IdentityURL`, `Identity`, "ManagedObjectInstalled/@IdentityURL"},
		{"no type", `Type`, `Kind`, "ManagedObjectInstalled/@Type"},
		{"no user", `UserNAME`, `User`, "ManagedObjectInstalled/@UserNAME"},
		{"bad server", `ServerURL="s"`, `ServerURL="&#9;"`, "ManagedObjectInstalled/@ServerURL"},
		{"bad name", ` Name="m"`, ` Name="&#9;"`, "ManagedObjectInstalled/@Name"},
		{"bad time", `"5"`, `"NaN"`, "ManagedObjectInstalled/@IssuedTime"},
		{"bad vCard", `AQID`, `AQ`, "ManagedObjectInstalled/@VCard"},
	})
}

func TestManagedObjectStatusRefuses(t *testing.T) {
	status := testStatus()
	status.Objects, status.ProductID = status.Objects[:1], "p"
	name := "D" + domainGUID
	checkRefusals(t, string(status.Encode()), DecodeManagedObjectStatus, []refusal{
		{"no domain in the name", string(status.Encode()), `<D/>`, "domainGUID"},
		{"another name", string(status.Encode()), `<Payload/>`, "domainGUID"},
		{"no digest", "ConsistencyDigest", "Digest", name + "/@ConsistencyDigest"},
		{"digest not base64", `"AQID"`, `"AQI"`, name + "/@ConsistencyDigest"},
		{"no consistency domain", "ConsistencyDomainGUID", "Domain", name + "/@ConsistencyDomainGUID"},
		{"no consistency identity", "ConsistencyIdentityURL", "URL", name + "/@ConsistencyIdentityURL"},
		{"no member", "DomainMember", "Member", name + "/@DomainMember"},
		{"bad member", `DomainMember="1"`, `DomainMember="2"`, name + "/@DomainMember"},
		{"no identity", ` IdentityURL`, ` Identity`, name + "/@IdentityURL"},
		{"no name", ` Name="Contoso"`, ``, name + "/@Name"},
		{"no user GUID", `UserGUID`, `User`, name + "/@UserGUID"},
		{"no user name", `UserName`, `User`, name + "/@UserName"},
		{"bad beta", `IsBeta="0"`, `IsBeta="no"`, name + "/@IsBeta"},
		{"bad trial", `IsTrial="0"`, `IsTrial="no"`, name + "/@IsTrial"},
		{"bad product", `ProductID="p"`, `ProductID="&#9;"`, name + "/@ProductID"},
		{"object without ID", ` ID="` + memberGUID, ` ID="`, "ManagedObject/@ID"},
		{"object without time", "IssuedTime", "Time", "ManagedObject/@IssuedTime"},
		{"object without name", ` Name="grooveIdentity://` + memberGUID + `"`, ``, "ManagedObject/@Name"},
	})
}

func TestManagedObjectStatusResponseRefuses(t *testing.T) {
	plain := string((&ManagedObjectStatusResponse{Consistency{"AQID", "d", "u"}, "i", testObjects()}).Encode())
	checkRefusals(t, plain, DecodeManagedObjectStatusResponse, []refusal{
		{"another root", plain, "<ManagedObject/>", "ManagedObjects"},
		{"no digest", "ConsistencyDigest", "Digest", "ManagedObjects/@ConsistencyDigest"},
		{"no identity", ` IdentityURL`, ` Identity`, "ManagedObjects/@IdentityURL"},
		{"bad object", `Object="AQID"`, `Object="A"`, "ManagedObject/@Object"},
	})
}
