package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"furrow/gms/sheet"
	"furrow/web/api"
)

type auditExportCmd struct {
	auditFlags
	Format string `help:"Lines of JSON with everything, or CSV for a spreadsheet." enum:"jsonl,csv" default:"jsonl"`
	Out    string `help:"File to write; it must not exist." placeholder:"FILE" type:"path"`
}

func (c *auditExportCmd) Run(s *session) error {
	filter, err := c.filter()
	if err != nil {
		return err
	}
	client := api.NewClient(s.data)
	defer client.Close()
	count := 0
	export := func(w io.Writer) error {
		lines := jsonLines(w)
		if c.Format == "csv" {
			var err error
			if lines, err = csvLines(w); err != nil {
				return err
			}
		}
		err := client.AuditEvents(s.ctx, filter, func(e api.AuditEvent) error {
			count++
			return lines.event(e)
		})
		return errors.Join(err, lines.end())
	}
	if c.Out == "" {
		return export(s.out.w)
	}
	if err := writeNew(c.Out, export); err != nil {
		return err
	}
	return s.out.print(map[string]any{"file": c.Out, "events": count}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s: %d events\n", c.Out, count)
		return err
	})
}

// eventLines writes events in some format.
type eventLines struct {
	event func(api.AuditEvent) error
	end   func() error
}

func jsonLines(w io.Writer) eventLines {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return eventLines{
		event: func(e api.AuditEvent) error { return encoder.Encode(e) },
		end:   func() error { return nil },
	}
}

// csvLines writes what a spreadsheet can open. The heading is written also when there are no events.
func csvLines(w io.Writer) (eventLines, error) {
	rows, err := sheet.NewWriter(w, api.AuditEvent{}.Heading())
	if err != nil {
		return eventLines{}, err
	}
	return eventLines{
		event: func(e api.AuditEvent) error { return rows.Row(e.Values()) },
		end:   rows.Flush,
	}, nil
}
