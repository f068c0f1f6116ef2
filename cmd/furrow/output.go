package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// printer writes a command's result, for a person or as JSON.
type printer struct {
	w    io.Writer
	json bool
}

// print writes value as JSON when that was asked for, otherwise what text writes.
func (p printer) print(value any, text func(io.Writer) error) error {
	if !p.json {
		return text(p.w)
	}
	encoder := json.NewEncoder(p.w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// table writes rows under a heading, in columns.
func table(w io.Writer, heading []string, rows [][]string) error {
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{heading}, rows...) {
		if _, err := fmt.Fprintln(columns, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	return columns.Flush()
}

// facts writes names and values, one pair a line; a pair without a value is left out.
func facts(w io.Writer, pairs ...[2]string) error {
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, pair := range pairs {
		if pair[1] == "" {
			continue
		}
		if _, err := fmt.Fprintf(columns, "%s\t%s\n", pair[0], pair[1]); err != nil {
			return err
		}
	}
	return columns.Flush()
}

// oneLine is an error as the one line that a script reads.
func oneLine(err error) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "\n", "; ")), " ")
}
