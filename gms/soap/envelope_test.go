package soap

import (
	"bytes"
	"os"
	"reflect"
	"strings"
	"testing"
)

func example(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/examples/" + name + ".xml")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const openEnvelope = `<SOAP-ENV:Envelope SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"` +
	` xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/" xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"` +
	` xmlns:xsd="http://www.w3.org/1999/XMLSchema" xmlns:xsi="http://www.w3.org/1999/XMLSchema-instance"><SOAP-ENV:Body>`

func testRule(shape RequestShape) func(string) (RequestRule, bool) {
	return func(service string) (RequestRule, bool) {
		return RequestRule{shape, 16 << 10}, service == "Service"
	}
}

// TestRequestShapes compares with the published layouts: MS-GRVSPCM 4.1.1 and
// the schemas, MS-GRVSPMR 3.1.1.1.
func TestRequestShapes(t *testing.T) {
	const number = ` xsi:type="xsd:int">`
	for _, test := range []struct {
		name  string
		shape RequestShape
		want  string
	}{
		{"1", Request1, Prolog + openEnvelope + `<Service><Payload xsi:type="base64">AQID</Payload><Version` + number + `4</Version>` +
			`<LastBroadcastProcessed` + number + `-5</LastBroadcastProcessed><MessageSequenceNumber` + number + `6</MessageSequenceNumber></Service>`},
		{"2", Request2, Prolog + openEnvelope + `<Service><Payload xsi:type="base64">AQID</Payload><Version` + number + `4</Version>` +
			`<LastBroadcastProcessed` + number + `-5</LastBroadcastProcessed></Service>`},
		{"3", Request3, Prolog + openEnvelope + `<Service><Payload data="AQID" xsi:type="binary"/><Version` + number + `4</Version></Service>`},
		{"relay", RelayRequest, openEnvelope + `<Service><Version` + number + `4</Version><Payload data="AQID" xsi:type="binary"/></Service>`},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := test.want + envelopeEnd
			sent := &Request{"Service", []byte{1, 2, 3}, 4, -5, 6}
			body := sent.Encode(test.shape)
			if string(body) != want {
				t.Errorf("got\n%s\nwant\n%s", body, want)
			}
			if root, err := Parse(body, 4096); err != nil || !bytes.HasSuffix(body, AppendCanonical(nil, root)) {
				t.Errorf("envelope is not canonical: %v", err)
			}
			got, err := DecodeRequest(body, testRule(test.shape))
			if err != nil {
				t.Fatal(err)
			}
			if test.shape != Request1 {
				sent.MessageSequenceNumber = 0
			}
			if test.shape == Request3 || test.shape == RelayRequest {
				sent.LastBroadcastProcessed = 0
			}
			if !reflect.DeepEqual(got, sent) {
				t.Errorf("got %+v, want %+v", got, sent)
			}
		})
	}
}

// TestRequestReadings takes a request in forms that other readings of the text
// lead to (B13, B14, B16) and those that XML allows.
func TestRequestReadings(t *testing.T) {
	plain := string((&Request{"Service", bytes.Repeat([]byte{1, 2, 3}, 40), 4, 5, 6}).Encode(Request1))
	payload := strings.Repeat("AQID", 40)
	for name, body := range map[string]string{
		"as sent":        plain,
		"without prolog": strings.TrimPrefix(plain, Prolog),
		"wrapped base64": strings.ReplaceAll(plain, payload, "\r\n"+payload[:76]+"\r\n"+payload[76:152]+"\n"+payload[152:]+"\n"),
		"attribute form": strings.ReplaceAll(plain, `<Payload xsi:type="base64">`+payload+`</Payload>`,
			`<Payload xsi:type="binary" data="`+payload+`"/>`),
		"schemas of 2001": strings.ReplaceAll(plain, "w3.org/1999", "w3.org/2001"),
		"other prefixes": strings.NewReplacer("SOAP-ENV:", "s:", ":SOAP-ENV", ":s", "xsi:", "i:", ":xsi", ":i",
			"xsd:", "d:", ":xsd", ":d").Replace(plain),
		"white space":    strings.ReplaceAll(strings.ReplaceAll(plain, "><", ">\n  <"), ">4<", "> 4 <"),
		"other elements": strings.ReplaceAll(plain, "<Version", "<Other/><x:Payload xmlns:x='u'/><Version"),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := DecodeRequest([]byte(body), testRule(Request1))
			if err != nil {
				t.Fatal(err)
			}
			if want := (&Request{"Service", bytes.Repeat([]byte{1, 2, 3}, 40), 4, 5, 6}); !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestRequestRefuses(t *testing.T) {
	plain := string((&Request{"Service", []byte{1, 2, 3}, 4, 5, 6}).Encode(Request1))
	const payload = `<Payload xsi:type="base64">AQID</Payload>`
	replace := func(from, to string) string {
		if !strings.Contains(plain, from) {
			t.Fatalf("%q not in the request", from)
		}
		return strings.ReplaceAll(plain, from, to)
	}
	for name, body := range map[string]string{
		"nothing":                    "",
		"no XML":                     "POST",
		"no service":                 openEnvelope + envelopeEnd,
		"document type":              "<!DOCTYPE a>" + plain,
		"unknown service":            replace("Service", "Services"),
		"overlong service":           replace("Service", strings.Repeat("S", MaxNameSize+1)),
		"service with a prefix":      strings.NewReplacer("<Service", "<xsd:Service", "</Service", "</xsd:Service").Replace(plain),
		"two services":               replace("</Service>", "</Service><Service/>"),
		"two bodies":                 replace("</SOAP-ENV:Body>", "</SOAP-ENV:Body><SOAP-ENV:Body/>"),
		"header in place of body":    replace("SOAP-ENV:Body", "SOAP-ENV:Header"),
		"not an envelope":            replace("SOAP-ENV:Envelope", "SOAP-ENV:Parcel"),
		"envelope of SOAP 1.2":       replace("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"),
		"no encoding style":          replace(` SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"`, ""),
		"no payload":                 replace(payload, ""),
		"empty payload":              replace(">AQID<", "><"),
		"two payloads":               replace(payload, payload+payload),
		"payload twice in one":       replace(`<Payload `, `<Payload data="AQID" `),
		"payload data of another":    replace(payload, `<Payload xmlns:x="u" x:data="AQID" xsi:type="binary"/>`),
		"payload without type":       replace(` xsi:type="base64"`, ""),
		"payload of another type":    replace(`"base64"`, `"xsd:string"`),
		"payload not base64":         replace(">AQID<", ">AQI<"),
		"payload with a child":       replace(">AQID<", ">AQ<b/>ID<"),
		"no version":                 replace(`<Version xsi:type="xsd:int">4</Version>`, ""),
		"version out of range":       replace(">4<", ">2147483648<"),
		"version no number":          replace(">4<", ">four<"),
		"version empty":              replace(">4<", "><"),
		"version of another type":    replace(`<Version xsi:type="xsd:int">`, `<Version xsi:type="xsd:string">`),
		"type of another namespace":  replace(`xmlns:xsd="http://www.w3.org/1999/XMLSchema"`, `xmlns:xsd="urn:other"`),
		"type attribute of another":  replace(`XMLSchema-instance"`, `XMLSchema-instant"`),
		"version without type":       replace(`<Version xsi:type="xsd:int">`, `<Version>`),
		"two versions":               replace(`<Version `, `<Version xsi:type="xsd:int">4</Version><Version `),
		"no last broadcast":          strings.ReplaceAll(plain, "LastBroadcastProcessed", "LastBroadcast"),
		"no message sequence number": strings.ReplaceAll(plain, "MessageSequenceNumber", "MessageNumber"),
		"too large":                  plain + strings.Repeat(" ", 16<<10),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := DecodeRequest([]byte(body), testRule(Request1))
			wantFault(t, err, CodeMalformed, "Malformed SOAP request")
			if got != nil {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestServiceName: the start of a request names its service.
func TestServiceName(t *testing.T) {
	body := (&Request{Service: "Service", Payload: []byte{1, 2, 3}}).Encode(Request1)
	whole := strings.Index(string(body), "<Service>") + len("<Service>")
	if got, err := ServiceName(body[:whole]); got != "Service" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	for i := range whole {
		if got, err := ServiceName(body[:i]); err == nil {
			t.Fatalf("first %d bytes: got %q", i, got)
		}
	}
	if got, err := ServiceName([]byte("<a><b><c d='>' >")); got != "c" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestRequestLimitOfService: a request is measured against the limit of the
// service that it names, before a tree is built.
func TestRequestLimitOfService(t *testing.T) {
	body := (&Request{Service: "Service", Payload: make([]byte, 8<<10)}).Encode(Request3)
	rule := func(string) (RequestRule, bool) { return RequestRule{Request3, len(body) - 1}, true }
	allocated := allocation(func() {
		_, err := DecodeRequest(body, rule)
		wantFault(t, err, CodeMalformed, "")
	})
	if allocated > uint64(len(body)) { // a tree would take several times that
		t.Errorf("%d bytes allocated for a request that is refused", allocated)
	}
}

// TestResponseExamples compares with MS-GRVSPCM 4.1.2 and 4.2.2.
func TestResponseExamples(t *testing.T) {
	for _, test := range []struct {
		example, service string
		shape            ResponseShape
	}{
		{"spcm-4.1.2-response", "ManagedObjectStatus", Response3},
		{"spcm-4.2.2-response", "AccountHeartbeat", Response1},
	} {
		want := example(t, test.example)
		r := &Response{Service: test.service}
		if got := r.Encode(test.shape); !bytes.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", test.example, got, want)
		}
		got, err := DecodeResponse(want, 4096, test.service, test.shape)
		if err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("%s: got %+v, %v", test.example, got, err)
		}
	}
}

func TestResponseShapes(t *testing.T) {
	const code = `<ReturnCode xsi:type="xsd:int">7</ReturnCode>`
	for _, test := range []struct {
		name  string
		shape ResponseShape
		sent  Response
		want  string
	}{
		{"1", Response1, Response{"Service", 7, nil, nil}, `<ServiceResponse>` + code + `</ServiceResponse>`},
		{"2", Response2, Response{"Service", 7, []byte{1, 2, 3}, nil},
			`<ServiceResponse>` + code + `<Payload data="AQID" xsi:type="binary"/></ServiceResponse>`},
		{"3", Response3, Response{"Service", 7, []byte{1, 2, 3}, nil},
			`<ServiceResponse>` + code + `<ManagedObjects data="AQID" xsi:type="binary"/></ServiceResponse>`},
		{"3 without objects", Response3, Response{"Service", 7, nil, nil}, `<ServiceResponse>` + code + `</ServiceResponse>`},
		{"relay", RelayResponse, Response{"Service", 0, []byte{1, 2, 3}, nil},
			`<Service><Payload data="AQID" xsi:type="binary"/></Service>`},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := test.sent.Encode(test.shape)
			if want := openEnvelope + test.want + envelopeEnd; string(body) != want {
				t.Errorf("got\n%s\nwant\n%s", body, want)
			}
			for _, b := range []string{string(body), Prolog + string(body),
				strings.Replace(string(body), `data="AQID" xsi:type="binary"/>`, `xsi:type="base64">AQID</`+elementOf(test.shape)+`>`, 1)} {
				got, err := DecodeResponse([]byte(b), 4096, "Service", test.shape)
				if err != nil || !reflect.DeepEqual(*got, test.sent) {
					t.Errorf("%s\ngot %+v, %v", b, got, err)
				}
			}
		})
	}
}

