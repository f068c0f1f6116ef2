package web

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestActions(t *testing.T) {
	b := newBox(t)
	b.setUp()
	b.post("/setup/domain", url.Values{"domainName": {"Office"}, "organization": {"=1+1"}})
	domain := b.linkTo(b.get("/domains"), `/domains/[a-z0-9]{20,}`)
	b.post(domain, url.Values{"domainName": {"Head office"}})

	list := b.get("/actions")
	b.contains(list, "ann", "Head office", "status done")
	b.contains(b.get("/actions?target=no+such+thing"), "Nothing fits.")
	b.contains(b.get("/actions?to=2026-03-13"), "Nothing fits.")
	b.contains(b.get("/actions?from=2026-03-14&to=2026-03-14&who=ANN"), "Head office",
		"/actions/export?format=csv&amp;from=2026-03-14&amp;to=2026-03-14&amp;who=ANN")
	b.contains(b.get(b.linkTo(list, `/actions/\d+`)), "What has changed", "&#34;Office&#34;", "&#34;Head office&#34;")
	for _, nowhere := range []string{"/actions/999999", "/actions/x"} {
		if w := b.do(http.MethodGet, nowhere, nil); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", nowhere, w.Code)
		}
	}

	w := b.do(http.MethodGet, "/actions/export?format=csv&who=ann", nil)
	if kind := w.Header().Get("Content-Disposition"); !strings.Contains(kind, "attachment; filename=actions.csv") {
		t.Errorf("disposition %s", kind)
	}
	b.contains(w.Body.String(), "\uFEFFtime,who,outcome", "Head office")
	lines := strings.Count(b.get("/actions/export?format=jsonl"), "\n")
	if rows := strings.Count(w.Body.String(), "\r\n"); lines < 2 || rows < 2 {
		t.Errorf("%d lines of JSON, %d rows", lines, rows)
	}

	b.contains(b.get("/actions/check"), "The log is whole")
	b.contains(b.get("/actions/settings"), `name="actionDays"`)
	if w := b.do(http.MethodPost, "/actions/settings", url.Values{"actionDays": {"-1"}}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("minus one day: %d", w.Code)
	}
	b.post("/actions/settings", url.Values{"actionDays": {"4000"}})
	if kept := b.Actions.Settings().Days; kept != 4000 {
		t.Errorf("kept for %d days", kept)
	}

	files, err := filepath.Glob(filepath.Join(b.Dir, "actions", "*.jsonl"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files[0], []byte(strings.Replace(string(text), "Head office", "Tail office", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	b.contains(b.get("/actions/check"), "The log is damaged in 1 place", "does not continue the line before it")
}
