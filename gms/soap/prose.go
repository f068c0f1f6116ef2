package soap

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Prose returns a required text of several lines and at most limit bytes, such
// as the body of a mail. Control characters other than tab and line ends are
// refused.
func (a *Attributes) Prose(name string, limit int) string {
	v, ok := a.required([]string{name})
	switch {
	case !ok:
		return ""
	case len(v) > limit:
		a.fail(name, fmt.Errorf("%d bytes", len(v)))
		return ""
	case strings.ContainsFunc(v, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\t\r\n", r) }):
		a.fail(name, errors.New("control character"))
		return ""
	}
	return v
}
