//go:build image

package image

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// browser is a person at the box's pages: it keeps cookies and follows where it is sent, and does no more.
type browser struct {
	t    *testing.T
	http *http.Client
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	// The certificate is the box's own, which nobody knows yet.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	return &browser{t, &http.Client{Transport: transport, Jar: jar, Timeout: commandTime}}
}

// maxPage bounds what is read of a page, in octets.
const maxPage = 1 << 20

// take is the page that came and where it is, with what must stand in it.
func (b *browser) take(response *http.Response, err error, want string) (page string, path string) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxPage))
	if err != nil {
		b.t.Fatal(err)
	}
	path = response.Request.URL.Path
	if response.StatusCode != http.StatusOK || !strings.Contains(string(text), want) {
		b.t.Fatalf("%s: %s, want a page with %q:\n%s", path, response.Status, want, text)
	}
	return string(text), path
}

// get opens a page over plain HTTP, which the box answers by sending to TLS.
func (b *browser) get(path, want string) (page, at string) {
	b.t.Helper()
	response, err := b.http.Get("http://" + address + path)
	return b.take(response, err, want)
}

func (b *browser) post(path string, fields url.Values, want string) (page, at string) {
	b.t.Helper()
	response, err := b.http.PostForm("https://"+address+path, fields)
	return b.take(response, err, want)
}

// upload sends a file in a form's field.
func (b *browser) upload(path, field, file, want string) {
	b.t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		b.t.Fatal(err)
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile(field, filepath.Base(file))
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := part.Write(content); err != nil {
		b.t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		b.t.Fatal(err)
	}
	response, err := b.http.Post("https://"+address+path, form.FormDataContentType(), &body)
	b.take(response, err, want)
}

// setUp goes through the set-up as a person does: the code from the box's screen, everything else in its pages.
func setUp(t *testing.T, m *machine) {
	mark := m.console.mark()
	m.typed("c")
	const label = "set-up code: "
	before, err := m.console.await(m, mark, label, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	code, err := m.console.await(m, mark+len(before+label), "\r", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	m.picture("console")

	b := newBrowser(t)
	if _, at := b.get("/", "Furrow"); at != "/setup" {
		t.Fatalf("a new box shows %s", at)
	}
	b.post("/setup", url.Values{"setupCode": {code}, "fullName": {"Ann Smith"}, "name": {"ann"}, "newPassword": {password}}, "")
	restarted := m.console.mark()
	b.post("/setup/address", url.Values{"host": {address}}, "")
	if _, err := m.console.await(m, restarted, "ready, serving http://"+address+"/gms.dll", bootTime); err != nil {
		t.Fatal(err)
	}
	b.post("/setup/domain", url.Values{"organization": {"Contoso"}, "domainName": {"Office"}}, "")
	if _, at := b.post("/setup/members", url.Values{"people": {"Ann <ann@example.com>\nBob <bob@example.com>"}}, "Ann"); at != "/setup/done" {
		t.Fatalf("the set-up ends at %s", at)
	}
	m.people = b
}

// password is the administrator's.
const password = "seven purple ploughs"

// member is what the box says of one, as far as a client of it must know.
type member struct{ GUID, FullName, ConfigurationCode string }

// members are those of the domain.
func members(t *testing.T, m *machine) map[string]member {
	t.Helper()
	var list []member
	if err := json.Unmarshal([]byte(m.must(inBox+"--json member list --domain Office")), &list); err != nil {
		t.Fatal(err)
	}
	byName := make(map[string]member, len(list))
	for _, one := range list {
		byName[one.FullName] = one
	}
	return byName
}
