// Package alert tells people that something is wrong with the box before its users notice, and when it is over.
//
//	Observations    what the box sees of itself, gathered elsewhere   alert.go
//	Rules           thresholds and what to do, one for each kind      rules.go
//	Evaluate        from these two to notices, pure                   evaluate.go
//	Monitor         evaluates each minute, keeps what is raised       monitor.go
//	  letter        a notice as mail                                  letter.go
//	  hooks         a notice as a signed web request                  webhook.go, hookqueue.go
//
// An alert is raised once, repeated daily while it lasts, and cleared with a message. A value has to come back a tenth
// beyond its threshold before an alert is cleared or lowered, and some values have to last: what swings about a
// threshold makes one alert, not many.
//
// What is raised, and the messages that say so, become durable in one transaction; a crash neither loses nor repeats
// one. When nothing can be written, because the disk is full or the state is being recovered, messages are sent past
// the outbox, and what is raised is remembered until the box stops.
package alert

import (
	"fmt"
	"time"
)

// Level is how bad it is. Its text form is its name.
type Level int

// The levels, from good to bad.
const (
	None Level = iota
	Warning
	Critical
)

// String returns the name: none, warning or critical.
func (l Level) String() string {
	switch l {
	case None:
		return "none"
	case Warning:
		return "warning"
	case Critical:
		return "critical"
	}
	return fmt.Sprintf("Level(%d)", int(l))
}

// MarshalText returns the name.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads the name.
func (l *Level) UnmarshalText(text []byte) error {
	for _, known := range []Level{None, Warning, Critical} {
		if known.String() == string(text) {
			*l = known
			return nil
		}
	}
	return fmt.Errorf("%q is no level of an alert", text)
}

// Kind is what an alert is about.
type Kind string

// Reading is what was seen of one thing.
type Reading struct {
	// Subject says which of several, such as a domain; empty where there is one.
	Subject string
	// Value is in the unit of the kind's rule.
	Value float64
	// Detail is more for a person, such as the error or who is concerned.
	Detail string
}

// Observations are the readings of each kind at one time. A kind that is not there could not be looked at, and what is
// raised of it stays; a subject that is not there any more is well.
type Observations map[Kind][]Reading

// State is an alert: raised, or about to be.
type State struct {
	Kind    Kind    `json:"kind"`
	Subject string  `json:"subject,omitempty"`
	Level   Level   `json:"level"` // that was told; None if it is about to be raised
	Value   float64 `json:"value"`
	Detail  string  `json:"detail,omitempty"`
	// Raised is when it was first told, Notified when last.
	Raised   time.Time `json:"raised"`
	Notified time.Time `json:"notified"`

	// next is the level that readings have shown since a time, if that is another.
	next  Level
	since time.Time
}

func (s State) key() string { return string(s.Kind) + "\x00" + s.Subject }

// Event is why people are told.
type Event string

// The events in the life of an alert.
const (
	Raised   Event = "raised"
	Worsened Event = "worsened"
	Eased    Event = "eased"
	Lasting  Event = "lasting"
	Cleared  Event = "cleared"
	// Tested is not about an alert: somebody tries the ways by which people are told.
	Tested Event = "test"
)

// Notice is what people are told of an alert.
type Notice struct {
	Event Event
	Time  time.Time
	State
	Rule Rule
}
