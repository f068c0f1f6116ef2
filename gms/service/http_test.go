package service

import (
	"io"
	"net/http"
	"testing"

	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

func TestPaths(t *testing.T) {
	b := newBox(t)
	_, alice := b.active(t, "alice", aliceKey())
	for _, path := range []string{
		"/gms.dll", "/gms.dll/", "/GMS.DLL", "/AutoActivate/gms.dll", "/AutoActivate/gms.dll/", "/autoactivate/Gms.dll",
	} {
		body := alice.request(t, spcm.ServiceAccountHeartbeat, payloadOf(t, b, alice, spcm.ServiceAccountHeartbeat))
		status, _, answer := b.send(t, path, body)
		r, err := soap.DecodeResponse(answer, len(answer), spcm.ServiceAccountHeartbeat, soap.Response1)
		if status != http.StatusOK || err != nil || r.Fault != nil {
			t.Errorf("%s: HTTP status %d, %v, %v", path, status, r, err)
		}
	}
}

func TestMethods(t *testing.T) {
	b := newBox(t)
	for _, tt := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/gms.dll", 405, "POST"},
		{"PUT", "/AutoActivate/gms.dll", 405, "POST"},
		{"POST", "/GMSConfig", 405, "GET, HEAD"},
		{"HEAD", "/GMSConfig", 200, ""},
		{"POST", "/", 404, ""},
		{"POST", "/gms.dll/more", 404, ""},
		{"GET", "/", 404, ""},
	} {
		request, err := http.NewRequestWithContext(t.Context(), tt.method, b.url+tt.path, nil)
		must(t, err)
		r, err := http.DefaultClient.Do(request)
		must(t, err)
		must(t, r.Body.Close())
		if r.StatusCode != tt.status || r.Header.Get("Allow") != tt.allow {
			t.Errorf("%s %s: status %d, Allow %q", tt.method, tt.path, r.StatusCode, r.Header.Get("Allow"))
		}
	}
}

// TestGMSConfig checks the headers of MS-GRVSPCM 3.2.5.3.1.
func TestGMSConfig(t *testing.T) {
	b := newBox(t)
	for _, tt := range []struct{ url, protocol string }{
		{testServerURL, "http://"},
		{"https://groove.example.com/gms.dll", "https://"},
	} {
		must(t, b.directory.SetServerURL(t.Context(), tt.url))
		for _, path := range []string{"/GMSConfig", "/gmsconfig"} {
			r, err := http.Get(b.url + path)
			must(t, err)
			body, err := io.ReadAll(r.Body)
			must(t, err)
			must(t, r.Body.Close())
			if r.StatusCode != http.StatusOK || len(body) != 0 {
				t.Errorf("%s: HTTP status %d, %d bytes", path, r.StatusCode, len(body))
			}
			for name, want := range map[string]string{
				"ServerVersion":  "14",
				"NormalProtocol": tt.protocol,
				"NormalPath":     "/gms.dll/",
				"AuthProtocol":   tt.protocol,
				"AuthPath":       "/AutoActivate/gms.dll/",
			} {
				if got := r.Header.Get(name); got != want {
					t.Errorf("%s of %s: %q, want %q", name, tt.url, got, want)
				}
			}
			if _, err := spcm.DecodeConfig(r.Header); err != nil {
				t.Error(err)
			}
		}
	}
}
