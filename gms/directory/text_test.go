package directory

import (
	"errors"
	"strings"
	"testing"
)

func TestCheckText(t *testing.T) {
	for _, c := range []struct {
		name, text string
		limit      int
		ok         bool
	}{
		{"empty", "", 1, true},
		{"at the limit", "äöü", 3, true},
		{"beyond the limit", "äöüß", 3, false},
		{"not UTF-8", "a\xff", 9, false},
		{"line feed", "a\nb", 9, false},
		{"NUL", "a\x00b", 9, false},
		{"C1 control", "a\u0085b", 9, false},
		{"line separator", "a\u2028b", 9, false},
		{"noncharacter", "a\uFFFEb", 9, false},
		{"markup", `<a href="&">`, 99, true},
		{"outside the basic plane", "𝔊𝔯𝔬𝔬𝔳𝔢", 6, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := checkText("title", c.text, c.limit)
			if (err == nil) != c.ok {
				t.Fatalf("checkText(%q, %d) = %v", c.text, c.limit, err)
			}
			var refused *ValidationError
			if !c.ok && (!errors.As(err, &refused) || refused.Field != "title" || !errors.Is(err, ErrInvalid)) {
				t.Errorf("%v is no ValidationError of the field", err)
			}
		})
	}
}

func TestCheckEmail(t *testing.T) {
	for text, ok := range map[string]bool{
		"anna@example.com":           true,
		"o'brien+groove@example.com": true,
		"jörg@bücher.example":        true,
		"":                           false,
		"anna":                       false,
		"anna@":                      false,
		"@example.com":               false,
		"Anna <anna@example.com>":    false,
		"<anna@example.com>":         false,
		"anna@example.com, b@c.de":   false,
		"anna@exam ple.com":          false,
		"anna@example.com\nBcc: x@y": false,
		strings.Repeat("a", 243) + "@example.com": false,
	} {
		if err := checkEmail("email", text); (err == nil) != ok {
			t.Errorf("checkEmail(%q) = %v", text, err)
		}
	}
}

func TestCheckServerURL(t *testing.T) {
	for text, ok := range map[string]bool{
		"http://groove.example.com/gms.dll":                  true,
		"https://groove.example.com/gms.dll":                 true,
		"http://groove.example.com:8080/gms.dll":             true,
		"http://[::1]:8080/gms.dll":                          true,
		"":                                                   false,
		"groove.example.com/gms.dll":                         false,
		"ftp://groove.example.com/gms.dll":                   false,
		"http:///gms.dll":                                    false,
		"http://groove.example.com/":                         false,
		"http://groove.example.com/gms.dll/":                 false,
		"http://groove.example.com/gms.dll?a=b":              false,
		"http://groove.example.com/gms.dll#a":                false,
		"http://user@groove.example.com/gms.dll":             false,
		"http://groove.example.com\n/gms.dll":                false,
		"http://" + strings.Repeat("a", maxURL) + "/gms.dll": false,
	} {
		if err := checkServerURL(text); (err == nil) != ok {
			t.Errorf("checkServerURL(%q) = %v", text, err)
		}
	}
}

func TestFoldName(t *testing.T) {
	for _, pair := range [][2]string{{"Contoso", "cONTOSO"}, {"STRASSE Ä", "strasse ä"}, {"ΣΑΣ", "σας"}} {
		if foldName(pair[0]) != foldName(pair[1]) {
			t.Errorf("%q and %q do not fold to one form", pair[0], pair[1])
		}
	}
	if foldName("contoso") == foldName("contoso2") {
		t.Error("different names fold to one form")
	}
}

// TestFoldNameUnicode has the cases of full case folding and of accents.
func TestFoldNameUnicode(t *testing.T) {
	for _, same := range [][]string{
		{"Straße", "STRASSE", "strasse"},
		{"Bjo\u0308rn", "Björn", "BJÖRN", "BJO\u0308RN"},
		{"ΣΊΣΥΦΟΣ", "σίσυφος", "Σίσυφοσ"},
		{"Иван", "ИВАН"},
		{"O’Neill", "o’neill"},
		{"Ann@Example.COM", "ann@example.com"},
	} {
		for _, s := range same[1:] {
			if foldName(s) != foldName(same[0]) {
				t.Errorf("%q and %q have the forms %q and %q", s, same[0], foldName(s), foldName(same[0]))
			}
		}
	}
	if strings.Contains(foldName("Bjo\u0308rn"), foldName("Bjo")) {
		t.Error("a letter with an accent contains the letter")
	}
}

func TestNewDomainGUID(t *testing.T) {
	seen := make(map[rune]bool)
	for range 200 {
		guid := newDomainGUID()
		if len(guid) != clientGUIDLength {
			t.Fatalf("%q has %d characters", guid, len(guid))
		}
		for _, r := range guid {
			seen[r] = true
		}
	}
	for r := range seen {
		if !strings.ContainsRune(clientAlphabet, r) {
			t.Errorf("%q is not in the alphabet", r)
		}
	}
	if len(seen) != len(clientAlphabet) {
		t.Errorf("%d of %d characters occur", len(seen), len(clientAlphabet))
	}
}
