package sstp

import (
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
)

// headSize bounds the octets a ParseError keeps: enough to show the fields of a
// command up to its first URLs, little enough to be one line of a log.
const headSize = 64

var (
	errUnknownCommand = errors.New("unknown CommandId")
	errWrongLength    = errors.New("CommandLength is not the command's")
)

// ParseError says that octets of a peer are no command, or no token, as this
// project understands them. Its text holds nothing of the octets; Diagnostic
// does, for the switch that logs them, so that one run with an original client
// shows what to correct in profile.go.
type ParseError struct {
	What   string // the command or token, by name
	Length int    // octets that were to be parsed; for a header, that had arrived
	Offset int    // where in them the field begins that does not fit
	Head   []byte // a copy of the first octets, at most 64
	Err    error  // why it does not fit
}

// NewParseError describes why octets, which hold what, do not parse at offset.
func NewParseError(what string, octets []byte, offset int, err error) *ParseError {
	return &ParseError{
		What:   what,
		Length: len(octets),
		Offset: offset,
		Head:   append([]byte(nil), octets[:min(len(octets), headSize)]...),
		Err:    err,
	}
}

func newCommandError(octets []byte, offset int, err error) *ParseError {
	what := "command"
	if len(octets) > 0 {
		what = CommandID(octets[0]).String()
	}
	return NewParseError(what, octets, offset, err)
}

// Error tells what was wrong and where, without showing octets.
func (e *ParseError) Error() string {
	return fmt.Sprintf("sstp: parsing %s of %d octets at offset %d: %v", e.What, e.Length, e.Offset, e.Err)
}

// Unwrap returns Err.
func (e *ParseError) Unwrap() error { return e.Err }

// Diagnostic returns everything for a diagnostic log, the octets in hexadecimal.
func (e *ParseError) Diagnostic() slog.Value {
	return slog.GroupValue(
		slog.String("what", e.What),
		slog.Int("length", e.Length),
		slog.Int("offset", e.Offset),
		slog.String("head", hex.EncodeToString(e.Head)),
		slog.String("problem", e.Err.Error()),
	)
}
