// Package journal sends the log to the system's journal with its details as fields, by the journal's native protocol
// (systemd.io/JOURNAL_NATIVE_PROTOCOL), so that
//
//	journalctl -u furrow FURROW_MEMBER=9557EB24-5779-4635-BA83-4C4AD001B4F1 -p warning
//
// finds what concerns a member. MESSAGE has the details too: who reads without looking for fields misses nothing.
package journal

import (
	"log/slog"
	"strconv"
	"strings"

	"github.com/coreos/go-systemd/v22/journal"

	"furrow/appliance/recentlog"
)

const (
	// prefix keeps our fields apart from those that the journal and others give a meaning to.
	prefix = "FURROW_"
	// maxName bounds the name of a field, in octets: the journal drops those that are longer.
	maxName = 64
	// maxMessage and maxValues bound the message and all fields of a record, in octets, so that it fits into one datagram,
	// which has 208 KiB as Linux comes.
	maxMessage, maxValues = 16 << 10, 96 << 10
	// identifier is what the journal shows before the message.
	identifier = "furrow"
)

// Connected reports whether standard error goes to the journal, as $JOURNAL_STREAM says (systemd.exec(5)). A program that
// this one starts, with another standard error, has the variable too.
func Connected() bool {
	connected, err := journal.StderrIsJournalStream()
	return connected && err == nil // what is no number is not from systemd
}

// Handler returns a handler that sends to the journal what fallback would take, and has fallback take what the journal
// does not.
func Handler(fallback slog.Handler) slog.Handler {
	return handler(fallback, journal.Send)
}

func handler(fallback slog.Handler, send func(string, journal.Priority, map[string]string) error) slog.Handler {
	return recentlog.Before(fallback, func(r recentlog.Record) bool {
		return send(message(r), priority(r.Level), fields(r)) == nil
	})
}

// priority is a level as syslog(3) has it.
func priority(level slog.Level) journal.Priority {
	switch {
	case level >= slog.LevelError:
		return journal.PriErr
	case level >= slog.LevelWarn:
		return journal.PriWarning
	case level >= slog.LevelInfo:
		return journal.PriInfo
	default:
		return journal.PriDebug
	}
}

// message is a record on one line.
func message(r recentlog.Record) string {
	var b strings.Builder
	b.WriteString(readable(r.Message, false))
	for _, a := range r.Attributes {
		b.WriteString(" " + a.Name + "=" + readable(a.Value, true))
	}
	if b.Len() > maxMessage {
		return strings.ToValidUTF8(b.String()[:maxMessage], "") + "…"
	}
	return b.String()
}

// readable is a text in quotes if it would not be read as one word, or as one line, without.
func readable(text string, word bool) string {
	special := func(c rune) bool { return !strconv.IsPrint(c) || word && (c == ' ' || c == '"' || c == '=') }
	if text == "" && word || strings.ContainsFunc(text, special) {
		return strconv.Quote(text)
	}
	return text
}

// fields are the attributes of a record. Values of the same name are lines of one field.
func fields(r recentlog.Record) map[string]string {
	fields := map[string]string{"SYSLOG_IDENTIFIER": identifier}
	left := maxValues
	for _, a := range r.Attributes {
		name := fieldName(a.Name)
		if left -= len(name) + len(a.Value) + 1; left < 0 {
			break // what follows is in the message, as far as that has room
		}
		if value, there := fields[name]; there {
			fields[name] = value + "\n" + a.Value
		} else {
			fields[name] = a.Value
		}
	}
	return fields
}

// fieldName is an attribute's name as the journal takes it: of capital letters, digits and underscores.
func fieldName(name string) string {
	name = prefix + strings.Map(func(c rune) rune {
		switch {
		case 'a' <= c && c <= 'z':
			return c - 'a' + 'A'
		case 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
			return c
		}
		return '_'
	}, name)
	return name[:min(len(name), maxName)]
}
