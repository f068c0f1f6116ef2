package passhash

import (
	"errors"
	"strings"
	"testing"
)

func TestHash(t *testing.T) {
	h, err := Parse(New("correct horse").String())
	if err != nil || !h.Matches("correct horse") || h.Matches("correct horse ") || h.Matches("") {
		t.Fatalf("%s, %v", h, err)
	}
	for _, text := range []string{
		"", "plain", "$argon2i$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAA",
		strings.Replace(h.String(), "m=19456", "m=99999999", 1), strings.Replace(h.String(), "t=2", "t=0", 1),
		strings.Replace(h.String(), "v=19", "v=16", 1), h.String()[:40],
	} {
		if _, err := Parse(text); !errors.Is(err, ErrForm) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := Parse(text)
		if err != nil {
			return
		}
		if again, err := Parse(h.String()); err != nil || again.String() != h.String() {
			t.Fatalf("%q is read as %s and that not again: %v", text, h, err)
		}
	})
}
