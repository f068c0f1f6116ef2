package spcm

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

func testFound() *ContactSearchResponse {
	return &ContactSearchResponse{50, []FoundContact{
		{memberGUID, identityURL, "Ann Söhne", "Ann", "Söhne", "ann@contoso.com", "", "Köln", "NRW"},
		{IdentityGUID: "b"},
	}}
}

// inLayer is the layer of reading E4.
func inLayer(answer string) string {
	return soap.Prolog + `<ReturnPayload Data="` + soap.EncodeBase64([]byte(soap.Prolog+answer)) + `"/>`
}

// TestDirectoryLayouts compares the messages of the contact directory with
// their sections.
func TestDirectoryLayouts(t *testing.T) {
	for _, test := range []struct {
		section string
		message interface{ Encode() []byte }
		decode  func([]byte) (any, error)
		want    string
	}{
		{"2.2.3.34.1", &IdentityPublish{[]byte{1, 2, 3}}, erase(DecodeIdentityPublish),
			fragmentStart + `<g:vCard Data="AQID"/></g:fragment>`},
		{"2.2.3.34.1, withdrawn", &IdentityPublish{}, erase(DecodeIdentityPublish),
			fragmentStart + `<g:vCard Data=""/></g:fragment>`},
		{"2.2.3.17.1", &ContactSearch{"Söhne"}, erase(DecodeContactSearch),
			soap.Prolog + `<ContactSearch Query="U8O2aG5l"/>`},
		{"2.2.3.17.1, anybody", &ContactSearch{}, erase(DecodeContactSearch),
			soap.Prolog + `<ContactSearch Query=""/>`},
		{"2.2.3.18.1", testFound(), erase(DecodeContactSearchResponse),
			inLayer(`<ContactSearchResponse Count="2" Max="50">` +
				`<Contact City="Köln" CompanyEMail="ann@contoso.com" EMail="" FirstName="Ann" FullName="Ann Söhne" IdentityGUID="` +
				memberGUID + `" IdentityURL="` + identityURL + `" LastName="Söhne" State="NRW"/>` +
				`<Contact City="" CompanyEMail="" EMail="" FirstName="" FullName="" IdentityGUID="b" IdentityURL="" LastName="" State=""/>` +
				`</ContactSearchResponse>`)},
		{"2.2.3.18.1, nobody", &ContactSearchResponse{Max: 50}, erase(DecodeContactSearchResponse),
			inLayer(`<ContactSearchResponse Count="0" Max="50"/>`)},
		{"2.2.3.15.1", &ContactFetch{[]string{memberGUID, "b"}}, erase(DecodeContactFetch),
			soap.Prolog + `<ContactFetch><IdentityList><IdentityList IdentityGUID="` + memberGUID +
				`"/><IdentityList IdentityGUID="b"/></IdentityList></ContactFetch>`},
		{"2.2.3.16.1", &ContactFetchResponse{[]FetchedContact{{memberGUID, []byte{1, 2, 3}}}}, erase(DecodeContactFetchResponse),
			inLayer(`<IdentityList IdentityCount="1"><Identity IdentityGUID="` + memberGUID + `" VCard="AQID"/></IdentityList>`)},
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

// TestDirectoryExamples reads the plaintexts that MS-GRVSPCM 4.3.2, 4.4.1 and
// 4.4.2 print, the ends of cut base64 values left out, and writes them as they
// stand there.
func TestDirectoryExamples(t *testing.T) {
	read := func(name string) []byte {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return []byte(strings.TrimSpace(string(text)))
	}
	const first, last = "9557EB24-5779-4635-BA83-4C4AD001B4F1", "6BDF5D0A-ED82-43F8-893A-31836B243E9A"

	found, err := DecodeContactSearchResponse(read("contactsearchresponse.xml"))
	if err != nil {
		t.Fatal(err)
	}
	if found.Max != MaxContacts || len(found.Contacts) != 6 || found.Contacts[0] != (FoundContact{
		IdentityGUID: first, IdentityURL: "grooveIdentity://xwf3pnwqvp78z2iu6z8sj6zjdr9hpxv6@", FullName: "asdf", CompanyEmail: "asdf@asdf.com",
	}) || found.Contacts[4].FirstName != "Patriot3" || found.Contacts[5].IdentityGUID != last {
		t.Errorf("4.3.2 is %+v", found)
	}
	if got, want := string(found.Encode()), inLayer(strings.TrimPrefix(string(read("contactsearchresponse.xml")), soap.Prolog)); got != want {
		t.Errorf("4.3.2 encoded is\n%s\nwant\n%s", got, want)
	}

	fetch, err := DecodeContactFetch(read("contactfetch.xml"))
	if err != nil || len(fetch.Identities) != 6 || fetch.Identities[0] != first || fetch.Identities[5] != last {
		t.Fatalf("4.4.1 is %+v, %v", fetch, err)
	}
	if got, want := fetch.Encode(), read("contactfetch.xml"); string(got) != string(want) {
		t.Errorf("4.4.1 encoded is\n%s\nwant\n%s", got, want)
	}

	fetched, err := DecodeContactFetchResponse(read("contactfetchresponse.xml"))
	if err != nil || len(fetched.Contacts) != 6 || fetched.Contacts[0].IdentityGUID != first ||
		!strings.HasPrefix(string(fetched.Contacts[0].VCard), "BEGIN:") {
		t.Errorf("4.4.2 is %+v, %v", fetched, err)
	}
}

// TestDirectoryReadings takes the messages in the spellings that other readings
// lead to.
func TestDirectoryReadings(t *testing.T) {
	for _, query := range []string{"", "Ann", "Söhne", "田中", "Ив", "🙂", strings.Repeat("x", soap.MaxTextSize)} {
		for encoding, value := range map[string]string{ // reading B6
			"UTF-8":    soap.EncodeBase64([]byte(query)),
			"UTF-16LE": soap.EncodeBase64(keys.UTF16LE(query)),
		} {
			if len(query) > 500 && encoding == "UTF-16LE" {
				continue
			}
			got, err := DecodeContactSearch([]byte(`<ContactSearch Query="` + value + `"/>`))
			// Two CJK characters can be four letters; UTF-8 is what is sent.
			if err != nil || got.Query != query && query != "田中" {
				t.Errorf("%q in %s: got %+v, %v", query, encoding, got, err)
			}
		}
	}
	for _, plain := range []string{"Söhne", "Ann Smith", "Anna"} {
		if got, err := DecodeContactSearch([]byte(`<ContactSearch Query="` + plain + `"/>`)); err != nil || got.Query != plain {
			t.Errorf("bare %q: got %+v, %v", plain, got, err)
		}
	}

	// Reading B4: no prefix in payloads; reading B17: the table's spelling.
	for _, in := range []string{
		`<fragment><vCard Data="AQID"/></fragment>`,
		`<g:fragment xmlns:g="urn:groove.net"><vCard data="AQID"/></g:fragment>`,
	} {
		if got, err := DecodeIdentityPublish([]byte(in)); err != nil || len(got.VCard) != 3 {
			t.Errorf("%s: %+v, %v", in, got, err)
		}
	}
}

func TestDirectoryRefuses(t *testing.T) {
	checkRefusals(t, string((&IdentityPublish{[]byte{1, 2, 3}}).Encode()), DecodeIdentityPublish, []refusal{
		{"another root", "g:fragment xmlns:g=\"urn:groove.net\"><g:vCard Data=\"AQID\"/></g:fragment", "vCard/", "fragment"},
		{"no vCard", "vCard", "Card", "fragment/vCard"},
		{"no data", "Data", "Text", "vCard/@Data"},
		{"bad data", "AQID", "AQI", "vCard/@Data"},
		{"too long", "AQID", soap.EncodeBase64(make([]byte, MaxContact+1)), "vCard/@Data"},
	})
	checkRefusals(t, string((&ContactSearch{"Ann"}).Encode()), DecodeContactSearch, []refusal{
		{"another root", "ContactSearch", "ContactFind", "ContactSearch"},
		{"no query", "Query", "Text", "ContactSearch/@Query"},
		{"control character", "QW5u", "&#9;?", "ContactSearch/@Query"},
		{"too long", "QW5u", strings.Repeat("?", soap.MaxTextSize+1), "ContactSearch/@Query"},
	})
	checkRefusals(t, string((&ContactFetch{[]string{memberGUID}}).Encode()), DecodeContactFetch, []refusal{
		{"another root", string((&ContactFetch{[]string{memberGUID}}).Encode()), "<IdentityList/>", "ContactFetch"},
		{"no list", string((&ContactFetch{[]string{memberGUID}}).Encode()), "<ContactFetch/>", "ContactFetch/IdentityList"},
		{"empty list", `<IdentityList IdentityGUID="` + memberGUID + `"/>`, "", "IdentityList/IdentityList"},
		{"empty GUID", memberGUID, "", "IdentityList/@IdentityGUID"},
	})

	checkRefusals(t, soap.Prolog+
		`<ContactSearchResponse Count="1" Max="50"><Contact City="c" CompanyEMail="" EMail="" FirstName="" FullName="" IdentityGUID="g" IdentityURL="" LastName="" State=""/></ContactSearchResponse>`,
		DecodeContactSearchResponse, []refusal{
			{"another count", `Count="1"`, `Count="2"`, "ContactSearchResponse/@Count"},
			{"no maximum", `Max="50"`, ``, "ContactSearchResponse/@Max"},
			{"no GUID", `"g"`, `""`, "Contact/@IdentityGUID"},
			{"no city", `City="c"`, ``, "Contact/@City"},
		})
	checkRefusals(t, inLayer(`<IdentityList IdentityCount="0"/>`), DecodeContactFetchResponse, []refusal{
		{"no data", "Data", "Text", "ReturnPayload/@Data"},
		{"layer around nothing", `Data="`, `Data=" " x="`, "payload"},
	})
	checkRefusals(t, `<IdentityList IdentityCount="1"><Identity IdentityGUID="g" VCard="AQID"/></IdentityList>`,
		DecodeContactFetchResponse, []refusal{
			{"another count", `"1"`, `"0"`, "IdentityList/@IdentityCount"},
			{"no GUID", `"g"`, `""`, "Identity/@IdentityGUID"},
			{"bad vCard", "AQID", "AQI", "Identity/@VCard"},
		})
}
