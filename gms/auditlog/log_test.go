package auditlog

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

func TestSealAndOpen(t *testing.T) {
	lockOn := newKey(t)
	w := NewWriter(device, lockOn, domainKey().EncryptionKey())
	if err := w.Add([]byte("<Early/>")); err == nil {
		t.Error("an event outside of a session was taken")
	}
	must(t, w.Begin([]byte("<Begin/>")))
	must(t, w.Add([]byte("<One/>")))
	first, err := w.Seal(0, marked)
	must(t, err)
	must(t, w.Add([]byte("<Two/>")))
	must(t, w.Add(nil))
	must(t, w.End([]byte("<End/>")))
	second, err := w.Seal(1, marked.Add(time.Hour))
	must(t, err)

	l := parse(t, first)
	if l.Device != device || l.Sequence != 0 || !l.Marked.Equal(marked) {
		t.Errorf("log of %s, sequence %d at %v", l.Device, l.Sequence, l.Marked)
	}
	key, err := l.LockOnKey(domainKey())
	must(t, err)
	if !key.Equal(lockOn) || !l.Verify(key) || l.Verify(newKey(t)) {
		t.Error("lock-on key or MAC")
	}
	opened, session := l.Open(domainKey(), keys.SharedKey{})
	want := []Opened{{Kind: Begin, Body: []byte("<Begin/>")}, {Kind: Entry, Body: []byte("<One/>")}}
	if !reflect.DeepEqual(opened, want) || session.IsZero() {
		t.Errorf("opened %s", opened)
	}

	// The second log goes on with the session of the first.
	l = parse(t, second)
	opened, after := l.Open(domainKey(), session)
	want = []Opened{{Kind: Entry, Body: []byte("<Two/>")}, {Kind: Entry, Body: []byte{}}, {Kind: End, Body: []byte("<End/>")}}
	if !reflect.DeepEqual(opened, want) || !after.IsZero() {
		t.Errorf("opened %s", opened)
	}
	// Without its key the entries are kept as they are.
	opened, _ = l.Open(domainKey(), keys.SharedKey{})
	if len(opened) != 3 || opened[0].Body != nil || !bytes.HasPrefix(opened[0].Sealed, []byte("<E _body=")) {
		t.Errorf("opened without the session's key: %s", opened)
	}
	opened, _ = parse(t, first).Open(otherKey(), keys.SharedKey{})
	if len(opened) != 2 || opened[0].Body != nil || opened[1].Body != nil {
		t.Errorf("opened with the key of another domain: %s", opened)
	}
}

// TestTampering changes each attribute of a log: the MAC of the log notices,
// and that of the entry too.
func TestTampering(t *testing.T) {
	lockOn := newKey(t)
	sealed := string(seal(t, lockOn, 7, "<One/>", "<Two/>"))
	first := strings.Index(sealed, "<E ")
	second := first + 3 + strings.Index(sealed[first+3:], "<E ")
	end := strings.Index(sealed, "<EH ")
	for name, changed := range map[string]string{
		"an event less":      sealed[:first] + sealed[second:],
		"events in disorder": sealed[:first] + sealed[second:end] + sealed[first:second] + sealed[end:],
		"an event twice":     sealed[:second] + sealed[first:second] + sealed[second:],
		"another sequence":   strings.Replace(sealed, `_q="7"`, `_q="8"`, 1),
		"another time":       strings.Replace(sealed, `_dt="03`, `_dt="04`, 1),
		"another body":       alter(sealed, `<E _body="`),
		"another iv":         alter(sealed, `_dgh="`+between(sealed, `_dgh="`)+`" _iv="`),
		"another lock":       alter(sealed, `_lok="`),
	} {
		t.Run(name, func(t *testing.T) {
			if changed == sealed {
				t.Fatal("nothing changed")
			}
			if parse(t, []byte(changed)).Verify(lockOn) {
				t.Error("the MAC fits")
			}
		})
	}
	opened, _ := parse(t, []byte(alter(sealed, `<E _body="`))).Open(domainKey(), keys.SharedKey{})
	if opened[1].Body != nil || string(opened[2].Body) != "<Two/>" {
		t.Errorf("opened %s", opened)
	}
}

// between returns the value that begins behind a mark.
func between(s, mark string) string {
	s = s[strings.Index(s, mark)+len(mark):]
	return s[:strings.IndexByte(s, '"')]
}

// alter changes one bit of the base64 value behind a mark.
func alter(s, mark string) string {
	i := strings.Index(s, mark) + len(mark)
	old := between(s, mark)
	b, err := soap.DecodeBase64(old)
	if err != nil {
		panic(err)
	}
	b[0] ^= 1
	return s[:i] + soap.EncodeBase64(b) + s[i+len(old):]
}

func TestDigestIsOfTheEntries(t *testing.T) {
	sealed := string(seal(t, newKey(t), 1, "<One/>"))
	want := parse(t, []byte(sealed)).Digest()
	if got := parse(t, []byte(alter(sealed, `_lok="`))).Digest(); got != want {
		t.Error("another lock makes another digest")
	}
	if got := parse(t, []byte(alter(sealed, `<E _body="`))).Digest(); got == want {
		t.Error("another event makes the same digest")
	}
}

