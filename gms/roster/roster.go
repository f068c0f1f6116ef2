// Package roster is members in bulk: files of them, in CSV and in XML, read into a domain and written from it.
//
// # The file
//
// A file says of each member some of the attributes that Attributes returns. An attribute that a line does not have is
// left as it is in an update; one that it has empty is emptied. MS-GRVPROT and MS-GRVSPCM know no such file, so its two
// forms are this package's own.
//
// CSV (RFC 4180) has the names of the attributes in its first line, in any order and letter case, with or without spaces,
// hyphens and underscores in them: fullName, Full Name and FULL_NAME are the same. Commas, semicolons, as German
// spreadsheets write, and tabs separate; the first line shows which. A value that a spreadsheet would take for a formula is
// written with an apostrophe before it, which reading takes away (see formula.go).
//
//	fullName,email,login,group
//	Ann Smith,ann@example.com,ann,Sales/North
//
// XML has an element for each member, and in it one for each attribute, with text and nothing else:
//
//	<members>
//	  <member>
//	    <fullName>Ann Smith</fullName>
//	    <email>ann@example.com</email>
//	  </member>
//	</members>
//
// Both are UTF-8, with or without a byte order mark, or UTF-16 with one. There is no document type and so no entities but
// XML's own five.
//
// # Three steps
//
// Read makes Records of a file without knowing any member. Import makes changes of records, in one transaction: what is
// wrong with a line is found by the directory itself, which refuses it, so that no rule is here a second time; a dry run
// is the same transaction, taken back. Write makes a file of members that Read reads to the same records.
package roster

import (
	"fmt"
	"strings"

	"furrow/gms/directory"
)

const (
	// MaxMembers bounds the members in a file: twice the largest domain, and what the outbox holds of mail to them.
	MaxMembers = 20_000
	// MaxBytes bounds a file, in octets: 800 a member, and real ones have 200.
	MaxBytes = 16 << 20
)

// Attributes of a member in files. The names are those of the administration interface.
const (
	GUID         = "guid"
	FullName     = "fullName"
	Email        = "email"
	FirstName    = "firstName"
	LastName     = "lastName"
	Login        = "login"
	Organization = "organization"
	Title        = "title"
	Street1      = "street1"
	Street2      = "street2"
	City         = "city"
	State        = "state"
	PostalCode   = "postalCode"
	Country      = "country"
	Phone        = "phone"
	Cell         = "cell"
	Fax          = "fax"
	Group        = "group"    // path or GUID
	Policy       = "policy"   // GUID of the identity policy template assigned to the member itself
	RelaySet     = "relaySet" // GUID of the relay set assigned to the member itself
)

// Attributes returns the names of all attributes, in the order in which files are written.
func Attributes() []string {
	return []string{
		GUID, FullName, Email, FirstName, LastName, Login, Organization, Title, Street1, Street2, City, State, PostalCode,
		Country, Phone, Cell, Fax, Group, Policy, RelaySet,
	}
}

// detail is where an attribute is in the details of a member; nil for the GUID.
func detail(m *directory.MemberDetails, attribute string) *string {
	switch attribute {
	case FullName:
		return &m.FullName
	case Email:
		return &m.Email
	case FirstName:
		return &m.FirstName
	case LastName:
		return &m.LastName
	case Login:
		return &m.RemoteUser
	case Organization:
		return &m.Organization
	case Title:
		return &m.Title
	case Street1:
		return &m.Street1
	case Street2:
		return &m.Street2
	case City:
		return &m.City
	case State:
		return &m.State
	case PostalCode:
		return &m.PostalCode
	case Country:
		return &m.Country
	case Phone:
		return &m.Phone
	case Cell:
		return &m.Cell
	case Fax:
		return &m.Fax
	case Group:
		return &m.Group
	case Policy:
		return &m.IdentityTemplate
	case RelaySet:
		return &m.RelaySet
	}
	return nil
}

// Record is what a file says of one member.
type Record struct {
	Line   int // where it begins, from 1
	Values map[string]Value
}

// Value is an attribute in a file.
type Value struct {
	Text string
	Line int
}

// text is a value without the space around it, as the directory takes it; empty if there is none.
func (r Record) text(attribute string) string { return strings.TrimSpace(r.Values[attribute].Text) }

// Problem is something in a file that does not work, in words for the one who made it.
type Problem struct {
	Line int `json:"line"` // from 1
	// Attribute, or column, that it is about; empty for the whole line.
	Attribute string `json:"attribute,omitempty"`
	What      string `json:"what"`
	Mend      string `json:"mend"`
}

// Error returns it in one line. A Problem is an error when nothing of the file can be used.
func (p *Problem) Error() string {
	where := fmt.Sprintf("line %d", p.Line)
	if p.Attribute != "" {
		where += ", " + p.Attribute
	}
	return where + ": " + p.What + "; " + p.Mend
}

// Format is the form of a file.
type Format string

// The forms.
const (
	CSV Format = "csv"
	XML Format = "xml"
)

// ParseFormat returns the format with this name.
func ParseFormat(name string) (Format, error) {
	switch f := Format(strings.ToLower(name)); f {
	case CSV, XML:
		return f, nil
	}
	return "", fmt.Errorf("%q is neither csv nor xml", name)
}
