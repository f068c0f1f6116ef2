package auditlog

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"furrow/appliance/keys"
)

// FuzzLog feeds logs: what is parsed can be opened, by whatever key, and what
// verifies is what was made here.
func FuzzLog(f *testing.F) {
	lockOn := newKey(f)
	f.Add(seal(f, lockOn, 1, "<One/>"))
	f.Add([]byte(`<LU _dg="d"><L><UM _q="1"/></L></LU>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := Parse(data)
		if err != nil {
			return
		}
		if l.Sequence < 0 || l.Device == "" {
			t.Fatalf("log of %q with sequence %d", l.Device, l.Sequence)
		}
		entries, _ := l.Open(domainKey(), keys.SharedKey{})
		for _, e := range entries {
			if (e.Body == nil) == (e.Sealed == nil) {
				t.Fatalf("entry %+v", e)
			}
			if e.Body != nil && !strings.Contains("<Begin/><One/><End/>", string(e.Body)) {
				t.Fatalf("entry that nobody made: %q", e.Body)
			}
		}
	})
}

// FuzzEvent feeds bodies of entries: what comes out is one line of UTF-8.
func FuzzEvent(f *testing.F) {
	f.Add(Event{Time: marked, Type: "t", Text: "text"}.Encode())
	f.Add([]byte(`<a b="c">d<e/></a>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		e := ParseEvent(body)
		for _, s := range []string{e.Type, e.Text} {
			if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) || len(s) > maxEventText {
				t.Fatalf("%q", s)
			}
		}
		if len(e.Type) > maxEventType || e.Time.Year() > 9999 {
			t.Fatalf("type %q at %v", e.Type, e.Time)
		}
	})
}

// FuzzToken feeds tokens of files.
func FuzzToken(f *testing.F) {
	hash := keys.Sum(1, []byte("file"))
	token, err := SealToken(domainKey().EncryptionKey(), hash)
	must(f, err)
	f.Add(token)
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, ok, err := OpenToken(domainKey(), data); ok && (got != hash || err != nil) {
			t.Fatalf("a token that nobody made: %v, %v", got, err)
		}
	})
}
