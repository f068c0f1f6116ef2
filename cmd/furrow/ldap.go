package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"furrow/gms/ldapsync"
	"furrow/web/api"
)

type ldapCmd struct {
	Set     ldapSetCmd     `cmd:"" help:"Say which directory server has the people of a domain."`
	Show    ldapShowCmd    `cmd:"" help:"Show the directory servers, or one."`
	Test    ldapTestCmd    `cmd:"" help:"Read a directory server and change nothing."`
	Preview ldapPreviewCmd `cmd:"" help:"Show what a sync would do."`
	Sync    ldapSyncCmd    `cmd:"" help:"Make the members what the directory server has, now."`
	Report  ldapReportCmd  `cmd:"" help:"Show what the last syncs did."`
	Remove  ldapRemoveCmd  `cmd:"" help:"Forget a directory server; its members stay as they are."`
}

// sourceName is the argument of most verbs.
type sourceName struct {
	Name string `arg:"" help:"Name of the directory server, as set gave it."`
}

type ldapSetCmd struct {
	Name         string              `arg:"" help:"A name for the directory server: a-z, 0-9 and -."`
	Server       []string            `required:"" sep:"none" help:"ldaps://host, or ldap://host with StartTLS. Once for each copy of the server." placeholder:"URL"`
	Domain       string              `required:"" help:"Whose members the people become, by name or GUID." placeholder:"NAME"`
	Group        string              `help:"Group for new members, such as Sales/North." placeholder:"PATH"`
	Base         string              `required:"" help:"Where the people are, such as ou=staff,dc=example,dc=com." placeholder:"DN"`
	Schema       string              `enum:"ad,openldap" default:"ad" help:"Kind of server: ad or openldap."`
	Filter       string              `help:"Who of those are people; by default all persons." placeholder:"FILTER"`
	Scope        string              `enum:"base,one,sub" default:"sub" help:"How deep below the base: base, one or sub."`
	BindDN       string              `name:"bind-dn" help:"The account that reads; anonymous without it." placeholder:"DN"`
	PasswordFile string              `help:"File with its password, - for standard input; without it the password stays." placeholder:"FILE"`
	Authority    string              `help:"PEM file with the certificates to trust instead of those of the system." placeholder:"FILE" type:"existingfile"`
	Plain        bool                `help:"Send password and people in the clear."`
	Attribute    map[string][]string `mapsep:"none" sep:"," help:"Where a field of members comes from, such as phone=ipPhone,telephoneNumber or fax= for nowhere." placeholder:"FIELD=NAME,..."`
	Key          string              `help:"Attribute that identifies a person for ever; objectGUID or entryUUID by default." placeholder:"NAME"`
	DisabledWhen string              `help:"Filter for people who are to be disabled. For ad disabled accounts are seen without it." placeholder:"FILTER"`
	MaxDisable   int                 `default:"20" help:"Disable nobody when more than this part of the members would be, in percent."`
	Every        time.Duration       `default:"1h" help:"Time between scheduled syncs, the first one this long from now; 0 for none."`
	PageSize     int                 `default:"500" help:"People asked for at once."`
}

func (c *ldapSetCmd) Run(s *session) error {
	source := api.LDAPSource{Domain: c.Domain, Group: c.Group, Source: ldapsync.Source{
		Name: c.Name, Servers: c.Server, Plain: c.Plain, BindDN: c.BindDN, Base: c.Base, Filter: c.Filter,
		Scope: ldapsync.Scope(c.Scope), Schema: ldapsync.Schema(c.Schema), Key: c.Key, Attributes: c.Attribute,
		DisabledWhen: c.DisabledWhen, MaxDisablePercent: c.MaxDisable, IntervalMinutes: int(c.Every.Round(time.Minute) / time.Minute),
		PageSize: c.PageSize,
	}}
	if c.Every != 0 && c.Every < time.Minute {
		return fmt.Errorf("--every %s: less than a minute", c.Every)
	}
	var err error
	if source.Password, err = readSecret(c.PasswordFile); err != nil {
		return err
	}
	if c.Authority != "" {
		pem, err := os.ReadFile(c.Authority)
		if err != nil {
			return fmt.Errorf("certificates to trust: %w", err)
		}
		source.Authority = string(pem)
	}
	return s.ldapSource(func(client *api.Client) (api.LDAPSource, error) { return client.SetLDAP(s.ctx, source) })
}

type ldapShowCmd struct {
	Name string `arg:"" optional:"" help:"Name of one."`
}

func (c *ldapShowCmd) Run(s *session) error {
	if c.Name != "" {
		return s.ldapSource(func(client *api.Client) (api.LDAPSource, error) { return client.LDAPSource(s.ctx, c.Name) })
	}
	client := api.NewClient(s.data)
	defer client.Close()
	sources, err := client.LDAPSources(s.ctx)
	if err != nil {
		return err
	}
	return s.out.print(sources, func(w io.Writer) error {
		if len(sources) == 0 {
			_, err := fmt.Fprintln(w, "no directory server is set; furrow ldap set says which")
			return err
		}
		rows := make([][]string, len(sources))
		for i, one := range sources {
			rows[i] = []string{one.Name, one.Domain, strings.Join(one.Servers, " "), every(one.IntervalMinutes)}
		}
		return table(w, []string{"NAME", "DOMAIN", "SERVERS", "SYNC"}, rows)
	})
}

// every says how often a source is synced.
func every(minutes int) string {
	if minutes == 0 {
		return "by hand"
	}
	return "every " + strings.TrimSuffix((time.Duration(minutes)*time.Minute).String(), "0s")
}

