package roster

import "strings"

const (
	// formulaStarts begin a formula in one spreadsheet or another. The apostrophe, which keeps them from it, is among them
	// so that it can be told from one that was in the value.
	formulaStarts = "=+-@'\t\r"
	// cellEnds separate cells. A file may be opened with another separator than it was written with, and then a formula may
	// begin within a value.
	cellEnds = ",;\t\n\r"
)

// guard writes an apostrophe before each character of a value with which a formula could begin.
func guard(value string) string {
	if !strings.ContainsAny(value, formulaStarts) {
		return value
	}
	var b strings.Builder
	atStart := true
	for i := range len(value) {
		if atStart && strings.IndexByte(formulaStarts, value[i]) >= 0 {
			b.WriteByte('\'')
		}
		b.WriteByte(value[i])
		atStart = strings.IndexByte(cellEnds, value[i]) >= 0
	}
	return b.String()
}

// unguard undoes guard. Of what guard did not write it changes only what reads like that.
func unguard(value string) string {
	if !strings.Contains(value, "'") {
		return value
	}
	var b strings.Builder
	atStart := true
	for i := 0; i < len(value); i++ {
		if atStart && value[i] == '\'' && i+1 < len(value) && strings.IndexByte(formulaStarts, value[i+1]) >= 0 {
			i++
		}
		b.WriteByte(value[i])
		atStart = strings.IndexByte(cellEnds, value[i]) >= 0
	}
	return b.String()
}
