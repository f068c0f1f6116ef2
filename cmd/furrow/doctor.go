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
	findings, err := doctor.Run(s.ctx, doctor.Config{
		DataDir: s.data, Version: version, Now: time.Now, Log: log,
		Report: func(f checkup.Finding) {
			if !s.out.json && printing == nil {
				printing = printFinding(s.out.w, f)
			}
		},
	})
	if err == nil {
		err = printing
	}
	if err != nil {
		return err
	}
	if err := s.out.print(findings, func(io.Writer) error { return nil }); err != nil {
		return err
	}
	if doctor.Worst(findings) == checkup.Failed {
		return doctor.ErrNotWell
	}
	return nil
}

// printFinding shows a check as it is done: a mark, what it was, what was found, and what to do.
func printFinding(w io.Writer, f checkup.Finding) error {
	mark := map[checkup.Outcome]string{checkup.Well: "ok  ", checkup.Warning: "WARN", checkup.Failed: "FAIL", checkup.NotTried: "-   "}[f.Outcome]
	if _, err := fmt.Fprintf(w, "%s  %-16s  %s\n", mark, f.Check, f.Found); err != nil {
		return err
	}
	if f.Outcome == checkup.Well {
		return nil
	}
	if _, err := fmt.Fprintf(w, "%24stried: %s\n", "", f.Tried); err != nil {
		return err
	}
	if f.Remedy == "" {
		return nil
	}
	_, err := fmt.Fprintf(w, "%24sto do: %s\n", "", f.Remedy)
	return err
}

// examine is the doctor as the running box calls it for its own pages.
func (s *session) examine(ctx context.Context, report func(checkup.Finding)) error {
	_, err := doctor.Run(ctx, doctor.Config{
		DataDir: s.data, Version: version, Now: time.Now, Log: slog.New(slog.DiscardHandler), Report: report,
	})
	return err
}
