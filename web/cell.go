package web

import (
	"cmp"
	"slices"
	"time"
)

// cell is a value of a table whose columns are of several kinds.
type cell struct {
	Kind string // text, link, number, size, time or status; what Text says goes before a number
	Text string
	Href string // of a link
	N    int64
	Time time.Time
}

func textCell(s string) cell      { return cell{Kind: "text", Text: s} }
func numberCell(n int64) cell     { return cell{Kind: "number", N: n} }
func sizeCell(n int64) cell       { return cell{Kind: "size", N: n} }
func timeCell(t time.Time) cell   { return cell{Kind: "time", Time: t} }
func statusCell(name string) cell { return cell{Kind: "status", Text: name} }

// memberCell leads to a member, if it is known.
func memberCell(name, guid string) cell {
	if guid == "" {
		return textCell(name)
	}
	return cell{Kind: "link", Text: name, Href: memberPath(guid)}
}

func compareCells(a, b cell) int {
	return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.N, b.N), compareText(a.Text, b.Text))
}

// arrange narrows rows to those that hold what is searched for, in the order that is asked for, and takes the page out.
func arrange(l *list, rows [][]cell) [][]cell {
	rows = slices.DeleteFunc(rows, func(row []cell) bool {
		return !slices.ContainsFunc(row, func(c cell) bool { return l.finds(c.Text) })
	})
	by, _ := l.order()
	i := slices.IndexFunc(l.columns, func(c column) bool { return c.name == by })
	inOrder(l, rows, func(_ string, a, b []cell) int { return compareCells(a[i], b[i]) })
	return of(l, rows)
}
