package web

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"furrow/gms/audit"
	"furrow/gms/auditlog"
	"furrow/gms/soap/spcm"
)

// upload has a device of nobody in the only domain upload events and a file.
func (b *box) upload(file string, events ...auditlog.Event) {
	b.t.Helper()
	must := func(err error) {
		b.t.Helper()
		if err != nil {
			b.t.Fatal(err)
		}
	}
	const device = "e2c3smux2b4uhfucu8a3wztus9bsyaz8bqbt6s"
	domain := b.Directory.Domains()[0]
	domainKeys, err := b.Directory.DomainKeys(domain.GUID)
	must(err)
	key, err := auditlog.NewKey()
	must(err)
	w := auditlog.NewWriter(device, key, domainKeys.Encryption.EncryptionKey())
	must(w.Begin(auditlog.Event{Time: b.now, Type: "session.begin"}.Encode()))
	for _, e := range events {
		must(w.Add(e.Encode()))
	}
	log, err := w.Seal(0, b.now)
	must(err)
	from := audit.Sender{
		Domain: domain.GUID, Account: "a6afv5ms7sxxpkzpzfvwbra83av34at3mz6ytds", IdentityURL: "grooveIdentity://a@", Device: device, DeviceName: "FABRIKAM",
	}
	whole := func(guid string, data []byte) spcm.UploadFragment {
		return spcm.UploadFragment{BackupGUID: guid, Index: 1, Count: 1, Size: int32(len(data)), TotalSize: int32(len(data)), Data: data}
	}
	part := whole("log", log)
	_, _, err = b.Audit.UploadLog(b.t.Context(), from, &part)
	must(err)
	_, _, err = b.Audit.UploadFile(b.t.Context(), from, &spcm.FileUpload{
		Fragment: whole("file", []byte(file)), Token: []byte(`<TK _body="" _iv="" _key="" _mac=""/>`), URL: "u", Title: "plan <a>.dwg",
	})
	must(err)
}

func TestAuditPages(t *testing.T) {
	b := newBox(t)
	b.office()
	b.contains(b.get("/audit"), "No client has uploaded an audit log.")
	b.contains(b.get("/audit/files"), "No client has uploaded a file")
	b.upload("<script>drawing</script>",
		auditlog.Event{Time: b.now, Type: "file.open", Text: "Plan A.dwg"},
		auditlog.Event{Time: b.now.Add(48 * time.Hour), Type: "file.save", Text: "=HYPERLINK(1)"})

	all := b.get("/audit")
	b.contains(all, "Plan A.dwg", "FABRIKAM", "session.begin", "=HYPERLINK(1)")
	if strings.Index(all, "HYPERLINK") > strings.Index(all, "Plan A") {
		t.Error("the newest is not first")
	}
	for query, wanted := range map[string]bool{
		"q=plan": true, "type=FILE.open": true, "device=fabrikam": true, "from=2026-03-14&to=2026-03-14": true,
		"q=other": false, "type=file.save": false, "device=x": false, "from=2026-03-15": false, "member=ann": false, "member=nobody": false,
	} {
		if got := strings.Contains(b.get("/audit?"+query), "Plan A.dwg"); got != wanted {
			t.Errorf("%s shows it: %v", query, got)
		}
	}
	b.contains(b.get("/audit/export?format=csv"), "\uFEFFtime,received", "'=HYPERLINK(1)", "Plan A.dwg")
	if lines := strings.Count(b.get("/audit/export?q=plan"), "\n"); lines != 1 {
		t.Errorf("%d lines", lines)
	}
	if w := b.do(http.MethodGet, "/audit/export?format=csv&member=nobody", nil); strings.Contains(w.Body.String(), "Plan") {
		t.Error("a file about nobody has events")
	}

	b.contains(b.get("/audit/devices"), "FABRIKAM", "key known")
	files := b.get("/audit/files")
	b.contains(files, "plan &lt;a&gt;.dwg", "24 B")
	path := html.UnescapeString(b.linkTo(files, `/audit/files/Office/[^"]*`))
	w := b.do(http.MethodGet, path, nil)
	if w.Body.String() != "<script>drawing</script>" || w.Header().Get("Content-Type") != "application/octet-stream" ||
		!strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") || !strings.Contains(w.Header().Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("the file came as %v\n%s", w.Header(), w.Body)
	}
	if w := b.do(http.MethodGet, "/audit/files/Office/0123", nil); w.Code != http.StatusNotFound {
		t.Errorf("no file: %d", w.Code)
	}
	b.contains(b.get("/audit/settings"), `name="auditLogDays"`)
	b.post("/audit/settings", url.Values{"auditLogDays": {"77"}, "auditFileDays": {"0"}})
	if held := b.Audit.Settings(); held != (audit.Settings{LogDays: 77}) {
		t.Errorf("the settings are %+v", held)
	}
	if w := b.do(http.MethodPost, "/audit/settings", url.Values{"auditLogDays": {"x"}, "auditFileDays": {"0"}}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("x days: %d", w.Code)
	}
}
