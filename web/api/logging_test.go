package api

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"furrow/appliance/actionlog"
	"furrow/web/access"
	"furrow/web/boxtest"
)

// loggedBox is an interface whose action log a test looks at.
type loggedBox struct {
	http.Handler
	actions *actionlog.Log
}

func newLoggedBox(t *testing.T) *loggedBox {
	t.Helper()
	box := boxtest.New(t, time.Now)
	return &loggedBox{NewHandler(Config{
		Directory: box.Directory, Store: box.Store, Mail: box.Mail, Actions: box.Actions, Now: time.Now, Log: box.Log,
	}), box.Actions}
}

func (o *loggedBox) as(name string, role access.Role) *Client {
	return NewClientOf(o, access.Actor{Name: name, Role: role, Origin: access.Page, Address: "192.0.2.7"})
}

// last is the newest entry.
func (o *loggedBox) last(t *testing.T) actionlog.Entry {
	t.Helper()
	entries, err := o.actions.Entries(actionlog.Filter{Limit: 1})
	if err != nil || len(entries) != 1 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	return entries[0]
}

// TestEveryChangeIsLogged walks all routes: each that changes something, or opens an account, leaves an entry, whatever
// comes of it, and no other does.
func TestEveryChangeIsLogged(t *testing.T) {
	o := newLoggedBox(t)
	h := &handler{Config: Config{Actions: o.actions, Log: slog.New(slog.DiscardHandler)}}
	actor := access.Actor{Name: "ann", Role: access.Server, Origin: access.CommandLine}
	changing, newest := 0, uint64(0)
	for _, route := range Routes() {
		name := route.Method + " " + route.Path
		for outcome, serve := range map[actionlog.Outcome]http.HandlerFunc{
			actionlog.Done:    func(w http.ResponseWriter, _ *http.Request) { h.write(w, http.StatusOK, struct{}{}) },
			actionlog.Refused: func(w http.ResponseWriter, r *http.Request) { h.refuse(w, r, errNoRelay()) },
			actionlog.Aborted: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		} {
			acted := route
			acted.serve = serve
			r := httptest.NewRequestWithContext(access.WithActor(t.Context(), actor), route.Method, "/v1/x", strings.NewReader("{}"))
			recorder := httptest.NewRecorder()
			func() {
				defer func() {
					if reason := recover(); (reason != nil) != (outcome == actionlog.Aborted) {
						t.Errorf("%s: panic %v", name, reason)
					}
				}()
				h.logged(&acted, nil, actor, recorder, r)
			}()
			entries, err := o.actions.Entries(actionlog.Filter{Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			logged := len(entries) == 1 && entries[0].Sequence > newest
			want := route.Method != http.MethodGet && !route.Reads || route.Secret
			if route.Open && outcome != actionlog.Done {
				want = false // or anybody could fill the log
			}
			if logged != want {
				t.Fatalf("%s: in the action log: %v, want %v", name, logged, want)
			}
			if !logged {
				continue
			}
			changing++
			newest = entries[0].Sequence
			if e := entries[0]; e.Outcome != outcome || e.Who != "ann" || e.What != name || e.Summary != route.Summary {
				t.Errorf("%s is logged as %+v, want outcome %s", name, e, outcome)
			}
			if outcome != actionlog.Aborted && recorder.Body.Len() == 0 {
				t.Errorf("%s: nothing was answered", name)
			}
		}
	}
	if changing < 90 {
		t.Errorf("%d changing requests only", changing)
	}
}

// TestNotLoggedNotDone refuses changes, and only them, when the log takes no more.
func TestNotLoggedNotDone(t *testing.T) {
	o := newLoggedBox(t)
	ann := o.as("ann", access.Server)
	if err := o.actions.Close(); err != nil {
		t.Fatal(err)
	}
	var refused *Error
	if _, err := ann.CreateDomain(t.Context(), NewDomain{Name: "Office"}); !errors.As(err, &refused) || refused.Code != "failed" {
		t.Errorf("a change: %v", err)
	}
	if domains, err := ann.Domains(t.Context()); err != nil || len(domains) != 0 {
		t.Errorf("domains %+v, %v", domains, err)
	}
}

func TestActions(t *testing.T) {
	o := newLoggedBox(t)
	ann, zoe := o.as("ann", access.Server), o.as("zoe", access.Auditor)
	if _, err := ann.CreateDomain(t.Context(), NewDomain{Name: "Office"}); err != nil {
		t.Fatal(err)
	}
	bo, err := ann.CreateMember(t.Context(), NewMember{Domain: "Office", MemberDetails: MemberDetails{FullName: "Bo Lee", Email: "bo@example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	if e := o.last(t); e.Outcome != actionlog.Done || e.Name != "Bo Lee" || e.Role != "server" || e.Address != "192.0.2.7" ||
		!strings.Contains(string(e.Asked), `"email":"bo@example.com"`) || e.Changes != nil {
		t.Errorf("a new member: %+v", e)
	}
	if _, err := ann.DisableMember(t.Context(), bo.GUID); err != nil {
		t.Fatal(err)
	}
	want := []actionlog.Change{{Field: "status", Before: json.RawMessage(`"pending"`), After: json.RawMessage(`"disabled"`)}}
	if e := o.last(t); e.Target != "members/"+bo.GUID+"/disable" || e.Name != "Bo Lee" || !reflect.DeepEqual(e.Changes, want) {
		t.Errorf("a disabled one: %+v", e)
	}
	if _, err := ann.SetMail(t.Context(), MailSettings{
		Server: "mail.example.com", Security: "starttls", From: "box@example.com", Login: "box", Password: "horse staple",
	}); err != nil {
		t.Fatal(err)
	}
	e := o.last(t)
	if text, err := json.Marshal(e); err != nil || strings.Contains(string(text), "horse") || !strings.Contains(string(e.Asked), hidden) || len(e.Changes) != 4 {
		t.Errorf("mail settings: %s, %v", text, err)
	}
	if _, err := zoe.EnableMember(t.Context(), bo.GUID); err == nil {
		t.Error("an auditor enables a member")
	}
	if e := o.last(t); e.Who != "zoe" || e.Outcome != actionlog.Forbidden {
		t.Errorf("forbidden: %+v", e)
	}
	if _, err := ann.EnableMember(t.Context(), "nobody"); err == nil {
		t.Error("nobody was enabled")
	}
	if e := o.last(t); e.Outcome != actionlog.Refused || e.Reason == "" {
		t.Errorf("refused: %+v", e)
	}

	list, err := zoe.Actions(t.Context(), ActionFilter{Who: "ann", What: "member", Target: "bo lee"})
	if err != nil || len(list) != 2 {
		t.Fatalf("filtered: %+v, %v", list, err)
	}
	if next, err := zoe.Actions(t.Context(), ActionFilter{Limit: 1, Before: list[0].Sequence}); err != nil || len(next) != 1 || next[0].Sequence != list[1].Sequence {
		t.Errorf("the next page: %+v, %v", next, err)
	}
	if report, err := zoe.CheckActions(t.Context()); err != nil || report.Lines != 12 || len(report.Damage) != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if _, err := ann.SetActionSettings(t.Context(), ActionSettings{Days: 1}); err == nil {
		t.Error("a day is long enough")
	}
	for query, status := range map[string]int{"?format=csv": 200, "?since=yesterday": 400, "?before=x": 400, "?limit=-1": 400, "?format=xml": 400} {
		recorder := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(access.WithActor(t.Context(), access.Actor{Name: "zoe", Role: access.Auditor}), "GET", "/v1/actions"+query, nil)
		o.ServeHTTP(recorder, r)
		if recorder.Code != status || status == 200 && strings.Count(recorder.Body.String(), "\r\n") != 8 {
			t.Errorf("%s: status %d, %s", query, recorder.Code, recorder.Body)
		}
	}
}

func TestShown(t *testing.T) {
	for in, want := range map[string]string{
		`{"name":"x","password":"p","inner":[{"apiToken":"t","n":1.50}]}`: `{"inner":[{"apiToken":"(hidden)","n":1.50}],"name":"x","password":"(hidden)"}`,
		`{"password":"","code":null}`:                                     `{"code":null,"password":""}`,
		`"https://chat.example.com/services/T0/B0"`:                       `"https://chat.example.com/(hidden)"`,
		`"HTTPS://ann:pw@chat.example.com"`:                               `"https://chat.example.com"`,
		`{"privateKey":{"n":5}}`:                                          `{"privateKey":"(hidden)"}`,
		`"` + strings.Repeat("ä", 150) + `"`:                              `"` + strings.Repeat("ä", 100) + `… (300 octets)"`,
		`[` + strings.Repeat(`"abcdefgh",`, 1000) + `1]`:                  `"(11003 octets)"`,
		`no JSON`: ``,
	} {
		if got := string(shown([]byte(in))); got != want {
			t.Errorf("%.60s is shown as %.200s, want %.200s", in, got, want)
		}
	}
}

func TestViews(t *testing.T) {
	h := &handler{}
	got := map[string]string{}
	for _, route := range h.routes() {
		if view := h.viewOf(&route); view != nil {
			got[route.Method+" "+route.Path] = view.Path
		}
	}
	for route, view := range map[string]string{
		"PATCH /v1/members/{guid}": "/v1/members/{guid}", "POST /v1/members/{guid}/enable": "/v1/members/{guid}",
		"PUT /v1/mail": "/v1/mail", "PATCH /v1/domains/{domain}": "/v1/domains/{domain}", "PUT /v1/alerts/settings": "/v1/alerts/settings",
		"POST /v1/members": "", "POST /v1/mail/test": "", "DELETE /v1/mail/outbox/{id}": "/v1/mail/outbox",
	} {
		if got[route] != view {
			t.Errorf("what %s changes is shown by %q, want %q", route, got[route], view)
		}
	}
}
