package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"furrow/web/api"
)

// pageSize is how many rows a list shows at once: what is looked through at a glance, and quick on a small box.
const pageSize = 50

// maxSearch bounds the text that lists are searched for.
const maxSearch = 200

// column is a column of a list. Its heading is the text "column." + name.
type column struct {
	name     string
	sortable bool
	right    bool // of numbers
}

// list is a table of which the address says what is shown: q is searched for, sort is the column it is in order of, with
// a minus before it if backwards, page counts from 1; others are filters.
type list struct {
	Search  string
	Filters []filter
	Asked   []asked
	Page    int
	Total   int
	sort    string
	path    string
	query   url.Values
	columns []column
	words   *words
	open    bool // there may be more than Total
	// Searchable says that the list has a field to search.
	Searchable bool
}

// filter is a choice that narrows a list. Its label is the text "filter." + Name.
type filter struct {
	Name, Label string
	Options     []option
}

// asked is something that is typed to narrow a list. Its label is the text "filter." + Name.
type asked struct {
	Name, Label, Kind, Value string
}

// list reads from the address what is to be shown. The first column is the order if none is asked for.
func (v *visit) list(columns ...column) *list {
	query := v.r.URL.Query()
	l := &list{path: v.r.URL.Path, query: query, columns: columns, words: v.words, Searchable: true}
	l.Search = strings.TrimSpace(query.Get("q"))
	if len(l.Search) > maxSearch {
		l.Search = ""
	}
	if n, err := strconv.Atoi(query.Get("page")); err == nil && n > 0 {
		l.Page = min(n, 1_000_000) // beyond any list; keeps offsets far from overflow
	} else {
		l.Page = 1
	}
	l.sort = columns[0].name
	for _, c := range columns {
		if asked := query.Get("sort"); c.sortable && strings.TrimPrefix(asked, "-") == c.name {
			l.sort = asked
		}
	}
	return l
}

// filter offers a choice and returns what is chosen of it, empty for all.
func (l *list) filter(name string, options ...option) string {
	chosen := ""
	all := option{Value: "", Label: l.words.T("filter.all")}
	f := filter{Name: name, Label: l.words.T("filter." + name), Options: append([]option{all}, options...)}
	for i, o := range f.Options {
		if o.Value == l.query.Get(name) {
			chosen, f.Options[i].Selected = o.Value, true
		}
	}
	l.Filters = append(l.Filters, f)
	return chosen
}

// ofDomain offers to narrow a list to a domain, if the box has several. It returns all of them, and which is chosen, empty
// for all.
func (v *visit) ofDomain(l *list) (domains []api.DomainName, chosen string, err error) {
	if domains, err = v.client.DomainNames(v.ctx()); err == nil && len(domains) > 1 {
		chosen = l.filter("domain", domainOptions(domains)...)
	}
	return domains, chosen, err
}

// choice offers a filter of which one value is always chosen.
func (l *list) choice(name, chosen string, options ...option) {
	f := filter{Name: name, Label: l.words.T("filter." + name), Options: options}
	for i := range f.Options {
		f.Options[i].Selected = f.Options[i].Value == chosen
	}
	l.Filters = append(l.Filters, f)
}

// ask offers a field to type in, of a type of HTML inputs, and returns what is in it.
func (l *list) ask(name, kind string) string {
	value := strings.TrimSpace(l.query.Get(name))
	if len(value) > maxSearch {
		value = ""
	}
	l.Asked = append(l.Asked, asked{name, l.words.T("filter." + name), kind, value})
	return value
}

// period offers the first and the last day of a time, in UTC, and returns its begin and its end, zero for open ones.
func (l *list) period() (from, until time.Time) {
	from, _ = time.Parse(time.DateOnly, l.ask("from", "date")) // what is no day is none
	if last, err := time.Parse(time.DateOnly, l.ask("to", "date")); err == nil {
		until = last.AddDate(0, 0, 1)
	}
	return from, until
}

// order is the column to sort by, and whether backwards.
func (l *list) order() (column string, backwards bool) {
	return strings.CutPrefix(l.sort, "-")
}

// finds says whether a text has what is searched for, in letters of either case.
func (l *list) finds(text string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(l.Search))
}

