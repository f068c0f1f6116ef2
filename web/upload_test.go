package web

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
)

// file is one that is chosen in a form.
type file struct {
	field, name string
	content     []byte
}

// send posts a form with files as the browser does that has the box's cookies.
func (b *box) send(target string, fields map[string]string, chosen ...file) *httptest.ResponseRecorder {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	must := func(err error) {
		b.t.Helper()
		if err != nil {
			b.t.Fatal(err)
		}
	}
	for name, value := range fields {
		must(form.WriteField(name, value))
	}
	for _, f := range chosen {
		part, err := form.CreateFormFile(f.field, f.name)
		must(err)
		_, err = part.Write(f.content)
		must(err)
	}
	must(form.Close())
	r := httptest.NewRequest(http.MethodPost, "https://box"+target, &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return b.ask(r)
}
