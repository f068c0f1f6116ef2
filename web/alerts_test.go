package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/language"

	"furrow/appliance/alert"
)

func TestAlerts(t *testing.T) {
	b := newBox(t)
	b.setUp()
	b.contains(b.get("/alerts"), "Nothing is wrong")
	b.Seen = alert.Observations{
		alert.Disk:  {{Value: 400}},
		alert.Queue: {{Value: 2500.5, Detail: "7 messages"}},
	}
	b.Alerts.Evaluate(t.Context())
	page := b.get("/alerts")
	b.contains(page, "The disk is nearly full", "400 MB free", "Critical", "Make room", "2,501 MB", "7 messages", "/reports/queues", "What waits at the relay")
	if strings.Index(page, "nearly full") > strings.Index(page, "Much waits") {
		t.Error("what is critical is not first")
	}

	b.contains(b.get("/alerts/settings"), `name="warning-disk" value="2000"`, "sends no mail yet", `name="off-relay"`)
	set := url.Values{
		"alertRecipients": {"Ann <ann@example.com>\r\n\r\nbob@example.com"}, "alertURL": {"https://hooks.example.com/x"}, "off-relay": {"yes"},
	}
	for _, rule := range alert.Rules() {
		if rule.Unit != "" {
			set.Set("warning-"+string(rule.Kind), decimal(rule.Warning))
			set.Set("critical-"+string(rule.Kind), decimal(rule.Critical))
		}
	}
	refuse := func(name, value, complaint string) {
		t.Helper()
		before := set.Get(name)
		set.Set(name, value)
		defer set.Set(name, before)
		w := b.do(http.MethodPost, "/alerts/settings", set)
		if w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s=%s: %d", name, value, w.Code)
		}
		b.contains(w.Body.String(), complaint, "hooks.example.com")
	}
	refuse("warning-disk", "much", "“much” is not a number")
	refuse("warning-disk", "100", "critical must be worse than warning")
	refuse("alertRecipients", "nobody", "is no mail address")
	set.Set("warning-disk", "3000,5")
	w := b.do(http.MethodPost, "/alerts/settings", set)
	b.contains(w.Body.String(), "never again", "code class=\"big\"")
	held := b.Alerts.Settings()
	if len(held.Recipients) != 2 || len(held.Off) != 1 || held.Off[0] != alert.Relay || len(held.Thresholds) != 1 || held.Thresholds[alert.Disk].Warning != 3000.5 {
		t.Errorf("the settings are %+v", held)
	}
	b.contains(b.get("/alerts/settings"), `value="3000.5"`, `name="usual-disk"`, `name="off-relay" value="yes" checked`)

	set.Set("usual-disk", "yes")
	set.Del("alertURL")
	b.post("/alerts/settings", set)
	if held := b.Alerts.Settings(); len(held.Thresholds) != 0 || held.URL != "" {
		t.Errorf("the settings are %+v", held)
	}
	w = b.do(http.MethodPost, "/alerts/test", nil)
	b.contains(w.Body.String(), "bob@example.com: failed")
}

// TestAlertTexts looks whether every kind of alert has its words.
func TestAlertTexts(t *testing.T) {
	c, err := loadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	english := c.words[language.English]
	for _, rule := range alert.Rules() {
		kind := string(rule.Kind)
		if !english.has("alert.title."+kind) || !english.has("alert.remedy."+kind) || english.has("alert.reading."+kind) != (rule.Unit != "") {
			t.Errorf("%s lacks words, or has too many", kind)
		}
		at := alertPages()[kind]
		if !slices.ContainsFunc(pages(), func(p page) bool { return p.path == at.page }) {
			t.Errorf("%s has no page", kind)
		}
		if at.report != "" && !slices.ContainsFunc(reports(), func(r report) bool { return r.name == at.report }) {
			t.Errorf("%s has no report", kind)
		}
	}
}
