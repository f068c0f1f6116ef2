package roster

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// separators are what may separate the fields of a CSV file.
const separators = ",;\t"

// separator is what separates the fields of the first line.
func separator(text []byte) rune {
	first, _, _ := bytes.Cut(bytes.TrimLeft(text, "\r\n"), []byte("\n"))
	best, most := ',', 0
	for _, c := range separators {
		if n := strings.Count(string(first), string(c)); n > most {
			best, most = c, n
		}
	}
	return best
}

func readCSV(text []byte, n names) (File, error) {
	lines := csv.NewReader(bytes.NewReader(text))
	lines.Comma = separator(text)
	lines.FieldsPerRecord = -1 // counted here, for words that help
	lines.ReuseRecord = true
	columns, err := readHeading(lines, n)
	if err != nil {
		return File{}, err
	}
	var f File
	for {
		fields, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return File{}, csvProblem(err)
		}
		if blank(fields) {
			continue
		}
		record, err := readRow(lines, columns, fields)
		if err == nil {
			err = f.add(record)
		} else {
			err = f.keep(err)
		}
		if err != nil {
			return File{}, err
		}
	}
}

// readHeading returns the attribute of each column, "" for one to ignore.
func readHeading(lines *csv.Reader, n names) ([]string, error) {
	fields, err := lines.Read()
	if errors.Is(err, io.EOF) {
		return nil, &Problem{1, "", "the file is empty", "its first line has the names of the columns"}
	}
	if err != nil {
		return nil, csvProblem(err)
	}
	columns := make([]string, len(fields))
	seen := map[string]bool{}
	for i, name := range fields {
		line, _ := lines.FieldPos(i)
		attribute, err := n.find(name, line)
		if err != nil {
			return nil, err
		}
		if attribute != "" && seen[attribute] {
			return nil, &Problem{line, attribute, "there are two columns with this name", "remove one of them"}
		}
		columns[i], seen[attribute] = attribute, true
	}
	return columns, nil
}

func readRow(lines *csv.Reader, columns, fields []string) (Record, error) {
	line, _ := lines.FieldPos(0)
	if len(fields) != len(columns) {
		return Record{}, &Problem{
			line, "", fmt.Sprintf("the line has %d fields and the first line %d", len(fields), len(columns)),
			"put values with a separator in them into quotation marks, and leave missing ones empty",
		}
	}
	record := Record{Line: line, Values: make(map[string]Value, len(fields))}
	for i, attribute := range columns {
		if attribute != "" {
			line, _ := lines.FieldPos(i)
			record.Values[attribute] = Value{unguard(fields[i]), line}
		}
	}
	return record, nil
}

// blank says that a line has nothing in it but separators, as spreadsheets leave them at the end.
func blank(fields []string) bool {
	for _, field := range fields {
		if strings.TrimSpace(field) != "" {
			return false
		}
	}
	return true
}

func csvProblem(err error) error {
	var parse *csv.ParseError
	if !errors.As(err, &parse) {
		return fmt.Errorf("reading the file: %w", err)
	}
	// Behind a quotation mark that is out of place nobody can say where a line ends.
	return &Problem{
		parse.StartLine, "", "a quotation mark is out of place",
		"put the whole value into quotation marks, and write each one in it twice",
	}
}
