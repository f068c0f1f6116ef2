package web

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// fileOf500 has two lines that cannot be imported.
func fileOf500() []byte {
	var csv bytes.Buffer
	csv.WriteString("fullName;email;group\n")
	for i := 2; i <= 501; i++ {
		email := fmt.Sprintf("person%d@example.com", i)
		switch i {
		case 17:
			email = "no address"
		case 333:
			email = ""
		}
		fmt.Fprintf(&csv, "Person %d;%s;Sales/North\n", i, email)
	}
	return csv.Bytes()
}

func TestImport(t *testing.T) {
	b := newBox(t)
	b.office()
	b.contains(b.get("/members/import"), `enctype="multipart/form-data"`, "Look at it first", "Make groups that are not there")
	if w := b.do(http.MethodPost, "/members/import", nil); !strings.Contains(w.Body.String(), `id="f-memberFile-error"`) {
		t.Errorf("without a file: %s", w.Body)
	}
	chosen := file{"memberFile", "people.csv", fileOf500()}
	w := b.send("/members/import", map[string]string{"makeGroups": "yes"}, chosen)
	preview := w.Body.String()
	b.contains(preview, "2 lines cannot be imported: 17, 333.", ">17</th><td>email</td>", ">333</th><td>email</td>", "498 would be added",
		"Sales/North", "Import the rest", "and 298 more lines")
	if strings.Contains(preview, "Import now") || strings.Contains(b.get("/members"), "Person 2") {
		t.Error("a file with bad lines is imported")
	}
	carried := b.formOf(preview)
	w = b.do(http.MethodPost, "/members/import", carried) // without leaving lines out
	b.contains(w.Body.String(), "2 lines cannot be imported")
	carried.Set("skipBad", "yes")
	b.post("/members/import", carried)
	list := b.get("/members?q=person")
	b.contains(list, "Imported: 498 added, 0 changed, 2 left out.", "1 to 50 of 498", "Sales/North")

	w = b.send("/members/import", map[string]string{"updateBy": "email"},
		file{"memberFile", "people.xml", []byte("\xef\xbb\xbf<members><member><fullName>Robert Jones</fullName><email>bob@example.com</email></member></members>")})
	b.contains(w.Body.String(), "0 would be added, 1 changed", "Import now")
	b.post("/members/import", b.formOf(w.Body.String()))
	b.contains(b.get("/members?q=robert"), "0 added, 1 changed")
	w = b.send("/members/import", nil, file{"memberFile", "photo.jpg", []byte("\x89nothing of use")})
	if b.contains(w.Body.String(), "1 line cannot be imported: 1."); strings.Contains(w.Body.String(), "Import now") {
		t.Errorf("a file of no use can be imported: %s", w.Body)
	}
	w = b.do(http.MethodPost, "/members/import", url.Values{"carried": {"%"}})
	b.contains(w.Body.String(), `id="f-memberFile-error"`)
	w = b.send("/members/import", nil, file{"memberFile", "large.csv", bytes.Repeat([]byte("x"), maxMemberFile+1)})
	b.contains(w.Body.String(), "is larger than 4.2 MB")
	w = b.send("/members/import", map[string]string{"sendCodes": "yes"}, file{"memberFile", "one.csv", []byte("fullName,email\nX,x@example.com\n")})
	if w.Code != http.StatusUnprocessableEntity {
		t.Errorf("codes are mailed without a mail server: %d", w.Code)
	}
}

func TestExport(t *testing.T) {
	b := newBox(t)
	b.office()
	page := b.get("/members/export")
	w := b.do(http.MethodGet, strings.ReplaceAll(b.linkTo(page, `/members/export\?domain=[a-z0-9]+&amp;format=csv&amp;separator=semicolon`), "&amp;", "&"), nil)
	if got := w.Header().Get("Content-Disposition"); got != "attachment; filename=members.csv" {
		t.Errorf("disposition %q", got)
	}
	b.contains(w.Body.String(), "fullName;email", ";Bob Jones;bob@example.com;")
	if w := b.do(http.MethodGet, "/members/export?format=exe", nil); w.Code != http.StatusConflict {
		t.Errorf("a format that there is not: %d", w.Code)
	}
}
