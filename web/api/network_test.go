package api

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"furrow/web/access"
)

// refusedAs reports whether an error is a refusal with this code.
func refusedAs(err error, code string) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

func TestNetwork(t *testing.T) {
	client, handler, control := serveAccess(t)
	ctx := t.Context()
	log := new(strings.Builder)
	network := NewNetworkHandler(handler, control, slog.New(slog.NewTextHandler(log, nil)))
	ask := func(method, scheme, path, body, token string) (int, string) {
		t.Helper()
		r := httptest.NewRequest(method, scheme+"://box.example.com"+path, strings.NewReader(body))
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		recorder := httptest.NewRecorder()
		network.ServeHTTP(recorder, r)
		return recorder.Code, recorder.Body.String()
	}
	// Before the set-up there is nothing but the set-up.
	for _, route := range Routes() {
		want := http.StatusForbidden
		if route.Open {
			want = http.StatusBadRequest // the question is empty
		}
		if route.Path == restorePath {
			continue // says itself that it is closed, to who has not the code
		}
		for _, path := range []string{route.Path, route.Path + "/"} {
			if status, body := ask(route.Method, "https", "/api"+path, "", "furrow_x"); status != want && path == route.Path || status < 400 {
				t.Errorf("%s %s before the set-up: %d %s", route.Method, path, status, body)
			}
		}
	}
	code, err := client.SetupCode(ctx)
	if err != nil {
		t.Fatal(err)
	}
	question := `{"code":"` + code.Code + `","name":"ann","password":"a quiet river bends"}`
	if status, _ := ask("POST", "http", "/api/v1/setup", question, ""); status != http.StatusForbidden {
		t.Errorf("set-up without TLS: %d", status)
	}
	if status, body := ask("POST", "https", "/api/v1/setup", question, ""); status != http.StatusOK {
		t.Fatalf("set-up: %d %s", status, body)
	}
	auditor, err := client.AddToken(ctx, NewToken{Name: "monitor", Role: access.Auditor})
	if err != nil {
		t.Fatal(err)
	}
	prometheus, err := client.AddToken(ctx, NewToken{Name: "prometheus", Role: access.Metrics})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		method, scheme, path, token string
		want                        int
	}{
		"metrics":               {"GET", "https", "/metrics", prometheus.Secret, http.StatusOK},
		"metrics of the api":    {"GET", "https", "/api/v1/metrics", prometheus.Secret, http.StatusOK},
		"metrics, not by TLS":   {"GET", "http", "/metrics", prometheus.Secret, http.StatusForbidden},
		"metrics, no token":     {"GET", "https", "/metrics", "", http.StatusUnauthorized},
		"metrics, wrong token":  {"GET", "https", "/metrics", prometheus.Secret + "x", http.StatusUnauthorized},
		"metrics, an auditor":   {"GET", "https", "/metrics", auditor.Secret, http.StatusOK},
		"nothing but metrics":   {"GET", "https", "/api/v1/status", prometheus.Secret, http.StatusForbidden},
		"metrics, no more path": {"GET", "https", "/metrics/v1/status", prometheus.Secret, http.StatusNotFound},

		"good":            {"GET", "https", "/api/v1/status", auditor.Secret, http.StatusOK},
		"not by TLS":      {"GET", "http", "/api/v1/status", auditor.Secret, http.StatusForbidden},
		"no token":        {"GET", "https", "/api/v1/status", "", http.StatusUnauthorized},
		"wrong token":     {"GET", "https", "/api/v1/status", auditor.Secret + "x", http.StatusUnauthorized},
		"not its role":    {"POST", "https", "/api/v1/domains", auditor.Secret, http.StatusForbidden},
		"set-up again":    {"POST", "https", "/api/v1/setup", "", http.StatusUnauthorized},
		"without the api": {"GET", "https", "/v1/status", auditor.Secret, http.StatusNotFound},
	} {
		if status, body := ask(test.method, test.scheme, test.path, "", test.token); status != test.want {
			t.Errorf("%s: %d %s, want %d", name, status, body, test.want)
		}
	}
	if strings.Contains(log.String(), auditor.Secret) {
		t.Error("the log has the token")
	}
	limited := 0
	for range 2 * tokenBurst {
		if status, _ := ask("GET", "https", "/api/v1/tokens/x", "", auditor.Secret); status == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited == 0 {
		t.Error("a token is good for any number of requests")
	}
	for _, id := range []string{auditor.ID, prometheus.ID} {
		if _, err := client.RemoveToken(ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	if tokens, err := client.Tokens(ctx); err != nil || len(tokens) != 0 {
		t.Errorf("%+v, %v", tokens, err)
	}
	if status, _ := ask("GET", "https", "/api/v1/status", "", auditor.Secret); status != http.StatusUnauthorized {
		t.Errorf("with a removed token: %d", status)
	}
}
