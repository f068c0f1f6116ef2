package policy

import "testing"

func TestAffiliation(t *testing.T) {
	for _, test := range []struct{ domain, name, want string }{
		// By hand: C 43, o 6f, r 72, p 70; A 41, n 6e, é c3 a9.
		{"Corp", "Ané", "{<2.5.4.11=[13]43,6f,72,70>}/{<2.5.4.11=[13]41,6e,c3,a9>}"},
		{"A", "B", "{<2.5.4.11=[13]41>}/{<2.5.4.11=[13]42>}"},
		{"Corp", "", "{<2.5.4.11=[13]43,6f,72,70>}"},
		{"", "A", "{<2.5.4.11=[13]41>}"},
		{"", "", ""},
		// U+1F33E takes four bytes; a line feed keeps its leading zero.
		{"\U0001F33E", "\n", "{<2.5.4.11=[13]f0,9f,8c,be>}/{<2.5.4.11=[13]0a>}"},
	} {
		if got := Affiliation(test.domain, test.name); got != test.want {
			t.Errorf("Affiliation(%q, %q) = %q, want %q", test.domain, test.name, got, test.want)
		}
	}
}
