package policy

import (
	"fmt"
	"strings"
)

// Affiliation returns the affiliation of a member: the names of the domain and
// of the member as organizational units, their UTF-8 bytes in hexadecimal
// (MS-GRVSPCM 3.2.5.1.5). An empty name is left out. The escapes that the
// section asks for at the end are those of the XML it is put into.
func Affiliation(domainName, fullName string) string {
	var units []string
	for _, name := range []string{domainName, fullName} {
		if name != "" {
			// The space flag of %x separates the bytes.
			units = append(units, "{<2.5.4.11=[13]"+strings.ReplaceAll(fmt.Sprintf("% x", name), " ", ",")+">}")
		}
	}
	return strings.Join(units, "/")
}
