// Package recentlog keeps the last records of the log in memory, so that a person can read on the box's own pages what
// it has said lately. Whatever collects the log for good, such as the system's journal, goes on having all of it.
//
// A Ring stands before another handler of log/slog and decides nothing: what that one takes is kept and passed on. The
// oldest records go when there are too many of them, or when they have too many octets.
package recentlog

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	// maxRecords and maxOctets are what is kept: some hours of a busy office, and little of the memory of a small box.
	maxRecords = 2000
	maxOctets  = 1 << 20
	// maxText bounds a message and each value; what peers sent may be in them.
	maxText = 4 << 10
	// overhead is about what a record takes beside its texts, in octets.
	overhead = 100
)

// Record is what was logged.
type Record struct {
	// Sequence counts the records since the start, from 1.
	Sequence   uint64      `json:"sequence"`
	Time       time.Time   `json:"time"`
	Level      slog.Level  `json:"level"`
	Message    string      `json:"message"`
	Attributes []Attribute `json:"attributes,omitempty"`
}

// Attribute is a detail of a record. The names of groups are before its name, with dots.
type Attribute struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func (r Record) size() int {
	size := overhead + len(r.Message)
	for _, a := range r.Attributes {
		size += overhead/2 + len(a.Name) + len(a.Value)
	}
	return size
}

// Text is the record on one line, without its time.
func (r Record) Text() string {
	var b strings.Builder
	b.WriteString(r.Level.String() + " " + r.Message)
	for _, a := range r.Attributes {
		b.WriteString(" " + a.Name + "=" + a.Value)
	}
	return strings.ReplaceAll(b.String(), "\n", " ")
}

// Ring keeps the last records that its handlers are given. It is safe for concurrent use.
type Ring struct {
	mu      sync.Mutex
	records []Record // guarded by mu, the oldest first
	octets  int      // guarded by mu
	last    uint64   // guarded by mu: the sequence of the newest
}

// Handler returns a handler that keeps in the ring what next takes, and passes it on.
func (k *Ring) Handler(next slog.Handler) slog.Handler {
	return Before(next, func(r Record) bool {
		k.keep(r)
		return false
	})
}

// Before returns a handler that gives each record that next would take to take first, and passes on those that take says
// it has not dealt with. take is called from many goroutines.
func Before(next slog.Handler, take func(Record) bool) slog.Handler {
	return &handler{take: take, next: next}
}

func (k *Ring) keep(r Record) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last++
	r.Sequence = k.last
	k.records = append(k.records, r)
	k.octets += r.size()
	for len(k.records) > maxRecords || k.octets > maxOctets {
		k.octets -= k.records[0].size()
		k.records = k.records[1:]
	}
}

// Records returns the records that are accepted, the newest first.
func (k *Ring) Records(accept func(Record) bool) []Record {
	k.mu.Lock()
	defer k.mu.Unlock()
	var found []Record
	for i := len(k.records) - 1; i >= 0; i-- {
		if accept(k.records[i]) {
			found = append(found, k.records[i])
		}
	}
	return found
}

// handler makes a Record of what log/slog has.
type handler struct {
	take  func(Record) bool
	next  slog.Handler
	group string      // of the attributes to come, with a dot behind it; empty for none
	given []Attribute // by WithAttrs
}

// Enabled leaves it to the next handler what is logged.
func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle has a record taken, or passes it on.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	kept := Record{Time: r.Time, Level: r.Level, Message: cut(r.Message), Attributes: h.given[:len(h.given):len(h.given)]}
	r.Attrs(func(a slog.Attr) bool {
		kept.Attributes = flatten(kept.Attributes, h.group, a)
		return true
	})
	if h.take(kept) {
		return nil
	}
	return h.next.Handle(ctx, r)
}

// WithAttrs returns a handler whose records have these attributes too.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.next = h.next.WithAttrs(attrs)
	with.given = h.given[:len(h.given):len(h.given)]
	for _, a := range attrs {
		with.given = flatten(with.given, h.group, a)
	}
	return &with
}

// WithGroup returns a handler whose further attributes are in a group.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	in := *h
	in.next, in.group = h.next.WithGroup(name), h.group+name+"."
	return &in
}

// flatten adds an attribute, or those of a group, to a list.
func flatten(list []Attribute, group string, a slog.Attr) []Attribute {
	value := a.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		if a.Key != "" {
			group += a.Key + "."
		}
		for _, inner := range value.Group() {
			list = flatten(list, group, inner)
		}
		return list
	}
	if a.Equal(slog.Attr{}) {
		return list // to be ignored, says slog.Handler
	}
	return append(list, Attribute{group + a.Key, cut(value.String())})
}

// cut bounds a text that somebody else may have written.
func cut(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "�")
	}
	return s
}

// ErrLevel says that a text names no level.
var ErrLevel = errors.New("want debug, info, warn or error")

// ParseLevel reads the name of a level; the empty name is the lowest.
func ParseLevel(name string) (level slog.Level, err error) {
	if name == "" {
		return slog.LevelDebug, nil
	}
	if err := level.UnmarshalText([]byte(name)); err != nil {
		return 0, ErrLevel
	}
	return level, nil
}
