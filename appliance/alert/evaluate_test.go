package alert

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

// TestEvaluate drives each kind's rule through values, one every step.
func TestEvaluate(t *testing.T) {
	const gone, unseen = -1, -2
	for _, test := range []struct {
		name   string
		kind   Kind
		step   time.Duration
		values []float64
		want   string // events with their levels, each with the number of its step
	}{
		{"once", Disk, time.Hour, []float64{5000, 1900, 1800}, "1 raised warning"},
		{"at the threshold", Disk, time.Hour, []float64{2001, 2000}, "1 raised warning"},
		{"at once critical", Disk, time.Hour, []float64{100}, "0 raised critical"},
		{"worse, better, well", Disk, time.Hour, []float64{1900, 400, 540, 560, 2100, 2201}, "0 raised warning, 1 worsened critical, 3 eased warning, 5 cleared none"},
		{"swinging about a threshold", Disk, time.Hour, []float64{1990, 2010, 1990, 2010, 2190, 1999}, "0 raised warning"},
		{"swinging, large values bad", Queue, time.Hour, []float64{1999, 2000, 1990, 1801, 1800, 1799}, "1 raised warning, 5 cleared none"},
		{"again after it was over", Queue, time.Hour, []float64{2000, 1000, 2000}, "0 raised warning, 1 cleared none, 2 raised warning"},
		{"daily", Disk, 12 * time.Hour, []float64{1900, 1900, 1900, 1900, 1900}, "0 raised warning, 2 lasting warning, 4 lasting warning"},
		{"worse counts as told", Disk, 12 * time.Hour, []float64{1900, 400, 400, 400}, "0 raised warning, 1 worsened critical, 3 lasting critical"},
		{"has to last", Relay, 5 * time.Minute, []float64{1, 0, 1, 1, 1, 0, 1, 0, 0, 0}, "4 raised warning, 9 cleared none"},
		{"worse has to last too", Relay, 10 * time.Minute, []float64{1, 1, 2, 1, 2, 2}, "1 raised warning, 5 worsened critical"},
		{"there or not", Recovery, time.Hour, []float64{0, 1, 1, 0}, "1 raised critical, 3 cleared none"},
		{"not seen is not well", Disk, time.Hour, []float64{1900, unseen, unseen, 5000}, "0 raised warning, 3 cleared none"},
		{"gone is well", DomainCertificate, time.Hour, []float64{20, gone, gone}, "0 raised critical, 1 cleared none"},
		{"gone before it was raised", Relay, time.Minute, []float64{1, gone, 1}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var states []State
			var told []string
			for i, value := range test.values {
				seen := Observations{test.kind: {{Subject: "x", Value: value}}}
				switch value {
				case gone:
					seen = Observations{test.kind: nil}
				case unseen:
					seen = Observations{}
				}
				var notices []Notice
				states, notices = Evaluate(Rules(), states, seen, start.Add(time.Duration(i)*test.step))
				for _, n := range notices {
					told = append(told, fmt.Sprintf("%d %s %s", i, n.Event, n.Level))
				}
			}
			if got := strings.Join(told, ", "); got != test.want {
				t.Errorf("told %s; want %s", got, test.want)
			}
		})
	}
}

func TestEvaluateKeepsSubjectsApart(t *testing.T) {
	seen := Observations{DomainCertificate: {{Subject: "b", Value: 80}, {Subject: "a", Value: 10}, {Subject: "c", Value: 900}}}
	states, notices := Evaluate(Rules(), nil, seen, start)
	if len(states) != 2 || len(notices) != 2 || notices[0].Subject != "a" || notices[0].Level != Critical || notices[1].Level != Warning {
		t.Fatalf("%+v, %+v", states, notices)
	}
	seen[DomainCertificate][1].Value = 900
	states, notices = Evaluate(Rules(), states, seen, start.Add(time.Hour))
	if len(states) != 1 || len(notices) != 1 || notices[0].Event != Cleared || notices[0].Subject != "a" {
		t.Fatalf("%+v, %+v", states, notices)
	}
	off := Settings{Off: []Kind{DomainCertificate}}
	if states, notices = Evaluate(off.rules(), states, seen, start); len(states)+len(notices) != 0 {
		t.Fatalf("switched off: %+v, %+v", states, notices)
	}
}

