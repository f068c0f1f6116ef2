package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"furrow/appliance/mail"
)

func TestMailPages(t *testing.T) {
	b := newBox(t)
	b.setUp()
	b.contains(b.get("/mail"), "Without, everything else works", `id="f-server"`)
	form := url.Values{"server": {"a b"}, "security": {"starttls"}, "from": {"box@example.com"}, "mailLogin": {"box"}, "mailPassword": {"horse staple"}}
	w := b.do(http.MethodPost, "/mail", form)
	if b.contains(w.Body.String(), `id="f-server-error"`, `value="a b"`); strings.Contains(w.Body.String(), "horse") {
		t.Error("the password is shown")
	}
	form.Set("server", "mail.example.com:25")
	b.post("/mail", form)
	page := b.get("/mail")
	if b.contains(page, "The mail server is set.", `value="mail.example.com:25"`, `value="starttls" selected`); strings.Contains(page, "horse") {
		t.Error("the password is shown")
	}

	// Mail that cannot be sent waits.
	for _, to := range []string{"ann@example.com", "bob@example.com"} {
		if _, err := b.Mail.Queue(context.Background(), mail.Message{To: to, Subject: "Hello", Body: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	outbox := b.get("/outbox?q=ANN&sort=-to")
	if b.contains(outbox, "ann@example.com", "Try now"); strings.Contains(outbox, "bob@") {
		t.Error("the search finds what it must not")
	}
	drop := b.linkTo(outbox, `/outbox/[^"]+/drop`)
	id := strings.TrimSuffix(strings.TrimPrefix(drop, "/outbox/"), "/drop")
	b.post("/outbox", url.Values{"id": {id}})
	b.contains(b.get(drop), "ann@example.com is thrown away unsent")
	b.post(drop, nil)
	if page := b.get("/outbox"); strings.Contains(page, "ann@") || !strings.Contains(page, "bob@") {
		t.Errorf("not that one was dropped:\n%s", page)
	}
	if w := b.do(http.MethodGet, drop, nil); w.Header().Get("Location") != "/outbox" {
		t.Errorf("what has gone leads to %q", w.Header().Get("Location"))
	}

	b.contains(b.get("/mail/off"), "until another one is set")
	b.post("/mail/off", nil)
	b.contains(b.get("/mail"), "The box sends no mail now.", "Without, everything else works")
}

func TestInvitationPages(t *testing.T) {
	b := newBox(t)
	b.setUp()
	b.contains(b.get("/invitations"), "There is no domain yet.")
	b.domain("Office")
	branch := b.domain("Branch")
	path := "/invitations?domain=" + branch
	b.contains(b.get(path), "as the program has it", "German", `value="`+branch+`" selected`)
	w := b.do(http.MethodPost, path, url.Values{"mailLanguage": {"de"}, "download": {strings.Repeat("x", 600)}})
	b.contains(w.Body.String(), `id="f-download-error"`)
	b.post(path, url.Values{"mailLanguage": {"de"}, "download": {"https://files.example.com"}, "askWhom": {"Bob"}})
	b.contains(b.get(path), "The settings of the invitations are saved.", `value="https://files.example.com"`, `value="de" selected`)

	text := "/invitations/de?domain=" + branch
	b.contains(b.get(text), "Invitation in German, Branch", "{{.Code}}", "account configuration code; every text needs it")
	w = b.do(http.MethodPost, text, url.Values{"subject": {"Hallo"}, "body": {"Ohne Code"}})
	b.contains(w.Body.String(), `id="f-body-error"`, "Ohne Code</textarea>")
	form := url.Values{"subject": {"Hallo {{.FirstName}}"}, "body": {"Nimm {{.Code}} an {{.Server}}"}, "action": {"preview"}}
	w = b.do(http.MethodPost, text, form)
	b.contains(w.Body.String(), "What a member would get", "Hallo Ann", "Nimm abcd-efgh")
	form.Del("action")
	b.post(text, form)
	b.contains(b.get(path), "The text is saved.", "of this domain")
	b.contains(b.get("/invitations/de/reset?domain="+branch), "is thrown away")
	b.post("/invitations/de/reset?domain="+branch, nil)
	if page := b.get(path); strings.Contains(page, "of this domain") {
		t.Errorf("the domain's text is there yet:\n%s", page)
	}
}
