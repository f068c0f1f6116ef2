package client_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"furrow/appliance/keys"
	"furrow/gms/client"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// forger answers KeyActivation as a server that knows the code but not the domain's private key: it changes the
// answer of the real one before the client sees it.
type forger struct {
	code  string
	forge func(*spcm.KeyActivationResponse)
}

func (f *forger) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || r.Method != http.MethodPost {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	body, err = f.rewrite(body)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, err
}

func (f *forger) rewrite(body []byte) ([]byte, error) {
	response, err := soap.DecodeResponse(body, spcm.MaxResponseSize, spcm.ServiceKeyActivation, soap.Response2)
	if err != nil {
		return nil, err
	}
	key, readings := keys.CodeKey(f.code), soap.ManagementMACs()
	fragment, err := soap.ParseFragment(response.Payload, spcm.MaxResponseSize, soap.WrapperReturnPayload)
	if err != nil {
		return nil, err
	}
	plaintext, _, err := fragment.Open(key, readings)
	if err != nil {
		return nil, err
	}
	answer, err := spcm.DecodeKeyActivationResponse(plaintext)
	if err != nil {
		return nil, err
	}
	f.forge(answer)
	response.Payload, err = soap.NewFragment(soap.NewElement(soap.WrapperReturnPayload)).Secure(key, answer.Encode(), readings[0])
	if err != nil {
		return nil, err
	}
	return response.Encode(soap.Response2), nil
}

func TestForgedObjectsAreRefused(t *testing.T) {
	o := newOffice(t)
	other, err := o.directory.CreateDomain(t.Context(), "Other", "")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		forge func(*spcm.KeyActivationResponse)
		want  string
	}{
		"changed object": {func(r *spcm.KeyActivationResponse) {
			r.Objects[0].Object = bytes.Replace(r.Objects[0].Object, []byte("Ann Smith"), []byte("Eve Smith"), 1)
		}, "managed object"},
		"certificate of another domain": {func(r *spcm.KeyActivationResponse) {
			r.Domain.Certificate = other.Certificate
		}, "managed object"},
		"another domain's name": {func(r *spcm.KeyActivationResponse) { r.Domain.GUID = other.GUID }, "is of domain"},
		"entry under another name": {func(r *spcm.KeyActivationResponse) {
			r.Objects[0].GUID = r.Objects[1].GUID
		}, "name different things"},
		"no identity": {func(r *spcm.KeyActivationResponse) { r.Objects = r.Objects[1:] }, "no identity template"},
		"no certificate": {func(r *spcm.KeyActivationResponse) {
			r.Domain.Certificate = []byte("none")
		}, "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			_, code := o.member(t)
			dir := t.TempDir()
			_, _, err := o.join(t, openHome(t, dir), code, &forger{code, test.forge})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("join: %v, want %q", err, test.want)
			}
			if _, err := openHome(t, dir).Load(); err == nil {
				t.Fatal("a profile was kept")
			}
		})
	}
}

func TestAnswersThatAreNoSOAP(t *testing.T) {
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"a web page": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html>")
		}, "not SOAP"},
		"half an envelope": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/xml")
			_, _ = io.WriteString(w, "<SOAP-ENV:Envelope>")
		}, "reading the answer"},
		"too much": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/xml")
			_, _ = w.Write(make([]byte, spcm.MaxResponseSize+1))
		}, "reading the answer"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(test.answer)
			defer server.Close()
			s, err := client.Connect(t.Context(), server.Client(), server.URL)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.KeyActivation(t.Context(), "code"); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
		})
	}
}
