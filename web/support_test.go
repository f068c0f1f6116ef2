package web

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"furrow/appliance/machine"
	"furrow/appliance/sockettest"
	"furrow/appliance/support"
)

// supportKey is somebody's.
const supportKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl jo@acme"

func TestSupportElsewhere(t *testing.T) {
	b := newBox(t)
	b.setUp()
	b.contains(b.get("/support"), "This needs the Furrow image")
	if w := b.do(http.MethodPost, "/support", url.Values{"supportWho": {"Jo"}, "supportHours": {"8"}}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("opened without the image: %d", w.Code)
	}
	if w := b.do(http.MethodPost, "/support/close", nil); w.Code != http.StatusConflict {
		t.Errorf("closed without the image: %d", w.Code)
	}
}

func TestSupportPages(t *testing.T) {
	b := newBox(t)
	b.setUp()
	shown := filepath.Join(b.Dir, "support")
	if err := os.Mkdir(shown, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(shown, "opened.json")
	steward := machine.Steward{
		OpenSupport: func(_ context.Context, a support.Access) error {
			o, err := a.Opened(b.now)
			if err != nil {
				return err
			}
			text, err := json.Marshal(o)
			if err != nil {
				return err
			}
			return os.WriteFile(file, text, 0o644)
		},
		CloseSupport: func(context.Context) error { return os.Remove(file) },
	}
	sockettest.Serve(t, filepath.Join(b.Dir, "steward"), func(conn net.Conn) { _ = steward.Attend(context.Background(), conn, conn) })

	b.contains(b.get("/support"), "Support access is closed.", `name="supportKeys"`, `value="8" selected`)
	for want, form := range map[string]url.Values{
		`id="f-supportWho-error"`:   {"supportKeys": {supportKey}, "supportHours": {"8"}},
		`id="f-supportKeys-error"`:  {"supportWho": {"Jo"}, "supportKeys": {`command="sh" ` + supportKey}, "supportHours": {"8"}},
		`id="f-supportHours-error"`: {"supportWho": {"Jo"}, "supportKeys": {supportKey}, "supportHours": {"73"}},
	} {
		w := b.do(http.MethodPost, "/support", form)
		if w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", want, w.Code)
		}
		b.contains(w.Body.String(), want)
	}
	form := url.Values{"supportWho": {"Jo of <ACME>"}, "supportKeys": {supportKey + "\r\n\r\n"}, "supportHours": {"8"}, "supportShell": {"yes"}}
	question := b.do(http.MethodPost, "/support", form).Body.String()
	b.contains(question, "Jo of &lt;ACME&gt;", "SHA256:", "jo@acme", "For 8 hours, then", "without a password", `name="confirmed" value="yes"`)
	if _, err := os.Stat(file); err == nil {
		t.Fatal("opened before it was confirmed")
	}
	form.Set("confirmed", "yes")
	b.post("/support", form)
	b.contains(b.get("/support"), "Support access is open", "Jo of &lt;ACME&gt;", "jo@acme", `href="/support/close"`)
	b.contains(b.get("/support/close"), "thrown out")
	b.post("/support/close", nil)
	if page := b.get("/support"); strings.Contains(page, "jo@acme") {
		t.Error("still open")
	}
	b.contains(b.get("/actions"), "Open the machine to support", "End support access")
}
