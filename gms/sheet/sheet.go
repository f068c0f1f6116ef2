// Package sheet writes tables for spreadsheets: CSV as RFC 4180 has it, with the bytes that a spreadsheet needs to see
// UTF-8 in it, and with no cell that a spreadsheet would run as a formula. Members, clients and relays choose many of
// the texts in a table; the administrator opens it.
package sheet

import (
	"encoding/csv"
	"io"
	"strings"
	"unicode/utf8"
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

// Plain keeps a spreadsheet from taking a text for a formula: an apostrophe in front makes it a text.
func Plain(s string) string {
	if BeginsFormula(s) {
		return "'" + s
	}
	return s
}

const (
	// starts are what a formula begins with in one spreadsheet or another, also as East Asian keyboards have it.
	starts = "=+-@|%＝＋－＠"
	// breaks in front of a cell make some programs look for a formula behind them, or begin another cell.
	breaks = "\t\r\n"
	// blanks in front of a formula are cut off by some programs.
	blanks = " \u00A0\u3000"
)

// BeginsFormula says whether a spreadsheet may take a cell for a formula.
func BeginsFormula(cell string) bool {
	if cell == "" {
		return false
	}
	if strings.IndexByte(breaks, cell[0]) >= 0 {
		return true
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(cell, blanks))
	return strings.ContainsRune(starts, first)
}
