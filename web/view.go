package web

import (
	"net/http"
	"slices"
	"strings"

	"furrow/web/access"
)

// themeCookie keeps the choice of a person against what the system prefers.
const themeCookie = "__Host-theme"

// Data is what the page was rendered with.
func (v *visit) Data() any { return v.data }

// With is the visit with other data, for a template that shows a part of the page's.
func (v *visit) With(data any) *visit {
	part := *v
	part.data = data
	return &part
}

// Title is the page's.
func (v *visit) Title() string {
	if v.title != "" {
		return v.title
	}
	return v.T(v.page.title)
}

// Crumbs is the way to the page, without the page itself.
func (v *visit) Crumbs() []crumb { return v.crumbs }

// Person is who has signed in, nil for nobody.
func (v *visit) Person() *access.Administrator { return v.person }

// Flash is what the page before had to say, nil for nothing.
func (v *visit) Flash() *flash { return v.said }

// Lang is the language of the page for HTML.
func (v *visit) Lang() string { return v.tag.String() }

// Theme is light, dark, or empty for what the system prefers.
func (v *visit) Theme() string {
	if c, err := v.r.Cookie(themeCookie); err == nil && slices.Contains([]string{"light", "dark"}, c.Value) {
		return c.Value
	}
	return ""
}

// Here is the address of the page, for forms that come back to it.
func (v *visit) Here() string {
	if v.r.Method != http.MethodGet {
		return v.r.URL.Path
	}
	return v.r.URL.RequestURI()
}

// May says whether the person may do what a page is for that is at path in the table, such as /members/{guid}/delete.
func (v *visit) May(path string) bool {
	if v.person == nil {
		return false
	}
	for _, p := range pages() {
		if p.path == path {
			return v.person.Role.May(p.need(http.MethodPost))
		}
	}
	return false
}

// Sees says whether the person may look at the page that is at path in the table.
func (v *visit) Sees(path string) bool {
	for _, p := range pages() {
		if p.path == path {
			return v.person != nil && v.person.Role.May(p.need(http.MethodGet))
		}
	}
	return false
}

// titleOf is the title of the page at a path of the table.
func (v *visit) titleOf(path string) string {
	i := slices.IndexFunc(pages(), func(p page) bool { return p.path == path })
	return v.T(pages()[i].title)
}

// navSection is a group of the navigation.
type navSection struct {
	Title string
	Links []navLink
}

// navLink is a page of the navigation.
type navLink struct {
	Path, Title, Icon string
	Current           bool
}

// Nav is the navigation that the person sees.
func (v *visit) Nav() []navSection {
	if v.person == nil || v.page.setUp {
		return nil
	}
	var nav []navSection
	for _, name := range sections() {
		group := navSection{Title: v.T(name)}
		for _, p := range pages() {
			if p.nav == name && v.person.Role.May(p.need(http.MethodGet)) {
				group.Links = append(group.Links, navLink{p.path, v.T(p.title), p.icon, v.isIn(p)})
			}
		}
		if len(group.Links) == 1 && group.Links[0].Title == group.Title {
			group.Title = "" // says nothing more
		}
		if group.Links != nil {
			nav = append(nav, group)
		}
	}
	return nav
}

// isIn says whether the page shown is p or below it.
func (v *visit) isIn(p page) bool {
	return v.r.URL.Path == p.path || p.path != "/" && strings.HasPrefix(v.r.URL.Path, p.path+"/")
}

// Vendored says whether the build has a library of scripts.
func (v *visit) Vendored(name string) bool { return v.site.assets.has("vendor/" + name) }