func elementOf(shape ResponseShape) string { return shape.layout().payload }

func TestResponseRefuses(t *testing.T) {
	sent := Response{"Service", 0, []byte{1, 2, 3}, nil}
	plain := string(sent.Encode(Response2))
	for name, body := range map[string]string{
		"nothing":         "",
		"HTML":            "<html><body><p/></body></html>",
		"another service": strings.ReplaceAll(plain, "Service", "Other"),
		"the request":     strings.ReplaceAll(plain, "ServiceResponse", "Service"),
		"no return code":  strings.ReplaceAll(plain, "ReturnCode", "Code"),
		"no payload":      strings.ReplaceAll(plain, "Payload", "Load"),
		"bad payload":     strings.ReplaceAll(plain, "AQID", "A"),
		"too large":       plain + strings.Repeat(" ", 4096),
	} {
		if got, err := DecodeResponse([]byte(body), 4096, "Service", Response2); err == nil {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

// TestFaultEnvelope compares with MS-GRVSPMR 4.2 and 3.1.1.2.
func TestFaultEnvelope(t *testing.T) {
	published := &Fault{Code: 304, Text: "GMS Registration Required. "}
	want := example(t, "spmr-4.2-fault")
	if got := published.Encode(); !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for name, body := range map[string]string{
		"as published": string(want),
		"qualified":    strings.NewReplacer("<fault", "<SOAP-ENV:fault", "</fault", "</SOAP-ENV:fault").Replace(string(want)), // reading E6
	} {
		got, err := DecodeResponse([]byte(body), 4096, "AnyService", Response1)
		if err != nil || !reflect.DeepEqual(got.Fault, published) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	hostile := &Fault{Code: 203, Text: "</faultString><x>&\x00" + strings.Repeat("é", maxFaultText)}
	got, err := DecodeResponse(hostile.Encode(), 16<<10, "AnyService", Response1)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(got.Fault.Text, "</faultString><x>&\ufffdé") || len(got.Fault.Text) > maxFaultText {
		t.Errorf("got %d bytes, %q", len(got.Fault.Text), got.Fault.Text)
	}
	for _, body := range []string{
		strings.ReplaceAll(string(want), "faultCode", "faultCodes"),
		strings.ReplaceAll(string(want), ">304<", ">none<"),
	} {
		if got, err := DecodeResponse([]byte(body), 4096, "AnyService", Response1); err == nil {
			t.Errorf("got %+v", got)
		}
	}
}

func FuzzEnvelope(f *testing.F) {
	for _, shape := range []RequestShape{Request1, Request2, Request3, RelayRequest} {
		f.Add((&Request{"Service", []byte("payload"), 4, 5, 6}).Encode(shape))
	}
	for _, shape := range []ResponseShape{Response1, Response2, Response3, RelayResponse} {
		f.Add((&Response{Service: "Service", Payload: []byte("payload")}).Encode(shape))
	}
	f.Add(NewFault(CodeSecurity, nil).Encode())
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, shape := range []RequestShape{Request1, Request2, Request3, RelayRequest} {
			rule := func(string) (RequestRule, bool) { return RequestRule{shape, 16 << 10}, true }
			r, err := DecodeRequest(body, rule)
			if err != nil {
				if FaultFrom(err).Code != CodeMalformed {
					t.Fatalf("refused with %v", err)
				}
				continue
			}
			again, err := DecodeRequest(r.Encode(shape), rule)
			if err != nil || !reflect.DeepEqual(r, again) {
				t.Fatalf("%+v encoded is %+v, %v", r, again, err)
			}
		}
		for _, shape := range []ResponseShape{Response1, Response2, Response3, RelayResponse} {
			r, err := DecodeResponse(body, 16<<10, "Service", shape)
			if err != nil || r.Fault != nil {
				continue
			}
			again, err := DecodeResponse(r.Encode(shape), 32<<10, "Service", shape)
			if err != nil || !reflect.DeepEqual(r, again) {
				t.Fatalf("%+v encoded is %+v, %v", r, again, err)
			}
		}
	})
}
