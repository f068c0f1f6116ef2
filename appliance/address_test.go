package appliance

import (
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"

	"furrow/gms/directory"
	"furrow/web/api"
)

// TestChosenHost gives a box another name, which client, relay and certificate have when it has started again.
func TestChosenHost(t *testing.T) {
	opts := options(t.TempDir())
	opts.Config.Listen.HTTPS, opts.Config.Listen.SSTP = "127.0.0.1:0", "127.0.0.1:0"
	a, admin, stop := run(t, opts)
	for _, bad := range []string{"", "a b", "a/b", "http://a", "a..b", "-a", "ann@a", "a:b:c", "a:", strings.Repeat("a", 64)} {
		if _, err := a.chooseHost(t.Context(), bad); !errors.Is(err, directory.ErrInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	_, port, err := net.SplitHostPort(a.HTTPAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	want := "http://groove.example.com:" + port + "/gms.dll"
	if got, err := admin.ChooseHost(t.Context(), "groove.example.com"); err != nil || got != (api.Address{ServerURL: want}) {
		t.Fatalf("%+v, %v", got, err)
	}
	stop()
	a, admin, stop = run(t, opts)
	if a.ServerURL() != want {
		t.Errorf("the box has %s, want %s", a.ServerURL(), want)
	}
	if relay, err := admin.LocalRelay(t.Context()); err != nil || relay.SOAPURL != "http://groove.example.com/SOAP" {
		t.Errorf("the relay: %+v, %v", relay, err)
	}
	if certificate, err := admin.Certificate(t.Context()); err != nil || certificate.Names[0] != "groove.example.com" {
		t.Errorf("the certificate: %+v, %v", certificate, err)
	}
	stop()

	opts.Config.ServerURL = "http://fixed.example.com/gms.dll"
	a, admin, _ = run(t, opts)
	var refused *api.Error
	if _, err := admin.ChooseHost(t.Context(), "other.example.com"); !errors.As(err, &refused) || refused.Field != "host" {
		t.Errorf("against the configuration: %v", err)
	}
	if now, err := admin.Address(t.Context()); err != nil || !now.Fixed || now.ServerURL != opts.Config.ServerURL {
		t.Errorf("%+v, %v", now, err)
	}
	if u, err := url.Parse(a.ServerURL()); err != nil || u.Hostname() != "fixed.example.com" {
		t.Errorf("%v, %v", u, err)
	}
}
