package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"furrow/web/access"
)

func TestAdministrators(t *testing.T) {
	b := newBox(t)
	b.setUp()
	form := url.Values{"name": {"bob"}, "displayName": {"Bob Jones"}, "role": {"member"}, "newPassword": {"short"}}
	b.contains(b.do(http.MethodPost, "/administrators/new", form).Body.String(), `id="f-newPassword-error"`)
	form.Set("newPassword", password)
	bob := b.post("/administrators/new", form)
	if bob != "/administrators/of/bob" {
		t.Fatalf("to %s", bob)
	}
	b.contains(b.get(bob), "bob may sign in now.", "Nowhere at the moment.")
	b.contains(b.get("/administrators?q=jones"), "Bob Jones", "Help desk", "1 to 1 of 1")
	b.contains(b.get("/administrators?role=server&sort=-name"), "Ann Smith", "1 to 1 of 1")
	b.post(bob, url.Values{"displayName": {"Robert"}, "role": {"domain"}})
	b.contains(b.get(bob), "bob is changed.", `value="Robert"`)

	ann := b.cookies
	b.cookies = map[string]string{}
	b.post("/sign-in", url.Values{"name": {"bob"}, "password": {password}})
	own := b.cookies
	if w := b.do(http.MethodGet, "/administrators", nil); w.Code != http.StatusForbidden {
		t.Errorf("bob sees administrators: %d", w.Code)
	}
	b.cookies = ann
	b.post(bob, url.Values{"action": {"revoke"}, "session": {b.hiddenValue(b.get(bob), "session")}})
	b.contains(b.get(bob), "Nowhere at the moment.")
	b.cookies = own
	if w := b.do(http.MethodGet, "/", nil); !strings.HasPrefix(w.Header().Get("Location"), "/sign-in") {
		t.Errorf("bob is still there: %d", w.Code)
	}

	b.cookies = ann
	b.post(bob, url.Values{"action": {"disable"}})
	b.contains(b.get(bob), "status disabled", `value="enable"`)
	b.cookies = map[string]string{}
	if w := b.do(http.MethodPost, "/sign-in", url.Values{"name": {"bob"}, "password": {password}}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a disabled administrator: %d", w.Code)
	}
	b.cookies = ann
	b.post(bob, url.Values{"action": {"enable"}})
	b.contains(b.get(bob+"/password"), "gets a new password", `name="removeFactors"`)
	made := regexp.MustCompile(`<code class="big">([A-Z2-7]+)</code>`).FindStringSubmatch(b.do(http.MethodPost, bob+"/password", nil).Body.String())
	if made == nil {
		t.Fatal("no password was made")
	}
	if _, err := b.Access.SignIn(t.Context(), "bob", made[1], access.Visitor{}); err != nil {
		t.Errorf("sign-in by the new password: %v", err)
	}
	for _, test := range []url.Values{{"action": {"disable"}}, {"displayName": {"Ann"}, "role": {"auditor"}}} {
		w := b.do(http.MethodPost, "/administrators/of/ann", test)
		b.contains(w.Body.String(), "this is the last administrator with the role server")
	}
	if w := b.do(http.MethodPost, "/administrators/of/ann/delete", nil); w.Code != http.StatusConflict {
		t.Errorf("the last one is deleted: %d", w.Code)
	}
	b.contains(b.get(bob+"/delete"), "bob will not be able to sign in")
	b.post(bob+"/delete", nil)
	b.contains(b.get("/administrators"), "bob is deleted.")
	b.contains(b.get("/roles"), "Members", "sees and changes")
}

func TestTokens(t *testing.T) {
	b := newBox(t)
	b.setUp()
	b.contains(b.get("/tokens"), "No program has access.")
	form := url.Values{"tokenName": {""}, "role": {"auditor"}, "lifetime": {"30"}}
	b.contains(b.do(http.MethodPost, "/tokens/new", form).Body.String(), `id="f-tokenName-error"`)
	form.Set("tokenName", "nightly report")
	page := b.do(http.MethodPost, "/tokens/new", form).Body.String()
	secret := b.linkTo(page, `furrow_[A-Za-z0-9_-]+`)
	if actor, err := b.Access.TokenActor(t.Context(), secret, "192.0.2.1"); err != nil || actor.Role != access.Auditor {
		t.Errorf("%+v, %v", actor, err)
	}
	if strings.Contains(page, "scrape_configs") {
		t.Error("an auditor's token is for Prometheus")
	}
	list := b.get("/tokens")
	b.contains(list, "nightly report", "2026-04-13")
	if strings.Contains(list, secret) {
		t.Error("the secret is shown again")
	}
	remove := b.linkTo(list, `/tokens/[0-9a-f]+/remove`)
	b.contains(b.get(remove), "nightly report are refused")
	b.post(remove, nil)
	b.contains(b.get("/tokens"), "The token nightly report is removed.")
	if w := b.do(http.MethodGet, remove, nil); w.Code != http.StatusNotFound {
		t.Errorf("what was removed: %d", w.Code)
	}
}

// TestMetricsToken shows a person what to write into prometheus.yml.
func TestMetricsToken(t *testing.T) {
	b := newBox(t)
	b.setUp()
	b.contains(b.get("/tokens/new"), "Figures for Prometheus, nothing else")
	form := url.Values{"tokenName": {"prometheus"}, "role": {"metrics"}, "lifetime": {"0"}}
	page := b.do(http.MethodPost, "/tokens/new", form).Body.String()
	secret := b.linkTo(page, `furrow_[A-Za-z0-9_-]+`)
	b.contains(page, "scrape_configs:", "credentials: "+secret+"\n", `targets: ["box.example.com:443"]`, "ca_file: furrow.crt", `href="/certificates/download"`)
	b.contains(b.get("/tokens"), "Figures for Prometheus, nothing else")
	form = url.Values{"name": {"prometheus"}, "role": {"metrics"}, "newPassword": {"a quiet river bends"}}
	if w := b.do(http.MethodPost, "/administrators/new", form); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("an administrator who may read metrics only: %d", w.Code)
	}
}