type ldapRemoveCmd struct{ sourceName }

func (c *ldapRemoveCmd) Run(s *session) error {
	return s.ldapSource(func(client *api.Client) (api.LDAPSource, error) { return client.RemoveLDAP(s.ctx, c.Name) })
}

// ldapSource does one thing that yields a source, and prints it.
func (s *session) ldapSource(act func(*api.Client) (api.LDAPSource, error)) error {
	client := api.NewClient(s.data)
	defer client.Close()
	source, err := act(client)
	if err != nil {
		return err
	}
	return s.out.print(source, func(w io.Writer) error {
		lines := [][2]string{
			{"name", source.Name},
			{"domain", source.Domain},
			{"group", source.Group},
			{"servers", strings.Join(source.Servers, " ")},
			{"protection", protection(source)},
			{"account", source.BindDN},
			{"base", source.Base},
			{"scope", string(source.Scope)},
			{"filter", source.Filter},
			{"schema", string(source.Schema)},
			{"key", source.Key},
			{"disabled when", source.DisabledWhen},
			{"disables at most", strconv.Itoa(source.MaxDisablePercent) + " percent"},
			{"sync", every(source.IntervalMinutes)},
		}
		for _, name := range slices.Sorted(maps.Keys(source.Attributes)) {
			lines = append(lines, [2]string{name + " from", strings.Join(append([]string{""}, source.Attributes[name]...), " ")})
		}
		return facts(w, lines...)
	})
}

func protection(s api.LDAPSource) string {
	if s.Plain {
		return "none where the URL is ldap://"
	}
	return "TLS"
}

type ldapTestCmd struct{ sourceName }

func (c *ldapTestCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	seen, err := client.TestLDAP(s.ctx, c.Name)
	if err != nil {
		return err
	}
	return s.out.print(seen, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "the directory server shows %d people%s\n", seen.Entries, strings.Join(append([]string{""}, seen.Names...), "\n  "))
		return err
	})
}

type ldapPreviewCmd struct {
	sourceName
	DisableMany bool `help:"Do not stop at the limit of members to disable."`
}

func (c *ldapPreviewCmd) Run(s *session) error {
	return s.ldapReport(func(ctx context.Context, client *api.Client) (ldapsync.Report, error) {
		return client.PreviewLDAP(ctx, c.Name, c.DisableMany)
	})
}

type ldapSyncCmd struct {
	sourceName
	DisableMany bool `help:"Do not stop at the limit of members to disable."`
}

func (c *ldapSyncCmd) Run(s *session) error {
	var failed string
	err := s.ldapReport(func(ctx context.Context, client *api.Client) (ldapsync.Report, error) {
		r, err := client.SyncLDAP(ctx, c.Name, c.DisableMany)
		failed = r.Error
		return r, err
	})
	if err == nil && failed != "" {
		return fmt.Errorf("the sync did not come to its end: %s", failed)
	}
	return err
}

type ldapReportCmd struct {
	sourceName
	ID string `arg:"" optional:"" help:"ID of one, to see its lines."`
}

func (c *ldapReportCmd) Run(s *session) error {
	if c.ID != "" {
		return s.ldapReport(func(ctx context.Context, client *api.Client) (ldapsync.Report, error) {
			return client.LDAPReport(ctx, c.Name, c.ID)
		})
	}
	client := api.NewClient(s.data)
	defer client.Close()
	reports, err := client.LDAPReports(s.ctx, c.Name)
	if err != nil {
		return err
	}
	return s.out.print(reports, func(w io.Writer) error {
		rows := make([][]string, len(reports))
		for i, r := range reports {
			rows[i] = []string{r.ID, r.Ended.Local().Format(time.DateTime), strconv.Itoa(r.Entries), counts(r), r.Error + r.Stopped}
		}
		return table(w, []string{"ID", "ENDED", "PEOPLE", "DID", "PROBLEM"}, rows)
	})
}

// ldapReport does one thing that yields a report, and prints it.
func (s *session) ldapReport(act func(context.Context, *api.Client) (ldapsync.Report, error)) error {
	client := api.NewClient(s.data)
	defer client.Close()
	report, err := act(s.ctx, client)
	if err != nil {
		return err
	}
	return s.out.print(report, func(w io.Writer) error {
		rows := make([][]string, len(report.Lines))
		for i, l := range report.Lines {
			what := l.Reason
			if l.Action == ldapsync.Update {
				what = strings.Join(l.Fields, ", ")
			}
			rows[i] = []string{string(l.Action), l.Name, what, l.Entry}
		}
		if len(rows) > 0 {
			if err := table(w, []string{"ACTION", "NAME", "WHY", "ENTRY"}, rows); err != nil {
				return err
			}
		}
		for _, line := range []string{
			leftOut(report), report.Stopped, fmt.Sprintf("%d people in the directory: %s", report.Entries, counts(report)),
		} {
			if line == "" {
				continue
			}
			if _, err := fmt.Fprintln(w, line); err != nil {
				return err
			}
		}
		return nil
	})
}

func leftOut(r ldapsync.Report) string {
	if r.LeftOut == 0 {
		return ""
	}
	return fmt.Sprintf("and %d more lines", r.LeftOut)
}

// counts says how often each action occurred.
func counts(r ldapsync.Report) string {
	var parts []string
	for _, action := range slices.Sorted(maps.Keys(r.Counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", r.Counts[action], action))
	}
	if len(parts) == 0 {
		return "nothing to do"
	}
	return strings.Join(parts, ", ")
}
