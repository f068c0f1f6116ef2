package web

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"furrow/web/api"
	"furrow/web/boxtest"
)

// box is a box with pages and one person at a browser.
type box struct {
	*boxtest.Parts
	t       testing.TB
	handler http.Handler
	now     time.Time
	cookies map[string]string
}

// boxNow is when a box begins.
func boxNow() time.Time { return time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC) }

// newBox makes a box. with changes what its interface acts on.
func newBox(t testing.TB, with ...func(*boxtest.Parts, *api.Config)) *box {
	t.Helper()
	b := &box{t: t, cookies: map[string]string{}, now: boxNow()}
	b.Parts = boxtest.New(t, func() time.Time { return b.now })
	config := api.Config{
		Actions: b.Actions, Alerts: b.Alerts, Backup: b.Backup, Directory: b.Directory, Store: b.Store, Recovery: b.Recovery,
		Version: "test", Log: b.Log, Listeners: map[string]string{"https": "[::]:8443"}, Access: b.Access, Audit: b.Audit,
		Statistics: b.Statistics, Mail: b.Mail, Invitations: b.Invitations, LDAP: b.LDAP, DataDir: b.Dir, Started: b.now,
		Now: func() time.Time { return b.now }, Links: b.Links,
		Checkup: b.Checkup, RecentLog: b.RecentLog, TLS: b.TLS, Traffic: b.Traffic, Machine: b.Machine,
	}
	for _, change := range with {
		change(b.Parts, &config)
	}
	var err error
	b.handler, err = NewHandler(Config{
		Next:      http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }),
		ServerURL: boxtest.ServerURL, Secure: ":8443", Access: b.Access, API: api.NewHandler(config), Stopping: context.Background(), Log: b.Log,
		Reach: func(context.Context, string) reach { return reach{Host: "groove.example.com", Answers: true} },
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// do makes a request as the browser does that has the box's cookies.
func (b *box) do(method, target string, form url.Values) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequest(method, "https://box.example.com"+target, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return b.ask(r)
}

// ask makes a request with what browsers add.
func (b *box) ask(r *http.Request) *httptest.ResponseRecorder {
	r.TLS = &tls.ConnectionState{}
	r.Header.Set("Accept-Language", "en")
	if r.Method == http.MethodPost {
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if b.cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return w
}

// get is the text of a page, which must be there.
func (b *box) get(target string) string {
	b.t.Helper()
	w := b.do(http.MethodGet, target, nil)
	if w.Code != http.StatusOK {
		b.t.Fatalf("GET %s: %d to %q\n%s", target, w.Code, w.Header().Get("Location"), w.Body)
	}
	return w.Body.String()
}

// post sends a form, which must be accepted, and returns where it leads.
func (b *box) post(target string, form url.Values) string {
	b.t.Helper()
	w := b.do(http.MethodPost, target, form)
	if w.Code != http.StatusSeeOther {
		b.t.Fatalf("POST %s: %d\n%s", target, w.Code, w.Body)
	}
	return w.Header().Get("Location")
}

// password is good enough for everybody here.
const password = "seven purple ploughs"

// setUp makes the first administrator and signs in as her.
func (b *box) setUp() {
	b.t.Helper()
	code, err := b.Access.SetupCode(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	b.post("/setup", url.Values{"setupCode": {code}, "name": {"ann"}, "fullName": {"Ann Smith"}, "newPassword": {password}})
}

// domain makes a domain and returns its GUID.
func (b *box) domain(name string) string {
	b.t.Helper()
	d, err := b.Directory.CreateDomain(context.Background(), name, name)
	if err != nil {
		b.t.Fatal(err)
	}
	return d.GUID
}

// contains fails unless a page has all these texts.
func (b *box) contains(page string, wanted ...string) {
	b.t.Helper()
	for _, text := range wanted {
		if !strings.Contains(page, text) {
			b.t.Fatalf("there is no %q in\n%s", text, page)
		}
	}
}

// linkTo is the first path in a page that a pattern fits.
func (b *box) linkTo(page, pattern string) string {
	b.t.Helper()
	found := regexp.MustCompile(pattern).FindString(page)
	if found == "" {
		b.t.Fatalf("nothing fits %s in\n%s", pattern, page)
	}
	return found
}

// TestFirstMembersInFile has a file in the set-up, all of which is taken, or nothing.
func TestFirstMembersInFile(t *testing.T) {
	b := newBox(t)
	b.setUp()
	b.post("/setup/domain", url.Values{"domainName": {"Office"}, "organization": {"Contoso"}})
	b.contains(b.do(http.MethodPost, "/setup/members", nil).Body.String(), `id="f-people-error"`)
	w := b.send("/setup/members", nil, file{"memberFile", "people.csv", []byte("fullName,email\nAnn,ann@example.com\nBob,nowhere\n")})
	b.contains(w.Body.String(), `id="f-memberFile-error"`, "line 3, email")
	w = b.send("/setup/members", map[string]string{"people": "Eva Köhler, eva@example.com"},
		file{"memberFile", "people.csv", []byte("fullName,email,group\nAnn,ann@example.com,Sales\nBob,bob@example.com,\n")})
	if w.Header().Get("Location") != "/setup/done" {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	b.contains(b.get("/members"), "Ann", "Bob", "Eva Köhler", "1 to 3 of 3", "Sales")
}

const memberPattern = `/members/[0-9A-F]{8}-[0-9A-F-]{27}`

func TestSetUpAndDaily(t *testing.T) {
	b := newBox(t)
	for _, path := range []string{"/", "/members", "/sign-in", "/about"} {
		if w := b.do(http.MethodGet, path, nil); w.Header().Get("Location") != "/setup" {
			t.Errorf("%s before set-up: %d to %q", path, w.Code, w.Header().Get("Location"))
		}
	}
	wrong := url.Values{"setupCode": {"wrong"}, "name": {"ann"}, "newPassword": {password}}
	if _, err := b.Access.SetupCode(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := b.do(http.MethodPost, "/setup", wrong)
	if w.Code != http.StatusUnprocessableEntity || strings.Contains(w.Body.String(), password) {
		t.Fatalf("wrong code: %d\n%s", w.Code, w.Body)
	}
	b.contains(w.Body.String(), `id="f-setupCode-error"`)
	b.setUp()
	b.contains(b.get("/setup/address"), "http://groove.example.com/gms.dll", "This looks right")
	b.contains(b.get("/setup/domain"), "Name of the domain")
	if to := b.post("/setup/domain", url.Values{"domainName": {"Office"}, "organization": {"Contoso"}}); to != "/setup/mail" {
		t.Fatalf("to %s", to)
	}
	b.contains(b.get("/setup/mail"), "/setup/members")
	w = b.do(http.MethodPost, "/setup/members", url.Values{"people": {"Ann Smith <ann@example.com>\nnobody"}})
	b.contains(w.Body.String(), "line 2 is no name with an e-mail address: nobody")
	people := "Ann Smith <ann@example.com>\r\n\r\nBob Jones; bob@example.com\r\nKöhler, Eva, eva@example.com"
	if to := b.post("/setup/members", url.Values{"people": {people}}); to != "/setup/done" {
		t.Fatalf("to %s", to)
	}
	done := b.get("/setup/done")
	b.contains(done, "3 members added.", "Ann Smith", "Account configuration code", `data-live="/live/doctor"`)

	b.contains(b.get("/"), "3", "/members?status=pending")
	list := b.get("/members?q=SMITH")
	b.contains(list, "Ann Smith", "1 to 1 of 1")
	if strings.Contains(list, "Bob Jones") {
		t.Error("the search finds whom it must not")
	}
	member := b.linkTo(list, memberPattern)
	b.contains(b.get(member), "ann@example.com", "Office", "Account configuration code")
	b.contains(b.get(member+"/welcome"), "Welcome, Ann Smith")
	b.post(member, url.Values{"action": {"disable"}})
	b.contains(b.get(member), "1 member disabled.", "status disabled")
	b.post(member, url.Values{"action": {"enable"}})
	form := url.Values{"fullName": {"Ann Miller"}, "email": {"no address"}}
	w = b.do(http.MethodPost, member+"/edit", form)
	b.contains(w.Body.String(), `id="f-email-error"`, `value="no address"`)
	form.Set("email", "ann@example.com")
	b.post(member+"/edit", form)
	b.contains(b.get(member), "Ann Miller is changed.")
	b.contains(b.get(member+"/code"), "another code")
	b.post(member+"/code", nil)
	b.contains(b.get(member+"/delete"), "for good", "Ann Miller")
	b.post(member+"/delete", nil)
	b.contains(b.get("/members?status=deleted"), "Ann Miller")

	guids := regexp.MustCompile(`name="guid" value="([^"]+)"`).FindAllStringSubmatch(b.get("/members?status=pending"), -1)
	if len(guids) != 2 {
		t.Fatalf("%d members are waiting, want 2", len(guids))
	}
	chosen := url.Values{"action": {"disable"}, "guid": {guids[0][1], guids[1][1]}}
	w = b.do(http.MethodPost, "/members/selected", chosen)
	b.contains(w.Body.String(), "Bob Jones", "Köhler, Eva", "until they are enabled again", `name="confirmed"`)
	chosen.Set("confirmed", "yes")
	b.post("/members/selected", chosen)
	b.contains(b.get("/members?status=disabled&sort=-name"), "2 members disabled.", "1 to 2 of 2", `aria-sort="descending"`)

	b.contains(b.get("/about"), "Scripts of these pages", "What it is built of")
	domain := b.linkTo(b.get("/domains"), `/domains/[a-z0-9]{20,}`)
	b.post(domain, url.Values{"domainName": {"Head office"}})
	b.contains(b.get(domain), "Head office")
	w = b.do(http.MethodPost, domain+"/delete", url.Values{"typedName": {"Office"}})
	b.contains(w.Body.String(), "is not the name of this domain")
	b.post(domain+"/delete", url.Values{"typedName": {"Head office"}})
	b.contains(b.get("/domains"), "is deleted", "There is no domain yet.")
	if w := b.do(http.MethodGet, "/", nil); w.Header().Get("Location") != "/setup/address" {
		t.Errorf("a box without a domain goes to %q", w.Header().Get("Location"))
	}
}
