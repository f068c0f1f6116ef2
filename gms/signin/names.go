package signin

import "strings"

// Names are the rules that bring a name into the spelling that members have as login name, REMOTE_USER
// (MS-GRVSPCM 3.2.1). The first rule for a realm counts. Without one a name stays as it was typed, user, DOMAIN\user or
// user@domain, and the name of a ticket, whose realm is one of ours, is the user. Letter case never counts, in realms,
// here, or in login names, in the directory.
type Names []Rule

// Rule says how the names of one realm become login names.
type Rule struct {
	// Realm is what stands before \ or after @: a domain of Windows or a realm of Kerberos. It is empty for names
	// without one, and * for those with any.
	Realm string
	// Login is the login name, with {user} and {realm} for the parts of the name.
	Login string
}

// AnyRealm is the Realm of a rule for names with whatever realm.
const AnyRealm = "*"

// name is a name in parts.
type name struct {
	user, realm string
	written     string
}

// parseName takes apart what a person has typed.
func parseName(written string) name {
	written = strings.TrimSpace(written)
	if realm, user, found := strings.Cut(written, `\`); found {
		return name{user, realm, written}
	}
	if at := strings.LastIndexByte(written, '@'); at >= 0 {
		return name{written[:at], written[at+1:], written}
	}
	return name{user: written, written: written}
}

// login returns the login name of a name.
func (n Names) login(who name) string {
	if who.user == "" {
		return ""
	}
	for _, rule := range n {
		if strings.EqualFold(rule.Realm, who.realm) || (rule.Realm == AnyRealm && who.realm != "") {
			return strings.NewReplacer("{user}", who.user, "{realm}", who.realm).Replace(rule.Login)
		}
	}
	return who.written
}
