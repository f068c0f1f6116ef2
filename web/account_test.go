package web

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"
	"github.com/pquerna/otp/totp"

	"furrow/appliance/actionlog"
	"furrow/web/access"
)

// hiddenValue is that of a hidden field of a page.
func (b *box) hiddenValue(page, name string) string {
	b.t.Helper()
	found := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(page)
	if found == nil {
		b.t.Fatalf("there is no hidden %s in\n%s", name, page)
	}
	return html.UnescapeString(found[1])
}

// as signs in as a new administrator, in a browser of their own.
func (b *box) as(name string, role access.Role) {
	b.t.Helper()
	if _, err := b.Access.Add(b.t.Context(), access.NewAdministrator{Name: name, Role: role, Password: password}); err != nil {
		b.t.Fatal(err)
	}
	b.cookies = map[string]string{}
	b.post("/sign-in", url.Values{"name": {name}, "password": {password}})
}

// TestOwnAccount has an auditor, who may change nothing else, change their own account.
func TestOwnAccount(t *testing.T) {
	b := newBox(t)
	b.setUp()
	b.as("zoe", access.Auditor)
	b.contains(b.get("/account"), "Auditor", "Set up an authenticator app", ">here<")
	b.post("/account", url.Values{"displayName": {"Zoë Okafor"}})
	b.contains(b.get("/account"), "The name is changed.", "Zoë Okafor")
	w := b.do(http.MethodPost, "/account", url.Values{"displayName": {strings.Repeat("x", 200)}})
	b.contains(w.Body.String(), `id="f-displayName-error"`)

	change := url.Values{"oldPassword": {"wrong password it is"}, "newPassword": {"eleven yellow kites"}}
	b.contains(b.do(http.MethodPost, "/account/password", change).Body.String(), `id="f-oldPassword-error"`)
	change.Set("oldPassword", password)
	change.Set("newPassword", "short")
	b.contains(b.do(http.MethodPost, "/account/password", change).Body.String(), `id="f-newPassword-error"`)
	change.Set("newPassword", "eleven yellow kites")
	b.post("/account/password", change)
	b.contains(b.get("/account"), "all other sessions have ended")

	here := b.cookies
	b.cookies = map[string]string{}
	b.post("/sign-in", url.Values{"name": {"zoe"}, "password": {"eleven yellow kites"}})
	there := b.cookies
	b.cookies = here
	b.post("/account", url.Values{"session": {b.hiddenButton(b.get("/account"), "session")}})
	b.contains(b.get("/account"), "That session has ended.")
	b.cookies = there
	if w := b.do(http.MethodGet, "/account", nil); w.Header().Get("Location") != "/sign-in?next=%2Faccount" {
		t.Errorf("the ended session: %d to %q", w.Code, w.Header().Get("Location"))
	}
}

// hiddenButton is the value of a button of a page.
func (b *box) hiddenButton(page, name string) string {
	b.t.Helper()
	found := regexp.MustCompile(`<button name="` + name + `" value="([^"]*)"`).FindStringSubmatch(page)
	if found == nil {
		b.t.Fatalf("there is no button %s in\n%s", name, page)
	}
	return found[1]
}

