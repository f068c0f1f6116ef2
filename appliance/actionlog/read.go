package actionlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// maxPage bounds the entries of one answer.
const maxPage = 10_000

// Filter selects entries. Empty fields select all.
type Filter struct {
	Since, Until time.Time // from the one on, before the other
	Who          string
	// What is a part of What or Summary, Target one of Target or Name, whatever the letter case.
	What, Target string
	// Before is a sequence: only entries with a lower one, to go on where a page has ended.
	Before uint64
	// Limit is how many entries, the newest; 0 or too many: as many as a page may have.
	Limit int
}

func (f *Filter) selects(e *Entry) bool {
	return (f.Since.IsZero() || !e.Time.Before(f.Since)) && (f.Until.IsZero() || e.Time.Before(f.Until)) &&
		(f.Who == "" || strings.EqualFold(e.Who, f.Who)) && (f.Before == 0 || e.Sequence < f.Before) &&
		(holds(e.What, f.What) || holds(e.Summary, f.What)) && (holds(e.Target, f.Target) || holds(e.Name, f.Target))
}

func holds(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}

// Entries returns what a filter selects, the newest first. Lines that are damaged are left out; see Check.
func (l *Log) Entries(f Filter) ([]Entry, error) {
	if f.Limit <= 0 || f.Limit > maxPage {
		f.Limit = maxPage
	}
	days, err := l.days()
	if err != nil {
		return nil, err
	}
	var found []Entry
	results := map[uint64]line{} // those whose actions are further back
	for _, day := range slices.Backward(days) {
		if !f.Since.IsZero() && day < f.Since.UTC().Add(-dayTolerance).Format(dayLayout) {
			break
		}
		lines, err := l.lines(day)
		if err != nil {
			return nil, err
		}
		for _, text := range slices.Backward(lines) {
			n, err := decode(text)
			switch {
			case err != nil:
			case n.Result != nil:
				results[n.Of] = n
			default:
				e := Entry{Sequence: n.Sequence, Action: *n.Action, Result: Result{Outcome: Unknown}}
				if end, ok := results[n.Sequence]; ok {
					delete(results, n.Sequence)
					e.Result, e.Ended = *end.Result, end.Time
				}
				if f.selects(&e) {
					found = append(found, e)
				}
				if len(found) == f.Limit {
					return found, nil
				}
			}
		}
	}
	return found, nil
}

// dayTolerance is how far a line's time may be from its file's day: a clock that was set back writes on in the file of
// the newest day.
const dayTolerance = 24 * time.Hour

// lines returns the lines of a day, without their ends. A file that is gone has none: retention took it.
func (l *Log) lines(day string) (lines [][]byte, err error) {
	f, err := l.FS.OpenFile(l.path(day), os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the action log: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("reading the action log of %s: %w", day, err)
	}
	whole := text[:bytes.LastIndexByte(text, '\n')+1] // the last line may be being written
	for text := range bytes.Lines(whole) {
		lines = append(lines, bytes.TrimSuffix(text, []byte("\n")))
	}
	return lines, nil
}

// Report is what Check has found.
type Report struct {
	Lines int       `json:"lines"`
	From  string    `json:"from,omitempty"` // the first day
	Until time.Time `json:"until,omitzero"` // time of the last line
	// Damage says where lines were changed, taken out or put in; at most maxDamage times.
	Damage []string `json:"damage"`
}

// maxDamage bounds a report: one break is enough to look for the others by hand.
const maxDamage = 100

// Check reads the whole log and looks whether each line continues the one before.
func (l *Log) Check() (Report, error) {
	report := Report{Damage: []string{}}
	days, err := l.days()
	if err != nil {
		return report, err
	}
	var previous string
	var sequence uint64
	for _, day := range days {
		lines, err := l.lines(day)
		if err != nil {
			return report, err
		}
		for i, text := range lines {
			n, err := decode(text)
			trouble := ""
			switch {
			case err != nil:
				trouble = "is no line of the log"
			case previous == "": // the first there is: what was before is gone with its days, or never was
			case n.Previous != previous:
				trouble = "does not continue the line before it: that was changed, or something is missing or put in between"
			case n.Sequence != sequence+1:
				trouble = fmt.Sprintf("has number %d after %d", n.Sequence, sequence)
			}
			if trouble != "" && len(report.Damage) < maxDamage {
				report.Damage = append(report.Damage, fmt.Sprintf("%s, line %d %s", day+suffix, i+1, trouble))
			}
			if err == nil {
				sequence, report.Until = n.Sequence, n.Time
			}
			if report.Lines == 0 {
				report.From = day
			}
			previous = hashOf(text)
			report.Lines++
		}
	}
	return report, nil
}
