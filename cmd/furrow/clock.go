package main

import (
	"io"
	"slices"
	"strings"
	"time"

	"furrow/appliance/network"
	"furrow/web/api"
)

type clockCmd struct {
	Show clockShowCmd `cmd:"" default:"1" help:"Show the box's time, time servers and time zone, and whether the clock is kept right."`
	Set  clockSetCmd  `cmd:"" help:"Change time servers and time zone."`
}

type clockShowCmd struct{}

func (clockShowCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	report, err := client.Clock(s.ctx)
	return s.clock(report, err)
}

type clockSetCmd struct {
	Server []string `help:"NTP servers, names or addresses; an empty one for the usual ones." placeholder:"SERVER"`
	Zone   *string  `help:"Time zone, such as Europe/Berlin, in which the command line shows times."`
}

func (c *clockSetCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	report, err := client.Clock(s.ctx)
	if err != nil {
		return err
	}
	wanted := report.Set
	if c.Server != nil {
		wanted.Servers = slices.DeleteFunc(slices.Clone(c.Server), func(entry string) bool { return entry == "" })
	}
	if c.Zone != nil {
		wanted.Zone = *c.Zone
	}
	report, err = client.SetClock(s.ctx, wanted)
	return s.clock(report, err)
}

// clock prints a report, unless there is none.
func (s *session) clock(report network.ClockReport, err error) error {
	if err != nil {
		return err
	}
	return s.out.print(report, func(w io.Writer) error {
		synchronized := "no"
		if report.Synchronized {
			synchronized = "yes"
		}
		return facts(w,
			[2]string{"time", report.Now.UTC().Format(time.RFC3339)}, [2]string{"time zone", report.Set.Zone},
			[2]string{"kept right", synchronized}, [2]string{"asked last", report.Server},
			[2]string{"time servers", strings.Join(report.Set.Servers, ", ")},
			[2]string{"damage", report.Damage}, [2]string{"problem", report.Problem},
		)
	})
}
