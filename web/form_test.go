package web

import (
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// formOf are the values that a browser would send of the last form in a page.
func (b *box) formOf(page string) url.Values {
	b.t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		b.t.Fatal(err)
	}
	values := url.Values{}
	for n := range root.Descendants() {
		name, value := attribute(n, "name"), attribute(n, "value")
		switch {
		case n.Data == "form":
			values = url.Values{}
		case name == "":
		case n.Data == "input" && attribute(n, "type") == "checkbox":
			if has(n, "checked") {
				values.Add(name, value)
			}
		case n.Data == "input":
			values.Add(name, value)
		case n.Data == "textarea":
			if n.FirstChild != nil {
				value = n.FirstChild.Data
			}
			values.Add(name, value)
		case n.Data == "select":
			for o := range n.Descendants() {
				if o.Data == "option" && (has(o, "selected") || !values.Has(name)) {
					values.Set(name, attribute(o, "value"))
				}
			}
		}
	}
	return values
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}
