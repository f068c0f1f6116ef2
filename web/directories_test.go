package web

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"furrow/gms/ldapsync"
)

// people makes entries of a directory server.
func people(names ...string) []ldapsync.Entry {
	var entries []ldapsync.Entry
	for i, name := range names {
		entries = append(entries, ldapsync.Entry{DN: "cn=" + name + ",dc=example,dc=com", Key: fmt.Sprintf("%02x", i), Attributes: map[string][]string{
			"cn": {name}, "mail": {strings.ToLower(name) + "@example.com"},
		}})
	}
	return entries
}

func TestDirectoryPages(t *testing.T) {
	b := newBox(t)
	b.setUp()
	office := b.domain("Office")
	var there []ldapsync.Entry
	var broken error
	b.LDAP.Search = func(context.Context, ldapsync.Source) ([]ldapsync.Entry, error) { return there, broken }

	b.contains(b.get("/directory"), "No directory server is set up.")
	b.contains(b.get("/directory/_new"), `value="ad" selected`, `value="60"`)
	form := url.Values{
		"sourceName": {"Head Office"}, "schema": {"openldap"}, "servers": {"ldaps://a.example.com\r\nldaps://b.example.com"},
		"protection": {"tls"}, "bindDN": {"cn=reader"}, "bindPassword": {"horse staple"}, "base": {"dc=example,dc=com"}, "scope": {"sub"},
		"attributes": {"fax =\r\nphone = ipPhone, telephoneNumber"}, "domain": {office}, "intervalMinutes": {"0"},
		"maxDisablePercent": {"20"}, "pageSize": {"500"},
	}
	page := b.do(http.MethodPost, "/directory/_new", form).Body.String()
	if b.contains(page, `id="f-sourceName-error"`, "Head Office"); strings.Contains(page, "horse") {
		t.Error("the password is shown")
	}
	form.Set("sourceName", "office")
	for field, wrong := range map[string]string{"attributes": "fax", "pageSize": "many", "peopleFilter": "(", "servers": "http://a", "base": ""} {
		bad := maps.Clone(form)
		bad.Set(field, wrong)
		b.contains(b.do(http.MethodPost, "/directory/_new", bad).Body.String(), `id="f-`+field+`-error"`)
	}
	if to := b.post("/directory/_new", form); to != "/directory/office" {
		t.Fatalf("to %s", to)
	}
	b.contains(b.get("/directory/office"), "Try it with a test", "phone = ipPhone, telephoneNumber", "by hand", "There was none yet.")
	b.contains(b.do(http.MethodPost, "/directory/_new", form).Body.String(), "is the name of another one already")
	page = b.get("/directory/office/edit")
	if b.contains(page, "ldaps://a.example.com\nldaps://b.example.com</textarea>", `value="`+office+`" selected`); strings.Contains(page, "horse") {
		t.Error("the password is shown")
	}
	form.Set("bindPassword", "")
	form.Set("intervalMinutes", "120")
	b.post("/directory/office/edit", form)
	b.contains(b.get("/directory"), "2 hours", "Office")

	broken = errors.New("nobody is at home")
	b.contains(b.do(http.MethodPost, "/directory/office/test", nil).Body.String(), "could not be read", "nobody is at home")
	b.contains(b.get("/directory/office/sync"), "could not be read", "nobody is at home")
	broken, there = nil, people("Ann", "Bo", "Cy")
	b.contains(b.do(http.MethodPost, "/directory/office/test", nil).Body.String(), "3 people", "cn=Ann,dc=example,dc=com")
	page = b.get("/directory/office/sync")
	b.contains(page, "nothing is done yet", "3 people", "Do this now", "1 to 3 of 3")
	if found := b.get("/directory/office/sync?doing=add&q=bo"); strings.Contains(found, "cn=Ann") || !strings.Contains(found, "cn=Bo") {
		t.Errorf("the search finds\n%s", found)
	}
	if listed := b.get("/members"); strings.Contains(listed, "Ann</a>") {
		t.Error("a dry run adds members")
	}
	report := b.post("/directory/office/sync", nil)
	b.contains(b.get(report), "The members are what office says.", "3 people")
	b.contains(b.get("/members"), "Ann", "Bo", "Cy")
	b.contains(b.get("/directory/office/sync"), "There is nothing to do.")

	// Who has gone is disabled, but not too many at once.
	there = nil
	page = b.get("/directory/office/sync")
	if b.contains(page, "Nothing is changed, for safety", "/directory/office/sync?force=yes"); strings.Contains(page, "Do this now") {
		t.Error("what is held back can be done")
	}
	b.contains(b.get(b.post("/directory/office/sync", nil)), "held back", "Nothing is changed, for safety")
	b.contains(b.get("/directory/office/sync?force=yes"), "Do this now")
	b.post("/directory/office/sync?force=yes", nil)
	b.contains(b.get("/members?status=disabled"), "Ann", "Bo", "Cy")
	b.contains(b.get("/directory/office"), "held back", "Disable <b>3</b>")

	b.contains(b.get("/directory/office/remove"), "stay as they are")
	b.post("/directory/office/remove", nil)
	b.contains(b.get("/directory"), "The directory server office is removed.", "No directory server is set up.")
}

func TestMapping(t *testing.T) {
	mapping, wrong := parseMapping("phone = ipPhone,telephoneNumber\n\n fax=\r\n")
	if wrong != "" || !slices.Equal(mapping["phone"], []string{"ipPhone", "telephoneNumber"}) || mapping["fax"] == nil || len(mapping["fax"]) != 0 {
		t.Errorf("%v, %q", mapping, wrong)
	}
	if lines := writeMapping(mapping); !slices.Equal(lines, []string{"fax =", "phone = ipPhone, telephoneNumber"}) {
		t.Errorf("%q", lines)
	}
	if _, wrong := parseMapping("a = b\nphone"); wrong != "phone" {
		t.Errorf("%q is found wrong", wrong)
	}
}
