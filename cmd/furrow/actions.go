package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"furrow/web/api"
)

type actionsCmd struct {
	List     actionsListCmd     `cmd:"" default:"withargs" help:"List actions, the newest first."`
	Check    actionsCheckCmd    `cmd:"" help:"Say whether the log was changed."`
	Settings actionsSettingsCmd `cmd:"" help:"Show or change how long actions are kept."`
}

type actionsListCmd struct {
	sheetFlags
	Since  string `help:"Only actions of this time and later: 2026-03-14 or 2026-03-14T15:09:26Z." placeholder:"TIME"`
	Until  string `help:"Only actions before this time." placeholder:"TIME"`
	Who    string `help:"Only what this person has done." placeholder:"NAME"`
	What   string `help:"Only actions with this in what was done, such as member or DELETE." placeholder:"TEXT"`
	Target string `help:"Only actions with this in what it was done to: a name or GUID." placeholder:"TEXT"`
	Before uint64 `help:"Only actions with a lower number, to go on where a list has ended." placeholder:"NUMBER"`
	Limit  int    `help:"How many actions." default:"100"`
}

func (c *actionsListCmd) Run(s *session) error {
	filter := api.ActionFilter{Who: c.Who, What: c.What, Target: c.Target, Before: c.Before, Limit: c.Limit}
	var errs [2]error
	filter.Since, errs[0] = parseMoment(c.Since)
	filter.Until, errs[1] = parseMoment(c.Until)
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	client := api.NewClient(s.data)
	defer client.Close()
	actions, err := client.Actions(s.ctx, filter)
	if err != nil {
		return err
	}
	if c.CSV {
		return printRecords(s, c.sheetFlags, actions)
	}
	return s.out.print(actions, func(w io.Writer) error {
		if len(actions) == 0 {
			_, err := fmt.Fprintln(w, "no such action is in the log")
			return err
		}
		rows := make([][]string, len(actions))
		for i, a := range actions {
			changed := make([]string, len(a.Changes))
			for i, change := range a.Changes {
				changed[i] = fmt.Sprintf("%s: %s -> %s", change.Field, change.Before, change.After)
			}
			rows[i] = []string{
				fmt.Sprint(a.Sequence), a.Time.Local().Format(time.DateTime), a.Who, string(a.Outcome), a.Summary, cmp.Or(a.Name, a.Target),
				cmp.Or(a.Reason, strings.Join(changed, ", ")),
			}
		}
		return table(w, []string{"NUMBER", "TIME", "WHO", "OUTCOME", "ACTION", "ON", "CHANGES"}, rows)
	})
}

type actionsCheckCmd struct{}

func (actionsCheckCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	report, err := client.CheckActions(s.ctx)
	if err != nil {
		return err
	}
	err = s.out.print(report, func(w io.Writer) error {
		for _, d := range report.Damage {
			if _, err := fmt.Fprintln(w, d); err != nil {
				return err
			}
		}
		_, err := fmt.Fprintf(w, "%d lines since %s\n", report.Lines, report.From)
		return err
	})
	if err == nil && len(report.Damage) > 0 {
		err = fmt.Errorf("the action log was changed in %d places", len(report.Damage))
	}
	return err
}

type actionsSettingsCmd struct {
	Days *int `help:"Keep actions for so many days; 0 for ever." placeholder:"DAYS"`
}

func (c *actionsSettingsCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	settings, err := client.ActionSettings(s.ctx)
	if err == nil && c.Days != nil {
		settings, err = client.SetActionSettings(s.ctx, api.ActionSettings{Days: *c.Days})
	}
	if err != nil {
		return err
	}
	return s.out.print(settings, func(w io.Writer) error {
		return facts(w, [2]string{"actions", days(settings.Days, "for ever")})
	})
}
