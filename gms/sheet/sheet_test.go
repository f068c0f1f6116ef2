package sheet

import (
	"strings"
	"testing"
)

func TestWriter(t *testing.T) {
	var out strings.Builder
	w, err := NewWriter(&out, []string{"name", "note"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Row([]string{"=HYPERLINK(\"x\")", "a, b\nc"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if want := "\uFEFFname,note\r\n\"'=HYPERLINK(\"\"x\"\")\",\"a, b\r\nc\"\r\n"; out.String() != want {
		t.Errorf("wrote %q, want %q", out.String(), want)
	}
}

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "text": "text", "a=b": "a=b", "2026-03-14": "2026-03-14", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)",
		"\t=1": "'\t=1", "\r=1": "'\r=1", " =1": "' =1", "\u00A0=1": "'\u00A0=1", "＝1": "'＝1", "|calc": "'|calc", "%0A": "'%0A", "'": "'",
	} {
		if got := Plain(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}
