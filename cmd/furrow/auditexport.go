package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

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
			lines = csvLines(w)
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

// csvLines writes RFC 4180, with the bytes that a spreadsheet needs to see UTF-8 in it.
func csvLines(w io.Writer) eventLines {
	const byteOrderMark = "\uFEFF"
	rows := csv.NewWriter(w)
	rows.UseCRLF = true
	heading := []string{
		byteOrderMark + "time", "received", "member", "memberName", "device", "deviceName", "type", "text", "kind", "sequence", "index", "verified", "decrypted",
	}
	headed := false
	row := func(fields []string) error {
		if !headed {
			headed = true
			if err := rows.Write(heading); err != nil {
				return err
			}
		}
		if fields == nil {
			return nil
		}
		return rows.Write(fields)
	}
	return eventLines{
		event: func(e api.AuditEvent) error {
			fields := []string{
				e.Time.UTC().Format(time.RFC3339), e.Received.UTC().Format(time.RFC3339), e.Member, e.MemberName, e.Device,
				e.DeviceName, e.Type, e.Text, e.Kind, strconv.Itoa(int(e.Sequence)), strconv.Itoa(e.Index),
				strconv.FormatBool(e.Verified), strconv.FormatBool(e.Sealed == nil),
			}
			for i, f := range fields {
				fields[i] = plainCell(f)
			}
			return row(fields)
		},
		end: func() error {
			err := row(nil)
			rows.Flush()
			return errors.Join(err, rows.Error())
		},
	}
}

// plainCell keeps a spreadsheet from taking a text for a formula: clients choose the texts, and an administrator's
// spreadsheet would run them. An apostrophe in front makes it a text. What begins with white space is looked at behind
// that, because some programs cut it off.
func plainCell(s string) string {
	if strings.HasPrefix(s, "\t") || strings.HasPrefix(s, "\r") || strings.HasPrefix(s, "\n") {
		return "'" + s
	}
	trimmed := strings.TrimLeft(s, " \u00A0\u3000")
	if trimmed != "" && strings.ContainsAny(trimmed[:1], "=+-@|%") {
		return "'" + s
	}
	for _, wide := range []string{"＝", "＋", "－", "＠"} { // as East Asian keyboards have them
		if strings.HasPrefix(trimmed, wide) {
			return "'" + s
		}
	}
	return s
}
