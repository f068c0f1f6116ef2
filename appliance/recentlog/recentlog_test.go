package recentlog

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
)

func all(Record) bool { return true }

func text(k *Ring) string {
	var b strings.Builder
	for _, r := range k.Records(all) {
		fmt.Fprintf(&b, "%d %s\n", r.Sequence, r.Text())
	}
	return b.String()
}

func TestKeptAndPassedOn(t *testing.T) {
	var ring Ring
	var out bytes.Buffer
	log := slog.New(ring.Handler(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo})))
	log.Debug("not taken")
	log.Info("first", "a", 1)
	of := log.With("who", "ann").WithGroup("in")
	of.Warn("second\nline", "b", 2, slog.Group("deep", "c", "x y"), slog.Attr{})
	of.With("d", 3).Error("third")
	const want = "3 ERROR third who=ann in.d=3\n2 WARN second line who=ann in.b=2 in.deep.c=x y\n1 INFO first a=1\n"
	if got := text(&ring); got != want {
		t.Errorf("kept\n%swant\n%s", got, want)
	}
	if got := out.String(); strings.Count(got, "\n") != 3 || !strings.Contains(got, "who=ann in.d=3") {
		t.Errorf("passed on\n%s", got)
	}
	warnings := ring.Records(func(r Record) bool { return r.Level >= slog.LevelWarn })
	if len(warnings) != 2 || warnings[0].Message != "third" {
		t.Errorf("%+v", warnings)
	}
}

func TestBounds(t *testing.T) {
	var ring Ring
	log := slog.New(ring.Handler(slog.DiscardHandler))
	if log.Enabled(t.Context(), slog.LevelError) {
		t.Error("the ring takes what the next handler does not")
	}
	handler := ring.Handler(slog.NewTextHandler(&bytes.Buffer{}, nil))
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			for range maxRecords {
				slog.New(handler).Info("short")
			}
		})
	}
	work.Wait()
	if kept := ring.Records(all); len(kept) != maxRecords || kept[0].Sequence != 4*maxRecords {
		t.Errorf("%d records, the last is %d", len(kept), kept[0].Sequence)
	}
	for range maxRecords {
		slog.New(handler).Info(strings.Repeat("é", maxText), "v", strings.Repeat("\xff", 2*maxText))
	}
	octets := 0
	kept := ring.Records(all)
	for _, r := range kept {
		octets += r.size()
		if len(r.Message) > maxText {
			t.Fatalf("a message of %d octets", len(r.Message))
		}
	}
	if octets != ring.octets || octets > maxOctets || octets < maxOctets/2 {
		t.Errorf("%d octets in %d records, counted %d", octets, len(kept), ring.octets)
	}
}

// The handler that is asked for with the ring before it does what log/slog wants of one.
func TestHandler(t *testing.T) {
	var ring Ring
	var out bytes.Buffer
	err := slogtest.TestHandler(ring.Handler(slog.NewJSONHandler(&out, nil)), func() []map[string]any {
		var results []map[string]any
		records := ring.Records(all)
		for i := len(records) - 1; i >= 0; i-- {
			results = append(results, nested(records[i]))
		}
		return results
	})
	if err != nil {
		t.Error(err)
	}
}

// nested is a record with its groups as log/slog's own handlers write them.
func nested(r Record) map[string]any {
	m := map[string]any{slog.LevelKey: r.Level, slog.MessageKey: r.Message}
	if !r.Time.IsZero() {
		m[slog.TimeKey] = r.Time
	}
	for _, a := range r.Attributes {
		in, path := m, strings.Split(a.Name, ".")
		for _, group := range path[:len(path)-1] {
			if _, ok := in[group]; !ok {
				in[group] = map[string]any{}
			}
			in = in[group].(map[string]any)
		}
		in[path[len(path)-1]] = a.Value
	}
	return m
}

func TestParseLevel(t *testing.T) {
	for name, want := range map[string]slog.Level{"": slog.LevelDebug, "info": slog.LevelInfo, "WARN": slog.LevelWarn, "error": slog.LevelError} {
		if got, err := ParseLevel(name); got != want || err != nil {
			t.Errorf("%q: %v, %v", name, got, err)
		}
	}
	if _, err := ParseLevel("loud"); err == nil {
		t.Error("loud is a level")
	}
}
