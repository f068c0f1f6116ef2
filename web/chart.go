package web

import (
	"fmt"
	"html/template"
	"strings"
	"time"
)

// chart is numbers over time: {{template "chart" .Chart}} draws them, and has them as a table for who does not see. Where
// the build has uPlot, assets/chart.js draws them anew from that table.
type chart struct {
	Title  string
	Step   string // minute, hour or day
	Bytes  bool   // the numbers are octets
	Times  []time.Time
	Series []series
	Words  *words
	Small  bool
}

// series is a line of a chart, with a number for each of its times.
type series struct {
	Name   string
	Values []uint64
}

// The plane of a chart that is drawn without scripts. It is stretched to the size of its place.
const (
	chartWidth  = 1000
	chartHeight = 100
)

// Top is the largest number.
func (c *chart) Top() (top uint64) {
	for _, s := range c.Series {
		for _, value := range s.Values {
			top = max(top, value)
		}
	}
	return top
}

// Drawn is a series as the path of an SVG: a step for each time, because each number is a sum of the time until the next.
func (c *chart) Drawn(s series) string {
	var path strings.Builder
	top := max(c.Top(), 1)
	for i, value := range s.Values {
		y := chartHeight - float64(value)/float64(top)*chartHeight
		if i == 0 {
			fmt.Fprintf(&path, "M0 %.1f", y)
		} else {
			fmt.Fprintf(&path, "V%.1f", y)
		}
		fmt.Fprintf(&path, "H%.1f", float64(i+1)/float64(len(s.Values))*chartWidth)
	}
	return path.String()
}

// Value writes a number of the chart.
func (c *chart) Value(n uint64) string {
	if c.Bytes {
		return c.Words.Size(n)
	}
	return c.Words.Number(n)
}

// When writes a time of the chart.
func (c *chart) When(t time.Time) template.HTML {
	if c.Step == "day" {
		day := t.Format(time.DateOnly) // of UTC, as days are counted: no other zone has it
		return template.HTML(`<time datetime="` + day + `" title="UTC">` + day + `</time>`)
	}
	return c.Words.When(t)
}

// First and Last are the ends of the time.
func (c *chart) First() template.HTML { return c.When(c.Times[0]) }
func (c *chart) Last() template.HTML  { return c.When(c.Times[len(c.Times)-1]) }

// share is a part of a whole.
type share struct {
	Label string
	Class string // a colour, part- of the style sheet
	Path  string // where those are listed, empty for nowhere
	N     int
	// X and Width place it on the bar, in thousandths.
	X, Width int
}

// shares places parts on their bar.
func shares(parts ...share) []share {
	all, x := 0, 0
	for _, p := range parts {
		all += p.N
	}
	for i := range parts {
		parts[i].X, parts[i].Width = x, parts[i].N*1000/max(all, 1)
		x += parts[i].Width
	}
	return parts
}
