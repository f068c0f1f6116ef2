package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// redraw is how often a bar is drawn at most.
	redraw = 100 * time.Millisecond
	// barWidth is the width of a bar in characters.
	barWidth = 30
	// longTransfer is from where on lines tell of progress where there is no
	// terminal for a bar.
	longTransfer = 8 << 20
)

// transfer shows how far a file has come: as a bar on a terminal, otherwise in a
// line for each tenth of a long one.
type transfer struct {
	w        io.Writer
	terminal bool
	what     string
	total    int64

	drawn time.Time
	tenth int64
}

// transfer begins to show one; nothing for a script that reads JSON.
func (s *session) transfer(what string, total int64) *transfer {
	t := &transfer{w: s.out.w, what: what, total: total}
	if f, ok := s.out.w.(*os.File); ok {
		_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
		t.terminal = err == nil
	}
	if s.out.json {
		t.w, t.terminal = io.Discard, false
	}
	return t
}

// update shows that done octets have been transferred; fewer than before if the
// transfer has begun again.
func (t *transfer) update(done int64) {
	tenth := int64(10)
	if t.total > 0 {
		tenth = min(done*10/t.total, 10)
	}
	switch {
	case t.terminal:
		if now := time.Now(); now.Sub(t.drawn) >= redraw || tenth == 10 {
			t.drawn = now
			filled := int(tenth) * barWidth / 10
			if t.total > 0 {
				filled = int(min(done, t.total) * barWidth / t.total)
			}
			fmt.Fprintf(t.w, "\r%s [%s%s] %s of %s\x1b[K", t.what,
				strings.Repeat("#", filled), strings.Repeat(".", barWidth-filled), octets(done), octets(t.total))
		}
	case t.total >= longTransfer && tenth != t.tenth:
		fmt.Fprintf(t.w, "%s: %d%% of %s\n", t.what, tenth*10, octets(t.total))
	}
	t.tenth = tenth
}

// end leaves the bar, so that something else can be told. An update begins a new
// one.
func (t *transfer) end() {
	if t.terminal && !t.drawn.IsZero() {
		fmt.Fprintln(t.w)
		t.drawn = time.Time{}
	}
}

// octets is a number of octets for a person.
func octets(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, prefix := float64(n)/unit, 0
	for value >= unit {
		value /= unit
		prefix++
	}
	return fmt.Sprintf("%.1f %ciB", value, "KMGTPE"[prefix])
}
