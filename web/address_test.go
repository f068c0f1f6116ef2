package web

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"furrow/gms/directory"
	"furrow/web/api"
	"furrow/web/boxtest"
)

func TestAddressPages(t *testing.T) {
	b := newBox(t)
	b.setUp()
	b.contains(b.get("/address"), "http://groove.example.com/gms.dll", "set in furrow.toml")

	restarts := 0
	b = newBox(t, func(p *boxtest.Parts, c *api.Config) {
		c.Restart = func() { restarts++ }
		c.ChooseHost = func(_ context.Context, host string) (string, error) {
			if host != "other.example.com" {
				return "", &directory.ValidationError{Field: "host", Reason: "is no name"}
			}
			return "http://other.example.com/gms.dll", nil
		}
	})
	b.setUp()
	b.contains(b.get("/setup/address"), `name="host" type="text" value="groove.example.com"`, "This looks right")
	w := b.do(http.MethodPost, "/setup/address", url.Values{"host": {"no name"}})
	b.contains(w.Body.String(), `id="f-host-error"`, "is no name")
	if w.Code != http.StatusUnprocessableEntity || restarts != 0 {
		t.Errorf("%d, %d restarts", w.Code, restarts)
	}
	for path, next := range map[string]string{"/setup/address": "/setup/address", "/address": "/address"} {
		page := b.do(http.MethodPost, path, url.Values{"host": {"other.example.com"}}).Body.String()
		b.contains(page, "http://other.example.com/gms.dll", "starts again with this name", `data-await="`+next+`"`)
	}
	if restarts != 2 {
		t.Errorf("%d restarts", restarts)
	}
}
