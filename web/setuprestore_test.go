package web

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"furrow/appliance/backup"
	"furrow/web/api"
	"furrow/web/boxtest"
)

// restore posts a backup, nil for none, to the set-up.
func (b *box) restore(content []byte, fields ...[2]string) *httptest.ResponseRecorder {
	b.t.Helper()
	form := map[string]string{}
	for _, f := range fields {
		form[f[0]] = f[1]
	}
	return b.send("/setup/restore", form, file{"backupFile", map[bool]string{true: "box.backup"}[content != nil], content})
}

// TestRestoreInSetUp sends backups to a box that has no administrator. That they take its place is shown by package
// appliance and the command's tests.
func TestRestoreInSetUp(t *testing.T) {
	read := 0
	b := newBox(t, func(_ *boxtest.Parts, c *api.Config) {
		c.Restore = func(_ context.Context, r io.Reader, password string) (backup.Manifest, error) {
			read++
			file, err := io.ReadAll(r)
			switch {
			case err != nil:
				return backup.Manifest{}, err
			case password != "correct horse":
				return backup.Manifest{}, backup.ErrPassword
			case string(file) != strings.Repeat("good", 1000):
				return backup.Manifest{}, backup.ErrDamaged
			}
			return backup.Manifest{Version: "1.2.3", Made: boxNow()}, nil
		}
	})
	code, err := b.Access.SetupCode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.contains(b.get("/setup"), "/setup/restore", "A new box, or one restored from a backup?")
	b.contains(b.get("/setup/restore"), `enctype="multipart/form-data"`, "data-progress")
	good := []byte(strings.Repeat("good", 1000))
	fields := func(code, passphrase string) [][2]string {
		return [][2]string{{"setupCode", code}, {"backupPassphrase", passphrase}}
	}
	for name, test := range map[string]struct {
		fields [][2]string
		file   []byte
		want   string
	}{
		"wrong code":       {fields("aaaa-bbbb-cccc-dddd", "correct horse"), good, `id="f-setupCode-error"`},
		"no code":          {fields("", "correct horse"), good, `id="f-setupCode-error"`},
		"wrong passphrase": {fields(code, "another"), good, `id="f-backupPassphrase-error">wrong password`},
		"no file":          {fields(code, "correct horse"), nil, `id="f-backupFile-error"`},
		"damaged":          {fields(code, "correct horse"), []byte("bad"), `id="f-backupFile-error">the backup is damaged`},
	} {
		w := b.restore(test.file, test.fields...)
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), test.want) || strings.Contains(w.Body.String(), "correct horse") {
			t.Errorf("%s: %d\n%s", name, w.Code, w.Body)
		}
	}
	if read != 2 {
		t.Errorf("%d files were read, want those with the right code only", read)
	}
	if w := b.restore(good, [2]string{"setupCode", strings.Repeat("x", maxPart+1)}); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a long field: %d", w.Code)
	}
	w := b.restore(good, fields(code, "correct horse")...)
	b.contains(w.Body.String(), "The backup is sound", "1.2.3", `data-await="/sign-in"`)

	b.setUp()
	if w := b.do(http.MethodGet, "/setup/restore", nil); w.Header().Get("Location") != "/" {
		t.Errorf("after the set-up: %d to %q", w.Code, w.Header().Get("Location"))
	}
	if w := b.restore(good, fields(code, "correct horse")...); w.Header().Get("Location") != "/" || read != 3 {
		t.Errorf("after the set-up: %d to %q, %d read", w.Code, w.Header().Get("Location"), read)
	}
}
