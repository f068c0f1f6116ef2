package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"furrow/appliance/mail"
	"furrow/web/access"
)

func TestResetsAndDevices(t *testing.T) {
	b := newBox(t)
	b.office()
	b.contains(b.get("/resets"), "Nobody asks")
	b.contains(b.get("/devices"), "No computer has been heard of yet.")
	member, device := b.joined()
	b.contains(b.get(member), "Asks for a new passphrase from LAPTOP", "What clients could not do", "LAPTOP", "status active")

	b.contains(b.get("/devices?q=lap"), "LAPTOP", "from the domain Office", "not managed")
	b.contains(b.get("/devices?q=desk"), "Nothing fits.")
	b.contains(b.get(device), "What clients could not do", "Inherit from above")
	strict := strings.TrimSuffix(b.post("/policies/new", url.Values{"policyName": {"Strict"}, "policyKind": {"device"}}), "/edit")
	b.post(device, url.Values{"ownPolicy": {strings.TrimPrefix(strict, "/policies/")}})
	b.contains(b.get(device), "The device has the policy.", "given to this device")
	b.contains(b.get(strict), "It holds for 1 device ")
	b.contains(b.get(strict+"/assign"), "Device LAPTOP")
	w := b.do(http.MethodPost, device, url.Values{"ownPolicy": {"none"}})
	b.contains(w.Body.String(), `class="note bad"`)
	b.post(device, nil)
	b.contains(b.get(device), "from the domain Office")

	reset := b.linkTo(b.get("/resets"), `/resets/[0-9A-F-]{36}`)
	b.contains(b.get(reset), "bob@example.com", "LAPTOP", "by telephone", "Approve")
	if to := b.post(reset, nil); to != reset {
		t.Errorf("no decision leads to %s", to)
	}
	b.post(reset, url.Values{"action": {"approve"}})
	b.contains(b.get("/resets"), "Bob Jones can set a new passphrase.", "status reset-approved")
	if w := b.do(http.MethodPost, reset, url.Values{"action": {"deny"}}); w.Code != http.StatusConflict {
		t.Errorf("decided twice: %d", w.Code)
	}
	if w := b.do(http.MethodGet, "/resets/none", nil); w.Code != http.StatusNotFound {
		t.Errorf("no request: %d", w.Code)
	}
}

func TestDeniedReset(t *testing.T) {
	b := newBox(t)
	b.office()
	member, _ := b.joined()
	reset := b.linkTo(b.get(member), `/resets/[0-9A-F-]{36}`)
	b.post(reset, url.Values{"action": {"deny"}})
	b.contains(b.get(reset), "status reset-denied", "The client is told so")
	if strings.Contains(b.get(member), "Asks for a new passphrase") {
		t.Error("a request that is decided still waits")
	}
}

func TestMemberPages(t *testing.T) {
	b := newBox(t)
	b.office()
	member, _ := b.joined()
	sales := b.post("/groups/new", url.Values{"groupName": {"Sales"}})
	policy := strings.TrimPrefix(b.link(b.get("/policies?policyKind=identity"), "Default"), "/policies/")
	b.contains(b.get(member+"/assign"), "in no group", ">Sales</option>", "Inherit from above")
	b.post(member+"/assign", url.Values{"inGroup": {"Sales"}, "ownPolicy": {policy}})
	b.contains(b.get(member), "Bob Jones is changed.", "given to this member", "Sales", "Change attributes of a member")
	b.contains(b.get(member+"/assign"), `value="`+policy+`" selected`, `value="Sales" selected`)
	b.contains(b.get(sales), "1 member")
	w := b.do(http.MethodPost, member+"/assign", url.Values{"ownPolicy": {"none"}})
	b.contains(w.Body.String(), `class="note bad"`)

	other := b.domain("Branch")
	b.contains(b.get(member+"/migrate"), "Branch", "to another server, below")
	w = b.do(http.MethodPost, member+"/migrate", nil)
	b.contains(w.Body.String(), "f-moveTo-error")
	b.post(member+"/migrate", url.Values{"moveTo": {other}})
	b.contains(b.get(member), "moves when the client", "New membership")
	b.contains(b.get(member+"/stay"), "is removed again")
	b.post(member+"/stay", nil)
	b.contains(b.get(member), "Bob Jones stays.")

	b.cookies = map[string]string{}
	if _, err := b.Access.Add(context.Background(), access.NewAdministrator{Name: "help", Role: access.Member, Password: password}); err != nil {
		t.Fatal(err)
	}
	b.post("/sign-in", url.Values{"name": {"help"}, "password": {password}})
	if page := b.get(member); strings.Contains(page, "Change attributes of a member") || strings.Contains(page, "/migrate") {
		t.Error("the help desk sees what is not for it")
	}
	if page := b.get(sales); strings.Contains(page, "<form method=\"post\" class=\"form\"") {
		t.Error("the help desk may change a group")
	}
}

func TestCodesByMail(t *testing.T) {
	b := newBox(t)
	b.office()
	eva := b.linkTo(b.get("/members?q=eva"), memberPattern)
	if w := b.do(http.MethodPost, eva, url.Values{"action": {"invite"}}); w.Code != http.StatusConflict {
		t.Errorf("without a mail server: %d", w.Code)
	}
	settings := mail.Settings{Server: "mail.example.com", Security: mail.Plain, From: "groove@example.com"}
	if err := b.Mail.SetSettings(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	b.post(eva, url.Values{"action": {"invite"}})
	b.contains(b.get(eva), "1 code is on its way.", "Code mailed to", "eva@example.com")
	chosen := url.Values{"action": {"invite"}, "guid": {strings.TrimPrefix(b.linkTo(b.get("/members?q=bob"), memberPattern), "/members/")}}
	w := b.do(http.MethodPost, "/members/selected", chosen)
	b.contains(w.Body.String(), "They get a mail with their account configuration code", "bob@example.com")
	chosen.Set("confirmed", "yes")
	b.post("/members/selected", chosen)
	b.contains(b.get("/members?q=bob"), "code mailed")
	if waiting := b.Mail.List(); len(waiting) != 2 {
		t.Errorf("%d mails are waiting", len(waiting))
	}
}
