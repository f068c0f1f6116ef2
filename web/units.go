package web

import (
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"
)

// number writes a whole number with the language's separator of thousands.
func (w *words) number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "−", digits[1:]
	}
	separator := ","
	if w.tag == language.German {
		separator = "."
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + separator + digits[i:]
	}
	return sign + digits
}

// Number is number for templates, of any whole number.
func (w *words) Number(n any) string { return w.number(whole(n)) }

// whole is a whole number of one of the types that the interface has.
func whole(n any) int64 {
	switch n := n.(type) {
	case int:
		return int64(n)
	case int64:
		return n
	case uint64:
		return int64(min(n, math.MaxInt64))
	}
	return 0
}

// Size writes a number of octets as a person says it, such as 1.4 GB; units are powers of 1,000.
func (w *words) Size(n any) string {
	octets := whole(n)
	units := []string{"kB", "MB", "GB", "TB", "PB"}
	if octets < 1000 {
		return w.number(octets) + " B"
	}
	value, unit := float64(octets)/1000, 0
	for value >= 999.5 && unit < len(units)-1 {
		value, unit = value/1000, unit+1
	}
	decimals := 0
	if value < 9.95 {
		decimals = 1
	}
	text := strconv.FormatFloat(value, 'f', decimals, 64)
	if w.tag == language.German {
		text = strings.Replace(text, ".", ",", 1)
	}
	return text + " " + units[unit]
}

// Decimal writes a number with one digit behind the point, if that says something.
func (w *words) Decimal(f float64) string {
	if rounded := math.Round(f); math.Abs(f) >= 10 || math.Abs(f-rounded) < 0.05 {
		return w.number(int64(rounded))
	}
	text := strconv.FormatFloat(f, 'f', 1, 64)
	if w.tag == language.German {
		text = strings.Replace(text, ".", ",", 1)
	}
	return text
}

// Duration writes a time span by its largest unit, such as 3 days.
func (w *words) Duration(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return w.T("unit.days", "n", int(d/(24*time.Hour)))
	case d >= 2*time.Hour:
		return w.T("unit.hours", "n", int(d/time.Hour))
	case d >= 2*time.Minute:
		return w.T("unit.minutes", "n", int(d/time.Minute))
	}
	return w.T("unit.seconds", "n", int(max(d, 0)/time.Second))
}

// When writes a point in time. It is in UTC and says so; the pages' script puts it into the reader's zone.
func (w *words) When(t time.Time) template.HTML {
	if t.IsZero() {
		return template.HTML(template.HTMLEscapeString(w.T("unit.never")))
	}
	t = t.UTC()
	return template.HTML(`<time datetime="` + t.Format(time.RFC3339) + `">` + t.Format("2006-01-02 15:04 UTC") + `</time>`)
}
