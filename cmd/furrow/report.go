package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"furrow/web/api"
)

type reportCmd struct {
	Members  reportMembersCmd  `cmd:"" help:"Members by status."`
	Contact  reportContactCmd  `cmd:"" help:"When each member's client was last heard of."`
	Backups  reportBackupsCmd  `cmd:"" help:"The backups of members' accounts and their age."`
	Usage    reportUsageCmd    `cmd:"" help:"How much was used, by member, space or tool."`
	Queues   reportQueuesCmd   `cmd:"" help:"Who has how much waiting at the relay of this box."`
	Failures reportFailuresCmd `cmd:"" help:"What clients have failed to do for their management."`
}

// sheetFlags ask for a sheet in the place of a table.
type sheetFlags struct {
	CSV bool `name:"csv" help:"Print the result as CSV for a spreadsheet."`
}

// reportFlags are those that every report of members has.
type reportFlags struct {
	sheetFlags
	Domain string `help:"Only this domain, by name or GUID." placeholder:"NAME"`
}

// show fetches the rows of a report and prints them.
func show[Row api.Record](
	s *session, flags sheetFlags, fetch func(*api.Client, context.Context, api.ReportFilter) ([]Row, error), filter api.ReportFilter,
) error {
	client := api.NewClient(s.data)
	defer client.Close()
	rows, err := fetch(client, s.ctx, filter)
	if err != nil {
		return err
	}
	return printRecords(s, flags, rows)
}

// printRecords prints rows as JSON, as a sheet or as a table.
func printRecords[Row api.Record](s *session, flags sheetFlags, rows []Row) error {
	if flags.CSV {
		return api.WriteSheet(s.out.w, rows)
	}
	return s.out.print(rows, func(w io.Writer) error {
		if len(rows) == 0 {
			_, err := fmt.Fprintln(w, "nothing to report")
			return err
		}
		lines := make([][]string, len(rows))
		for i, row := range rows {
			lines[i] = row.Values()
		}
		return table(w, strings.Split(strings.ToUpper(strings.Join(rows[0].Heading(), "\x00")), "\x00"), lines)
	})
}

type reportMembersCmd struct {
	reportFlags
	Status string `help:"Only members of this status: pending, active, disabled, deleted or migrated." placeholder:"STATUS"`
}

func (c *reportMembersCmd) Run(s *session) error {
	return show(s, c.sheetFlags, (*api.Client).MemberReport, api.ReportFilter{Domain: c.Domain, Status: c.Status})
}

type reportContactCmd struct{ reportFlags }

func (c *reportContactCmd) Run(s *session) error {
	return show(s, c.sheetFlags, (*api.Client).ContactReport, api.ReportFilter{Domain: c.Domain})
}

type reportBackupsCmd struct{ reportFlags }

func (c *reportBackupsCmd) Run(s *session) error {
	return show(s, c.sheetFlags, (*api.Client).BackupReport, api.ReportFilter{Domain: c.Domain})
}

type reportUsageCmd struct {
	reportFlags
	By    string `help:"What to add up by: member, space or tool." enum:"member,space,tool" default:"member"`
	Since string `help:"Only this day and later, such as 2026-03-14." placeholder:"DAY"`
	Until string `help:"Only this day and earlier." placeholder:"DAY"`
}

func (c *reportUsageCmd) Run(s *session) error {
	return show(s, c.sheetFlags, (*api.Client).UsageReport, api.ReportFilter{Domain: c.Domain, By: c.By, From: c.Since, To: c.Until})
}

type reportQueuesCmd struct{ sheetFlags }

func (c *reportQueuesCmd) Run(s *session) error {
	return show(s, c.sheetFlags, (*api.Client).QueueReport, api.ReportFilter{})
}

type reportFailuresCmd struct{ reportFlags }

func (c *reportFailuresCmd) Run(s *session) error {
	return show(s, c.sheetFlags, (*api.Client).FailureReport, api.ReportFilter{Domain: c.Domain})
}