func TestParseRefuses(t *testing.T) {
	good := string(seal(t, newKey(t), 3, "<One/>"))
	for name, bad := range map[string]string{
		"no XML":               "log",
		"another root":         strings.ReplaceAll(good, "LU", "LV"),
		"another version":      strings.Replace(good, `"1,0"`, `"2,0"`, 1),
		"hash of another":      strings.Replace(good, device, device[1:], 1),
		"no device":            strings.Replace(good, ` _dg="`+device+`"`, "", 1),
		"no lock":              strings.Replace(good, "_lok", "_lck", 1),
		"no marker":            good[:strings.Index(good, "<UM")] + "</L></LU>",
		"negative sequence":    strings.Replace(good, `_q="3"`, `_q="-3"`, 1),
		"sequence too large":   strings.Replace(good, `_q="3"`, `_q="3000000000"`, 1),
		"no date":              strings.Replace(good, `_dt="03/14/2026 `, `_dt="14.3.2026 `, 1),
		"markers not in order": strings.Replace(good, "<UM ", `<UM _dt="03/14/2026 15:09:26" _q="3"/><UM `, 1),
		"another entry":        strings.Replace(good, "<E ", "<F ", 1),
		"two lists":            strings.Replace(good, "</L>", "</L><L/>", 1),
		"body no base64":       strings.Replace(good, `<E _body="`, `<E _body="?`, 1),
		"begin without a key":  strings.Replace(good, ` _key="`, ` _kez="`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			if bad == good {
				t.Fatal("nothing changed")
			}
			if _, err := Parse([]byte(bad)); err == nil {
				t.Error("accepted")
			}
		})
	}
	if _, err := Parse(bytes.Repeat([]byte(" "), MaxSize+1)); err == nil {
		t.Error("a log larger than MaxSize was accepted")
	}
	var many strings.Builder
	for range maxEntries + 1 {
		many.WriteString(`<UM _dt="03/14/2026 15:09:26" _q="1"/>`)
	}
	if _, err := Parse([]byte(strings.Replace(good, "<UM ", many.String()+"<UM ", 1))); err == nil {
		t.Error("a log of too many entries was accepted")
	}
}

func TestToken(t *testing.T) {
	hash := keys.Sum(1, []byte("file"))
	token, err := SealToken(domainKey().EncryptionKey(), hash)
	must(t, err)
	if got, ok, err := OpenToken(domainKey(), token); err != nil || !ok || got != hash {
		t.Errorf("opened %v %t, %v", got, ok, err)
	}
	for name, other := range map[string]string{
		"another body": alter(string(token), `_body="`),
		"another key":  alter(string(token), `_key="`),
		"another MAC":  alter(string(token), `_mac="`),
	} {
		if _, ok, err := OpenToken(domainKey(), []byte(other)); ok || err != nil {
			t.Errorf("%s: %t, %v", name, ok, err)
		}
	}
	if _, ok, err := OpenToken(otherKey(), token); ok || err != nil {
		t.Errorf("with the key of another domain: %t, %v", ok, err)
	}
	for _, bad := range []string{"", "<TK/>", "<TL/>", strings.Replace(string(token), "_mac", "mac", 1)} {
		if _, _, err := OpenToken(domainKey(), []byte(bad)); soap.FaultFrom(err).Code != soap.CodeParameter {
			t.Errorf("%q: %v, want fault 204", bad, err)
		}
	}
}

func TestEvents(t *testing.T) {
	at := time.Date(2026, 3, 14, 15, 9, 26, 5, time.UTC)
	own := Event{Time: at, Type: "file.open", Text: "Plan & elevation.dwg"}
	for body, want := range map[string]Event{
		string(own.Encode()):     own,
		string(Event{}.Encode()): {Type: "AuditEvent"},
		`<FileOpened _dt="03/14/2026 15:09:26" name="a.txt"><by>Ann</by></FileOpened>`: {
			marked, "FileOpened", "name=a.txt by Ann"},
		`<a xmlns:x="urn:x" x:TYPE="b" type="c" time="soon"/>`: {Type: "c", Text: "TYPE=b"},
		"no\x00 XML\n":              {Type: "text", Text: "no  XML "},
		"\xff\xfe":                  {Type: "text", Text: "\uFFFD"},
		`<e Text="=1+1&#10;next"/>`: {Type: "e", Text: "=1+1 next"},
	} {
		if got := ParseEvent([]byte(body)); got != want {
			t.Errorf("%q is %+v, want %+v", body, got, want)
		}
	}
	long := ParseEvent([]byte(fmt.Sprintf(`<e Text="%s"/>`, strings.Repeat("ü", maxEventText))))
	if len(long.Text) != maxEventText {
		t.Errorf("text of %d bytes, want %d", len(long.Text), maxEventText)
	}
}
