package auditlog

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/beevik/etree"

	"furrow/gms/soap"
)

const (
	// maxEventBody bounds what is parsed of an event, in bytes; a longer one
	// is text.
	maxEventBody = 256 << 10

	// maxEventText and maxEventType bound what is shown of an event, in bytes.
	maxEventText = 8 << 10
	maxEventType = 128
)

// Event is what an entry of a log tells. The form of entries is not published
// beyond "XML document containing the audit event log entry" (MS-GRVSPCM
// 3.3.1); this is the one that is sent:
//
//	<AuditEvent Text="" Time="2026-03-14T15:09:26Z" Type=""/>
type Event struct {
	Time time.Time // zero if the entry does not tell
	Type string
	Text string
}

// eventElement is the root of the entries we make.
const eventElement = "AuditEvent"

// Encode returns the body of an entry.
func (e Event) Encode() []byte {
	element := soap.NewElement(eventElement,
		soap.Attr{Name: "Text", Value: e.Text}, soap.Attr{Name: "Type", Value: e.Type})
	if !e.Time.IsZero() {
		element.CreateAttr("Time", e.Time.UTC().Format(time.RFC3339Nano))
	}
	return soap.Canonical(element)
}

// ParseEvent reads the body of an entry, of any form: it looks for a type, a
// time and a text, and takes what is left for text too. What is no XML is text.
// The result has one line and no control characters.
func ParseEvent(body []byte) Event {
	root, err := soap.Parse(body, maxEventBody)
	if err != nil {
		return Event{Type: "text", Text: plainText(string(body[:min(len(body), maxEventText)]), maxEventText)}
	}
	e := Event{Type: root.Tag}
	if v, ok := attribute(root, "Type", "_type"); ok {
		e.Type = v
	}
	if v, ok := attribute(root, "Time", "_dt"); ok {
		e.Time = parseTime(v)
	}
	var text []string
	if v, ok := attribute(root, "Text"); ok {
		text = append(text, v)
	}
	collect(root, &text, "Type", "_type", "Time", "_dt", "Text")
	e.Type = plainText(e.Type, maxEventType)
	e.Text = plainText(strings.Join(text, " "), maxEventText)
	return e
}

func attribute(e *etree.Element, names ...string) (string, bool) {
	for _, name := range names {
		for i := range e.Attr {
			if a := &e.Attr[i]; a.Space == "" && strings.EqualFold(a.Key, name) && a.Value != "" {
				return a.Value, true
			}
		}
	}
	return "", false
}

// parseTime reads the time of an event: RFC 3339, or as markers have it.
func parseTime(s string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, markerTime} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 1 && t.Year() <= 9999 {
			return t.UTC()
		}
	}
	return time.Time{}
}

// collect gathers attributes and texts of e and below, but for those known.
func collect(e *etree.Element, text *[]string, known ...string) {
	for i := range e.Attr {
		a := &e.Attr[i]
		if a.Space == "xmlns" || a.Key == "xmlns" || (a.Space == "" && containsFold(known, a.Key)) {
			continue
		}
		*text = append(*text, a.Key+"="+a.Value)
	}
	for _, token := range e.Child {
		switch t := token.(type) {
		case *etree.Element:
			*text = append(*text, t.Tag)
			collect(t, text)
		case *etree.CharData:
			if s := strings.TrimSpace(t.Data); s != "" {
				*text = append(*text, s)
			}
		}
	}
}

func containsFold(names []string, name string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// plainText makes s one line of valid UTF-8 with at most limit bytes.
func plainText(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
	if len(s) <= limit {
		return s
	}
	cut := limit
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}
