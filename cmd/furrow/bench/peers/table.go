package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"furrow/cmd/furrow/bench"
)

// row is a server in a scenario.
type row struct {
	Scenario   string         `json:"scenario"`
	Peer       string         `json:"peer"`
	Durability string         `json:"durability"`
	Rounds     []bench.Result `json:"rounds"`
	// Figures are medians over the rounds.
	Figures []figure `json:"figures"`

	peer peer
}

// figure is one that servers are compared by.
type figure struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit"`
	Value float64 `json:"value"`
}

// compared are the figures of a scenario.
func compared(r bench.Result) []figure {
	const mebi = 1 << 20
	memory := figure{"memory", "MiB", float64(r.Memory.After) / mebi}
	cpu := figure{"cpu", "s", r.CPUSeconds}
	first := r.Phases[0]
	switch r.Scenario {
	case idle:
		return []figure{{"each connection", "KiB", float64(r.Memory.PerConnection) / (1 << 10)}, {"login p50", "ms", first.Latency.P50}, memory, cpu}
	case presence:
		return []figure{{"seen by the last, p50", "ms", first.Latency.P50}, {"p99", "ms", first.Latency.P99}, memory, cpu}
	default:
		return []figure{
			{"stored", "messages/s", first.Rate}, {"acknowledged p50", "ms", first.Latency.P50},
			{"drained", "messages/s", r.Phases[1].Rate}, memory, cpu,
		}
	}
}

// summarize takes the medians.
func (r *row) summarize() {
	var each [][]figure
	for _, result := range r.Rounds {
		each = append(each, compared(result))
	}
	r.Figures = slices.Clone(each[0])
	for i := range r.Figures {
		slices.SortFunc(each, func(a, b []figure) int { return cmp.Compare(a[i].Value, b[i].Value) })
		r.Figures[i].Value = each[len(each)/2][i].Value
	}
}

// printTable writes a table for each scenario. The ratio in parentheses is that to
// the first row, which is Furrow.
func printTable(w io.Writer, rows []*row) error {
	var first *row
	var columns *tabwriter.Writer
	for _, r := range rows {
		if first == nil || first.Scenario != r.Scenario {
			if columns != nil {
				if err := columns.Flush(); err != nil {
					return err
				}
				fmt.Fprintln(w)
			}
			first, columns = r, tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
			heading := []string{strings.ToUpper(r.Scenario)}
			for _, f := range r.Figures {
				heading = append(heading, f.Name+", "+f.Unit)
			}
			fmt.Fprintln(columns, strings.Join(append(heading, "durability"), "\t"))
		}
		cells := []string{r.Peer}
		for i, f := range r.Figures {
			cells = append(cells, fmt.Sprintf("%.*f (%.2f)", decimals(f.Value), f.Value, f.Value/first.Figures[i].Value))
		}
		fmt.Fprintln(columns, strings.Join(append(cells, r.Durability), "\t"))
	}
	return columns.Flush()
}

// decimals keeps small figures apart.
func decimals(v float64) int {
	if v < 100 {
		return 2
	}
	return 0
}
