package host

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func plainPage(address string) string { return "https://" + address }

// TestConsole types lines at the menu and looks at what comes of them.
func TestConsole(t *testing.T) {
	var done []string
	console := Console{
		Version: "1.2", Every: time.Hour, Page: plainPage,
		State: func(context.Context) string { return "ready, serving http://box" },
		Choices: []Choice{
			{Key: "r", Text: "Restart", Do: func(context.Context) (string, error) { done = append(done, "restart"); return "under way", nil }},
			{Key: "p", Text: "Power off", Do: func(context.Context) (string, error) { return "", errors.New("not allowed") }},
			{Key: "f", Text: "Factory reset", Confirm: "ERASE", Do: func(context.Context) (string, error) { done = append(done, "reset"); return "under way", nil }},
		},
	}
	for _, test := range []struct {
		name, typed string
		shown       []string
		done        string
	}{
		{"nothing", "", []string{"Furrow 1.2", "State      ready, serving http://box", "[f] Factory reset"}, ""},
		{"a choice", "R\n", []string{"Restart: under way"}, "restart"},
		{"one that fails", "p\n", []string{"Power off: not allowed"}, ""},
		{"none of the menu", "x\n", nil, ""},
		{"not confirmed", "f\nerase\n", []string{"type ERASE to confirm", "Nothing was done."}, ""},
		{"an answer to no question", "ERASE\n", nil, ""},
		{"confirmed", "f\nERASE\n", []string{"Factory reset: under way"}, "reset"},
		{"a long line", strings.Repeat("f", 2*maxTyped) + "\n", nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			done = nil
			var out strings.Builder
			if err := console.Run(t.Context(), strings.NewReader(test.typed), &out); err != nil {
				t.Fatal(err)
			}
			for _, want := range test.shown {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is not in %q", want, out.String())
				}
			}
			if got := strings.Join(done, ","); got != test.done {
				t.Errorf("done: %q, want %q", got, test.done)
			}
		})
	}
}

// TestConsoleEnds has nobody typing.
func TestConsoleEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	in, keyboard := io.Pipe()
	t.Cleanup(func() { keyboard.Close() })
	console := Console{Every: time.Hour, Page: plainPage, State: func(context.Context) string {
		cancel()
		return "stopping"
	}}
	if err := console.Run(ctx, in, io.Discard); err != nil {
		t.Fatal(err)
	}
}

// TestConsoleOffers has a choice in the menu only while it is offered, and the screen end after it.
func TestConsoleOffers(t *testing.T) {
	open, shells := false, 0
	console := Console{
		Page:  plainPage,
		Every: time.Hour, State: func(context.Context) string { return "ready" },
		Choices: []Choice{
			{Key: "o", Text: "Open", Do: func(context.Context) (string, error) { open = true; return "done", nil }},
			{Key: "s", Text: "Shell", Ends: true, Offered: func() bool { return open }, Do: func(context.Context) (string, error) {
				shells++
				return "ended", nil
			}},
		},
	}
	for typed, want := range map[string]int{"s\n": 0, "o\ns\ns\n": 1} {
		open, shells = false, 0
		var out strings.Builder
		if err := console.Run(t.Context(), strings.NewReader(typed), &out); err != nil {
			t.Fatal(err)
		}
		if shells != want || strings.Contains(out.String(), "[s] Shell") != open {
			t.Errorf("%q: %d shells\n%s", typed, shells, out.String())
		}
	}
}
