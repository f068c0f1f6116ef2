package spcm

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"furrow/gms/soap"
)

// MaxContacts is the greatest number of contacts in one answer (MS-GRVSPCM
// 3.2.5.5.2).
const MaxContacts = 50

// ContactSearch looks a text up in the domain's contact directory (MS-GRVSPCM
// 2.2.3.17.1).
//
//	<ContactSearch Query="base64"/>
type ContactSearch struct {
	Query string // "" for anybody
}

// Encode returns the payload, the query in UTF-8 (reading B6).
func (m *ContactSearch) Encode() []byte {
	return soap.Canonical(soap.NewElement("ContactSearch",
		soap.Attr{Name: "Query", Value: soap.EncodeBase64([]byte(m.Query))}))
}

// DecodeContactSearch reads the payload. The query is "any Unicode string" of
// type base64Binary, in an encoding that the section does not give: UTF-8 and
// UTF-16LE are accepted, and the bare text (reading B6), in this order. Text has
// no control characters, by which UTF-16LE is nearly always told apart.
func DecodeContactSearch(payload []byte) (*ContactSearch, error) {
	e, err := soap.ParsePayload(payload, shortRequest, "ContactSearch")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	query := queryOf(a.Prose("Query", 2*soap.MaxTextSize)) // base64 is longer
	if len(query) > soap.MaxTextSize || !isLine(query) {
		a.Reject("Query", "no text")
	}
	return &ContactSearch{Query: query}, a.Err()
}

func queryOf(text string) string {
	data, err := soap.DecodeBase64(text)
	if err != nil {
		return text
	}
	if query := string(data); isLine(query) {
		return query
	}
	if query, ok := fromUTF16LE(data); ok && isLine(query) {
		return query
	}
	return text
}

func isLine(s string) bool { return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) }

func fromUTF16LE(data []byte) (string, bool) {
	if len(data)%2 != 0 {
		return "", false
	}
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = uint16(data[2*i]) | uint16(data[2*i+1])<<8
	}
	runes := utf16.Decode(units)
	for _, r := range runes {
		if r == unicode.ReplacementChar {
			return "", false
		}
	}
	return string(runes), true
}

// ContactSearchResponse is the answer to [ContactSearch] (MS-GRVSPCM
// 2.2.3.18.1, 4.3.2), in the layer of reading E4:
//
//	<ContactSearchResponse Count="" Max="50">
//	  <Contact City="" CompanyEMail="" EMail="" FirstName="" FullName=""
//	      IdentityGUID="" IdentityURL="" LastName="" State=""/>...
//	</ContactSearchResponse>
type ContactSearchResponse struct {
	Max      int32
	Contacts []FoundContact
}

// FoundContact is what a search tells of a contact.
type FoundContact struct {
	IdentityGUID string // for ContactFetch
	IdentityURL  string
	FullName     string
	FirstName    string
	LastName     string
	CompanyEmail string
	Email        string
	City         string
	State        string
}

// Encode returns the payload.
func (m *ContactSearchResponse) Encode() []byte {
	e := soap.NewElement("ContactSearchResponse",
		soap.Attr{Name: "Count", Value: soap.FormatInt(int32(len(m.Contacts)))},
		soap.Attr{Name: "Max", Value: soap.FormatInt(m.Max)})
	for _, c := range m.Contacts {
		e.AddChild(soap.NewElement("Contact",
			soap.Attr{Name: "City", Value: c.City},
			soap.Attr{Name: "CompanyEMail", Value: c.CompanyEmail},
			soap.Attr{Name: "EMail", Value: c.Email},
			soap.Attr{Name: "FirstName", Value: c.FirstName},
			soap.Attr{Name: "FullName", Value: c.FullName},
			soap.Attr{Name: "IdentityGUID", Value: c.IdentityGUID},
			soap.Attr{Name: "IdentityURL", Value: c.IdentityURL},
			soap.Attr{Name: "LastName", Value: c.LastName},
			soap.Attr{Name: "State", Value: c.State}))
	}
	return returnPayload(e)
}

// DecodeContactSearchResponse reads the payload.
func DecodeContactSearchResponse(payload []byte) (*ContactSearchResponse, error) {
	e, err := parseReturnPayload(payload, "ContactSearchResponse")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	m := &ContactSearchResponse{Max: a.Int("Max")}
	elements := soap.Children(e, "Contact")
	if a.Int("Count") != int32(len(elements)) {
		a.Reject("Count", "not the number of contacts")
	}
	if err := a.Err(); err != nil {
		return nil, err
	}
	for _, contact := range elements {
		a := soap.AttributesOf(contact)
		m.Contacts = append(m.Contacts, FoundContact{
			IdentityGUID: a.Name("IdentityGUID"),
			IdentityURL:  a.Text("IdentityURL"),
			FullName:     a.Text("FullName"),
			FirstName:    a.Text("FirstName"),
			LastName:     a.Text("LastName"),
			CompanyEmail: a.Text("CompanyEMail", "CompanyEmail"), // reading B17
			Email:        a.Text("EMail"),
			City:         a.Text("City"),
			State:        a.Text("State"),
		})
		if err := a.Err(); err != nil {
			return nil, err
		}
	}
	return m, nil
}
