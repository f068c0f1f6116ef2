// Command peers puts Furrow and other servers that carry messages through the same
// load, side by side in one run, and compares them. It is a module of its own, so
// that what it takes to speak to the others is no part of Furrow.
//
// A server is a process on loopback with a folder of its own, both gone when its
// scenario has been measured. The rounds go through all servers in turn: what the
// machine does besides concerns them all, and the medians of the rounds are told.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"furrow/cmd/furrow/bench"
)

type commandLine struct {
	bench.Plan
	Furrow    string        `help:"The furrow binary." default:"bin/furrow" type:"existingfile"`
	NATS      string        `name:"nats" help:"A newer nats-server to compare with too; default only that of the system." placeholder:"FILE" type:"existingfile"`
	Rounds    int           `help:"How often everything is measured." default:"1"`
	Limit     time.Duration `help:"How long all of it may take." default:"6m"`
	JSON      bool          `help:"Print the result as JSON."`
	Scenarios []string      `arg:"" optional:"" name:"scenario" help:"fan-out, one-to-one, idle, presence; default all." enum:"fan-out,one-to-one,idle,presence"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var cli commandLine
	kong.Parse(&cli, kong.Description("Furrow and its peers under the same load."))
	if err := cli.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", strings.Join(strings.Fields(err.Error()), " "))
		os.Exit(1)
	}
}

func (c *commandLine) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.Limit, fmt.Errorf("not done within %v", c.Limit))
	defer cancel()
	scenarios := c.Scenarios
	if len(scenarios) == 0 {
		scenarios = bench.Scenarios()
	}
	peers, err := installed(ctx, c.Furrow, c.NATS)
	if err != nil {
		return err
	}
	var rows []*row
	for _, scenario := range scenarios {
		of := rowsOf(scenario, peers)
		for round := range c.Rounds {
			for _, r := range of {
				fmt.Fprintf(os.Stderr, "%s: %s, round %d of %d\n", scenario, r.Peer, round+1, c.Rounds)
				result, err := c.measure(ctx, scenario, r.peer)
				if err != nil {
					return fmt.Errorf("%s: %w", r.Peer, err)
				}
				r.Rounds = append(r.Rounds, result)
			}
		}
		rows = append(rows, of...)
	}
	return c.print(os.Stdout, rows)
}

// rowsOf makes a row for each peer that offers what a scenario is about.
func rowsOf(scenario string, peers []peer) []*row {
	var rows []*row
	for _, p := range peers {
		if slices.Contains(p.offers, scenario) {
			rows = append(rows, &row{Scenario: scenario, Peer: p.name, Durability: p.durability[scenario], peer: p})
		}
	}
	return rows
}

// measure starts a server, measures it and stops it.
func (c *commandLine) measure(ctx context.Context, scenario string, p peer) (_ bench.Result, err error) {
	ctx, gone := context.WithCancelCause(ctx)
	defer gone(nil)
	dir, err := os.MkdirTemp("", "furrow-peers-")
	if err != nil {
		return bench.Result{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	server, err := p.start(ctx, dir, gone)
	if err != nil {
		return bench.Result{}, err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	return c.Plan.Run(ctx, scenario, server, func(string, int, int) {})
}

func (c *commandLine) print(w io.Writer, rows []*row) error {
	for _, r := range rows {
		r.summarize()
	}
	if !c.JSON {
		return printTable(w, rows)
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(rows)
}
