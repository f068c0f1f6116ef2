package service

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// TestMalformed sends what is no request of a service: fault 105, and nothing
// is changed.
func TestMalformed(t *testing.T) {
	b := newBox(t)
	sound := b.account(t, "alice", aliceKey(), false).createRequest(t)
	within := func(pattern, by string) []byte { return replaced(t, sound, pattern, by) }
	before := b.sequence()
	for name, body := range map[string][]byte{
		"empty":               {},
		"no XML":              []byte("POST"),
		"binary":              bytes.Repeat([]byte{0, 0xff}, 4096),
		"cut":                 sound[:len(sound)-30],
		"cut early":           sound[:50],
		"unknown service":     within("CreateAccount", "FormatDisk"),
		"DTD":                 append([]byte(`<!DOCTYPE x [<!ENTITY a "aaaa">]>`), sound...),
		"entity":              within(">4</Version>", ">&a;</Version>"),
		"comment":             within("<Version", "<!-- --><Version"),
		"CDATA":               within(">4</Version>", "><![CDATA[4]]></Version>"),
		"deep":                within("</Version>", "</Version>"+strings.Repeat("<a>", 60)+strings.Repeat("</a>", 60)),
		"many elements":       within("</Version>", "</Version>"+strings.Repeat("<a/>", 4000)),
		"many attributes":     within("<Version ", "<Version "+strings.Repeat(`a="" `, 2000)),
		"attribute twice":     within("<Version ", `<Version xsi:type="xsd:int" `),
		"two roots":           append(bytes.Clone(sound), "<a/>"...),
		"prefix not bound":    within("<Version ", "<x:Version "),
		"no Version":          within("<Version.*?</Version>", ""),
		"Version no number":   within(">4</Version>", ">four</Version>"),
		"no Payload":          within("<Payload.*</Payload>", ""),
		"Payload no base64":   within(`(?s)<Payload xsi:type="base64">.*</Payload>`, `<Payload xsi:type="base64">?</Payload>`),
		"Payload no XML":      within(`(?s)<Payload xsi:type="base64">.*</Payload>`, `<Payload xsi:type="base64">AAAA</Payload>`),
		"Payload with DTD":    within(`(?s)<Payload xsi:type="base64">.*</Payload>`, `<Payload xsi:type="base64">`+soap.EncodeBase64([]byte("<!DOCTYPE x><x/>"))+`</Payload>`),
		"no envelope":         []byte("<a><b><CreateAccount/></b></a>"),
		"name beyond prefix":  append(bytes.Repeat([]byte(" "), prefixSize), sound...),
		"another content set": append([]byte(`<?xml version="1.0" encoding="UTF-16"?>`), sound...),
	} {
		t.Run(name, func(t *testing.T) {
			status, _, answer := b.send(t, pathServices, body)
			r, err := soap.DecodeResponse(answer, len(answer), spcm.ServiceCreateAccount, soap.Response1)
			must(t, err)
			if status != http.StatusOK || r.Fault == nil || r.Fault.Code != soap.CodeMalformed {
				t.Errorf("HTTP status %d, fault %v", status, r.Fault)
			}
		})
	}
	if after := b.sequence(); after != before {
		t.Errorf("%d changes", after-before)
	}
	b.succeed(t, spcm.ServiceCreateAccount, sound)
}

// countedBody is an endless body of a request that says how much was read.
type countedBody struct {
	start io.Reader
	read  int
}

func (c *countedBody) Read(p []byte) (int, error) {
	n, err := c.start.Read(p)
	if err == io.EOF {
		n, err = copy(p, bytes.Repeat([]byte("A"), len(p))), nil
	}
	c.read += n
	return n, err
}

// TestOversized checks that of a body not more is read and kept than its
// service allows, whether its length is announced or not.
func TestOversized(t *testing.T) {
	b := newBox(t)
	for _, messages := range spcm.Services() {
		head := fmt.Sprintf(`<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/">`+
			`<SOAP-ENV:Body><%s><Payload>`, messages.Name)
		for name, announced := range map[string]int64{"announced": int64(messages.Limit) + 1, "not announced": -1} {
			t.Run(messages.Name+" "+name, func(t *testing.T) {
				body := &countedBody{start: strings.NewReader(head)}
				r := httptest.NewRequest(http.MethodPost, pathServices, body)
				r.ContentLength = announced
				w := httptest.NewRecorder()
				b.server.ServeHTTP(w, r)
				if w.Code != http.StatusRequestEntityTooLarge {
					t.Errorf("HTTP status %d", w.Code)
				}
				answer, err := soap.DecodeResponse(w.Body.Bytes(), w.Body.Len(), messages.Name, messages.Response)
				if err != nil || answer.Fault == nil || answer.Fault.Code != soap.CodeMalformed {
					t.Errorf("fault %v, %v", answer, err)
				}
				limit := messages.Limit + 1
				if announced > 0 {
					limit = prefixSize
				}
				if body.read > limit {
					t.Errorf("%d bytes were read, at most %d are allowed", body.read, limit)
				}
			})
		}
	}
}

