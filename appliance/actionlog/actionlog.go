// Package actionlog keeps who has changed what on the box, and when: one file of JSON lines a day in a folder of its own,
// apart from the state, to which lines are only added.
//
// # What a crash can do
//
// Begin writes what is about to be done, and End what came of it; both return when their line is on the disk. A change
// begins after the first and is confirmed after the second. So no change is without its line: after a crash between the
// two a line is left that nothing ends, and it is shown with the outcome "unknown". Only who asks the state itself can
// say whether that change was made. A line torn by a crash was never confirmed; Open takes it away.
//
// # What the chain proves
//
// Each line holds the SHA-256 of the line before it, across the files. Check finds every line that was changed, put in
// or taken out in the middle. It cannot prove that nothing is missing at the beginning, where retention takes the
// oldest days away, nor at the end if that was cut off while the box did not run; lines cut off while it runs are
// noticed with the next one. Whoever can write the files and takes the time to make the chain anew after a change leaves
// no trace: copy the files elsewhere, daily, if that is to be proven.
package actionlog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrFailed says that the log cannot be trusted with more until the box starts again: a flush failed.
var ErrFailed = errors.New("the action log cannot be written; see the box's log, and restart it when the disk is well")

// ErrInvalid is wrapped by refusals of settings, whose text is for a person.
var ErrInvalid = errors.New("invalid")

// Outcome is what came of an action.
type Outcome string

// The outcomes.
const (
	Done      Outcome = "done"
	Refused   Outcome = "refused"
	Forbidden Outcome = "forbidden" // the role was not enough; it was not tried
	Aborted   Outcome = "aborted"   // while the answer was sent
	Unknown   Outcome = "unknown"   // the box stopped meanwhile, or is at it
)

// Change is a value that an action has changed, as JSON; null for one that was not or is not there.
type Change struct {
	Field  string          `json:"field"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

// Action is what somebody did.
type Action struct {
	Time time.Time `json:"time"`
	// Who did it: an administrator's name or that of a user of the operating system; Role is that at the time, Origin the
	// way in and Address the network address.
	Who     string `json:"who"`
	Role    string `json:"role,omitempty"`
	Origin  string `json:"origin,omitempty"`
	Address string `json:"address,omitempty"`
	// What was done, as a program knows it, such as "DELETE /v1/members/{guid}", and Summary for a person.
	What    string `json:"what"`
	Summary string `json:"summary,omitempty"`
	// Target is what it was done to.
	Target string `json:"target,omitempty"`
	// Asked is what was said along with it, as JSON without secrets.
	Asked json.RawMessage `json:"asked,omitempty"`
}

// Result is what came of an action.
type Result struct {
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason,omitempty"` // of a refusal
	// Name is what a person calls the thing that was changed or made.
	Name    string   `json:"name,omitempty"`
	Changes []Change `json:"changes,omitempty"`
}

// Entry is an action with its result.
type Entry struct {
	// Sequence is the number of the action's line, which rises and never comes again.
	Sequence uint64 `json:"sequence"`
	Action
	Result
	Ended time.Time `json:"ended,omitzero"`
}

// line is a line of a file: an action, or the result of one.
type line struct {
	Sequence uint64    `json:"sequence"`
	Previous string    `json:"previous"`     // SHA-256 of the line before, in hexadecimal digits
	Of       uint64    `json:"of,omitempty"` // the sequence of the action that this is the result of
	Time     time.Time `json:"time"`         // of this line
	Action   *Action   `json:"action,omitempty"`
	Result   *Result   `json:"result,omitempty"`
}

const (
	// maxLine bounds a line, in octets: a caller has bounded what it puts in.
	maxLine = 256 << 10
	// suffix ends the names of files, which begin with their day in UTC.
	suffix = ".jsonl"
	// dayLayout is the form of a day.
	dayLayout = time.DateOnly
)

func hashOf(text []byte) string {
	h := sha256.Sum256(text)
	return hex.EncodeToString(h[:])
}

// encode returns the line with its end.
func (l *line) encode() ([]byte, error) {
	text, err := json.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("encoding a line of the action log: %w", err)
	}
	if len(text) >= maxLine {
		return nil, fmt.Errorf("%w: an action of %d octets is too long for the log", ErrInvalid, len(text))
	}
	return append(text, '\n'), nil
}

// decode reads a line without its end.
func decode(text []byte) (l line, err error) {
	if len(text) > maxLine {
		return l, fmt.Errorf("a line of %d octets", len(text))
	}
	if err := json.Unmarshal(text, &l); err != nil {
		return l, err
	}
	if l.Sequence == 0 || (l.Action == nil) == (l.Result == nil) || (l.Result != nil) != (l.Of != 0) {
		return l, errors.New("no line of an action log")
	}
	return l, nil
}
