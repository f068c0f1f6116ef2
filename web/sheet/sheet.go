// Package sheet writes tables for spreadsheets: CSV as RFC 4180 has it, with the bytes that a spreadsheet needs to see
// UTF-8 in it, and with no cell that a spreadsheet would run as a formula. Members, clients and relays choose many of
// the texts in a table; the administrator opens it.
package sheet

import (
	"encoding/csv"
	"io"
	"strings"
)

// ContentType is that of a sheet over HTTP.
const ContentType = "text/csv; charset=utf-8; header=present"

// byteOrderMark tells a spreadsheet that UTF-8 follows.
const byteOrderMark = "\uFEFF"

// Writer writes a sheet. What it writes is complete after Flush.
type Writer struct{ rows *csv.Writer }

// NewWriter returns a writer of a sheet that has its heading, the names of the columns, already.
func NewWriter(w io.Writer, heading []string) (*Writer, error) {
	rows := csv.NewWriter(w)
	rows.UseCRLF = true
	named := append([]string(nil), heading...)
	named[0] = byteOrderMark + named[0]
	return &Writer{rows}, rows.Write(named)
}

// Row writes a row.
func (w *Writer) Row(cells []string) error {
	plain := make([]string, len(cells))
	for i, c := range cells {
		plain[i] = Plain(c)
	}
	return w.rows.Write(plain)
}

// Flush hands on what is not written yet, and says whether anything went wrong.
func (w *Writer) Flush() error {
	w.rows.Flush()
	return w.rows.Error()
}

// Plain keeps a spreadsheet from taking a text for a formula: an apostrophe in front makes it a text. What begins with
// white space is looked at behind that, because some programs cut it off.
func Plain(s string) string {
	if strings.HasPrefix(s, "\t") || strings.HasPrefix(s, "\r") || strings.HasPrefix(s, "\n") {
		return "'" + s
	}
	trimmed := strings.TrimLeft(s, " \u00A0\u3000")
	if trimmed != "" && strings.ContainsAny(trimmed[:1], "=+-@|%") {
		return "'" + s
	}
	for _, wide := range []string{"＝", "＋", "－", "＠"} { // as East Asian keyboards have them
		if strings.HasPrefix(trimmed, wide) {
			return "'" + s
		}
	}
	return s
}
