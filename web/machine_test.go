package web

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"testing"

	"furrow/appliance/machine"
	"furrow/appliance/sockettest"
	"furrow/appliance/update"
	"furrow/web/api"
	"furrow/web/boxtest"
)

// steward has the box's machine be one of the image; done is told what was done to it.
func (b *box) steward(versions update.Versions, done func(string)) {
	doing := func(what string) func(context.Context) error {
		return func(context.Context) error {
			done(what)
			return nil
		}
	}
	steward := machine.Steward{
		Versions: func() (update.Versions, error) { return versions, nil },
		Restart:  doing("restart"), PowerOff: doing("off"), Erase: doing("erase"),
	}
	sockettest.Serve(b.t, filepath.Join(b.Dir, "steward"), func(conn net.Conn) { _ = steward.Attend(context.Background(), conn, conn) })
}

func TestMachineElsewhere(t *testing.T) {
	b := newBox(t)
	b.setUp()
	b.contains(b.get("/power"), "not started from the Furrow image", "Factory reset", "Not available here")
	b.contains(b.get("/updates"), "This needs the Furrow image", "test")
	w := b.do(http.MethodPost, "/power/restart", nil)
	if w.Code != http.StatusConflict {
		t.Errorf("a restart without the image: %d", w.Code)
	}
	b.contains(w.Body.String(), "this needs the Furrow image")
	if w := b.do(http.MethodGet, "/power/up", nil); w.Code != http.StatusNotFound {
		t.Errorf("an action that is none: %d", w.Code)
	}
}

func TestPowerPages(t *testing.T) {
	b := newBox(t)
	b.setUp()
	var done []string
	b.steward(update.Versions{Slot: update.SlotA}, func(what string) { done = append(done, what) })
	b.contains(b.get("/power"), `href="/power/restart"`, `href="/power/erase"`)
	b.contains(b.get("/power/restart"), "offline for about a minute")
	b.contains(b.do(http.MethodPost, "/power/restart", nil).Body.String(), "The box restarts now.", "back in a minute")
	b.contains(b.do(http.MethodPost, "/power/off", nil).Body.String(), "switches itself off now")
	b.contains(b.get("/power/erase"), "Only a backup brings it back", "Type ERASE")
	b.contains(b.do(http.MethodPost, "/power/erase", url.Values{"eraseWord": {"yes"}}).Body.String(), `id="f-eraseWord-error"`)
	b.contains(b.do(http.MethodPost, "/power/erase", url.Values{"eraseWord": {"erase"}}).Body.String(), "starts as a new one now")
	if want := []string{"restart", "off", "erase"}; !slices.Equal(done, want) {
		t.Errorf("done %q, want %q", done, want)
	}
}

func TestStartAnew(t *testing.T) {
	asked := 0
	b := newBox(t, func(_ *boxtest.Parts, c *api.Config) { c.Restart = func() { asked++ } })
	b.setUp()
	b.contains(b.get("/power"), `href="/power/again"`)
	b.contains(b.do(http.MethodPost, "/power/again", nil).Body.String(), "Furrow starts anew now.")
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

func TestUpdatesPage(t *testing.T) {
	b := newBox(t)
	b.setUp()
	bundle := file{"updateBundle", "furrow.bundle", []byte("bundle")}
	w := b.send("/updates", nil, bundle)
	b.contains(w.Body.String(), "this needs the Furrow image")
	b.steward(update.Versions{
		Running: update.Release{Version: "one"}, Slot: update.SlotB, Trial: true,
		Last:  &update.Record{To: update.Manifest{Version: "two"}, Outcome: update.Returned, Reason: "it did not answer"},
		Check: &update.Check{Damage: "3 octets of /dev/b"},
	}, func(what string) { t.Error(what) })
	b.contains(b.get("/updates"), "on trial", "two", "went back to the version before", "it did not answer", "damaged", "3 octets of /dev/b",
		`name="updateBundle"`)
	taken, answer := "", `{"error":"not signed by the key that this box trusts"}`
	sockettest.Serve(t, filepath.Join(b.Dir, "taker"), func(conn net.Conn) {
		all, err := io.ReadAll(conn)
		if err != nil {
			t.Error(err)
		}
		taken = string(all)
		if _, err := io.WriteString(conn, answer); err != nil {
			t.Error(err)
		}
	})
	w = b.send("/updates", nil, bundle)
	if w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a bundle that is refused: %d", w.Code)
	}
	b.contains(w.Body.String(), "not signed by the key")
	answer = `{"percent":50}{"installed":{"version":"three"}}`
	b.contains(b.send("/updates", nil, bundle).Body.String(), "Version three is installed.")
	if taken != "newer\nbundle" {
		t.Errorf("taken %q", taken)
	}
	b.contains(b.send("/updates", nil).Body.String(), `id="f-updateBundle-error"`)
}