// TestClockSetBack must not silence reminders until the clock is where it was.
func TestClockSetBack(t *testing.T) {
	seen := Observations{Disk: {{Value: 1000}}, Relay: {{Subject: "r", Value: 1}}}
	states, _ := Evaluate(Rules(), nil, seen, start)
	back := start.AddDate(-1, 0, 0)
	states, notices := Evaluate(Rules(), states, seen, back)
	if len(notices) != 1 || notices[0].Event != Lasting {
		t.Fatalf("a year back: %+v", notices)
	}
	if _, notices = Evaluate(Rules(), states, seen, back.Add(10*time.Minute)); len(notices) != 1 || notices[0].Kind != Relay {
		t.Fatalf("ten minutes on: %+v", notices)
	}
}

func TestRules(t *testing.T) {
	rules := Rules()
	if len(rules) != 16 || !slices.IsSortedFunc(rules, func(a, b Rule) int { return strings.Compare(string(a.Kind), string(b.Kind)) }) {
		t.Errorf("%d rules, or not in order", len(rules))
	}
	for _, r := range rules {
		if r.Title == "" || len(r.Remedy) < 40 {
			t.Errorf("%s says too little: %+v", r.Kind, r)
		}
		if r.Unit != "" {
			if err := r.Thresholds.check(r); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestWindow(t *testing.T) {
	w := Window{Span: 24 * time.Hour}
	for _, c := range []struct {
		after time.Duration
		value float64
		want  float64
	}{
		{0, 100, 0}, {time.Minute, 150, 50}, {2 * time.Minute, 90, 0}, {12 * time.Hour, 290, 200}, {23 * time.Hour, 300, 210},
		{25 * time.Hour, 300, 10}, {24 * 365 * time.Hour, 1000, 0}, {time.Hour, 2000, 0}, {2 * time.Hour, 2500, 500},
	} {
		if got := w.Growth(start.Add(c.after), c.value); got != c.want {
			t.Errorf("after %v: %v, want %v", c.after, got, c.want)
		}
	}
	for i := range 100_000 {
		w.Growth(start.Add(time.Duration(i)*time.Minute), 1)
	}
	if len(w.samples) > 2*samplesPerWindow {
		t.Errorf("%d samples are kept", len(w.samples))
	}
}

func TestStepper(t *testing.T) {
	var s Stepper
	wall, steady := start, time.Hour
	for i, c := range []struct {
		wall, steady time.Duration
		want         float64
	}{
		{0, 0, 0},
		{time.Minute, time.Minute, 0},
		{time.Minute + 500*time.Millisecond, time.Minute, 0}, // kept right
		{time.Minute + 2*time.Hour, time.Minute, 7200},
		{time.Minute - 90*time.Second, time.Minute, 7200}, // the largest counts
		{25 * time.Hour, 25 * time.Hour, 0},
		{-time.Hour, time.Minute, 3660},
	} {
		wall, steady = wall.Add(c.wall), steady+c.steady
		if got := s.Step(wall, steady); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("step %d: %v, want %v", i, got, c.want)
		}
	}
}

func TestSettingsCheck(t *testing.T) {
	for want, s := range map[string]Settings{
		"":           {Recipients: []string{"Ann <ann@example.com>"}, URL: "https://chat.example.com/hook", Thresholds: map[Kind]Thresholds{Disk: {5000, 1000}}, Off: []Kind{Relay}},
		"recipients": {Recipients: []string{"ann"}},
		"url":        {URL: "http://chat.example.com/"},
		"url is":     {URL: "https://user:secret@chat.example.com/"},
		"secret":     {URL: "https://chat.example.com/", Secret: "short"},
		"authority":  {URL: "https://chat.example.com/", Authority: "none"},
		"off":        {Off: []Kind{"weather"}},
		"name":       {Thresholds: map[Kind]Thresholds{"weather": {1, 2}}},
		"worse":      {Thresholds: map[Kind]Thresholds{Disk: {500, 2000}}},
		"there":      {Thresholds: map[Kind]Thresholds{Recovery: {1, 2}}},
		"positive":   {Thresholds: map[Kind]Thresholds{Queue: {math.NaN(), 2}}},
		"are more":   {Recipients: slices.Repeat([]string{"a@example.com"}, maxRecipients+1)},
	} {
		if err := s.check(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", s, err, want)
		}
	}
}
