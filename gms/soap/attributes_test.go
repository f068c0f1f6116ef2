package soap

import (
	"math"
	"strings"
	"testing"
)

func parseString(t *testing.T, s string) *Attributes {
	t.Helper()
	root, err := Parse([]byte(s), 64<<10)
	if err != nil {
		t.Fatal(err)
	}
	return AttributesOf(root)
}

// wantFault checks that err is a fault with this code whose text ends in suffix.
func wantFault(t *testing.T, err error, code Code, suffix string) {
	t.Helper()
	f := FaultFrom(err)
	if err == nil || f.Code != code || !strings.HasSuffix(f.Text, suffix) {
		t.Errorf("got %v, want fault %d ending in %q", err, code, suffix)
	}
}

func TestAttributes(t *testing.T) {
	a := parseString(t, `<a xmlns:p="u" p:text="wrong" text="x y" empty="" n="-2147483648" `+
		`wrapped=" 7 " yes="1" no="0" bytes="AQID&#10;BA==" ms="1.1998921920005E12" Guid="g"/>`)
	if got := a.Text("text"); got != "x y" {
		t.Errorf("Text: %q", got)
	}
	if got := a.Text("empty"); got != "" {
		t.Errorf("Text: %q", got)
	}
	if got := a.Name("GUID", "Guid"); got != "g" {
		t.Errorf("Name: %q", got)
	}
	if got := a.Int("n"); got != math.MinInt32 {
		t.Errorf("Int: %d", got)
	}
	if got := a.Int("wrapped"); got != 7 {
		t.Errorf("Int: %d", got)
	}
	if !a.Bool("yes") || a.Bool("no") {
		t.Error("Bool")
	}
	if got := a.Base64("bytes"); string(got) != "\x01\x02\x03\x04" {
		t.Errorf("Base64: %x", got)
	}
	if got := a.Millis("ms"); got != 1199892192000 {
		t.Errorf("Millis: %d", got)
	}
	if got := a.OneOf("text", "z", "x y"); got != "x y" {
		t.Errorf("OneOf: %q", got)
	}
	if !a.Has("empty") || a.Has("lang") {
		t.Error("Has")
	}
	if err := a.Err(); err != nil {
		t.Error(err)
	}
}

func TestAttributesRefuse(t *testing.T) {
	text := func(a *Attributes) { a.Text("x") }
	name := func(a *Attributes) { a.Name("x") }
	number := func(a *Attributes) { a.Int("x") }
	truth := func(a *Attributes) { a.Bool("x") }
	bytes := func(a *Attributes) { a.Base64("x") }
	millis := func(a *Attributes) { a.Millis("x") }
	for _, test := range []struct {
		name, in string
		read     func(*Attributes)
	}{
		{"missing", "<a/>", text},
		{"missing under every spelling", "<a/>", func(a *Attributes) { a.Text("x", "y") }},
		{"of a namespace", "<a xmlns:p='u' p:x='1'/>", text},
		{"control character", "<a x='&#9;'/>", text},
		{"overlong", "<a x='" + strings.Repeat("y", MaxTextSize+1) + "'/>", text},
		{"empty name", "<a x=''/>", name},
		{"missing name", "<a/>", name},
		{"missing number", "<a/>", number},
		{"number too large", "<a x='2147483648'/>", number},
		{"number too small", "<a x='-2147483649'/>", number},
		{"number with fraction", "<a x='1.0'/>", number},
		{"number in hexadecimal", "<a x='0x1'/>", number},
		{"number with underscore", "<a x='1_0'/>", number},
		{"empty number", "<a x=' '/>", number},
		{"word for a boolean", "<a x='true'/>", truth},
		{"two for a boolean", "<a x='2'/>", truth},
		{"missing boolean", "<a/>", truth},
		{"base64 without padding", "<a x='AQ'/>", bytes},
		{"base64 with stray bits", "<a x='AR=='/>", bytes},
		{"base64 of another alphabet", "<a x='-_-_'/>", bytes},
		{"base64 with a blank inside", "<a x='AQ ID'/>", bytes},
		{"missing bytes", "<a/>", bytes},
		{"time not a number", "<a x='NaN'/>", millis},
		{"endless time", "<a x='INF'/>", millis},
		{"endless time in Go", "<a x='Inf'/>", millis},
		{"hexadecimal time", "<a x='0x1p4'/>", millis},
		{"time beyond double", "<a x='1e400'/>", millis},
		{"time beyond whole doubles", "<a x='-1e16'/>", millis},
		{"empty time", "<a x=''/>", millis},
		{"missing time", "<a/>", millis},
		{"value not in the list", "<a x='1'/>", func(a *Attributes) { a.OneOf("x", "2", "3") }},
		{"rejected", "<a x='1'/>", func(a *Attributes) { a.Reject("x", "reason") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := parseString(t, test.in)
			test.read(a)
			wantFault(t, a.Err(), CodeParameter, " a/@x")
			a.Text("later")
			wantFault(t, a.Err(), CodeParameter, " a/@x")
		})
	}
}

func TestFormat(t *testing.T) {
	// An xs:double of this size would by default be written with an exponent.
	if got := FormatMillis(1199892192000); got != "1199892192000" {
		t.Errorf("FormatMillis: %s", got)
	}
	if got := FormatInt(math.MinInt32); got != "-2147483648" {
		t.Errorf("FormatInt: %s", got)
	}
	if FormatBool(true) != "1" || FormatBool(false) != "0" {
		t.Error("FormatBool")
	}
}

func TestChildren(t *testing.T) {
	root, err := Parse([]byte(`<a xmlns:g="urn:groove.net" xmlns:h="u"><b/><g:b/><h:b/><h:c/><g:d/></a>`), 4096)
	if err != nil {
		t.Fatal(err)
	}
	if got := Children(root, "b"); len(got) != 2 {
		t.Errorf("%d children", len(got))
	}
	_, err = Child(root, "b")
	wantFault(t, err, CodeParameter, " a/b")
	if c, err := Child(root, "c"); c != nil || err != nil {
		t.Errorf("child of another namespace: %v, %v", c, err)
	}
	_, err = RequiredChild(root, "c")
	wantFault(t, err, CodeParameter, " a/c")
	if d, err := RequiredChild(root, "d"); err != nil || d.FullTag() != "g:d" {
		t.Errorf("got %v, %v", d, err)
	}
}

func TestParseFragmentPayload(t *testing.T) {
	e, err := ParseFragmentPayload([]byte(Prolog+`<g:fragment xmlns:g="urn:groove.net"><a/></g:fragment>`), 4096, "a")
	if err != nil || e.Tag != "a" {
		t.Errorf("got %v, %v", e, err)
	}
	for _, in := range []string{
		"", "<a/>", "<fragment><a/></fragment>",
		`<g:fragment xmlns:g="urn:other"><a/></g:fragment>`,
		`<h:fragment xmlns:h="urn:groove.net"><a/></h:fragment>`,
		`<g:fragment xmlns:g="urn:groove.net"><b/></g:fragment>`,
	} {
		_, err := ParseFragmentPayload([]byte(in), 4096, "a")
		wantFault(t, err, CodeParameter, "")
	}
}