// inOrder puts rows in the order of the list. compare compares two by a column.
func inOrder[Row any](l *list, rows []Row, compare func(by string, a, b Row) int) {
	by, backwards := l.order()
	slices.SortStableFunc(rows, func(a, b Row) int {
		if backwards {
			a, b = b, a
		}
		return compare(by, a, b)
	})
}

// compareText compares as people look things up: capitals and small letters are the same.
func compareText(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }

// one is the row that a path names.
func one[Row any](rows []Row, is func(Row) bool) (row Row, err error) {
	i := slices.IndexFunc(rows, is)
	if i < 0 {
		return row, &api.Error{Code: "notFound"}
	}
	return rows[i], nil
}

// offset is the number of rows before those shown.
func (l *list) offset() int { return (l.Page - 1) * pageSize }

// of takes the rows of the page out of all.
func of[Row any](l *list, rows []Row) []Row {
	l.Total = len(rows)
	from := min(l.offset(), len(rows))
	return rows[from:min(from+pageSize, len(rows))]
}

// wanted is how many rows a list needs to know that it is not the last page, for those whose length nobody knows.
func (l *list) wanted() int { return l.offset() + pageSize + 1 }

// someOf takes the rows of the page out of the first wanted ones.
func someOf[Row any](l *list, rows []Row) []Row {
	l.open = true
	return of(l, rows)
}

// Path is where the list is.
func (l *list) Path() string { return l.path }

// Sort is the order as the address says it.
func (l *list) Sort() string { return l.query.Get("sort") }

// Narrowed says whether anything is searched for or filtered.
func (l *list) Narrowed() bool {
	for _, f := range l.Filters {
		if l.query.Get(f.Name) != "" {
			return true
		}
	}
	for _, a := range l.Asked {
		if a.Value != "" {
			return true
		}
	}
	return l.Search != ""
}

// heading is the head of a column.
type heading struct {
	Label, Href string
	Sorted      string // value of aria-sort, empty if not sorted by it
	Right       bool
}

// Headings are the heads of the columns.
func (l *list) Headings() []heading {
	by, backwards := l.order()
	var heads []heading
	for _, c := range l.columns {
		h := heading{Label: l.words.T("column." + c.name), Right: c.right}
		if c.sortable {
			next := c.name
			if c.name == strings.TrimPrefix(by, "-") {
				h.Sorted = "ascending"
				if backwards {
					h.Sorted = "descending"
				} else {
					next = "-" + c.name
				}
			}
			h.Href = l.href("sort", next)
		}
		heads = append(heads, h)
	}
	return heads
}

// At is the address of all rows of the list in another form, with more parameters in pairs of name and value.
func (l *list) At(path string, pairs ...string) string {
	query := l.kept()
	for i := 0; i+1 < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	return path + "?" + query.Encode()
}

// kept is what the address says beside the page.
func (l *list) kept() url.Values {
	query := url.Values{}
	for key, values := range l.query {
		if key != "page" && values[0] != "" {
			query[key] = values[:1]
		}
	}
	return query
}

// href is the address of the list with one parameter changed; the first page, if it is not the page that changes.
func (l *list) href(name, value string) string {
	query := l.kept()
	query.Set(name, value)
	return l.path + "?" + query.Encode()
}

// Range says which rows of how many are shown.
func (l *list) Range() string {
	if l.Total == 0 {
		return ""
	}
	if l.open {
		return l.words.T("list.some", "from", min(l.offset()+1, l.Total), "to", min(l.offset()+pageSize, l.Total))
	}
	return l.words.T("list.range", "from", min(l.offset()+1, l.Total), "to", min(l.offset()+pageSize, l.Total), "total", l.Total)
}

// Previous is the address of the page before, empty if there is none.
func (l *list) Previous() string {
	if l.Page <= 1 {
		return ""
	}
	return l.href("page", strconv.Itoa(min(l.Page-1, l.pages())))
}

// Next is the address of the page after, empty if there is none.
func (l *list) Next() string {
	if l.Page >= l.pages() {
		return ""
	}
	return l.href("page", strconv.Itoa(l.Page+1))
}

func (l *list) pages() int { return max(1, (l.Total+pageSize-1)/pageSize) }

// Words are those of the page.
func (l *list) Words() *words { return l.words }
