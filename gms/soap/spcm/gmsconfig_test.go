package spcm

import (
	"maps"
	"net/http"
	"testing"
)

func TestConfig(t *testing.T) {
	want := Config{14, Endpoint{false, "/gms.dll"}, Endpoint{true, "/AutoActivate/gms.dll"}}
	h := http.Header{}
	want.SetHeader(h)
	published := map[string]string{ // MS-GRVSPCM 2.2.3.49
		"ServerVersion":  "14",
		"NormalProtocol": "http://",
		"NormalPath":     "/gms.dll/",
		"AuthProtocol":   "https://",
		"AuthPath":       "/AutoActivate/gms.dll/",
	}
	for name, value := range published {
		if got := h[name]; len(got) != 1 || got[0] != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	if got, err := DecodeConfig(h); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	received := http.Header{} // in the case that net/http gives names
	for name, value := range published {
		received.Set(name, value)
	}
	if got, err := DecodeConfig(received); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	received.Set("NormalPath", "/folder/") // reading C3
	if got, err := DecodeConfig(received); err != nil || got.Normal.Path != "/folder/gms.dll" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestConfigRefuses(t *testing.T) {
	good := http.Header{}
	Config{14, Endpoint{false, "/gms.dll"}, Endpoint{true, "/a/gms.dll"}}.SetHeader(good)
	if _, err := DecodeConfig(good); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, value string }{
		{"ServerVersion", ""}, {"ServerVersion", "fourteen"},
		{"NormalProtocol", ""}, {"NormalProtocol", "ftp://"}, {"AuthProtocol", "https"},
		{"NormalPath", ""}, {"NormalPath", "/"}, {"NormalPath", "gms.dll"}, {"NormalPath", "/gms.dll"},
		{"AuthPath", "//contoso.com/"}, {"AuthPath", "/a?b/"}, {"AuthPath", "/a b/"}, {"AuthPath", "/a\nb/"}, {"AuthPath", "/@contoso.com:80/"},
	} {
		h := maps.Clone(good)
		h[test.name] = []string{test.value}
		if got, err := DecodeConfig(h); err == nil {
			t.Errorf("%s %q: got %+v", test.name, test.value, got)
		}
	}
}
