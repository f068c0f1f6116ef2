//go:build integration

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"furrow/web/api"
)

// TestIntegrationMetrics has promtool judge the figures of a box in use, and Prometheus read them with the configuration
// that the pages show.
func TestIntegrationMetrics(t *testing.T) {
	data := filepath.Join(t.TempDir(), "var")
	protected := freeAddress(t)
	b := serve(t, data, "127.0.0.1:0", "127.0.0.1:0", "--listen", "https="+protected)
	trust(t, protected) // what curl and Prometheus are given, too
	_, port, err := net.SplitHostPort(protected)
	if err != nil {
		t.Fatal(err)
	}
	target := net.JoinHostPort("localhost", port)
	code := must[api.SetupCode](t, "--data", data, "setup-code")
	setUp, err := json.Marshal(map[string]string{"code": code.Code, "name": "ann", "password": "a quiet river bends"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask(http.MethodPost, "https://"+target+"/api/v1/setup", "", bytes.NewReader(setUp)); err != nil {
		t.Fatal(err)
	}
	made := must[api.TokenMade](t, "--data", data, "token", "add", "prometheus", "--role", "metrics")

	must[api.Domain](t, "--data", data, "domain", "create", "Office")
	ann := joinAs(t, b, data, "Office", "ann")
	registerClient(t, ann)
	httpPort := b.address[strings.LastIndexByte(b.address, ':')+1:]
	present := startPresence(t, "--home", ann.home, "--via", "polling", "--relay-port", "80="+httpPort)
	defer present.kill()

	var text string
	eventually(t, "a client that polls is online", func() bool {
		stdout, stderr, exit := furrow(t, "--data", data, "metrics")
		if exit != 0 {
			t.Fatal(stderr)
		}
		text = stdout
		return strings.Contains(text, "furrow_relay_devices_online 1\n")
	})
	for _, want := range []string{
		`furrow_relay_connections{encapsulation="polling"} 1`, `furrow_relay_connections{encapsulation="none"} 0`,
		`furrow_members{status="active"} 1`, `furrow_build_info{version="` + version + `"} 1`,
		`furrow_http_requests_total{code="2xx",route="POST /v1/setup",service="https"} 1`,
		`furrow_http_requests_total{code="2xx",route="/gms.dll",service="http"} `,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %s in\n%s", want, text)
		}
	}
	check := exec.CommandContext(t.Context(), "promtool", "check", "metrics")
	check.Stdin = strings.NewReader(text)
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool: %v\n%s", err, out)
	}

	for name, test := range map[string]struct {
		path, token string
		want        int
	}{
		"its token":         {"/metrics", made.Secret, http.StatusOK},
		"no token":          {"/metrics", "", http.StatusUnauthorized},
		"a wrong token":     {"/metrics", made.Secret + "x", http.StatusUnauthorized},
		"more than figures": {"/api/v1/status", made.Secret, http.StatusForbidden},
		"members":           {"/api/v1/members", made.Secret, http.StatusForbidden},
		"how the API is":    {"/api/v1/openapi.json", made.Secret, http.StatusForbidden},
	} {
		if status, err := ask(http.MethodGet, "https://"+target+test.path, test.token, nil); status != test.want {
			t.Errorf("%s: %d %v, want %d", name, status, err, test.want)
		}
	}
	if status, _ := ask(http.MethodGet, b.address+"/metrics", made.Secret, nil); status != http.StatusNotFound {
		t.Errorf("without TLS: %d", status)
	}
	prometheusReads(t, target, made.Secret)
}

// ask returns the status of an answer, and an error that has its text if it is no success.
func ask(method, address, token string, body io.Reader) (int, error) {
	r, err := http.NewRequest(method, address, body)
	if err != nil {
		return 0, err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s", text)
	}
	return answer.StatusCode, err
}

// prometheusReads has Prometheus itself scrape a box.
func prometheusReads(t *testing.T, target, token string) {
	t.Helper()
	config, listen := filepath.Join(t.TempDir(), "prometheus.yml"), freeAddress(t)
	text := fmt.Sprintf(`global: {scrape_interval: 1s}
scrape_configs:
  - job_name: furrow
    scheme: https
    authorization:
      credentials: %s
    tls_config:
      ca_file: %s
    static_configs:
      - targets: [%q]
`, token, os.Getenv("SSL_CERT_FILE"), target)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "promtool", "check", "config", config).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var log bytes.Buffer
	server := exec.Command("prometheus", "--config.file="+config, "--storage.tsdb.path="+t.TempDir(), "--web.listen-address="+listen)
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := server.Wait(); err != nil {
			t.Errorf("%v\n%s", err, &log)
		}
	})
	query := "http://" + listen + "/api/v1/query?" + url.Values{"query": {`furrow_members{status="active"}`}}.Encode()
	eventually(t, "Prometheus has a figure", func() bool {
		answer, err := http.Get(query)
		if err != nil {
			return false // it starts
		}
		defer answer.Body.Close()
		var found struct {
			Data struct {
				Result []struct{ Value [2]any }
			}
		}
		if err := json.NewDecoder(answer.Body).Decode(&found); err != nil {
			return false
		}
		return len(found.Data.Result) == 1 && found.Data.Result[0].Value[1] == "1"
	})
}