func TestAuthenticatorApp(t *testing.T) {
	b := newBox(t)
	b.setUp()
	page := b.get("/account/authenticator")
	told := b.hiddenValue(page, "otpauth")
	b.contains(page, `<svg class="qr"`, html.EscapeString(told[:20]))
	form := url.Values{"ticket": {b.hiddenValue(page, "ticket")}, "secret": {b.hiddenValue(page, "secret")}, "otpauth": {told}, "code": {"000000"}}
	w := b.do(http.MethodPost, "/account/authenticator", form)
	if b.contains(w.Body.String(), `id="f-code-error"`); b.hiddenValue(w.Body.String(), "otpauth") != told {
		t.Error("a wrong code makes another secret")
	}
	code := func() string {
		code, err := totp.GenerateCode(form.Get("secret"), b.now)
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	form.Set("code", code())
	w = b.do(http.MethodPost, "/account/authenticator", form)
	b.contains(w.Body.String(), "Recovery codes", "data-print")
	recovery := regexp.MustCompile(`<li><code>([a-z2-7-]+)</code>`).FindAllStringSubmatch(w.Body.String(), -1)
	if len(recovery) != 10 {
		t.Fatalf("%d recovery codes", len(recovery))
	}
	if strings.Contains(b.get("/account"), recovery[0][1]) {
		t.Error("recovery codes are shown again")
	}
	form.Set("otpauth", "javascript:alert(1)")
	if w := b.do(http.MethodPost, "/account/authenticator", form); strings.Contains(w.Body.String(), "javascript") || w.Code < 400 {
		t.Errorf("another address: %d\n%s", w.Code, w.Body)
	}

	b.cookies = map[string]string{}
	w = b.do(http.MethodPost, "/sign-in", url.Values{"name": {"ann"}, "password": {password}})
	b.post("/sign-in", url.Values{"ticket": {b.hiddenValue(w.Body.String(), "ticket")}, "code": {recovery[0][1]}})
	b.contains(b.get("/account"), "9 recovery codes are left.")
	w = b.do(http.MethodPost, "/account/authenticator/remove", url.Values{"oldPassword": {"wrong password it is"}})
	b.contains(w.Body.String(), `id="f-oldPassword-error"`)
	b.post("/account/authenticator/remove", url.Values{"oldPassword": {password}})
	b.contains(b.get("/account"), "The authenticator app is removed.")
}

// options are those that a page gives its script for the browser.
func (b *box) options(page string) string {
	b.t.Helper()
	found := regexp.MustCompile(`data-options="([^"]*)"`).FindStringSubmatch(page)
	if found == nil {
		b.t.Fatalf("there are no options in\n%s", page)
	}
	return html.UnescapeString(found[1])
}

// TestPasskeys plays the part of script and browser.
func TestPasskeys(t *testing.T) {
	b := newBox(t)
	b.setUp()
	party := virtualwebauthn.RelyingParty{Name: "Furrow", ID: "box.example.com", Origin: "https://box.example.com"}
	// Of an EC key the library forgets leading zeros.
	key, device := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeRSA), virtualwebauthn.NewAuthenticator()
	page := b.get("/account/passkeys/new")
	creation, err := virtualwebauthn.ParseAttestationOptions(b.options(page))
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"ticket": {b.hiddenValue(page, "ticket")}, "passkeyName": {"Laptop"}}
	b.contains(b.do(http.MethodPost, "/account/passkeys/new", form).Body.String(), "There was no answer with a passkey")
	form.Set("answer", virtualwebauthn.CreateAttestationResponse(party, device, key, *creation))
	b.post("/account/passkeys/new", form)
	b.contains(b.get("/account"), "The passkey Laptop lets you in", "Laptop")
	device.AddCredential(key)
	device.Options.UserHandle = []byte(creation.UserID)

	answer := func(page string) url.Values {
		t.Helper()
		options, err := virtualwebauthn.ParseAssertionOptions(b.options(page))
		if err != nil {
			t.Fatal(err)
		}
		return url.Values{
			"passkey": {b.hiddenValue(page, "passkey")}, "next": {b.hiddenValue(page, "next")},
			"answer": {virtualwebauthn.CreateAssertionResponse(party, device, key, *options)},
		}
	}
	for name, begin := range map[string]url.Values{
		"alone":         {"passkey": {"begin"}, "next": {"/members"}},
		"second factor": {"name": {"ann"}, "password": {password}, "next": {"/members"}},
	} {
		b.cookies = map[string]string{}
		b.contains(b.get("/sign-in"), "data-passkeys hidden")
		page := b.do(http.MethodPost, "/sign-in", begin).Body.String()
		good := answer(page)
		if to := b.post("/sign-in", good); to != "/members" {
			t.Errorf("%s: to %s", name, to)
		}
		b.get("/account")
		b.cookies = map[string]string{}
		if w := b.do(http.MethodPost, "/sign-in", good); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s, the same answer again: %d", name, w.Code)
		}
	}
	b.post("/sign-in", answer(b.do(http.MethodPost, "/sign-in", url.Values{"passkey": {"begin"}}).Body.String()))
	remove := b.linkTo(b.get("/account"), `/account/passkeys/[0-9a-f]+/remove`)
	b.contains(b.get(remove), "Laptop will not let you in")
	b.post(remove, nil)
	b.contains(b.get("/account"), "The passkey is removed.")
	if w := b.do(http.MethodGet, remove, nil); w.Code != http.StatusNotFound {
		t.Errorf("what was removed: %d", w.Code)
	}
}

// TestActionsOfOneself finds in the action log who came, who was not let in, and what was changed of one's own.
func TestActionsOfOneself(t *testing.T) {
	b := newBox(t)
	b.setUp()
	b.post("/account", url.Values{"displayName": {"Ann"}})
	b.post("/sign-out", nil)
	b.do(http.MethodPost, "/sign-in", url.Values{"name": {"ann"}, "password": {"not this one"}})
	b.do(http.MethodPost, "/sign-in", url.Values{"name": {"eve"}, "password": {"not this one"}})
	entries, err := b.Actions.Entries(actionlog.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.What+" "+e.Who+" "+string(e.Outcome))
	}
	want := []string{
		"sign-in (unknown) refused", "sign-in ann refused", "sign-out ann done", "PATCH /v1/account ann done", "sign-in ann done",
		"POST /v1/setup (not signed in) done",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q, want %q", got, want)
	}
}
