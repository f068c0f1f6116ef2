package ldapsync

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"furrow/gms/directory"
)

// Schema is a kind of directory server.
type Schema string

const (
	// ActiveDirectory is a Windows domain.
	ActiveDirectory Schema = "ad"
	// OpenLDAP is any server with entries of class inetOrgPerson (RFC 2798) and the identifiers of RFC 4530.
	OpenLDAP Schema = "openldap"
)

// conventions are the defaults for a kind of server.
type conventions struct {
	filter, key string
	attributes  map[string][]string
}

func schemas() map[Schema]conventions {
	common := map[string][]string{
		"fullName": {"displayName", "cn"}, "email": {"mail"}, "firstName": {"givenName"}, "lastName": {"sn"},
		"title": {"title"}, "city": {"l"}, "state": {"st"}, "postalCode": {"postalCode"}, "country": {"co"},
		"phone": {"telephoneNumber"}, "cell": {"mobile"}, "fax": {"facsimileTelephoneNumber"},
	}
	with := func(more map[string][]string) map[string][]string {
		all := maps.Clone(common)
		maps.Copy(all, more)
		return all
	}
	return map[Schema]conventions{
		// objectCategory is indexed and leaves out computers, which are of class user too.
		ActiveDirectory: {"(&(objectCategory=person)(objectClass=user))", "objectGUID", with(map[string][]string{
			"login": {"sAMAccountName", "userPrincipalName"}, "organization": {"company"}, "street1": {"streetAddress"},
		})},
		OpenLDAP: {"(objectClass=inetOrgPerson)", "entryUUID", with(map[string][]string{
			"login": {"uid"}, "organization": {"o"}, "street1": {"street"},
		})},
	}
}

// field is a detail of a member that can come from a directory server.
type field struct {
	name string
	of   func(*directory.MemberDetails) *string
}

// street1 and street2 are the fields among which the lines of an address are divided.
const street1, street2 = "street1", "street2"

func fields() []field {
	type details = directory.MemberDetails
	return []field{
		{"fullName", func(d *details) *string { return &d.FullName }},
		{"email", func(d *details) *string { return &d.Email }},
		{"firstName", func(d *details) *string { return &d.FirstName }},
		{"lastName", func(d *details) *string { return &d.LastName }},
		{"organization", func(d *details) *string { return &d.Organization }},
		{"title", func(d *details) *string { return &d.Title }},
		{street1, func(d *details) *string { return &d.Street1 }},
		{street2, func(d *details) *string { return &d.Street2 }},
		{"city", func(d *details) *string { return &d.City }},
		{"state", func(d *details) *string { return &d.State }},
		{"postalCode", func(d *details) *string { return &d.PostalCode }},
		{"country", func(d *details) *string { return &d.Country }},
		{"phone", func(d *details) *string { return &d.Phone }},
		{"cell", func(d *details) *string { return &d.Cell }},
		{"fax", func(d *details) *string { return &d.Fax }},
		{"login", func(d *details) *string { return &d.RemoteUser }},
	}
}

// maxAlternatives bounds the attributes that one field is taken from.
const maxAlternatives = 8

func (s *Source) checkAttributes() error {
	attribute := regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]{0,127}|[0-9]+(\.[0-9]+){1,40})$`) // RFC 4512 1.4
	if !attribute.MatchString(s.Key) {
		return invalid("key", "%.200q is not the name of an attribute", s.Key)
	}
	for name, from := range s.Attributes {
		if !slices.ContainsFunc(fields(), func(f field) bool { return f.name == name }) {
			return invalid("attributes", "name %.200q, which is no field of a member", name)
		}
		if len(from) > maxAlternatives {
			return invalid("attributes", "of %s are more than %d", name, maxAlternatives)
		}
		for _, one := range from {
			if !attribute.MatchString(one) {
				return invalid("attributes", "of %s name %.200q, which is not the name of an attribute", name, one)
			}
		}
	}
	for _, name := range []string{"fullName", "email"} {
		if len(s.mapping()[name]) == 0 {
			return invalid("attributes", "have none for %s, which every member needs", name)
		}
	}
	return nil
}

// mapping is what each field is taken from.
func (s *Source) mapping() map[string][]string {
	mapping := schemas()[s.Schema].attributes
	maps.Copy(mapping, s.Attributes)
	return mapping
}

// person is what an entry says about somebody: for each field the values to choose from, cleaned and checked one by
// one. A field that the entry has no value for is there without values, one that is not taken from it is not there.
type person map[string][]string

// person reads an entry. It fails, in words for an administrator, when a value is none for a member.
func (s *Source) person(e *Entry) (person, error) {
	p := person{}
	mapping := s.mapping()
	for name, attributes := range mapping {
		if len(attributes) == 0 {
			continue
		}
		p[name] = nil
		for _, attribute := range attributes {
			values, err := e.texts(attribute)
			if err != nil {
				return nil, err
			}
			if len(values) > 0 {
				p[name] = values
				break
			}
		}
	}
	p.divideStreet()
	for name, values := range p {
		for _, value := range values {
			if i := strings.IndexFunc(value, unicode.IsControl); i >= 0 {
				return nil, fmt.Errorf("%s contains a control character", name)
			}
		}
	}
	return p, nil
}

// texts are the values of an attribute, without empty ones and the space around them.
func (e *Entry) texts(attribute string) ([]string, error) {
	var texts []string
	for _, value := range e.Attributes[strings.ToLower(attribute)] {
		if len(value) > maxValue {
			return nil, fmt.Errorf("%s is longer than %d octets", attribute, maxValue)
		}
		if !utf8.ValidString(value) {
			return nil, fmt.Errorf("%s is not UTF-8", attribute)
		}
		if value = strings.TrimSpace(value); value != "" {
			texts = append(texts, value)
		}
	}
	return texts, nil
}

// divideStreet makes of an address with any number of lines, as Windows writes it, the two that members have, or one if
// the second is taken from elsewhere.
func (p person) divideStreet() {
	streets, mapped := p[street1]
	if !mapped {
		return
	}
	var lines []string
	if len(streets) > 0 {
		for line := range strings.FieldsFuncSeq(streets[0], func(r rune) bool { return r == '\r' || r == '\n' }) {
			if line = strings.TrimSpace(line); line != "" {
				lines = append(lines, line)
			}
		}
	}
	if _, apart := p[street2]; apart {
		p[street1] = joined(lines)
		return
	}
	first := min(len(lines), 1)
	p[street1], p[street2] = joined(lines[:first]), joined(lines[first:])
}

// joined is a single value of several lines, or none.
func joined(lines []string) []string {
	if len(lines) == 0 {
		return nil
	}
	return []string{strings.Join(lines, ", ")}
}

// onto puts what the entry says into details. Of several values the one that is there stays, because servers give them
// in any order. A field without a value is emptied if it is one of those that the entry had given. It returns the names
// of the fields that changed and of those that have a value from the entry.
func (p person) onto(d *directory.MemberDetails, given []string) (changed, now []string) {
	for _, f := range fields() {
		values, mapped := p[f.name]
		at := f.of(d)
		value := *at
		switch {
		case !mapped:
			continue
		case len(values) > 0:
			now = append(now, f.name)
			if !slices.Contains(values, value) {
				value = values[0]
			}
		case slices.Contains(given, f.name):
			value = ""
		}
		if value != *at {
			*at = value
			changed = append(changed, f.name)
		}
	}
	return changed, now
}
