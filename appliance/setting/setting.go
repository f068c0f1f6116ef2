// Package setting says which of several settings a refusal is about, so that a form can show it where it was typed.
package setting

import "fmt"

// Error is a refusal of one setting. It wraps Kind, the error by which callers tell refusals apart; its text is for a
// person.
type Error struct {
	Kind    error
	Field   string // the setting's name, as the administration interface has it
	Problem string // what is wrong, to be read after the name
}

// Refuse refuses the setting of a name.
func Refuse(kind error, field, format string, args ...any) error {
	return &Error{kind, field, fmt.Sprintf(format, args...)}
}

// Error returns kind, setting and problem.
func (e *Error) Error() string { return fmt.Sprintf("%v: %s %s", e.Kind, e.Field, e.Problem) }

// Unwrap returns Kind.
func (e *Error) Unwrap() error { return e.Kind }
