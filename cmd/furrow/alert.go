package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"furrow/web/api"
)

type alertCmd struct {
	List alertListCmd `cmd:"" default:"1" help:"List what is wrong with the box, and what to do."`
	Show alertShowCmd `cmd:"" help:"Show who is told of what, and from which values."`
	Set  alertSetCmd  `cmd:"" help:"Change who is told of what."`
	Test alertTestCmd `cmd:"" help:"Send a test message on all ways."`
}

type alertListCmd struct{}

func (alertListCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	alerts, err := client.Alerts(s.ctx)
	if err != nil {
		return err
	}
	return s.out.print(alerts, func(w io.Writer) error {
		if len(alerts) == 0 {
			_, err := fmt.Fprintln(w, "nothing is wrong")
			return err
		}
		for _, a := range alerts {
			about := a.Title
			if a.Subject != "" {
				about += ": " + a.Subject
			}
			value := ""
			if a.Unit != "" {
				value = strconv.FormatFloat(a.Value, 'f', 1, 64) + " " + a.Unit
			}
			if _, err := fmt.Fprintf(w, "%s: %s (%s)\n", a.Level, about, a.Kind); err != nil {
				return err
			}
			if err := facts(w,
				[2]string{"  since", a.Raised.Local().Format(time.DateTime)}, [2]string{"  value", value},
				[2]string{"  detail", a.Detail}, [2]string{"  what to do", a.Remedy},
			); err != nil {
				return err
			}
		}
		return nil
	})
}

type alertShowCmd struct{}

func (alertShowCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	settings, err := client.AlertSettings(s.ctx)
	if err != nil {
		return err
	}
	return s.alertSettings(settings)
}

func (s *session) alertSettings(settings api.AlertSettings) error {
	return s.out.print(settings, func(w io.Writer) error {
		mail := strings.Join(settings.Recipients, ", ")
		if mail != "" && !settings.MailSet {
			mail += " (but no mail server is set: furrow mail set)"
		}
		if mail == "" && settings.URL == "" {
			mail = "nobody is told; furrow alert set --mail NAME@EXAMPLE.COM says whom"
		}
		if err := facts(w, [2]string{"mail", mail}, [2]string{"web hook", settings.URL}, [2]string{"its secret, shown once", settings.Secret}); err != nil {
			return err
		}
		rows := make([][]string, len(settings.Rules))
		for i, r := range settings.Rules {
			warning, critical := "yes", ""
			if r.Unit != "" {
				than := "from "
				if r.Below {
					than = "up to "
				}
				warning, critical = than+strconv.FormatFloat(r.Warning, 'g', 8, 64), than+strconv.FormatFloat(r.Critical, 'g', 8, 64)
			}
			if r.Off {
				warning, critical = "off", "off"
			}
			rows[i] = []string{r.Kind, r.Title, warning, critical, r.Unit}
		}
		return table(w, []string{"KIND", "WHAT", "WARNING", "CRITICAL", "UNIT"}, rows)
	})
}

type alertSetCmd struct {
	Mail       []string          `help:"Tell these addresses by mail; an empty one for nobody." placeholder:"ADDRESS"`
	Hook       *string           `help:"Tell this web hook, an https address; an empty one for none." placeholder:"URL"`
	SecretFile string            `help:"File with the key of the web hook's signatures, - for standard input; without it the box makes one and shows it." placeholder:"FILE"`
	Authority  string            `help:"PEM file with a certificate to trust for the web hook beside those of the system." placeholder:"FILE" type:"existingfile"`
	Threshold  map[string]string `help:"From which values a kind is a warning and critical, such as disk=5000/1000; disk=usual for those a box begins with." placeholder:"KIND=WARNING/CRITICAL"`
	Off        []string          `help:"Do not tell of these kinds." placeholder:"KIND"`
	On         []string          `help:"Tell of these kinds again." placeholder:"KIND"`
}

func (c *alertSetCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	settings, err := client.AlertSettings(s.ctx)
	if err != nil {
		return err
	}
	if err := c.change(&settings); err != nil {
		return err
	}
	if settings, err = client.SetAlerts(s.ctx, settings); err != nil {
		return err
	}
	return s.alertSettings(settings)
}

// change puts what the flags say into settings.
func (c *alertSetCmd) change(settings *api.AlertSettings) (err error) {
	if c.Mail != nil {
		settings.Recipients = slices.DeleteFunc(slices.Clone(c.Mail), func(address string) bool { return address == "" })
	}
	if c.Hook != nil {
		settings.URL, settings.Authority = *c.Hook, ""
	}
	if settings.Secret, err = readSecret(c.SecretFile); err != nil {
		return err
	}
	if err := readAuthority(c.Authority, &settings.Authority); err != nil {
		return err
	}
	for kind, values := range c.Threshold {
		rule, err := ruleOf(settings, kind)
		if err != nil {
			return err
		}
		if rule.Usual = values == "usual"; rule.Usual {
			continue
		}
		warning, critical, _ := strings.Cut(values, "/")
		var errs [2]error
		rule.Warning, errs[0] = strconv.ParseFloat(warning, 64)
		rule.Critical, errs[1] = strconv.ParseFloat(critical, 64)
		if errors.Join(errs[:]...) != nil {
			return fmt.Errorf("%q is not of the form WARNING/CRITICAL, such as 5000/1000", values)
		}
	}
	for off, kinds := range map[bool][]string{true: c.Off, false: c.On} {
		for _, kind := range kinds {
			rule, err := ruleOf(settings, kind)
			if err != nil {
				return err
			}
			rule.Off = off
		}
	}
	return nil
}

func ruleOf(settings *api.AlertSettings, kind string) (*api.AlertRule, error) {
	i := slices.IndexFunc(settings.Rules, func(r api.AlertRule) bool { return r.Kind == kind })
	if i < 0 {
		return nil, fmt.Errorf("%q is no kind of alert; furrow alert show lists them", kind)
	}
	return &settings.Rules[i], nil
}

type alertTestCmd struct{}

func (alertTestCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	ways, err := client.TestAlerts(s.ctx)
	if err != nil {
		return err
	}
	failed := 0
	err = s.out.print(ways, func(w io.Writer) error {
		for _, way := range ways {
			came := "sent"
			if way.Error != "" {
				came = way.Error
			}
			if _, err := fmt.Fprintf(w, "%s: %s\n", way.To, came); err != nil {
				return err
			}
		}
		return nil
	})
	for _, way := range ways {
		if way.Error != "" {
			failed++
		}
	}
	switch {
	case err != nil:
		return err
	case len(ways) == 0:
		return errors.New("nobody is told of alerts; furrow alert set says whom")
	case failed > 0:
		return fmt.Errorf("%d of %d ways did not work", failed, len(ways))
	}
	return nil
}
