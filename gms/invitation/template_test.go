package invitation

import (
	"errors"
	"strings"
	"testing"
	"unicode"
)

func TestOwnTemplatesPass(t *testing.T) {
	for _, language := range languages() {
		if err := language.text().Check(); err != nil {
			t.Errorf("%s: %v", language, err)
		}
		for _, f := range samples() {
			filled, err := language.text().Fill(f)
			if err != nil || strings.Contains(filled.Body, "<no value>") || (f.Help != "") != strings.Contains(filled.Body, "?") {
				t.Errorf("%s: %v\n%s", language, err, filled.Body)
			}
		}
	}
}

func TestTemplatesThatAreRefused(t *testing.T) {
	const body = "{{.Code}} {{.Server}} "
	for name, text := range map[string]Text{
		"no subject":        {"", body},
		"two lines":         {"a\r\nBcc: eve@example.com", body},
		"no code":           {"s", "{{.Server}}"},
		"code for some":     {"s", "{{if .Help}}{{.Code}}{{end}} {{.Server}}"},
		"unknown field":     {"s", body + "{{.Password}}"},
		"unknown, not run":  {"s", body + "{{if .Help}}{{else}}{{.Password}}{{end}}"},
		"not closed":        {"s", body + "{{.Name"},
		"loop":              {"s", body + "{{range 1000000000}}{{end}}"},
		"call":              {"s", body + `{{printf "%1000000000d" 1}}`},
		"call of a field":   {"s", body + "{{.Name.Foo}}"},
		"pipe":              {"s", body + "{{.Name | html}}"},
		"variable":          {"s", body + "{{$x := .Name}}"},
		"template":          {"s", body + `{{define "x"}}{{template "x"}}{{end}}{{template "x"}}`},
		"in the subject":    {"{{range 9}}{{end}}", body},
		"control character": {"s", body + "\x00"},
		"too long":          {"s", body + strings.Repeat("a", maxBody)},
		"too long filled":   {"s", body + strings.Repeat("{{.Name}}", 100)},
		"not UTF-8":         {"s", body + "\xff"},
	} {
		if err := text.Check(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSubjectStaysOneLine(t *testing.T) {
	f := Sample()
	f.Name = "Ann\r\nBcc: eve@example.com\u2028" + strings.Repeat("ä", 300)
	filled, err := Text{"For {{.Name}}", "b"}.Fill(f)
	if err != nil || strings.ContainsFunc(filled.Subject, unicode.IsControl) || len(filled.Subject) > 250 {
		t.Errorf("%q, %v", filled.Subject, err)
	}
}

// FuzzText looks for panics, and for templates that pass and then fail.
func FuzzText(f *testing.F) {
	f.Add("Hello {{.Name}}", "{{.Code}} {{.Server}}{{if .Help}}{{.Help}}{{else if .Login}}x{{end}}")
	f.Fuzz(func(t *testing.T, subject, body string) {
		text := Text{subject, body}
		if text.Check() != nil {
			return
		}
		for _, sample := range samples() {
			if filled, err := text.Fill(sample); err != nil || strings.ContainsAny(filled.Subject, "\r\n\x00") {
				t.Fatalf("%+v, %v", filled, err)
			}
		}
	})
}
