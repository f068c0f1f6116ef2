package policy

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestVCard(t *testing.T) {
	for name, test := range map[string]struct {
		card Card
		want []string
	}{
		"full": {testCard(), []string{
			"BEGIN:VCARD",
			"VERSION:2.1",
			"CS:UTF-8",
			"FN: Ann Example",
			"N: Ann,Example",
			"EMAIL;PREF;INTERNET:ann@contoso.com",
			"TITLE:Baker",
			"ORG:Contoso",
			"ADR;POSTAL;WORK:1 High Street,Back door,Springfield,WA,98000,USA",
			"TEL;WORK;VOICE:+1 555 0100",
			"TEL;PAGER:+1 555 0101",
			"TEL;WORK;FAX:+1 555 0102",
			"END:VCARD",
		}},
		"least": {Card{FullName: "Ann"}, []string{
			"BEGIN:VCARD", "VERSION:2.1", "CS:UTF-8", "FN: Ann", "N: ", "EMAIL;PREF;INTERNET:", "TITLE:", "ORG:",
			"ADR;POSTAL;WORK:", "TEL;WORK;VOICE:", "TEL;PAGER:", "TEL;WORK;FAX:", "END:VCARD",
		}},
		"parts": {Card{FullName: "Ann", LastName: "Example", City: "Springfield"}, []string{
			"BEGIN:VCARD", "VERSION:2.1", "CS:UTF-8", "FN: Ann", "N: Example", "EMAIL;PREF;INTERNET:", "TITLE:", "ORG:",
			"ADR;POSTAL;WORK:,,Springfield,,,", "TEL;WORK;VOICE:", "TEL;PAGER:", "TEL;WORK;FAX:", "END:VCARD",
		}},
		"hostile": {
			Card{
				FullName: "Ann\r\nEND:VCARD\r\n", FirstName: "A;n;n", LastName: "Söhne\x00", Email: "ann@contoso.com\nTEL:1",
				Title: "a;b", Organization: "Sons; Daughters", Street1: "1;2\u2028x", Phone: "\xff1",
			},
			[]string{
				"BEGIN:VCARD", "VERSION:2.1", "CS:UTF-8", "FN: Ann  END:VCARD", `N: A\;n\;n,Söhne`,
				"EMAIL;PREF;INTERNET:ann@contoso.com TEL:1", "TITLE:a;b", `ORG:Sons\; Daughters`,
				`ADR;POSTAL;WORK:1\;2 x,,,,,`, "TEL;WORK;VOICE:\uFFFD1", "TEL;PAGER:", "TEL;WORK;FAX:", "END:VCARD",
			},
		},
	} {
		if got, want := string(test.card.VCard()), strings.Join(test.want, "\r\n")+"\r\n"; got != want {
			t.Errorf("%s: got\n%q\nwant\n%q", name, got, want)
		}
	}
}

// TestVCardKeepsItsLines: no value of a member adds, removes or begins a line.
func TestVCardKeepsItsLines(t *testing.T) {
	value := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) string { return value.Draw(t, label) }
		c := Card{
			FullName: draw("fullName"), FirstName: draw("firstName"), LastName: draw("lastName"), Email: draw("email"),
			Title: draw("title"), Organization: draw("organization"), Street1: draw("street1"), Street2: draw("street2"),
			City: draw("city"), State: draw("state"), PostalCode: draw("postalCode"), Country: draw("country"),
			Phone: draw("phone"), Cell: draw("cell"), Fax: draw("fax"),
		}
		got := string(c.VCard())
		if !utf8.ValidString(got) {
			t.Fatalf("not UTF-8: %q", got)
		}
		lines := strings.Split(got, "\r\n")
		want := strings.Split(string(Card{}.VCard()), "\r\n")
		if len(lines) != len(want) {
			t.Fatalf("%d lines, want %d: %q", len(lines), len(want), got)
		}
		for i, line := range lines {
			if !strings.HasPrefix(line, want[i]) || strings.ContainsFunc(line, unicode.IsControl) {
				t.Fatalf("line %d is %q, want a beginning of %q", i, line, want[i])
			}
		}
	})
}
