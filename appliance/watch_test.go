package appliance

import (
	"context"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"furrow/appliance/alert"
	"furrow/appliance/machine"
	"furrow/appliance/sockettest"
	"furrow/appliance/update"
	"furrow/web/api"
)

// TestObserve looks at a box whose clock is about to end its certificates.
func TestObserve(t *testing.T) {
	opts := options(filepath.Join(t.TempDir(), "var"))
	opts.Config.Listen.SSTP, opts.Config.Listen.HTTPS = "127.0.0.1:0", "127.0.0.1:0"
	later := time.Duration(0)
	opts.Now = func() time.Time { return time.Now().Add(later) }
	a, err := New(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := a.directory.CreateDomain(t.Context(), "Office", ""); err != nil {
		t.Fatal(err)
	}
	seen := a.observe(t.Context())
	for _, rule := range alert.Rules() {
		readings, ok := seen[rule.Kind]
		if !ok {
			t.Errorf("%s is not looked at", rule.Kind)
		}
		states, _ := alert.Evaluate([]alert.Rule{rule}, nil, alert.Observations{rule.Kind: readings}, opts.Now())
		if len(states) != 0 && rule.Kind != alert.Disk { // that of the machine may be full
			t.Errorf("on a new box: %+v", states)
		}
	}
	if n := len(seen[alert.DomainCertificate]); n != 1 || len(seen[alert.RelayCertificate]) != 2 {
		t.Errorf("%d domains' certificates, %+v", n, seen[alert.RelayCertificate])
	}

	dir := t.TempDir()
	open := `{"who":"Jo","until":"2026-11-24T10:00:00Z","fingerprints":["SHA256:x"]}`
	if err := os.WriteFile(filepath.Join(dir, "opened.json"), []byte(open), 0o644); err != nil {
		t.Fatal(err)
	}
	a.machine = machine.New(dir, "", dir) // dir stands for the socket, too
	support := a.observe(t.Context())[alert.Support]
	if len(support) != 1 || support[0].Subject != "until 2026-11-24 10:00 UTC, for Jo" || support[0].Detail != "SHA256:x" {
		t.Errorf("open to support: %+v", support)
	}

	later = 824 * 24 * time.Hour
	a.watch.signins = func() uint64 { return 50 }
	seen = a.observe(t.Context())
	if r := seen[alert.TLSCertificate]; len(r) != 1 || r[0].Value > 2 || !strings.Contains(r[0].Detail, "localhost") {
		t.Errorf("TLS certificate a day before its end: %+v", r)
	}
	if r := seen[alert.Clock]; r[0].Value < later.Seconds()-60 {
		t.Errorf("clock set on by %v: %+v", later, r)
	}
	if r := seen[alert.LoginFailures]; r[0].Value != 0 { // the hour before is long ago by this clock
		t.Errorf("sign-ins refused: %+v", r)
	}
	a.watch.signins = func() uint64 { return 90 }
	if r := a.observe(t.Context())[alert.LoginFailures]; r[0].Value != 40 {
		t.Errorf("sign-ins refused: %+v", r)
	}

	// A box that has returned to the version before says so for a week; its steward is not asked each minute.
	asked, returned := 0, opts.Now()
	versions := update.Versions{Last: &update.Record{
		To: update.Manifest{Version: "v2"}, Outcome: update.Returned, Reason: "never serves", Settled: returned,
	}}
	steward := &machine.Steward{Versions: func() (update.Versions, error) {
		asked++
		return versions, nil
	}}
	sockettest.Serve(t, filepath.Join(dir, "steward"), func(conn net.Conn) { _ = steward.Attend(context.Background(), conn, conn) })
	a.machine = machine.New(filepath.Join(dir, "steward"), "", dir)
	later += versionsAge
	for range 2 {
		seen := a.observe(t.Context())
		if r := seen[alert.Update]; len(r) != 1 || r[0].Subject != "v2" || r[0].Detail != "never serves" || r[0].Value != 1 || len(seen[alert.System]) != 0 {
			t.Errorf("an update that was taken back: %+v, %+v", r, seen[alert.System])
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	later += returnIsNews
	versions.Check = &update.Check{At: opts.Now(), Damage: "3 octets"}
	seen = a.observe(t.Context())
	if r := seen[alert.System]; len(seen[alert.Update]) != 0 || len(r) != 1 || r[0].Value != 2 || r[0].Detail != "3 octets" {
		t.Errorf("a week later, with a damaged slot: %+v, %+v", seen[alert.Update], r)
	}
}

// TestAlertReachesWebHook restarts a box that has been told that its disk is too small; it says so at once.
func TestAlertReachesWebHook(t *testing.T) {
	arrived := make(chan string, 10)
	receiver := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		arrived <- string(body)
	}))
	defer receiver.Close()
	opts := options(filepath.Join(t.TempDir(), "var"))
	_, admin, stop := run(t, opts)
	settings, err := admin.SetAlerts(t.Context(), api.AlertSettings{
		URL: receiver.URL, Authority: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: receiver.Certificate().Raw})),
		Rules: []api.AlertRule{{Kind: "disk", Warning: 2e9, Critical: 1e9}},
	})
	if err != nil || settings.Secret == "" {
		t.Fatalf("%+v, %v", settings, err)
	}
	stop()
	_, admin, _ = run(t, opts)
	if body := <-arrived; !strings.Contains(body, `"kind":"disk"`) || !strings.Contains(body, `"level":"critical"`) {
		t.Errorf("the web hook was sent %s", body)
	}
	if alerts, err := admin.Alerts(t.Context()); err != nil || len(alerts) != 1 || alerts[0].Level != "critical" || alerts[0].Remedy == "" {
		t.Errorf("%+v, %v", alerts, err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	actions, err := admin.Actions(t.Context(), api.ActionFilter{What: "alerts"})
	if err != nil || len(actions) != 1 || actions[0].Who != me.Username || actions[0].Origin != "command line" ||
		strings.Contains(string(actions[0].Asked), settings.Secret) {
		t.Errorf("%+v, %v", actions, err)
	}
}
