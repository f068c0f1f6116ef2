package directory

import "testing"

func TestContainsFold(t *testing.T) {
	for _, test := range []struct {
		text, wanted string
		want         bool
	}{
		{"Ann SMITH", "smith", true}, {"Ann SMITH", "n s", true}, {"Ann", "ann smith", false}, {"", "", true}, {"Ann", "", true},
		{"Eva KÖHLER", "köhler", true}, {"Straße", "STRASSE", true}, {"aab", "ab", true}, {"Ann@[", "ann`{", false},
	} {
		if got := containsFold(test.text, foldName(test.wanted)); got != test.want {
			t.Errorf("%q in %q: %v", test.wanted, test.text, got)
		}
	}
}
