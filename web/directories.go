package web

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"furrow/gms/ldapsync"
	"furrow/web/api"
)

// directoriesPage is what directories.html shows.
type directoriesPage struct{ Sources []directoryRow }

// directoryRow is a directory server with its last sync.
type directoryRow struct {
	api.LDAPSource
	Path string
	Last *ldapsync.Report // nil before the first
}

func directoryPath(name, more string) string { return "/directory/" + url.PathEscape(name) + more }

func (v *visit) directoryRow(s api.LDAPSource) (directoryRow, []ldapsync.Report, error) {
	row := directoryRow{LDAPSource: s, Path: directoryPath(s.Name, "")}
	reports, err := v.client.LDAPReports(v.ctx(), s.Name)
	if err == nil && len(reports) > 0 {
		row.Last = &reports[0]
	}
	return row, reports, err
}

// Every is the time between two syncs.
func (r directoryRow) Every() time.Duration { return time.Duration(r.IntervalMinutes) * time.Minute }

// Mapping are the lines of the attributes that the source has of its own.
func (r directoryRow) Mapping() []string { return writeMapping(r.Attributes) }

func getDirectories(v *visit) error {
	sources, err := v.client.LDAPSources(v.ctx())
	if err != nil {
		return err
	}
	var page directoriesPage
	for _, s := range sources {
		row, _, err := v.directoryRow(s)
		if err != nil {
			return err
		}
		page.Sources = append(page.Sources, row)
	}
	return v.render("directories.html", page)
}

// directoryForm is the form of a directory server. Its parts are shown under headings.
type directoryForm struct {
	*form
	Parts []formPart
}

// formPart are the fields of a form that belong together.
type formPart struct {
	Title string
	Form  *form
}

func (v *visit) directoryForm(isNew bool) (directoryForm, error) {
	domains, err := v.client.DomainNames(v.ctx())
	if err != nil {
		return directoryForm{}, err
	}
	var name []input
	if isNew {
		name = []input{{name: "sourceName", required: true, autocomplete: "off"}}
	}
	parts := []struct {
		title  string
		inputs []input
	}{
		{"directories.server", append(name,
			input{name: "schema", kind: "select", required: true, options: v.choices("directories.schema.", "ad", "openldap")},
			input{name: "servers", kind: "textarea", required: true, rows: 2, wide: true},
			input{name: "protection", kind: "select", required: true, options: v.choices("directories.protection.", "tls", "plain")},
			input{name: "bindDN", autocomplete: "off"},
			input{name: "bindPassword", kind: "password", autocomplete: "new-password"},
			input{name: "authority", kind: "textarea", rows: 3, wide: true},
		)},
		{"directories.people", []input{
			{name: "base", required: true, wide: true, autocomplete: "off"},
			{name: "scope", kind: "select", required: true, options: v.choices("directories.scope.", "sub", "one", "base")},
			{name: "peopleFilter", autocomplete: "off"},
			{name: "disabledWhen", autocomplete: "off"},
			{name: "key", autocomplete: "off"},
			{name: "attributes", kind: "textarea", rows: 4, wide: true},
		}},
		{"directories.members", []input{
			{name: "domain", kind: "select", required: true, options: domainOptions(domains)},
			{name: "newGroup", autocomplete: "off"},
		}},
		{"directories.schedule", []input{
			{name: "intervalMinutes", kind: "number", required: true}, {name: "maxDisablePercent", kind: "number", required: true},
			{name: "pageSize", kind: "number", required: true},
		}},
	}
	var all []input
	for _, p := range parts {
		all = append(all, p.inputs...)
	}
	f := directoryForm{form: v.form("directories.save", all...)}
	from := 0
	for _, p := range parts {
		to := from + len(p.inputs)
		// The parts share the fields of the whole, so that what is filled in or found wrong shows in both.
		f.Parts = append(f.Parts, formPart{v.T(p.title), &form{Words: v.words, Fields: f.Fields[from:to]}})
		from = to
	}
	f.Back = "/directory"
	return f, nil
}

// choices are options whose labels are texts that begin alike.
func (v *visit) choices(texts string, values ...string) []option {
	var options []option
	for _, value := range values {
		options = append(options, option{Value: value, Label: v.T(texts + value)})
	}
	return options
}

// source is what a form says. It says at the fields what it cannot read.
func (f directoryForm) source(name string) api.LDAPSource {
	number := func(field string) int {
		n, err := strconv.Atoi(f.value(field))
		if err != nil {
			f.wrong(field, f.Words.T("directories.number"))
		}
		return n
	}
	mapping, line := parseMapping(f.value("attributes"))
	if line != "" {
		f.wrong("attributes", f.Words.T("directories.line", "text", line))
	}
	return api.LDAPSource{
		Domain: f.value("domain"), Group: f.value("newGroup"), Password: f.value("bindPassword"),
		Source: ldapsync.Source{
			Name: name, Servers: strings.Fields(f.value("servers")), Plain: f.value("protection") == "plain",
			Authority: f.value("authority"), BindDN: f.value("bindDN"), Base: f.value("base"), Filter: f.value("peopleFilter"),
			Scope: ldapsync.Scope(f.value("scope")), Schema: ldapsync.Schema(f.value("schema")), Key: f.value("key"),
			Attributes: mapping, DisabledWhen: f.value("disabledWhen"), MaxDisablePercent: number("maxDisablePercent"),
			IntervalMinutes: number("intervalMinutes"), PageSize: number("pageSize"),
		},
	}
}

