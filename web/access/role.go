package access

// Role is what somebody may do.
type Role string

const (
	// Server may do everything.
	Server Role = "server"
	// Domain manages domains, groups, members, policies, relays and trusts, but not the box itself.
	Domain Role = "domain"
	// Member is the help desk: members, their codes, password resets and account backups.
	Member Role = "member"
	// Auditor reads everything but what opens an account, and changes nothing.
	Auditor Role = "auditor"
	// Metrics reads the figures of the box, which name nobody, and nothing else. Only tokens have it.
	Metrics Role = "metrics"
)

// Roles returns the roles of administrators, the one that may do most first.
func Roles() []Role { return []Role{Server, Domain, Member, Auditor} }

// TokenRoles returns the roles of tokens, the one that may do most first.
func TokenRoles() []Role { return append(Roles(), Metrics) }

// ParseRole reads the name of a role.
func ParseRole(name string) (Role, error) {
	for _, r := range Roles() {
		if name == string(r) {
			return r, nil
		}
	}
	return "", invalid("role", "%q is no role: want server, domain, member or auditor", name)
}

// Need is what something asks of those who do it.
type Need struct {
	// Role is the least role that may do it. Every role but Metrics may do what needs nothing at all; what needs
	// Auditor is for auditors and servers.
	Role Role
	// Writes says that it changes something or shows what opens an account, so that auditors may not.
	Writes bool
}

// May reports whether a role is enough.
func (r Role) May(n Need) bool {
	switch r {
	case Server:
		return true
	case Auditor:
		return !n.Writes
	case Domain:
		return n.Role == Domain || n.Role == Member || n == Need{}
	case Member:
		return n.Role == Member || n == Need{}
	case Metrics:
		return n == Need{Role: Metrics}
	}
	return false
}
