package audit

import (
	"iter"
	"slices"
	"strings"
	"time"

	"furrow/appliance/state"
	"furrow/gms/auditlog"
)

// Event is an entry of an audit log, and where it comes from.
type Event struct {
	Log   Log
	Index int // in its log, from 0
	Kind  auditlog.Kind
	// Time is by the device's clock.
	Time       time.Time
	Type, Text string
	// Body is the plaintext; nil if it could not be decrypted: then Sealed is
	// the element.
	Body, Sealed []byte
}

// Filter selects events. Empty fields select all.
type Filter struct {
	Domain string // GUID
	Member string // GUID
	Device string // GUID, or host name in any letter case
	// From and To bound the time of the event: not before From, before To.
	From, To time.Time
	// Type is that of the event, in any letter case; Text a part of its text.
	Type, Text string
	// Newest begins with the logs that came last, and in each with its end.
	Newest bool
}

// Events returns the events that a filter selects, in the order in which their
// logs came. A log that cannot be read yields an error, and the search goes on.
func (a *Archive) Events(f Filter) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		logs := a.Logs()
		if f.Newest {
			slices.Reverse(logs)
		}
		f.Type, f.Text = fold(f.Type), fold(f.Text)
		for _, l := range logs {
			if !f.admits(&l) {
				continue
			}
			for e, err := range a.eventsOf(l, f.Newest) {
				if err == nil && !f.selects(&e) {
					continue
				}
				if !yield(e, err) {
					return
				}
			}
		}
	}
}

// eventsOf returns the events of one log.
func (a *Archive) eventsOf(l Log, newest bool) iter.Seq2[Event, error] {
	inOrder := func(yield func(Event, error) bool) {
		index := 0
		for e, err := range a.entries(l.Blob) {
			event := Event{
				Log: l, Index: index, Kind: e.Kind, Time: e.Time, Type: e.Type, Text: e.Text, Body: e.Body, Sealed: e.Sealed,
			}
			if !yield(event, err) {
				return
			}
			index++
		}
	}
	if !newest {
		return inOrder
	}
	return func(yield func(Event, error) bool) {
		var events []Event
		for e, err := range inOrder {
			if err != nil {
				yield(Event{}, err)
				return
			}
			events = append(events, e)
		}
		for _, e := range slices.Backward(events) {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// admits reports whether a log may have events that are selected.
func (f *Filter) admits(l *Log) bool {
	return (f.Domain == "" || f.Domain == l.Domain) &&
		(f.Member == "" || f.Member == l.Member) &&
		(f.Device == "" || f.Device == l.Device || fold(f.Device) == fold(l.DeviceName)) &&
		(f.From.IsZero() || !l.To.Before(f.From)) &&
		(f.To.IsZero() || l.From.Before(f.To))
}

// selects reports whether an event of an admitted log is selected. Type and
// Text are folded.
func (f *Filter) selects(e *Event) bool {
	return (f.From.IsZero() || !e.Time.Before(f.From)) &&
		(f.To.IsZero() || e.Time.Before(f.To)) &&
		(f.Type == "" || f.Type == fold(e.Type)) &&
		(f.Text == "" || strings.Contains(fold(e.Text), f.Text))
}

// fold gives texts that differ only in letter case one form.
func fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }

// inDomain returns the rows of a domain, or of all domains if it is empty, of a
// table whose keys begin with the domain.
func inDomain[R any](t *state.Table[R], r state.Reader, domain string) iter.Seq[R] {
	if domain == "" {
		return t.All(r)
	}
	return t.Range(r, joinKey(domain, ""), domain+"\x01")
}
