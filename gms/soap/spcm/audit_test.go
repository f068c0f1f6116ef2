package spcm

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"reflect"
	"strings"
	"testing"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

func testStatistics() *StatisticsPackage {
	return &StatisticsPackage{[]Stat{
		{AccountGUID: accountGUID, IdentityURL: identityURL, Type: StatToolTime, Long: 60, Long2: 2, String: "tool", String2: "grooveTelespace://a"},
		{AccountGUID: accountGUID, IdentityURL: identityURL, Type: StatMembers, Long: 3, Long2: 9, String: "grooveTelespace://a", String2: "manager"},
	}}
}

// TestAuditLayouts compares the payloads with the layouts of their sections.
func TestAuditLayouts(t *testing.T) {
	for _, test := range []struct {
		section string
		message interface{ Encode() []byte }
		decode  func([]byte) (any, error)
		want    string
	}{
		{"2.2.3.7.1", &AuditLogUploadQuery{}, erase(DecodeAuditLogUploadQuery), `<AuditLogUploadQuery _v="1,0"/>`},
		{"2.2.3.32.1", &FileUploadQuery{keys.Digest{1}}, erase(DecodeFileUploadQuery),
			`<FileUploadQuery _ha="AQAAAAAAAAAAAAAAAAAAAAAAAAA=" _v="1,0"/>`},
		{"2.2.3.46.1", testStatistics(), erase(DecodeStatisticsPackage),
			`<StatisticsPackage><Stat AccountGUID="` + accountGUID + `" IdentityURL="` + identityURL +
				`" Long="60" Long2="2" String="tool" String2="grooveTelespace://a" Type="0"/><Stat AccountGUID="` + accountGUID +
				`" IdentityURL="` + identityURL + `" Long="3" Long2="9" String="grooveTelespace://a" String2="manager" Type="25"/></StatisticsPackage>`},
		{"2.2.3.27.1", &Failures{[]FailureSubtype{FailurePolicies, FailureDeclined}}, erase(DecodeFailures),
			`<Failures><Failure Subtype="5" Type="6001"/><Failure Subtype="6" Type="6001"/></Failures>`},
		{"2.2.3.23.1", &DomainMigrationStatus{"Fabrikam", -1}, erase(DecodeDomainMigrationStatus),
			`<MemberMigrationStatus MigratedDomainName="Fabrikam" MigrationStatus="-1"/>`},
	} {
		t.Run(test.section, func(t *testing.T) {
			encoded := test.message.Encode()
			if string(encoded) != soap.Prolog+test.want {
				t.Errorf("got\n%s\nwant\n%s", encoded, test.want)
			}
			got, err := test.decode(encoded)
			if err != nil || !reflect.DeepEqual(got, test.message) {
				t.Errorf("decoded %+v, %v\nwant %+v", got, err, test.message)
			}
		})
	}
}

