package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"furrow/appliance/machine"
	"furrow/appliance/network"
	"furrow/appliance/network/networktest"
	"furrow/appliance/sockettest"
)

// host has the box's machine be one of the image, whose network and clock can be set.
func (b *box) host() *networktest.Machine {
	host := networktest.New(b.t, slog.New(slog.DiscardHandler))
	steward := machine.Steward{Network: host.Host}
	sockettest.Serve(b.t, filepath.Join(b.Dir, "steward"), func(conn net.Conn) { _ = steward.Attend(context.Background(), conn, conn) })
	return host
}

func TestNetworkElsewhere(t *testing.T) {
	b := newBox(t)
	b.setUp()
	b.contains(b.get("/network"), "This needs the Furrow image")
	b.contains(b.get("/clock"), "This needs the Furrow image")
	for _, path := range []string{"/network", "/clock"} {
		if w := b.do(http.MethodPost, path, url.Values{"hostName": {"office"}}); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := b.do(http.MethodPost, "/network/keep", nil); w.Code != http.StatusConflict {
		t.Errorf("confirmed: %d", w.Code)
	}
}

func TestNetworkPages(t *testing.T) {
	b := newBox(t)
	b.setUp()
	host := b.host()
	b.contains(b.get("/network"), `name="hostName" type="text" value="furrow"`, "192.0.2.30/24", "enp1s0", "52:54:00:12:34:56", "connected", "192.0.2.53")

	wrong := b.do(http.MethodPost, "/network", url.Values{"hostName": {"office"}, "addresses": {"192.0.2.5"}})
	b.contains(wrong.Body.String(), `id="f-addresses-error"`, "192.0.2.5/24")
	if wrong.Code != http.StatusUnprocessableEntity {
		t.Errorf("an address without its network: %d", wrong.Code)
	}
	b.contains(b.do(http.MethodPost, "/network", nil).Body.String(), `id="f-hostName-error"`)

	typed := url.Values{
		"hostName": {"Office"}, "port": {"enp1s0"}, "addresses": {"192.0.2.5/24\r\n2001:db8::5/64, 192.0.2.6/24"}, "gateways": {"192.0.2.1"},
		"dns": {"192.0.2.53"}, "search": {"example.com"},
	}
	trial := b.do(http.MethodPost, "/network", typed).Body.String()
	b.contains(trial, `data-countdown="60"`, `href="https://office.local/network"`, `href="https://192.0.2.5/network"`,
		`href="https://[2001:db8::5]/network"`, `action="/network/keep"`)
	b.contains(b.get("/network"), "Keep this setting", `name="hostName" type="text" value="furrow"`)
	if !slices.Contains(host.Told(), "name office") {
		t.Errorf("told %q", host.Told())
	}
	w := b.do(http.MethodPost, "/network/keep", nil)
	if w.Header().Get("Location") != "/network" {
		t.Errorf("%d, %s", w.Code, w.Body)
	}
	page := b.get("/network")
	b.contains(page, "The setting is kept.", `value="office"`, `<option value="enp1s0" selected>`)
	if strings.Contains(page, "data-countdown") {
		t.Error("the trial goes on")
	}

	b.contains(b.do(http.MethodPost, "/network", typed).Body.String(), "data-countdown")
	host.Pass(network.TrialTime)
	w = b.do(http.MethodPost, "/network/keep", nil)
	b.contains(w.Body.String(), "went back to the one before")
	if w.Code != http.StatusConflict {
		t.Errorf("confirmed too late: %d", w.Code)
	}

	b.contains(b.get("/network/reset"), "gets its addresses by DHCP, at once")
	b.contains(b.do(http.MethodPost, "/network/reset", nil).Body.String(), "furrow.local")
	b.contains(b.get("/network"), `value="furrow"`)
}

func TestClockPage(t *testing.T) {
	b := newBox(t)
	b.setUp()
	b.host()
	b.contains(b.get("/clock"), `<option value="Etc/UTC" selected>`, "kept right by a time server", "time.example.com")
	w := b.do(http.MethodPost, "/clock", url.Values{"zone": {"../../etc/passwd"}})
	b.contains(w.Body.String(), `id="f-zone-error"`)
	b.contains(b.do(http.MethodPost, "/clock", url.Values{"zone": {"Etc/UTC"}, "timeServers": {"one two"}}).Body.String(), `id="f-timeServers-error"`)
	if w := b.do(http.MethodPost, "/clock", url.Values{"zone": {"Europe/Berlin"}, "timeServers": {"a.example\nb.example"}}); w.Header().Get("Location") != "/clock" {
		t.Errorf("%d, %s", w.Code, w.Body)
	}
	b.contains(b.get("/clock"), "The clock is set.", `<option value="Europe/Berlin" selected>`, "a.example\nb.example")
}
