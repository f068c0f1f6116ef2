// Package journal sends the log to the system's journal with its details as fields, by the journal's native protocol
// (systemd.io/JOURNAL_NATIVE_PROTOCOL), so that
//
//	journalctl -u furrow FURROW_MEMBER=9557EB24-5779-4635-BA83-4C4AD001B4F1 -p warning
//
// finds what concerns a member. MESSAGE has the details too: who reads without looking for fields misses nothing.
package journal

import (
	"encoding/binary"
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
	// maxMessage and maxFields bound the message and all fields of a record, in octets, so that it fits into one datagram,
	// which has 208 KiB as Linux comes.
	maxMessage, maxFields = 16 << 10, 96 << 10
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
func Handler(fallback slog.Handler) slog.Handler { return handler(fallback, socket) }

func handler(fallback slog.Handler, path string) slog.Handler {
	to := &sender{path: path}
	return recentlog.Before(fallback, func(r recentlog.Record) bool { return to.send(datagram(r)) == nil })
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

// datagram is a record as the journal takes it.
func datagram(r recentlog.Record) []byte {
	var b []byte
	b = appendField(b, "PRIORITY", strconv.Itoa(int(priority(r.Level))))
	b = appendField(b, "SYSLOG_IDENTIFIER", identifier)
	b = appendField(b, "MESSAGE", message(r))
	left := maxFields
	for _, a := range r.Attributes {
		before := len(b)
		b = appendField(b, fieldName(a.Name), a.Value)
		if left -= len(b) - before; left < 0 {
			return b[:before] // what follows is in the message, as far as that has room
		}
	}
	return b
}

// appendField adds a field: on one line, or, with lines in its value, with its length, 64 bits from the least octet on.
func appendField(b []byte, name, value string) []byte {
	b = append(b, name...)
	if strings.Contains(value, "\n") {
		b = append(b, '\n')
		b = binary.LittleEndian.AppendUint64(b, uint64(len(value)))
	} else {
		b = append(b, '=')
	}
	return append(append(b, value...), '\n')
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