// TestAuditRefusals makes each payload's decoder refuse it.
func TestAuditRefusals(t *testing.T) {
	t.Run("AuditLogUploadQuery", func(t *testing.T) {
		checkRefusals(t, string((&AuditLogUploadQuery{}).Encode()), DecodeAuditLogUploadQuery, []refusal{
			{"another version", "1,0", "1,1", "AuditLogUploadQuery/@_v"},
			{"no version", ` _v="1,0"`, "", "AuditLogUploadQuery/@_v"},
			{"another element", "AuditLogUploadQuery", "LogQuery", "AuditLogUploadQuery"},
		})
	})
	t.Run("FileUploadQuery", func(t *testing.T) {
		checkRefusals(t, string((&FileUploadQuery{}).Encode()), DecodeFileUploadQuery, []refusal{
			{"hash too short", "AAAA", "", "FileUploadQuery/@_ha"},
			{"no hash", "_ha", "_hb", "FileUploadQuery/@_ha"},
			{"another version", "1,0", "2", "FileUploadQuery/@_v"},
		})
	})
	t.Run("StatisticsPackage", func(t *testing.T) {
		checkRefusals(t, string(testStatistics().Encode()), DecodeStatisticsPackage, []refusal{
			{"another type", `Type="25"`, `Type="26"`, "Stat/@Type"},
			{"no type", ` Type="0"`, "", "Stat/@Type"},
			{"no account", "AccountGUID", "Account", "Stat/@AccountGUID"},
			{"no identity", "IdentityURL", "Identity", "Stat/@IdentityURL"},
			{"Long no number", `Long="60"`, `Long="long"`, "Stat/@Long"},
			{"Long2 too large", `Long2="2"`, `Long2="3000000000"`, "Stat/@Long2"},
			{"no String", `String="tool"`, "", "Stat/@String"},
			{"no String2", "String2=", "String3=", "Stat/@String2"},
		})
		_, err := DecodeStatisticsPackage([]byte("<StatisticsPackage/>"))
		wantFault(t, err, "StatisticsPackage/Stat")
	})
	t.Run("Failures", func(t *testing.T) {
		checkRefusals(t, string((&Failures{[]FailureSubtype{FailurePolicies}}).Encode()), DecodeFailures, []refusal{
			{"another type", "6001", "6002", "Failure/@Type"},
			{"another subtype", `"5"`, `"4"`, "Failure/@Subtype"},
			{"no subtype", "Subtype", "Sub", "Failure/@Subtype"},
			{"none", "Failure ", "Success ", "Failures/Failure"},
		})
		_, err := DecodeFailures((&Failures{make([]FailureSubtype, maxFailures+1)}).Encode())
		wantFault(t, err, "Failures/Failure")
	})
	t.Run("DomainMigrationStatus", func(t *testing.T) {
		checkRefusals(t, string((&DomainMigrationStatus{}).Encode()), DecodeDomainMigrationStatus, []refusal{
			{"no name", "MigratedDomainName", "Domain", "MemberMigrationStatus/@MigratedDomainName"},
			{"status no number", `"0"`, `"ok"`, "MemberMigrationStatus/@MigrationStatus"},
		})
	})
}

// TestAuditReadings takes the payloads in their other spellings.
func TestAuditReadings(t *testing.T) {
	if _, err := DecodeFailures([]byte(`<Failures><Failure SubType="2" Type="6001"/></Failures>`)); err != nil { // B10
		t.Error(err)
	}
	if _, err := DecodeFileUploadQuery([]byte(`<FileUploadQuery ha="AAAAAAAAAAAAAAAAAAAAAAAAAAA=" v="1,0"/>`)); err != nil { // B18
		t.Error(err)
	}
}

func TestSignedAnswers(t *testing.T) {
	signer, other := testSigner(t), generateOther(t)
	hash := DeviceHash(accountGUID)
	logRange := &AuditLogRange{Complete: true, DeviceHash: hash, High: 41, Low: NoLogRange}
	file := &FileUploadResponse{Complete: true, Hash: hash}
	query := &FileUploadQueryResponse{Complete: true, Hash: hash, Status: FileProcessing}
	for _, test := range []struct {
		name   string
		encode func(*keys.RSAPrivateKey) ([]byte, error)
		decode func([]byte, *keys.RSAPublicKey) (any, error)
		want   any
		layout string // without the signature
	}{
		{"LUR", func(k *keys.RSAPrivateKey) ([]byte, error) { return logRange.Encode(ServiceAuditLogUpload, k) },
			func(b []byte, k *keys.RSAPublicKey) (any, error) {
				return DecodeAuditLogRange(ServiceAuditLogUpload, b, k)
			}, logRange,
			`<LUR _com="1" _dgh="` + soap.EncodeBase64(hash[:]) + `" _lrh="41" _lrl="-1" _v="1,0"/>`},
		{"LUQR", func(k *keys.RSAPrivateKey) ([]byte, error) { return logRange.Encode(ServiceAuditLogUploadQuery, k) },
			func(b []byte, k *keys.RSAPublicKey) (any, error) {
				return DecodeAuditLogRange(ServiceAuditLogUploadQuery, b, k)
			}, logRange,
			`<LUQR _com="1" _dgh="` + soap.EncodeBase64(hash[:]) + `" _lrh="41" _lrl="-1" _v="1,0"/>`},
		{"FUR", file.Encode,
			func(b []byte, k *keys.RSAPublicKey) (any, error) { return DecodeFileUploadResponse(b, k) }, file,
			`<FUR _com="1" _ha="` + soap.EncodeBase64(hash[:]) + `" _v="1,0"/>`},
		{"FUQR", query.Encode,
			func(b []byte, k *keys.RSAPublicKey) (any, error) { return DecodeFileUploadQueryResponse(b, k) }, query,
			`<FUQR _com="1" _ha="` + soap.EncodeBase64(hash[:]) + `" _sf="2" _v="1,0"/>`},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer, err := test.encode(signer)
			if err != nil {
				t.Fatal(err)
			}
			// The signature covers the element without it (reading D5).
			signature, err := signer.Sign(sha1.Sum([]byte(soap.Prolog + test.layout)))
			if err != nil {
				t.Fatal(err)
			}
			want := soap.Prolog + strings.Replace(test.layout, " _v=", ` _sig="`+soap.EncodeBase64(signature)+`" _v=`, 1)
			if string(answer) != want {
				t.Errorf("got\n%s\nwant\n%s", answer, want)
			}
			if got, err := test.decode(answer, signer.Public()); err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("decoded %+v, %v", got, err)
			}
			if _, err := test.decode(answer, other.Public()); err == nil {
				t.Error("accepted with another domain's key")
			}
			if _, err := test.decode(bytes.Replace(answer, []byte(`_com="1"`), []byte(`_com="0"`), 1), signer.Public()); err == nil {
				t.Error("accepted though altered")
			}
		})
	}
}

