package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"furrow/appliance/checkup"
	"furrow/cmd/furrow/doctor"
)

type doctorCmd struct {
	Diagnose bool `help:"Log what the test clients do on standard error."`
}

func (c *doctorCmd) Run(s *session) error {
	log := slog.New(slog.DiscardHandler)
	if c.Diagnose {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	var printing error
	results, err := doctor.Run(s.ctx, doctor.Config{
		DataDir: s.data, Version: version, Now: time.Now, Log: log,
		Report: func(r doctor.Result) {
			if !s.out.json && printing == nil {
				printing = printResult(s.out.w, r)
			}
		},
	})
	if err == nil {
		err = printing
	}
	if err != nil {
		return err
	}
	if err := s.out.print(results, func(io.Writer) error { return nil }); err != nil {
		return err
	}
	if doctor.Worst(results) == doctor.Failed {
		return doctor.ErrNotWell
	}
	return nil
}

// printResult shows a check as it is done: a mark, what it was, what was found, and what to do.
func printResult(w io.Writer, r doctor.Result) error {
	mark := map[doctor.Outcome]string{doctor.Well: "ok  ", doctor.Warning: "WARN", doctor.Failed: "FAIL", doctor.NotTried: "-   "}[r.Outcome]
	if _, err := fmt.Fprintf(w, "%s  %-16s  %s\n", mark, r.Check, r.Found); err != nil {
		return err
	}
	if r.Outcome == doctor.Well {
		return nil
	}
	if _, err := fmt.Fprintf(w, "%24stried: %s\n", "", r.Tried); err != nil {
		return err
	}
	if r.Remedy == "" {
		return nil
	}
	_, err := fmt.Fprintf(w, "%24sto do: %s\n", "", r.Remedy)
	return err
}

// examine is the doctor as the running box calls it for its own pages.
func (s *session) examine(ctx context.Context, report func(checkup.Finding)) error {
	_, err := doctor.Run(ctx, doctor.Config{
		DataDir: s.data, Version: version, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Report: func(r doctor.Result) {
			report(checkup.Finding{
				Check: r.Check, Tried: r.Tried, Outcome: string(r.Outcome), Found: r.Found, Remedy: r.Remedy, Took: r.Took,
			})
		},
	})
	return err
}
