package spmr

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

// ManagerIdentity is what a management server tells a relay about itself outside
// of the protocol (MS-GRVSPMR 3.3.3).
type ManagerIdentity struct {
	// Name is the ManagementServer of its messages, hostname/gms.dll.
	Name string
	// GUID stays when name and certificate change.
	GUID         string
	Organization string
	ServerURL    string // http://hostname/gms.dll
	Certificate  *keys.Certificate
}

// Check says what would keep a relay from accepting the identity. It does not
// look into the certificate.
func (id *ManagerIdentity) Check() error {
	return cmp.Or(
		checkName("name", id.Name), checkName("GUID", id.GUID), checkName("server URL", id.ServerURL),
		checkText("organization", id.Organization),
		checkURL("server URL", id.ServerURL, "http", "https"),
		checkManagerName(id.Name),
	)
}

func checkName(field, s string) error {
	if s == "" {
		return fmt.Errorf("%s is missing", field)
	}
	return checkText(field, s)
}

func checkText(field, s string) error {
	if len(s) > soap.MaxTextSize {
		return fmt.Errorf("%s of %d bytes, at most %d are read", field, len(s), soap.MaxTextSize)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar }) {
		return fmt.Errorf("%s holds a character that is not text", field)
	}
	return nil
}

// checkManagerName refuses what would not survive as a registry key in any code
// page.
func checkManagerName(name string) error {
	if strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII || strings.ContainsRune(`\[]`, r) }) {
		return errors.New("name holds a backslash, a bracket or a character beyond ASCII")
	}
	return nil
}

// ManagerName returns the name of the management server with this URL: the URL
// without its scheme (reading F2).
func ManagerName(serverURL string) string {
	if _, rest, ok := strings.Cut(serverURL, "://"); ok {
		return rest
	}
	return serverURL
}

// FoldManagerName gives the spellings of one management server's name one form:
// host names have no letter case, and the text calls the name a URL too
// (reading F2).
func FoldManagerName(name string) string { return strings.ToLower(ManagerName(name)) }
