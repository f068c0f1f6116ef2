package audit

import (
	"slices"
	"strings"
	"testing"
	"time"

	"furrow/gms/auditlog"
)

func TestSearch(t *testing.T) {
	f := newFixture(t)
	at := func(hour int) time.Time { return time.Date(2026, 3, 14, hour, 0, 0, 0, time.UTC) }
	f.upload(t, fragments("1", f.sealed(t, 0,
		auditlog.Event{Time: at(8), Type: "file.open", Text: "Plan A"},
		auditlog.Event{Time: at(9), Type: "file.close", Text: "Plan A"}), 1<<20)...)
	f.upload(t, fragments("2", f.sealed(t, 1,
		auditlog.Event{Time: at(10), Type: "file.open", Text: "Ordner Ä"},
		auditlog.Event{Type: "file.close", Text: "no time"}), 1<<20)...)
	f.reopen(t)
	for name, c := range map[string]struct {
		filter Filter
		want   string
	}{
		"all":            {Filter{}, "|Plan A|Plan A||Ordner Ä|no time"},
		"newest":         {Filter{Newest: true}, "no time|Ordner Ä||Plan A|Plan A|"},
		"type":           {Filter{Type: "FILE.OPEN"}, "Plan A|Ordner Ä"},
		"part of a type": {Filter{Type: "file"}, ""},
		"text":           {Filter{Text: "ä"}, "Ordner Ä"},
		"from":           {Filter{From: at(9), Type: "file.close"}, "Plan A|no time"},
		"to":             {Filter{To: at(9), Type: "file.open"}, "Plan A"},
		"from and to":    {Filter{From: at(9), To: at(11)}, "Plan A|Ordner Ä"},
		"a later day":    {Filter{From: at(8).AddDate(0, 0, 1)}, ""},
		"domain":         {Filter{Domain: f.domain, Text: "no"}, "no time"},
		"another domain": {Filter{Domain: "other"}, ""},
		"device":         {Filter{Device: device, Text: "no"}, "no time"},
		"host name":      {Filter{Device: "fabrikam", Text: "no"}, "no time"},
		"another device": {Filter{Device: "contoso"}, ""},
		"another member": {Filter{Member: "nobody"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var texts []string
			for e, err := range f.Events(c.filter) {
				must(t, err)
				texts = append(texts, e.Text)
			}
			if got := strings.Join(texts, "|"); got != c.want {
				t.Errorf("events %q, want %q", got, c.want)
			}
		})
	}
	for e, err := range f.Events(Filter{Text: "no time"}) { // has the time of the upload
		must(t, err)
		if !e.Time.Equal(f.now) || e.Index != 2 || e.Log.Sequence != 1 || e.Kind != auditlog.Entry {
			t.Errorf("event %+v", e)
		}
	}

	// What the disk has lost is an error, and the rest is found.
	must(t, f.blobs.Delete(f.Logs()[0].Blob))
	var texts []string
	failed := 0
	for e, err := range f.Events(Filter{}) {
		if err != nil {
			failed++
			continue
		}
		texts = append(texts, e.Text)
	}
	if failed != 1 || !slices.Equal(texts, []string{"", "Ordner Ä", "no time"}) {
		t.Errorf("%d failed, found %q", failed, texts)
	}
}
