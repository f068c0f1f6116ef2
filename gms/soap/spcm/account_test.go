package spcm

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"furrow/gms/soap"
)

func testStore() *AccountStore {
	return &AccountStore{FragmentSize: 262144, FragmentCount: 3, BackupGUID: "b", Index: 2, BackupSize: 700000, BackupVersion: 1}
}

func testEvent() *etree.Element {
	return (&soap.Event{DomainGUID: domainGUID, GUID: accountGUID, GrooveVersion: "14", UserDeviceGUID: "d", ID: 7}).Element()
}

// storeMessage makes the attributes a message like the others for the fuzzer.
type storeMessage struct{ AccountStore }

func (m *storeMessage) Encode() []byte {
	event := testEvent()
	m.AddTo(event)
	return soap.Canonical(event)
}

func decodeStoreMessage(data []byte) (*storeMessage, error) {
	e, err := soap.ParsePayload(data, shortRequest, soap.WrapperEvent)
	if err != nil {
		return nil, err
	}
	m, err := DecodeAccountStore(e)
	if err != nil {
		return nil, err
	}
	return &storeMessage{*m}, nil
}

// TestAccountLayouts compares the messages with the layouts of their sections.
func TestAccountLayouts(t *testing.T) {
	const inner = soap.Prolog + `<KeyActivation ActivationKey="CODE"/>`
	for _, test := range []struct {
		section string
		message interface{ Encode() []byte }
		decode  func([]byte) (any, error)
		want    string
	}{
		{"2.2.3.3.1", &storeMessage{*testStore()}, erase(decodeStoreMessage),
			soap.Prolog + `<Event BackupFragmenetSize="262144" BackupFragmentCount="3" BackupGUID="b" BackupIndexCount="2" BackupSize="700000"` +
				` BackupVersion="1" DomainGUID="` + domainGUID + `" EventID="7" GUID="` + accountGUID + `" GrooveVersion="14" IdentityURL=""` +
				` IsDeviceAccount="0" PayloadAsStream="1" UniqueID="b" UserDeviceGuid="d" UserDeviceName="" _EventID="7" created="0"/>`},
		{"2.2.3.9.1", &AutoAccountCodeConfiguration{"14", true, "BOX"}, erase(DecodeAutoAccountCodeConfiguration),
			soap.Prolog + `<PayloadWrapper GrooveVersion="14" IsDomainMemberMigration="1" UserDeviceName="BOX"/>`},
		{"2.2.3.10.1, new account", &AutoAccountCodeConfigurationResponse{Activation: &KeyActivationResponse{"CODE", serverURL, testDomain(), testObjects()}},
			erase(DecodeAutoAccountCodeConfigurationResponse),
			string((&KeyActivationResponse{"CODE", serverURL, testDomain(), testObjects()}).Encode())},
		{"2.2.3.10.1, backup", &AutoAccountCodeConfigurationResponse{Backup: [][]byte{{1, 2, 3}, {4}}}, erase(DecodeAutoAccountCodeConfigurationResponse),
			soap.Prolog + `<ReturnPayload BackupFragmentCount="2" BackupFragment_1="AQID" BackupFragment_2="BA=="/>`},
		{"2.2.3.11.1", &AutoActivation{accountGUID}, erase(DecodeAutoActivation),
			soap.Prolog + `<AutoActivationRequest AccountGUID="` + accountGUID + `"/>`},
		{"2.2.3.12.1", &AutoActivationResponse{"CODE"}, erase(DecodeAutoActivationResponse),
			soap.Prolog + `<ReturnPayload data="` + soap.EncodeBase64([]byte(inner)) + `"/>`},
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

// TestAccountReadings takes the messages in the spellings of other readings.
func TestAccountReadings(t *testing.T) {
	plain := (&storeMessage{*testStore()}).Encode()
	table := bytes.Replace(plain, []byte("Fragmenet"), []byte("Fragment"), 1) // reading B1
	if got, err := decodeStoreMessage(table); err != nil || got.AccountStore != *testStore() {
		t.Errorf("table's spelling: %+v, %v", got, err)
	}
	ignored := bytes.Replace(plain, []byte(` UniqueID="b"`), nil, 1)
	if got, err := decodeStoreMessage(ignored); err != nil || got.AccountStore != *testStore() {
		t.Errorf("without what is ignored: %+v, %v", got, err)
	}
	single := &storeMessage{AccountStore{FragmentSize: 1, FragmentCount: 1, Index: 1, BackupSize: 1}}
	if got, err := decodeStoreMessage(single.Encode()); err != nil || *got != *single {
		t.Errorf("without a GUID: %+v, %v", got, err)
	}
	inner := `<g:fragment xmlns:g="urn:groove.net"><KeyActivation ActivationKey="CODE"/></g:fragment>`
	got, err := DecodeAutoActivationResponse([]byte(`<ReturnPayload data="` + soap.EncodeBase64([]byte(inner)) + `"/>`))
	if err != nil || got.ActivationKey != "CODE" {
		t.Errorf("inner message in a fragment: %+v, %v", got, err)
	}
}

func TestAccountStoreRefuses(t *testing.T) {
	checkRefusals(t, string((&storeMessage{*testStore()}).Encode()), decodeStoreMessage, []refusal{
		{"no fragment size", "BackupFragmenetSize", "Size", "Event/@BackupFragmenetSize"},
		{"no count", "BackupFragmentCount", "Count", "Event/@BackupFragmentCount"},
		{"no index", "BackupIndexCount", "Index", "Event/@BackupIndexCount"},
		{"index no number", `BackupIndexCount="2"`, `BackupIndexCount="4294967298"`, "Event/@BackupIndexCount"},
		{"no size", `BackupSize`, `Size`, "Event/@BackupSize"},
		{"no version", `BackupVersion`, `Version`, "Event/@BackupVersion"},
		{"control character", `BackupGUID="b"`, `BackupGUID="&#9;"`, "Event/@BackupGUID"},
		{"no stream", `PayloadAsStream="1"`, `PayloadAsStream="0"`, "Event/@PayloadAsStream"},
		{"stream not said", `PayloadAsStream`, `Stream`, "Event/@PayloadAsStream"},
	})
}

func TestAutoAccountCodeConfigurationRefuses(t *testing.T) {
	plain := string((&AutoAccountCodeConfiguration{"14", false, "BOX"}).Encode())
	checkRefusals(t, plain, DecodeAutoAccountCodeConfiguration, []refusal{
		{"another root", "PayloadWrapper", "Payload", "PayloadWrapper"},
		{"no version", "GrooveVersion", "Version", "PayloadWrapper/@GrooveVersion"},
		{"no migration", "IsDomainMemberMigration", "Migration", "PayloadWrapper/@IsDomainMemberMigration"},
		{"bad migration", `Migration="0"`, `Migration="false"`, "PayloadWrapper/@IsDomainMemberMigration"},
		{"no device", "UserDeviceName", "Device", "PayloadWrapper/@UserDeviceName"},
	})
}

func TestAutoAccountCodeConfigurationResponseRefuses(t *testing.T) {
	plain := string((&AutoAccountCodeConfigurationResponse{Backup: [][]byte{{1, 2, 3}, {4}}}).Encode())
	checkRefusals(t, plain, DecodeAutoAccountCodeConfigurationResponse, []refusal{
		{"another root", "ReturnPayload", "Payload", "fragment"},
		{"no count", "BackupFragmentCount", "Count", "ReturnPayload/@BackupFragmentCount"},
		{"count 0", `Count="2"`, `Count="0"`, "ReturnPayload/@BackupFragmentCount"},
		{"count beyond", `Count="2"`, fmt.Sprintf(`Count="%d"`, MaxBackupFragments+1), "ReturnPayload/@BackupFragmentCount"},
		{"fragment missing", `Count="2"`, `Count="3"`, "ReturnPayload/@BackupFragment_3"},
		{"bad fragment", `"AQID"`, `"AQI"`, "ReturnPayload/@BackupFragment_1"},
	})
}

func TestAutoActivationRefuses(t *testing.T) {
	checkRefusals(t, string((&AutoActivation{"a"}).Encode()), DecodeAutoActivation, []refusal{
		{"another root", "AutoActivationRequest", "Payload", "AutoActivationRequest"},
		{"no account", "AccountGUID", "GUID", "AutoActivationRequest/@AccountGUID"},
		{"account empty", `"a"`, `""`, "AutoActivationRequest/@AccountGUID"},
	})
}

func TestAutoActivationResponseRefuses(t *testing.T) {
	with := func(inner string) string { return `<ReturnPayload data="` + soap.EncodeBase64([]byte(inner)) + `"/>` }
	plain := string((&AutoActivationResponse{"CODE"}).Encode())
	checkRefusals(t, plain, DecodeAutoActivationResponse, []refusal{
		{"another root", "ReturnPayload", "Payload", "ReturnPayload"},
		{"no data", "data", "date", "ReturnPayload/@data"},
		{"data no XML", plain, with("x"), "payload"},
		{"another message", plain, with("<Other/>"), "KeyActivation"},
		{"empty fragment", plain, with(`<g:fragment xmlns:g="urn:groove.net"/>`), "fragment/KeyActivation"},
		{"no code", plain, with("<KeyActivation/>"), "KeyActivation/@ActivationKey"},
		{"code empty", plain, with(`<KeyActivation ActivationKey=""/>`), "KeyActivation/@ActivationKey"},
	})
}

// TestBackupsFit sends and fetches the largest backup that is meant to pass.
func TestBackupsFit(t *testing.T) {
	fragments := make([][]byte, MaxBackupFragments)
	left := MaxBackup
	for i := range fragments {
		n := min(left, MaxBackupFragment)
		fragments[i] = bytes.Repeat([]byte{byte(i)}, n)
		left -= n
	}
	payload := (&AutoAccountCodeConfigurationResponse{Backup: fragments}).Encode()
	s, _ := LookupService(ServiceAutoAccountCodeConfiguration)
	body := (&soap.Response{Service: s.Name, Payload: payload}).Encode(s.Response)
	response, err := soap.DecodeResponse(body, s.ResponseLimit(), s.Name, s.Response)
	if err != nil {
		t.Fatalf("response of %d bytes: %v", len(body), err)
	}
	decoded, err := DecodeAutoAccountCodeConfigurationResponse(response.Payload)
	if err != nil || !slices.EqualFunc(decoded.Backup, fragments, bytes.Equal) {
		t.Errorf("the backup does not come back: %v", err)
	}
	if s, _ := LookupService(ServiceAccountHeartbeat); s.ResponseLimit() != MaxResponseSize {
		t.Errorf("limit of other responses is %d", s.ResponseLimit())
	}
}

func FuzzAccountStore(f *testing.F) {
	fuzzDecoder(f, decodeStoreMessage, &storeMessage{*testStore()}, &storeMessage{AccountStore{Index: -1, FragmentCount: 1}})
}

func FuzzAutoAccountCodeConfiguration(f *testing.F) {
	fuzzDecoder(f, DecodeAutoAccountCodeConfiguration, &AutoAccountCodeConfiguration{"14", true, strings.Repeat("n", 20)})
}

func FuzzAutoAccountCodeConfigurationResponse(f *testing.F) {
	fuzzDecoder(f, DecodeAutoAccountCodeConfigurationResponse,
		&AutoAccountCodeConfigurationResponse{Backup: [][]byte{{1, 2, 3}, {}}},
		&AutoAccountCodeConfigurationResponse{Activation: &KeyActivationResponse{"CODE", serverURL, testDomain(), testObjects()}})
}

func FuzzAutoActivation(f *testing.F) {
	fuzzDecoder(f, DecodeAutoActivation, &AutoActivation{accountGUID})
}

func FuzzAutoActivationResponse(f *testing.F) {
	fuzzDecoder(f, DecodeAutoActivationResponse, &AutoActivationResponse{"CODE"})
}
