package policy

import (
	"strings"
	"unicode"
)

// Card is what a member's vCard says; what is not known is empty.
type Card struct {
	FullName     string
	FirstName    string
	LastName     string
	Email        string
	Title        string
	Organization string
	Street1      string
	Street2      string
	City         string
	State        string
	PostalCode   string
	Country      string
	Phone        string
	Cell         string
	Fax          string
}

// VCard returns the vCard 2.1 of MS-GRVSPCM 3.2.5.1.4, in UTF-8, its lines
// ended by CRLF. It has every line of the form there in the order given there,
// with the space after "FN:" and "N:", and a line without a value where nothing
// is known.
//
// Values stay on their line: whatever breaks lines, and every control
// character, becomes a space. In N, ORG and ADR, which vCard 2.1 divides at
// semicolons, those of a value are escaped with a backslash; the parts that
// 3.2.5.1.4 joins with commas have no escape, neither there nor in vCard 2.1.
// The address of a member without one is empty, not five commas.
func (c Card) VCard() []byte {
	var b strings.Builder
	line := func(property, value string) { b.WriteString(property + ":" + value + "\r\n") }
	line("BEGIN", "VCARD")
	line("VERSION", "2.1")
	line("CS", "UTF-8")
	line("FN", " "+oneLine(c.FullName))
	line("N", " "+structured(c.name()))
	line("EMAIL;PREF;INTERNET", oneLine(c.Email))
	line("TITLE", oneLine(c.Title))
	line("ORG", structured(c.Organization))
	line("ADR;POSTAL;WORK", structured(c.address()))
	line("TEL;WORK;VOICE", oneLine(c.Phone))
	line("TEL;PAGER", oneLine(c.Cell))
	line("TEL;WORK;FAX", oneLine(c.Fax))
	line("END", "VCARD")
	return []byte(b.String())
}

// name joins first and last name with a comma; where one is missing, the other
// stands alone.
func (c Card) name() string {
	if c.FirstName == "" || c.LastName == "" {
		return c.FirstName + c.LastName
	}
	return c.FirstName + "," + c.LastName
}

func (c Card) address() string {
	address := strings.Join([]string{c.Street1, c.Street2, c.City, c.State, c.PostalCode, c.Country}, ",")
	if strings.Trim(address, ",") == "" {
		return ""
	}
	return address
}

func structured(s string) string { return strings.ReplaceAll(oneLine(s), ";", `\;`) }

// oneLine makes s one line of UTF-8.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || breaksLine(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.TrimSpace(s)
}
