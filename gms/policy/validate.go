package policy

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of what objects carry. A member's client keeps all objects of its
// domain in memory and fetches them over slow lines, and [Parse] must be able
// to refuse what an honest server has no reason to send.
const (
	maxGUID        = 96      // bytes; the longest kind has 39
	maxName        = 1024    // bytes; 256 characters of four
	maxURL         = 1024    // bytes
	maxText        = 4 << 10 // bytes of instructions shown to a person
	maxCertificate = 8 << 10 // bytes of DER; ours have less than two thousand

	// maxMillis is the last instant of the year 9999, what time.Time can
	// encode as JSON, in milliseconds since 1970.
	maxMillis = 253402300799999

	// maxPeriod bounds every interval, lest the milliseconds of a peer
	// overflow a time.Duration.
	maxPeriod = 100 * 366 * 24 * time.Hour

	// minInt and maxInt are the range of xs:int, secondsLimit that of one that
	// counts seconds.
	minInt       = math.MinInt32
	maxInt       = math.MaxInt32
	secondsLimit = maxInt * time.Second
)

// FieldError says which value was refused and why, in words for the one who
// entered it.
type FieldError struct {
	Field  string // in the spelling of the JSON form, such as delayLockout.vector
	Reason string // completes the sentence "delayLockout.vector ..."
}

func (e *FieldError) Error() string { return e.Field + " " + e.Reason }

// checker keeps the first failure of a series of checks.
type checker struct{ err *FieldError }

func (c *checker) result() error {
	if c.err == nil {
		return nil // not a nil *FieldError in an error
	}
	return c.err
}

func (c *checker) fail(field, format string, args ...any) {
	if c.err == nil {
		c.err = &FieldError{field, fmt.Sprintf(format, args...)}
	}
}

// nested takes over the result of another Validate, under the name of its field.
func (c *checker) nested(field string, err error) {
	if inner, ok := err.(*FieldError); ok && c.err == nil {
		c.err = &FieldError{field + "." + inner.Field, inner.Reason}
	}
}

// text accepts one line of text that XML can carry.
func (c *checker) text(field, s string, limit int) {
	c.lines(field, s, limit)
	if strings.ContainsFunc(s, breaksLine) {
		c.fail(field, "contains a line break or a tab")
	}
}

// lines accepts text of several lines that XML can carry.
func (c *checker) lines(field, s string, limit int) {
	switch {
	case !utf8.ValidString(s):
		c.fail(field, "is not UTF-8")
	case len(s) > limit:
		c.fail(field, "is longer than %d bytes", limit)
	case strings.ContainsFunc(s, func(r rune) bool {
		// The noncharacters are outside XML's Char production.
		return unicode.IsControl(r) && !breaksLine(r) || r == '\uFFFE' || r == '\uFFFF'
	}):
		c.fail(field, "contains a control character")
	}
}

// breaksLine reports whether r is white space that moves to another line or
// column. Line and paragraph separators are no control characters.
func breaksLine(r rune) bool {
	return r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029'
}

func (c *checker) required(field, s string, limit int) {
	if s == "" {
		c.fail(field, "is missing")
	}
	c.text(field, s, limit)
}

func (c *checker) certificate(field string, der []byte) {
	switch {
	case len(der) == 0:
		c.fail(field, "is missing")
	case len(der) > maxCertificate:
		c.fail(field, "is longer than %d bytes", maxCertificate)
	}
}

func (c *checker) between(field string, n, low, high int) {
	if n < low || n > high {
		c.fail(field, "is not between %d and %d", low, high)
	}
}

// period accepts zero and whole units up to limit.
func (c *checker) period(field string, d, unit, limit time.Duration) {
	switch {
	case d < 0 || d > limit:
		c.fail(field, "is not between 0 and %v", limit)
	case d%unit != 0:
		c.fail(field, "is not a multiple of %v", unit)
	}
}

// words accepts a list of words that is sent as one text.
func (c *checker) words(field string, words []string, limit int) {
	for i, w := range words {
		item := fmt.Sprintf("%s[%d]", field, i)
		c.required(item, w, limit)
		if strings.ContainsFunc(w, dividesWords) {
			c.fail(item, "contains a space or a comma")
		}
	}
}

func dividesWords(r rune) bool { return r == ',' || unicode.IsSpace(r) }

func (c *checker) atMost(field string, n, limit int) {
	if n > limit {
		c.fail(field, "has more than %d entries", limit)
	}
}

// oneOf accepts the values of an enumeration.
func oneOf[T comparable](c *checker, field string, value T, values ...T) {
	if !slices.Contains(values, value) {
		c.fail(field, "is not one of %v", values)
	}
}