// TestAllocation checks that hostile bodies make the server allocate no more
// than a fixed multiple of the service's limit.
func TestAllocation(t *testing.T) {
	b := newBox(t)
	const limit = 16 << 10
	head := `<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Body><KeyActivation>`
	for name, filler := range map[string]string{
		"elements": "<a/>", "attributes": `<a b="" c="" d=""/>`, "depth": "<a>", "text": "aaaa", "references": "&amp;",
	} {
		body := []byte(head + strings.Repeat(filler, (limit-len(head))/len(filler)))
		const times = 4
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range times {
			r := httptest.NewRequest(http.MethodPost, pathServices, bytes.NewReader(body))
			b.server.ServeHTTP(httptest.NewRecorder(), r)
		}
		runtime.ReadMemStats(&after)
		if got := (after.TotalAlloc - before.TotalAlloc) / times; got > 2*soap.AllocationFactor*limit {
			t.Errorf("%s: %d bytes allocated for a body of %d", name, got, len(body))
		}
	}
}

// TestSlowBody checks that a peer which sends a part of a body and then waits is
// answered 408 and disconnected, and that one which hangs up is not answered.
func TestSlowBody(t *testing.T) {
	b := newBox(t)
	b.server.pace = pace{grace: 50 * time.Millisecond, rate: 1 << 20}
	body := b.account(t, "alice", aliceKey(), false).createRequest(t)
	for name, part := range map[string]int{"nothing": 0, "before the service is known": 20, "after": len(body) - 1} {
		t.Run(name, func(t *testing.T) {
			c, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
			must(t, err)
			defer c.Close()
			_, err = fmt.Fprintf(c, "POST /gms.dll HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:part])
			must(t, err)
			must(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
			answer, err := io.ReadAll(c)
			must(t, err)
			if !bytes.HasPrefix(answer, []byte("HTTP/1.1 408 ")) || !bytes.Contains(answer, []byte("Connection: close")) {
				t.Errorf("answer is %.200q", answer)
			}
		})
	}
}

// TestBrokenBody checks bodies that end early and encodings that are not read.
func TestBrokenBody(t *testing.T) {
	b := newBox(t)
	body := b.account(t, "alice", aliceKey(), false).createRequest(t)
	post := func(from io.Reader, encoding string) int {
		r := httptest.NewRequest(http.MethodPost, pathServices, from)
		r.Header.Set("Content-Encoding", encoding)
		w := httptest.NewRecorder()
		b.server.ServeHTTP(w, r)
		return w.Code
	}
	broken := io.MultiReader(bytes.NewReader(body[:len(body)-1]), errReader{errors.New("connection reset")})
	if got := post(broken, ""); got != http.StatusBadRequest {
		t.Errorf("broken body: HTTP status %d", got)
	}
	if got := post(bytes.NewReader(body), "gzip"); got != http.StatusUnsupportedMediaType {
		t.Errorf("gzip: HTTP status %d", got)
	}
	if got := post(bytes.NewReader(body), "identity"); got != http.StatusOK {
		t.Errorf("identity: HTTP status %d", got)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// FuzzServer sends bodies, and payloads secured by a member, to the server.
func FuzzServer(f *testing.F) {
	b := newBox(f)
	m, alice := b.active(f, "alice", aliceKey())
	code := b.code(f, m)
	secured := []string{
		spcm.ServiceEnrollment, spcm.ServiceAccountHeartbeat, spcm.ServiceManagedObjectStatus,
		spcm.ServiceManagedObjectInstall, spcm.ServiceDomainEnrollment, spcm.ServiceKeyActivation,
	}
	f.Add(uint8(len(secured)), alice.createRequest(f))
	for i, service := range secured {
		payload := alice.enrollmentOf(f, code).Encode()
		if service != spcm.ServiceDomainEnrollment {
			payload = payloadOf(f, b, alice, service)
		}
		f.Add(uint8(i), payload)
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		body := data
		if i := int(which) % (len(secured) + 1); i < len(secured) {
			messages, _ := spcm.LookupService(secured[i])
			if messages.Security == spcm.CodeKey {
				body = codeRequest(t, secured[i], code, data)
			} else {
				body = alice.request(t, secured[i], data)
			}
		}
		w := httptest.NewRecorder()
		b.server.ServeHTTP(w, httptest.NewRequest(http.MethodPost, pathServices, bytes.NewReader(body)))
		service, _ := soap.ServiceName(body)
		messages, _ := spcm.LookupService(service) // a fault has no shape
		if _, err := soap.DecodeResponse(w.Body.Bytes(), spcm.MaxResponseSize, service, messages.Response); err != nil {
			t.Errorf("HTTP status %d, unreadable answer: %v", w.Code, err)
		}
		if b.server.Panics() != 0 {
			t.Fatalf("panic: %s", b.log)
		}
		b.log.Reset()
	})
}
