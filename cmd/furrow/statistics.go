package main

import (
	"cmp"
	"io"
	"strconv"

	"furrow/web/api"
)

type statisticsCmd struct {
	List     statisticsListCmd     `cmd:"" help:"List what was counted by day."`
	Settings statisticsSettingsCmd `cmd:"" help:"Show or change how long statistics are kept."`
}

type statisticsListCmd struct {
	Domain string `help:"Only this domain, by name or GUID." placeholder:"NAME"`
	Member string `help:"Only this member." placeholder:"GUID"`
	Type   string `help:"Only this type, such as toolTime." placeholder:"TYPE"`
	Since  string `help:"Only this day and later, such as 2026-03-14." placeholder:"DAY"`
	Until  string `help:"Only this day and earlier." placeholder:"DAY"`
}

func (c *statisticsListCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	usage, err := client.Usage(s.ctx, api.UsageFilter{
		Domain: c.Domain, Member: c.Member, Type: c.Type, From: c.Since, To: c.Until,
	})
	if err != nil {
		return err
	}
	return s.out.print(usage, func(w io.Writer) error {
		rows := make([][]string, 0, len(usage))
		for _, d := range usage {
			rows = append(rows, []string{
				d.Day, cmp.Or(d.MemberName, d.Account), d.Type, d.Tool, cmp.Or(d.SpaceName, d.Space),
				strconv.FormatInt(d.Count, 10), strconv.FormatInt(d.Elapsed, 10), strconv.FormatInt(d.Uses, 10),
			})
		}
		return table(w, []string{"DAY", "WHO", "TYPE", "TOOL", "SPACE", "COUNT", "ELAPSED", "USES"}, rows)
	})
}

type statisticsSettingsCmd struct {
	RawDays *int `help:"Keep the reports as they came for so many days; 0 not at all." placeholder:"DAYS"`
	Days    *int `help:"Keep what was counted by day for so many days; 0 for ever." placeholder:"DAYS"`
}

func (c *statisticsSettingsCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	settings, err := client.StatisticsSettings(s.ctx)
	if err == nil && (c.RawDays != nil || c.Days != nil) {
		settings.RawDays, settings.Days = given(c.RawDays, settings.RawDays), given(c.Days, settings.Days)
		settings, err = client.SetStatisticsSettings(s.ctx, settings)
	}
	if err != nil {
		return err
	}
	return s.out.print(settings, func(w io.Writer) error {
		return facts(w, [2]string{"reports", days(settings.RawDays, "not kept")}, [2]string{"by day", days(settings.Days, "for ever")})
	})
}
