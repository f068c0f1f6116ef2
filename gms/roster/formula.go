package roster

import (
	"strings"

	"furrow/gms/sheet"
)

// cellEnds separate cells. A file may be opened with another separator than it was written with, and then a formula may
// begin within a value.
const cellEnds = ",;\t\n\r"

// begins says whether an apostrophe goes before a cell. One that was in the value gets another, so that both can be told
// apart.
func begins(cell string) bool { return strings.HasPrefix(cell, "'") || sheet.BeginsFormula(cell) }

// guard writes an apostrophe before each part of a value that a spreadsheet could take for a formula.
func guard(value string) string {
	var b strings.Builder
	atStart := true
	for i := range len(value) {
		if atStart && begins(value[i:]) {
			b.WriteByte('\'')
		}
		b.WriteByte(value[i])
		atStart = strings.IndexByte(cellEnds, value[i]) >= 0
	}
	return b.String()
}

// unguard undoes guard. Of what guard did not write it changes only what reads like that.
func unguard(value string) string {
	var b strings.Builder
	atStart := true
	for i := 0; i < len(value); i++ {
		if atStart && value[i] == '\'' && begins(value[i+1:]) {
			i++
		}
		b.WriteByte(value[i])
		atStart = strings.IndexByte(cellEnds, value[i]) >= 0
	}
	return b.String()
}
