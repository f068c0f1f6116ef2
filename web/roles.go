package web

import (
	"net/http"
	"strings"

	"furrow/web/access"
)

// roleRow is what the roles may do on a page and those below it, in the order of access.Roles.
type roleRow struct {
	Section, Page string
	May           []string // sees, changes or nothing
}

// rolesPage is what roles.html shows.
type rolesPage struct {
	Roles []access.Role
	Rows  []roleRow
}

// getRoles reads who may do what from the table of pages, which is what decides it.
func getRoles(v *visit) error {
	v.under(v.T("administrators.title"), "/administrators")
	shown := rolesPage{Roles: access.Roles()}
	all := pages()
	for _, section := range sections() {
		for _, p := range all {
			if p.nav != section {
				continue
			}
			row := roleRow{Section: v.T(section), Page: v.T(p.title)}
			for _, role := range access.Roles() {
				row.May = append(row.May, v.T("roles."+mayOn(role, p, all)))
			}
			shown.Rows = append(shown.Rows, row)
		}
	}
	return v.render("roles.html", shown)
}

// mayOn says what a role may do on a page and those below it.
func mayOn(role access.Role, p page, all []page) string {
	may := "nothing"
	if role.May(p.need(http.MethodGet)) {
		may = "sees"
	}
	for _, below := range all {
		within := below.path == p.path || p.path != "/" && strings.HasPrefix(below.path, p.path+"/")
		if within && below.post != nil && role.May(below.need(http.MethodPost)) {
			return "changes"
		}
	}
	return may
}
