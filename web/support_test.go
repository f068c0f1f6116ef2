package web

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"furrow/appliance/machine"
	"furrow/appliance/sockettest"
	"furrow/appliance/support"
	"furrow/appliance/support/supporttest"
)

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
	door := supporttest.New(t, shown, func() time.Time { return b.now })
	steward := machine.Steward{OpenSupport: door.Open, CloseSupport: door.Close}
	sockettest.Serve(t, filepath.Join(b.Dir, "steward"), func(conn net.Conn) { _ = steward.Attend(context.Background(), conn, conn) })

	b.contains(b.get("/support"), "Support access is closed.", `name="supportKeys"`, `value="8" selected`)
	for want, form := range map[string]url.Values{
		`id="f-supportWho-error"`:   {"supportKeys": {supporttest.Key}, "supportHours": {"8"}},
		`id="f-supportKeys-error"`:  {"supportWho": {"Jo"}, "supportKeys": {`command="sh" ` + supporttest.Key}, "supportHours": {"8"}},
		`id="f-supportHours-error"`: {"supportWho": {"Jo"}, "supportKeys": {supporttest.Key}, "supportHours": {"73"}},
	} {
		w := b.do(http.MethodPost, "/support", form)
		if w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", want, w.Code)
		}
		b.contains(w.Body.String(), want)
	}
	form := url.Values{"supportWho": {"Jo of <ACME>"}, "supportKeys": {supporttest.Key + "\r\n\r\n"}, "supportHours": {"8"}, "supportShell": {"yes"}}
	question := b.do(http.MethodPost, "/support", form).Body.String()
	b.contains(question, "Jo of &lt;ACME&gt;", "SHA256:", "jo@acme", "For 8 hours, then", "without a password", `name="confirmed" value="yes"`)
	if open, err := support.Look(shown); open != nil || err != nil {
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
