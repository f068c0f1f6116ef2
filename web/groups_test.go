package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestGroupPages(t *testing.T) {
	b := newBox(t)
	b.office()
	b.contains(b.get("/groups"), "There are no groups yet")
	w := b.do(http.MethodPost, "/groups/new", url.Values{"groupName": {"a/b"}})
	b.contains(w.Body.String(), `id="f-groupName-error"`)
	sales := b.post("/groups/new", url.Values{"groupName": {"Sales"}})
	north := b.post("/groups/new?parent="+strings.TrimPrefix(sales, "/groups/"), url.Values{"groupName": {"North"}})
	b.contains(b.get("/groups"), `class="in-0"`, `class="in-1"`, `title="Sales/North"`)
	b.contains(b.get("/groups?q=nowhere"), "Nothing fits.")
	b.contains(b.get(sales), "Default", "from the domain Office", north, "Inherit from above")
	device := strings.TrimPrefix(b.link(b.get("/policies?policyKind=identity"), "Default"), "/policies/")
	b.post(sales, url.Values{"groupName": {"Sales"}, "ownPolicy": {device}})
	b.contains(b.get(north), "from the group Sales")
	b.post(north, url.Values{"groupName": {"South"}})
	b.contains(b.get("/groups"), `title="South"`)
	b.post(north, url.Values{"groupName": {"South"}, "parentGroup": {strings.TrimPrefix(sales, "/groups/")}})
	member := b.linkTo(b.get("/members?q=ann"), memberPattern)
	b.post(member+"/edit", url.Values{"fullName": {"Ann Smith"}, "email": {"ann@example.com"}, "group": {"Sales/South"}})
	b.contains(b.get(north), "1 member")
	if list := b.get(b.link(b.get(north), "1 member")); !strings.Contains(list, "Ann Smith") || strings.Contains(list, "Bob Jones") {
		t.Errorf("members of the group are\n%s", list)
	}
	b.contains(b.get(sales+"/delete"), "1 group goes here: directly in the domain")
	b.post(sales+"/delete", nil)
	b.contains(b.get(north), `<h1>South</h1>`)
	b.contains(b.get(north+"/delete"), "1 member goes here: directly in the domain")
	b.post(north+"/delete", nil)
	b.contains(b.get(member), "Ann Smith")
}
