package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"time"

	"furrow/cmd/furrow/bench"
)

type benchCmd struct {
	bench.Plan
	Address   netip.Addr    `help:"Loopback address for the scratch box and its clients." default:"127.0.0.1" placeholder:"IP"`
	Limit     time.Duration `help:"How long all of it may take." default:"10m"`
	Scenarios []string      `arg:"" optional:"" name:"scenario" help:"fan-out, one-to-one, idle, presence; default all." enum:"fan-out,one-to-one,idle,presence"`
}

func (c *benchCmd) Run(s *session) (err error) {
	ctx, cancel := context.WithTimeoutCause(s.ctx, c.Limit, fmt.Errorf("not done within %v", c.Limit))
	defer cancel()
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	scenarios := c.Scenarios
	if len(scenarios) == 0 {
		scenarios = bench.Scenarios()
	}
	var results []bench.Result
	for _, scenario := range scenarios {
		r, err := c.one(ctx, s, scenario, program)
		if err != nil {
			return err
		}
		results = append(results, r)
	}
	return s.out.print(results, func(w io.Writer) error { return printResults(w, results) })
}

// one puts a box of its own through a scenario.
func (c *benchCmd) one(ctx context.Context, s *session, scenario, program string) (_ bench.Result, err error) {
	ctx, gone := context.WithCancelCause(ctx)
	defer gone(nil)
	box, err := bench.StartBox(ctx, bench.BoxOptions{Program: program, Address: c.Address, Gone: gone})
	if err != nil {
		return bench.Result{}, err
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	bar := s.counter(scenario)
	defer bar.end()
	return c.Plan.Run(ctx, scenario, box, bar.update)
}

func printResults(w io.Writer, results []bench.Result) error {
	var phases, servers [][]string
	ms := func(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }
	for _, r := range results {
		for _, p := range r.Phases {
			phases = append(phases, []string{
				r.Scenario, p.Name, strconv.Itoa(p.Operations), fmt.Sprintf("%.2f", p.Seconds), fmt.Sprintf("%.0f", p.Rate),
				ms(p.Latency.P50), ms(p.Latency.P90), ms(p.Latency.P99), ms(p.Latency.Max), p.Each,
			})
		}
		each := ""
		if r.Memory.PerConnection != 0 {
			each = octets(r.Memory.PerConnection)
		}
		servers = append(servers, []string{
			r.Scenario, strconv.Itoa(r.Clients), octets(r.Memory.Before), octets(r.Memory.After), each, fmt.Sprintf("%.2f", r.CPUSeconds),
		})
	}
	err := table(w, []string{"SCENARIO", "PHASE", "COUNT", "SECONDS", "PER SECOND", "P50 MS", "P90 MS", "P99 MS", "MAX MS", "OF"}, phases)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return table(w, []string{"SERVER IN", "CLIENTS", "MEMORY BEFORE", "AFTER", "EACH CONNECTION", "CPU SECONDS"}, servers)
}
