package roster

import (
	"bufio"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"furrow/gms/directory"
)

// WriteOptions say how to write.
type WriteOptions struct {
	Format Format
	// Separator separates the fields of CSV: a comma, semicolon or tab; 0 for a comma.
	Separator rune
}

// ParseSeparator returns the separator with a name: comma, semicolon or tab.
func ParseSeparator(name string) (rune, error) {
	switch name {
	case "", "comma":
		return ',', nil
	case "semicolon":
		return ';', nil
	case "tab":
		return '\t', nil
	}
	return 0, fmt.Errorf("%q is none of comma, semicolon, tab", name)
}

// Export writes the members of a domain, or of one group in it, who are not deleted and not migrated, in order of their
// names.
func Export(w io.Writer, d *directory.Directory, f directory.MemberFilter, o WriteOptions) error {
	paths := map[string]string{}
	var records []Record
	for _, m := range d.Members(f) {
		if m.Status == directory.Deleted || m.Status == directory.Migrated {
			continue
		}
		path, ok := paths[m.Group]
		if !ok {
			path = d.GroupPathOf(m.Group)
			paths[m.Group] = path
		}
		m.Group = path
		record := Record{Values: map[string]Value{GUID: {Text: m.GUID}}}
		for _, attribute := range Attributes()[1:] {
			record.Values[attribute] = Value{Text: *detail(&m.MemberDetails, attribute)}
		}
		records = append(records, record)
	}
	return Write(w, records, o)
}

// Write writes records. A value that the form cannot carry, one with control characters, does not come back the same:
// the directory has none.
func Write(w io.Writer, records []Record, o WriteOptions) error {
	buffered := bufio.NewWriter(w)
	write := writeCSV
	if o.Format == XML {
		write = writeXML
	}
	if err := write(buffered, records, o); err != nil {
		return fmt.Errorf("writing members: %w", err)
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("writing members: %w", err)
	}
	return nil
}

// byteOrderMark tells spreadsheets that the file is UTF-8; without it some take it for the code page of their country.
const byteOrderMark = "\uFEFF"

func writeCSV(w io.Writer, records []Record, o WriteOptions) error {
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return err
	}
	lines := csv.NewWriter(w)
	if o.Separator != 0 {
		lines.Comma = o.Separator
	}
	lines.UseCRLF = true // RFC 4180
	attributes := Attributes()
	if err := lines.Write(attributes); err != nil {
		return err
	}
	fields := make([]string, len(attributes))
	for _, r := range records {
		for i, attribute := range attributes {
			fields[i] = guard(r.Values[attribute].Text)
		}
		if err := lines.Write(fields); err != nil {
			return err
		}
	}
	lines.Flush()
	return lines.Error()
}

func writeXML(w io.Writer, records []Record, _ WriteOptions) error {
	if _, err := fmt.Fprintf(w, "%s<%s>\n", xml.Header, rootElement); err != nil {
		return err
	}
	var text strings.Builder
	for _, r := range records {
		text.Reset()
		fmt.Fprintf(&text, "  <%s>\n", memberElement)
		for _, attribute := range Attributes() {
			fmt.Fprintf(&text, "    <%s>", attribute)
			if err := xml.EscapeText(&text, []byte(r.Values[attribute].Text)); err != nil {
				return err
			}
			fmt.Fprintf(&text, "</%s>\n", attribute)
		}
		fmt.Fprintf(&text, "  </%s>\n", memberElement)
		if _, err := io.WriteString(w, text.String()); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "</%s>\n", rootElement)
	return err
}