// parseMapping reads a field a line, phone = ipPhone, telephoneNumber; a field with nothing behind it is taken from
// nowhere. It returns the first line that is none.
func parseMapping(text string) (mapping map[string][]string, wrong string) {
	mapping = map[string][]string{}
	for _, line := range linesOf(text) {
		field, from, ok := strings.Cut(line, "=")
		if !ok {
			return nil, line
		}
		attributes := strings.FieldsFunc(from, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
		mapping[strings.TrimSpace(field)] = append([]string{}, attributes...)
	}
	return mapping, ""
}

// writeMapping is the reverse of parseMapping, a line each.
func writeMapping(mapping map[string][]string) []string {
	var lines []string
	for _, field := range slices.Sorted(maps.Keys(mapping)) {
		lines = append(lines, strings.TrimSpace(field+" = "+strings.Join(mapping[field], ", ")))
	}
	return lines
}

func getNewDirectory(v *visit) error {
	f, err := v.directoryForm(true)
	if err != nil {
		return err
	}
	v.under(v.T("directories.title"), "/directory")
	f.fill(map[string]string{
		"schema": "ad", "protection": "tls", "scope": "sub", "intervalMinutes": "60", "maxDisablePercent": "20", "pageSize": "500",
	})
	return v.render("directory-form.html", f)
}

func postNewDirectory(v *visit) error {
	f, err := v.directoryForm(true)
	if err != nil {
		return err
	}
	v.under(v.T("directories.title"), "/directory")
	return v.keepDirectory(f, f.value("sourceName"), true)
}

// keepDirectory makes or changes a directory server as a form says.
func (v *visit) keepDirectory(f directoryForm, name string, isNew bool) error {
	source := f.source(name)
	if isNew && f.complete() {
		_, err := v.client.LDAPSource(v.ctx(), name)
		if err == nil {
			f.wrong("sourceName", v.T("directories.taken"))
		} else if !isRefused(err, "notFound") {
			return err
		}
	}
	if f.complete() {
		s, err := v.client.SetLDAP(v.ctx(), source)
		if err == nil {
			return v.done(directoryPath(s.Name, ""), "done.directoryKept", "name", s.Name)
		}
		for field, shown := range map[string]string{
			"name": "sourceName", "password": "bindPassword", "filter": "peopleFilter", "group": "newGroup",
		} {
			err = renamed(err, field, shown)
		}
		if err = f.refused(err); err != nil {
			return err
		}
	}
	return v.again("directory-form.html", f)
}

// directory is the one in the path, below the list.
func (v *visit) directory() (api.LDAPSource, error) {
	s, err := v.client.LDAPSource(v.ctx(), v.r.PathValue("name"))
	if err != nil {
		return api.LDAPSource{}, err
	}
	v.under(v.T("directories.title"), "/directory")
	v.title = s.Name
	return s, nil
}

// ofDirectory is directory for the pages below its own, which keep their own titles.
func (v *visit) ofDirectory() (api.LDAPSource, error) {
	s, err := v.directory()
	v.under(s.Name, directoryPath(s.Name, ""))
	v.title = ""
	return s, err
}

// editDirectoryForm is the form of the directory in the path, without its values.
func (v *visit) editDirectoryForm() (s api.LDAPSource, f directoryForm, err error) {
	if s, err = v.ofDirectory(); err != nil {
		return s, f, err
	}
	if f, err = v.directoryForm(false); err != nil {
		return s, f, err
	}
	f.Back = directoryPath(s.Name, "")
	return s, f, nil
}

func getEditDirectory(v *visit) error {
	s, f, err := v.editDirectoryForm()
	if err != nil {
		return err
	}
	domain, err := v.client.Domain(v.ctx(), s.Domain)
	if err != nil && !isRefused(err, "notFound") {
		return err
	}
	protection := map[bool]string{true: "plain", false: "tls"}[s.Plain]
	f.fill(map[string]string{
		"schema": string(s.Schema), "servers": strings.Join(s.Servers, "\n"), "protection": protection, "bindDN": s.BindDN,
		"authority": s.Authority, "base": s.Base, "scope": string(s.Scope), "peopleFilter": s.Filter, "disabledWhen": s.DisabledWhen,
		"key": s.Key, "attributes": strings.Join(writeMapping(s.Attributes), "\n"), "domain": domain.GUID, "newGroup": s.Group,
		"intervalMinutes": strconv.Itoa(s.IntervalMinutes), "maxDisablePercent": strconv.Itoa(s.MaxDisablePercent),
		"pageSize": strconv.Itoa(s.PageSize),
	})
	return v.render("directory-form.html", f)
}

func postEditDirectory(v *visit) error {
	s, f, err := v.editDirectoryForm()
	if err != nil {
		return err
	}
	return v.keepDirectory(f, s.Name, false)
}

func getRemoveDirectory(v *visit) error {
	s, err := v.ofDirectory()
	if err != nil {
		return err
	}
	return v.confirm(confirmation{
		Text: v.T("directories.remove.text", "name", s.Name), Button: v.T("directories.remove"), Back: directoryPath(s.Name, ""),
	})
}

func postRemoveDirectory(v *visit) error {
	s, err := v.client.RemoveLDAP(v.ctx(), v.r.PathValue("name"))
	if err != nil {
		return err
	}
	return v.done("/directory", "done.directoryRemoved", "name", s.Name)
}

// refusalText is what the interface said, for pages that show it as a result.
func refusalText(err error) (string, bool) {
	refusal := refusalOf(err)
	if refusal == nil || refusal.Code == "notFound" {
		return "", false
	}
	return refusal.Message, true
}
