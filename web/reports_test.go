package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"furrow/web/access"
)

func TestReportPages(t *testing.T) {
	b := newBox(t)
	b.setUp()
	b.post("/setup/domain", url.Values{"domainName": {"Office"}, "organization": {"Contoso"}})
	b.post("/setup/members", url.Values{"people": {"Ann Smith <ann@example.com>\n=Bob Jones; bob@example.com"}})
	index := b.get("/reports")
	for _, r := range reports() {
		b.contains(index, "/reports/"+r.name)
		b.contains(b.get("/reports/"+r.name), "<h1>")
	}
	members := b.get("/reports/members?status=pending")
	b.contains(members, "Ann Smith", "part-pending", "waiting to join", "1 to 2 of 2", "/reports/members/sheet?status=pending")
	if found := b.get("/reports/members?q=bob&sort=-email"); strings.Contains(found, "Ann Smith</a></td>") || !strings.Contains(found, "=Bob Jones") {
		t.Error("the report is not searched")
	}
	b.contains(b.get("/reports/members?status=disabled"), "Nothing fits.")
	b.contains(b.get("/reports/contact"), "never", "part-none")
	b.contains(b.get("/reports/usage"), "No client has reported anything yet.")
	b.contains(b.get("/reports/queues"), "runs no relay")
	w := b.do(http.MethodGet, "/reports/members/sheet?status=pending", nil)
	b.contains(w.Body.String(), "\uFEFFstatus,name", "Ann Smith", "'=Bob Jones")
	if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "sandbox") {
		t.Errorf("a sheet may run: %s", policy)
	}
	for _, nowhere := range []string{"/reports/x", "/reports/x/sheet"} {
		if w := b.do(http.MethodGet, nowhere, nil); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", nowhere, w.Code)
		}
	}
	b.post("/reports/settings", url.Values{"usageDays": {"900"}, "rawDays": {"9"}})
	if held := b.Statistics.Settings(); held.Days != 900 || held.RawDays != 9 {
		t.Errorf("the settings are %+v", held)
	}

	if _, err := b.Access.Add(t.Context(), access.NewAdministrator{Name: "hal", Role: access.Member, Password: password}); err != nil {
		t.Fatal(err)
	}
	in, err := b.Access.SignIn(t.Context(), "hal", password, access.Visitor{Address: "192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	b.cookies = map[string]string{sessionCookie: in.Token}
	if strings.Contains(b.get("/reports"), "/reports/usage") {
		t.Error("the help desk is shown a report that it may not see")
	}
	if w := b.do(http.MethodGet, "/reports/usage", nil); w.Code != http.StatusForbidden {
		t.Errorf("usage for the help desk: %d", w.Code)
	}
}

func TestChart(t *testing.T) {
	c := &chart{Series: []series{{Values: []uint64{0, 4, 2}}, {Values: []uint64{0, 0, 1}}}}
	if got, want := c.Drawn(c.Series[0]), "M0 100.0H333.3V0.0H666.7V50.0H1000.0"; got != want {
		t.Errorf("drawn as %s, want %s", got, want)
	}
	if got, want := c.Drawn(c.Series[1]), "M0 100.0H333.3V100.0H666.7V75.0H1000.0"; got != want {
		t.Errorf("drawn as %s, want %s", got, want)
	}
}
