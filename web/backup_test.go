package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"furrow/appliance/backup"
)

func TestBackupPages(t *testing.T) {
	b := newBox(t)
	b.setUp()
	b.contains(b.get("/backup"), "makes no backups by itself", "There is no backup yet", "Set up backups")

	const passphrase = "correct horse battery staple"
	b.contains(b.get("/backup/settings?kind=sftp"), "Key of the server", "sftp://backup.example.com")
	b.contains(b.get("/backup/settings?kind=s3"), "Access key")
	dir := t.TempDir()
	form := url.Values{
		"kind": {"folder"}, "backupTarget": {"somewhere"}, "backupWhen": {"daily"}, "backupTime": {""}, "backupKeep": {"many"},
		"backupNewPassphrase": {passphrase}, "backupPassphraseAgain": {"another"},
	}
	w := b.do(http.MethodPost, "/backup/settings", form)
	b.contains(w.Body.String(), "must be a path that begins with /", "is not the same passphrase", "must be a number", `id="f-backupTime-error"`)
	if strings.Contains(w.Body.String(), passphrase) {
		t.Error("the passphrase is shown again")
	}
	for name, value := range map[string]string{"backupTarget": dir, "backupTime": "03:15", "backupKeep": "2", "backupPassphraseAgain": "short", "backupNewPassphrase": "short"} {
		form.Set(name, value)
	}
	b.contains(b.do(http.MethodPost, "/backup/settings", form).Body.String(), "must have at least 12")
	form.Set("backupNewPassphrase", passphrase)
	form.Set("backupPassphraseAgain", passphrase)
	b.post("/backup/settings", form)
	b.contains(b.get("/backup"), "Saved.", dir, "Every day, 03:15", "2026-03-15 03:15 UTC")
	b.contains(b.get("/backup/settings"), `value="03:15"`, `value="`+dir+`"`)
	b.contains(b.get("/backup/files"), "no backup of this box yet")

	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { b.Backup.Run(ctx) })
	b.post("/backup", nil)
	for end := time.Now().Add(time.Minute); b.Backup.Outcome().Name == ""; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no backup was made: %+v", b.Backup.Outcome())
		}
	}
	stop()
	running.Wait()
	b.contains(b.get("/backup"), "The last backup is there", b.Backup.Outcome().Name)
	b.contains(b.get("/backup/files"), b.Backup.Outcome().Name)

	w = b.do(http.MethodPost, "/backup/download", url.Values{"backupOwnPassphrase": {"of my own choice"}})
	if disposition := w.Header().Get("Content-Disposition"); !strings.HasPrefix(disposition, "attachment; filename=furrow-groove.example.com-") {
		t.Errorf("Content-Disposition %q", disposition)
	}
	if _, err := backup.Verify(t.Context(), w.Body, "of my own choice"); err != nil {
		t.Errorf("what was downloaded: %v", err)
	}

	b.contains(b.get("/backup/end"), "Those that are there stay")
	b.post("/backup/end", nil)
	b.contains(b.get("/backup"), "makes no backups any more")
	if w := b.do(http.MethodPost, "/backup", nil); w.Code != http.StatusConflict {
		t.Errorf("a backup without a target: %d", w.Code)
	}
	b.contains(b.do(http.MethodPost, "/backup/download", nil).Body.String(), `id="f-backupOwnPassphrase-error"`)
}
