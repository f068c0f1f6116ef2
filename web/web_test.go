package web

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestFront(t *testing.T) {
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	const page = "http://groove.example.com/gms.dll"
	for name, test := range map[string]struct {
		secure, method, host, path string
		tls                        bool
		status                     int
		want                       string // in the page, or the location
	}{
		"page":               {":443", "GET", "box", "/", true, http.StatusOK, page},
		"page without TLS":   {"", "GET", "box", "/", false, http.StatusOK, page},
		"to TLS":             {":443", "GET", "box:80", "/", false, http.StatusFound, "https://box/"},
		"to another port":    {"[::]:8443", "GET", "192.0.2.1:8080", "/", false, http.StatusFound, "https://192.0.2.1:8443/"},
		"to IPv6":            {":8443", "GET", "[2001:db8::1]:8080", "/", false, http.StatusFound, "https://[2001:db8::1]:8443/"},
		"to IPv6, usual":     {":443", "GET", "[2001:db8::1]", "/", false, http.StatusFound, "https://[2001:db8::1]/"},
		"another path":       {":443", "GET", "box", "/gms.dll", false, http.StatusTeapot, ""},
		"another method":     {":443", "POST", "box", "/", true, http.StatusTeapot, ""},
		"another, with TLS":  {":443", "POST", "box", "/gms.dll", true, http.StatusTeapot, ""},
		"nothing is guessed": {":443", "GET", "box", "/index.html", true, http.StatusTeapot, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, "http://"+test.host+test.path, nil)
			if test.tls {
				r.TLS = &tls.ConnectionState{}
			}
			w := httptest.NewRecorder()
			NewHandler(next, Site{ServerURL: page, Secure: test.secure}).ServeHTTP(w, r)
			if w.Code != test.status {
				t.Fatalf("status %d, want %d", w.Code, test.status)
			}
			switch w.Code {
			case http.StatusFound:
				if got := w.Header().Get("Location"); got != test.want {
					t.Errorf("to %s, want %s", got, test.want)
				}
			case http.StatusOK:
				if !strings.Contains(w.Body.String(), test.want) || w.Header().Get("Content-Security-Policy") == "" {
					t.Errorf("%v\n%s", w.Header(), w.Body)
				}
			}
		})
	}
}