func generateOther(t *testing.T) *keys.RSAPrivateKey {
	t.Helper()
	key, err := keys.GenerateRSAKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func uploadEvent() *soap.Event {
	return &soap.Event{DomainGUID: domainGUID, GUID: accountGUID, GrooveVersion: "14,0,0,4006", IdentityURL: identityURL,
		UserDeviceGUID: "device", UserDeviceName: "FABRIKAM", ID: 7, Created: 1199892192}
}

func testUpload() UploadFragment {
	return UploadFragment{BackupGUID: "backup", Index: 2, Count: 3, Size: 3, TotalSize: 7, Data: []byte{1, 2, 3}}
}

// upload is a message whose content is in the Event.
type upload struct {
	name  string
	limit int
	frame func(*soap.Event) *soap.Fragment
	want  any
	// decode reads what a receiver has parsed.
	decode func(*soap.Fragment) (any, error)
	layout string
}

func uploads() []upload {
	log := &AuditLogUpload{testUpload()}
	file := &FileUpload{Fragment: testUpload(), Token: []byte("<TK/>"), URL: "grooveFile://a", Title: "plan.dwg"}
	const start = fragmentStart + `<Event BackupFrag`
	const common = `DomainGUID="` + domainGUID + `" GUID="` + accountGUID + `" GrooveVersion="14,0,0,4006" IdentityURL="` + identityURL +
		`" IsDeviceAccount="0" UserDeviceGuid="device" UserDeviceName="FABRIKAM" `
	const end = `_EventID="7" created="1199892192"><g:SE><g:Auth MAC=""/></g:SE>`
	return []upload{
		{"2.2.3.5.1", uploadRequest, log.Frame, log, func(f *soap.Fragment) (any, error) { return DecodeAuditLogUpload(f.Wrapper()) },
			start + `mentCount="3" BackupFragmentSize="3" BackupGUID="backup" BackupIndexCount="2" BackupSize="7" BackupVersion="3" ` +
				common + `_EA2="AQID" ` + end + `</Event></g:fragment>`},
		{"2.2.3.30.1", uploadRequest, file.Frame, file, func(f *soap.Fragment) (any, error) { return DecodeFileUpload(f.Wrapper()) },
			start + `menetSize="3" BackupFragmentCount="3" BackupGUID="backup" BackupIndexCount="2" BackupSize="7" BackupVersion="3" ` +
				common + `_EA1="PFRLLz4=" _EA2="AQID" ` + end +
				`<AuditElemUploadXlink Compress="0" CompressMethod="ZLIB" MakeDBRelative="true" RenameHref="false" actuate="user"` +
				` deserialize="ignore" href="grooveFile://a" link="simple" role="" serialize="ignore" show="replace" title="plan.dwg"/>` +
				`</Event></g:fragment>`},
	}
}

// TestUploadLayouts compares the messages in Events with their sections: the
// MAC is that of the header alone (reading B7).
func TestUploadLayouts(t *testing.T) {
	secret := []byte("0123456789abcdefghijklmn")
	key, err := keys.NewSharedKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range uploads() {
		t.Run(u.name, func(t *testing.T) {
			secured := u.frame(uploadEvent()).SecureHeader(key, soap.MACOverDigest)
			header := strings.Replace(u.layout, `<g:SE><g:Auth MAC=""/></g:SE>`, `<g:SE/>`, 1)
			digest := sha1.Sum([]byte(header))
			h := hmac.New(sha1.New, secret)
			h.Write(digest[:])
			want := strings.Replace(u.layout, `MAC=""`, `MAC="`+soap.EncodeBase64(h.Sum(nil))+`"`, 1)
			if string(secured) != want {
				t.Errorf("got\n%s\nwant\n%s", secured, want)
			}
			f, err := soap.ParseFragment(secured, u.limit, soap.WrapperEvent, elementFileLink)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.OpenHeader(key, soap.ManagementMACs()); err != nil {
				t.Error(err)
			}
			if got, err := u.decode(f); err != nil || !reflect.DeepEqual(got, u.want) {
				t.Errorf("decoded %+v, %v", got, err)
			}
			// A peer who read the table adds g:Enc.
			f = u.frame(uploadEvent())
			secured, err = f.Secure(key, []byte("<Payload/>"), soap.MACOverDigest)
			if err != nil {
				t.Fatal(err)
			}
			if f, err = soap.ParseFragment(secured, u.limit, soap.WrapperEvent, elementFileLink); err != nil {
				t.Fatal(err)
			}
			if _, err := f.OpenHeader(key, soap.ManagementMACs()); err != nil {
				t.Error(err)
			}
			altered := bytes.Replace(secured, []byte("FABRIKAM"), []byte("CONTOSO"), 1)
			if f, err = soap.ParseFragment(altered, u.limit, soap.WrapperEvent, elementFileLink); err != nil {
				t.Fatal(err)
			}
			if _, err := f.OpenHeader(key, soap.ManagementMACs()); soap.FaultFrom(err).Code != soap.CodeSecurity {
				t.Errorf("altered: %v", err)
			}
		})
	}
}

// TestUploadRefusals takes each attribute of the messages in Events away, or
// makes it invalid.
func TestUploadRefusals(t *testing.T) {
	refusals := []refusal{
		{"no index", "BackupIndexCount", "Index", "Event/@BackupIndexCount"},
		{"index 0", `BackupIndexCount="2"`, `BackupIndexCount="0"`, "Event/@BackupIndexCount"},
		{"index beyond", `BackupIndexCount="2"`, `BackupIndexCount="4"`, "Event/@BackupIndexCount"},
		{"no count", "BackupFragmentCount", "Count", "Event/@BackupFragmentCount"},
		{"too many", `BackupFragmentCount="3"`, `BackupFragmentCount="65537"`, "Event/@BackupFragmentCount"},
		{"no GUID", `BackupGUID="backup"`, "", "Event/@BackupGUID"},
		{"negative size", `etSize="3"`, `etSize="-3"`, "Event/@BackupFragmentSize"},
		{"no total", `BackupSize="7"`, "", "Event/@BackupSize"},
		{"total 0", `BackupSize="7"`, `BackupSize="0"`, "Event/@BackupSize"},
		{"no version", "BackupVersion", "Version", "Event/@BackupVersion"},
		{"no data", "_EA2", "_EA3", "Event/@_EA2"},
		{"data empty", "AQID", "", "Event/@_EA2"},
		{"data no base64", "AQID", "A", "Event/@_EA2"},
	}
	files := []refusal{
		{"version of another", `BackupVersion="3"`, `BackupVersion="2"`, "Event/@BackupVersion"},
		{"no token", "_EA1", "_EA0", "Event/@_EA1"},
		{"no link", "AuditElemUploadXlink", "Link", "Event/AuditElemUploadXlink"},
		{"no URL", "href", "hreg", "AuditElemUploadXlink/@href"},
		{"no title", "title", "titel", "AuditElemUploadXlink/@title"},
		{"compressed", `Compress="0"`, `Compress="1"`, "AuditElemUploadXlink/@Compress"},
		{"shown otherwise", `show="replace"`, `show="new"`, "AuditElemUploadXlink/@show"},
	}
	for _, u := range uploads() {
		all := refusals
		if u.name == "2.2.3.30.1" {
			all = append(all, files...)
		}
		for _, r := range all {
			t.Run(u.name+" "+r.name, func(t *testing.T) {
				layout := strings.NewReplacer("BackupFragmentSize", "BackupFragmenetSize").Replace(u.layout)
				changed := strings.Replace(layout, r.from, r.to, 1)
				if changed == layout {
					t.Fatalf("%q not in %s", r.from, layout)
				}
				f, err := soap.ParseFragment([]byte(changed), u.limit, soap.WrapperEvent, elementFileLink, "Link")
				if err != nil {
					t.Fatal(err)
				}
				_, err = u.decode(f)
				wantFault(t, err, r.want)
			})
		}
	}
	large := &AuditLogUpload{testUpload()}
	large.Fragment.Data = make([]byte, MaxFragment+1)
	_, err := DecodeAuditLogUpload(large.Frame(uploadEvent()).Wrapper())
	wantFault(t, err, "Event/@_EA2")
	// The largest fits into a request of its service.
	large.Fragment.Data = large.Fragment.Data[1:]
	body := (&soap.Request{Service: ServiceAuditLogUpload, Payload: large.Frame(uploadEvent()).SecureHeader(keys.CodeKey("c"), soap.MACOverDigest)}).Encode(soap.Request1)
	request, err := soap.DecodeRequest(body, requestRule)
	if err != nil {
		t.Fatal(err)
	}
	f, err := soap.ParseFragment(request.Payload, uploadRequest, soap.WrapperEvent)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeAuditLogUpload(f.Wrapper()); err != nil {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range StatTypes() {
		seen[s.String()] = true
		if parsed, err := ParseStatType(s.String()); err != nil || parsed != s {
			t.Errorf("%v is parsed as %v, %v", s, parsed, err)
		}
	}
	if _, err := ParseStatType("type 1"); err == nil {
		t.Error("a type that is not published has a name")
	}
	for _, s := range []FailureSubtype{FailureRegistryChange, FailureRegistryCreate, FailurePolicies, FailureDeclined} {
		seen[s.String()] = true
	}
	if len(seen) != 13 || StatType(1).String() != "type 1" || FailureSubtype(1).String() != "failure 1" {
		t.Errorf("names %v", seen)
	}
}

func FuzzAuditLogUpload(f *testing.F) {
	fuzzUpload(f, func(e *soap.Fragment) (any, error) { return DecodeAuditLogUpload(e.Wrapper()) })
}

func FuzzFileUpload(f *testing.F) {
	fuzzUpload(f, func(e *soap.Fragment) (any, error) { return DecodeFileUpload(e.Wrapper()) })
}

// fuzzUpload feeds fragments; what is decoded is within its bounds.
func fuzzUpload(f *testing.F, decode func(*soap.Fragment) (any, error)) {
	for _, u := range uploads() {
		f.Add([]byte(u.layout))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fragment, err := soap.ParseFragment(data, uploadRequest, soap.WrapperEvent, elementFileLink)
		if err != nil {
			return
		}
		m, err := decode(fragment)
		if err != nil {
			if soap.FaultFrom(err).Code != soap.CodeParameter {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		var u UploadFragment
		switch m := m.(type) {
		case *AuditLogUpload:
			u = m.Fragment
		case *FileUpload:
			u = m.Fragment
		}
		if u.Index < 1 || u.Index > u.Count || u.TotalSize < 1 || len(u.Data) == 0 || u.BackupGUID == "" {
			t.Fatalf("accepted %+v", u)
		}
	})
}

func FuzzFileUploadQuery(f *testing.F) {
	fuzzDecoder(f, DecodeFileUploadQuery, &FileUploadQuery{keys.Digest{1}})
}

func FuzzAuditLogUploadQuery(f *testing.F) {
	fuzzDecoder(f, DecodeAuditLogUploadQuery, &AuditLogUploadQuery{})
}

func FuzzStatisticsPackage(f *testing.F) {
	fuzzDecoder(f, DecodeStatisticsPackage, testStatistics())
}

func FuzzFailures(f *testing.F) {
	fuzzDecoder(f, DecodeFailures, &Failures{[]FailureSubtype{FailurePolicies}})
}

func FuzzDomainMigrationStatus(f *testing.F) {
	fuzzDecoder(f, DecodeDomainMigrationStatus, &DomainMigrationStatus{"Fabrikam", 1})
}

// FuzzSignedAnswer feeds answers: none verifies but those signed here.
func FuzzSignedAnswer(f *testing.F) {
	signer := testSigner(f)
	answer, err := (&FileUploadQueryResponse{Complete: true}).Encode(signer)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(answer)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := DecodeFileUploadQueryResponse(data, signer.Public())
		if err == nil && *m != (FileUploadQueryResponse{Complete: true}) {
			t.Fatalf("accepted %+v", m)
		}
	})
}
